//! The looked-up truth, read only: people, documents, catalogues, import of sample data.
