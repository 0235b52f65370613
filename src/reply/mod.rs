//! Replies: the texts that operators edit are loaded, checked whole, exchanged while running, and rendered within the
//! segments a reply may take. Knows nothing of carriers, databases or why a question was refused.
//!
//! A set is accepted only when every text in both languages works with every sample, so a broken file never reaches a
//! citizen; and should a text fail all the same, a fixed one with the contact phone goes out ([`Templates::compose`]).

mod check;
mod compose;
mod context;
mod fault;
mod live;
mod request;
mod samples;
mod set;
mod settings;
mod shipped;
mod source;
mod text;
mod watch;

#[cfg(test)]
mod tests;

pub use check::{SampleRender, render_samples};
pub use fault::{Fault, TemplateFault, TemplateFaults};
pub use live::{ReloadOutcome, Templates};
pub use request::{Facts, ReplyRequest};
pub use set::TemplateSet;
pub use settings::{Settings, Words};
pub use shipped::Shipped;
pub use watch::{CannotWatch, QUIET, Watch, watch};
