//! Souffleur: a language server for AI.
//!
//! One binary speaks JSON-RPC on stdio to an editor, holds sessions per workspace, streams the model's text and
//! thinking as progress notifications, and runs tools. `docs/architecture.md` has the map; the order of the modules
//! below is the order of the layers: a module uses only what stands above it.

pub mod error;

pub mod chat;

pub mod protocol;

pub mod config;
pub mod net;
pub mod telemetry;

pub mod auth;
pub mod models;
pub mod store;
pub mod workspace;

pub mod prompt;
pub mod provider;
pub mod tools;

pub mod session;

pub mod server;

pub mod cli;
