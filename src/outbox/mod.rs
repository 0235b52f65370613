//! What is sent: window, retries, what a response or a receipt means.
