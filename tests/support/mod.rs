//! What the tests of the whole program share: a scripted vendor, an editor, and the rules that every stream obeys.
//!
//! A test binary takes it in with `#[path = "../support/mod.rs"] pub mod support;`. It is `pub` so that a binary may
//! use a part of it without a warning about the rest. Nothing here needs an async runtime of the test's own: the
//! vendor and the editor's pipes have threads, and a test simply waits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

pub mod answer;
pub mod editor;
pub mod frames;
pub mod inbox;
pub mod platform;
pub mod process;
pub mod script;
pub mod secrets;
pub mod setup;
pub mod turn;
pub mod vendor;
pub mod vendors;

/// How long a test waits for something that must come. It is a guard against waiting for ever, not a measurement:
/// no test passes by letting it run out.
pub const GUARD: Duration = Duration::from_secs(20);

/// How long a process may take to end. The promise is a second; loaded machines get more.
pub const EXIT_GUARD: Duration = Duration::from_secs(5);
