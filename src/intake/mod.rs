//! Parts joined, redelivery recognised.
