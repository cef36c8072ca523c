//! What the program tells about itself while it runs.
//!
//! *For*: logs for people who look for a fault.
//! *Owns*: where logs go: standard error or a file, never standard output, which belongs to the protocol.
//! *Must not know*: sessions, providers, LSP. Secrets never reach it: they are kept in types that do not print.

mod logging;
mod redact;

pub use logging::{LogTarget, init};
pub use redact::{redact, remember_secret};
