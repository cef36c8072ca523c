//! OpenAI's APIs.

pub mod responses;
