//! Text that must not be printed.

use std::fmt;

use zeroize::Zeroize;

/// A text about or from a person: readable through [`Masked::expose`], shown elsewhere only by its length.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Masked(String);

impl Masked {
    /// Takes a text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Each call is a place where personal data leaves its wrapping.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} characters>", self.0.chars().count())
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
