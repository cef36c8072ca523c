//! What can be asked of a session's actor.

use tokio::sync::oneshot;

use crate::chat::{ContentBlock, Cost, TurnId, Usage};
use crate::error::UserError;
use crate::models::ModelName;
use crate::protocol::{
    ContextItem, LoadResult, PromptOptions, PromptRefreshResult, PromptShowResult, SessionUsageResult, StreamToken,
};
use crate::provider::CompletionRequest;

/// Where the answer goes. The asker may be gone; that is no concern of the actor.
pub(super) type Reply<T> = oneshot::Sender<Result<T, UserError>>;

/// What a session used, and what of it is to be counted.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) result: SessionUsageResult,
    pub(super) to_count: Option<Box<CompletionRequest>>,
}

/// What begins a turn.
#[derive(Debug)]
pub(super) struct Prompt {
    pub(super) content: Vec<ContentBlock>,
    pub(super) stream_token: StreamToken,
    pub(super) model: Option<ModelName>,
    pub(super) options: PromptOptions,
    /// What the user gives along.
    pub(super) context: Vec<ContextItem>,
}

/// A message to a session's actor.
#[derive(Debug)]
pub(super) enum Command {
    /// Begin a turn.
    Prompt { prompt: Box<Prompt>, reply: Reply<TurnId> },
    /// Stop the turn that runs, if it is the one named.
    Cancel { turn_id: Option<TurnId>, reply: Reply<bool> },
    /// Stop the turn that runs, if it streams with this token.
    CancelStream { stream_token: StreamToken },
    /// Everything there is, and from now on the running turn's updates.
    Load { stream_token: Option<StreamToken>, reply: Reply<LoadResult> },
    /// What was used so far; with `count`, also the request whose tokens the provider is to count.
    Usage { count: bool, reply: Reply<Used> },
    /// A request whose tools and system prompt the provider can cache before the first prompt.
    Warm { reply: Reply<Box<CompletionRequest>> },
    /// Something was used outside a turn.
    Spent { usage: Usage, cost: Option<Cost> },
    /// The session has another title.
    Rename { title: String },
    /// The system prompt as it is.
    ShowPrompt { reply: Reply<PromptShowResult> },
    /// Another system prompt, of the project as it is now.
    RefreshPrompt { reply: Reply<PromptRefreshResult> },
    /// Stop what runs and end the actor.
    Close { reply: Reply<()> },
}
