//! The handlers: they decode, forward, encode. What must happen in the order of the messages happens before they first
//! wait.

pub(super) mod auth;
pub(super) mod configuration;
pub(super) mod context;
pub(super) mod documents;
pub(super) mod lifecycle;
pub(super) mod models;
pub(super) mod prompts;
pub(super) mod sessions;
pub(super) mod workspace;
