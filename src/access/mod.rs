//! May this sender read this record.
