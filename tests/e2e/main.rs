//! End to end: the built binary over standard input and output, against a scripted vendor or the simulated provider.
//!
//! Each test plays an editor; dropping it shuts the server down and fails on messages that nobody read. Every stream
//! is checked against the rules of `support/turn.rs`, whatever the test is about.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
pub mod support;

mod auth;
mod bad_frames;
mod bad_params;
mod cancel;
mod captures;
mod configuration;
mod context;
mod cost;
mod documents;
mod kept;
mod lifecycle;
mod load;
mod models;
mod options;
mod order;
mod output;
mod project;
mod prompt;
mod provider_cancel;
mod provider_errors;
mod provider_oci;
mod provider_ollama;
mod provider_settings;
mod provider_switch;
mod providers;
mod recordings;
mod retries;
mod secrets;
mod sim;
mod slow_editor;
mod upstream;
mod usage;
