//! Text to question: the grammar of the configuration.
