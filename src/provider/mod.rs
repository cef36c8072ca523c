//! Providers: who turns a frozen request into a model's answer.
//!
//! *For*: one door, [`Provider`], behind which every vendor's wire format stays.
//! *Owns*: requests on the wire, framing, mapping to [`CompletionEvent`]s, classes of errors.
//! *Must not know*: sessions, tools' execution, LSP.

mod accounts;
mod build;
mod channel;
mod credentials;
mod error;
mod framed;
mod http;
mod limit;
mod listing;
mod mapped;
mod ndjson;
mod notice;
mod observe;
mod options;
mod recorder;
mod registry;
mod retry;
mod retry_headers;
mod sse;
mod structured;

pub mod anthropic;
pub mod ollama;
pub mod openai;
pub mod sim;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::future::BoxFuture;

use crate::chat::{CompletionEvent, Message, ToolSpec, Usage};
use crate::models::{ModelName, RemoteModel};

pub use error::{Category, Error};
pub use framed::Guard;
pub use limit::Limiter;
pub use mapped::{FrameMapper, Mapped};
pub use ndjson::LineGuard;
pub use options::{AnthropicOptions, ApiVersion, OutputSupport, ParallelTools, RequestOptions};
pub use registry::{Registry, is_simulated, providers};
pub use retry::RetryPolicy;
pub use sse::SseGuard;
pub use structured::{Mismatch, Reduced, SchemaError, Validator, drop_added_nulls, prompt_for, reduce, repair_prompt};

/// All that one request to a model is made of, frozen when it is made: nothing that changes later changes it.
#[derive(Clone, Debug)]
pub struct CompletionRequest {
    /// The model.
    pub model: ModelName,
    /// The system prompt, in sections.
    pub system: Arc<[String]>,
    /// The tools the model may call.
    pub tools: Arc<[ToolSpec]>,
    /// The conversation so far, ending with the user's turn.
    pub messages: Vec<Arc<Message>>,
    /// The most tokens the answer may have, thinking included.
    pub max_output_tokens: u32,
    /// What else is asked of the model.
    pub options: Arc<RequestOptions>,
}

/// A model's answer as it arrives. It ends after [`CompletionEvent::Completed`] or after the first error. Dropping it
/// ends the request and closes its connection.
pub type CompletionStream = Pin<Box<dyn Stream<Item = Result<CompletionEvent, Error>> + Send>>;

/// A vendor's models.
pub trait Provider: Send + Sync {
    /// Begins to answer. Nothing is sent before the stream is polled.
    fn complete(&self, request: CompletionRequest) -> CompletionStream;

    /// Checks without any network that a request could be sent: that there is a credential, and that the provider's
    /// settings make sense.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    fn ready(&self) -> Result<(), crate::error::UserError> {
        Ok(())
    }

    /// Asks the provider which models it has, and what they can do. Nothing by default.
    fn models(&self) -> BoxFuture<'static, Result<Vec<RemoteModel>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Asks the provider how many tokens a request would have. `None`, the default, when it does not count.
    fn count_tokens(&self, _: CompletionRequest) -> BoxFuture<'static, Result<Option<u64>, Error>> {
        Box::pin(async { Ok(None) })
    }

    /// Has the provider cache a request's tools and system prompt, without an answer. `None`, the default, when it has
    /// no such thing.
    fn warm(&self, _: CompletionRequest) -> BoxFuture<'static, Result<Option<Usage>, Error>> {
        Box::pin(async { Ok(None) })
    }
}
