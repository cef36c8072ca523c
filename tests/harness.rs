//! The tests of the tests: the scripted vendor and the rules of streams, without the server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
pub mod support;

#[path = "harness/frames.rs"]
mod frames;
#[path = "harness/streams.rs"]
mod streams;
#[path = "harness/vendor.rs"]
mod vendor;
