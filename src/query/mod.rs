//! Text to question: the grammar of the configuration. Knows nothing of who asks; decides nothing but what was meant.
//!
//! A text is folded to plain capitals with single spaces; its first word (or the letters before its first digit) finds
//! the kind of question in a map, that kind's pattern takes the rest apart, and a second map names the fields. Whatever
//! does not fit becomes a [`crate::message::Misread`] with the nearest right form.

mod grammar;
mod nearest;
mod text;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use grammar::{Grammar, LONGEST_TEXT};
