//! What is kept, as plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chat::{Cost, Item, ItemId, Message, SessionId, TurnEnd, TurnId, Usage};

/// A session as lists show it. Times are in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRecord {
    /// Its name.
    pub session_id: SessionId,
    /// Its title; empty before the first prompt.
    pub title: String,
    /// Its model, as `provider:model`.
    pub model: String,
    /// Whether its answers are simulated.
    #[serde(default)]
    pub simulated: bool,
    /// The workspace folder it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<String>,
    /// Its mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Where it was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ForkPoint>,
    /// How many turns it has had.
    #[serde(default)]
    pub turns: u64,
    /// Whether a turn of it runs, in this server or another.
    #[serde(skip)]
    pub running: bool,
    /// When it was made.
    pub created_at: u64,
    /// When its last turn began or ended.
    pub updated_at: u64,
}

/// Where a session was forked from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForkPoint {
    /// The session.
    pub session_id: SessionId,
    /// The last turn that was copied; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
}

/// What was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spending {
    /// Tokens.
    pub usage: Usage,
    /// What they cost; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Tokens of the last request, which tell how full the context is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_request: Option<Usage>,
    /// Whether it was simulated, and so cost nothing.
    pub simulated: bool,
}

/// How far a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TurnState {
    /// It runs.
    Running,
    /// It ended; its end says how.
    Ended,
    /// Its server died while it ran.
    Interrupted,
}

/// A turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnRecord {
    /// Its name.
    pub turn_id: TurnId,
    /// The model that answered, as `provider:model`.
    pub model: String,
    /// How far it is.
    pub state: TurnState,
    /// How it ended; absent while it runs, and when it was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<TurnEnd>,
    /// What it used, as far as is known.
    #[serde(default)]
    pub spent: Spending,
    /// The number of its first message in the session. Its messages go up to those of the next turn.
    pub first_message: u64,
    /// The number of its first item in the session.
    pub first_item: u64,
    /// When it began, in milliseconds since 1970.
    pub started_at: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
}

/// All of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// What lists show.
    pub session: SessionRecord,
    /// Its turns, the first one first.
    pub turns: Vec<TurnRecord>,
    /// The conversation as models see it.
    pub messages: Vec<Arc<Message>>,
    /// The completed items as people see them.
    pub items: Vec<Item>,
    /// The items of the running turn that still grow, as they were at the last checkpoint.
    pub running: Vec<Item>,
    /// What was used outside of turns.
    pub expenses: Vec<Spending>,
    /// What was kept with [`super::Store::put`].
    pub values: BTreeMap<String, String>,
}

/// What begins a turn.
#[derive(Clone, Debug)]
pub struct TurnStart {
    /// The turn.
    pub turn_id: TurnId,
    /// The session's model from now on, as `provider:model`.
    pub model: String,
    /// Whether its answer is simulated.
    pub simulated: bool,
    /// The session's title, if it has none yet.
    pub title: String,
    /// The prompt, as the model and as people see it.
    pub entries: Entries,
    /// The time, in milliseconds since 1970.
    pub at: u64,
}

/// What is appended at once.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// Messages.
    pub messages: Vec<Arc<Message>>,
    /// Completed items. A checkpoint of one of them is dropped.
    pub items: Vec<Item>,
}

/// The state of what still grows.
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    /// All items that still grow, with what they hold so far. An item that is not among them keeps no checkpoint.
    pub items: Vec<Item>,
    /// What the turn used so far.
    pub spent: Spending,
}

/// What ends a turn.
#[derive(Clone, Debug)]
pub struct TurnFinish {
    /// The turn's last messages and items, if they were not appended before.
    pub entries: Entries,
    /// How it ended.
    pub end: TurnEnd,
    /// What it used.
    pub spent: Spending,
    /// The time, in milliseconds since 1970.
    pub at: u64,
}

/// How much of a session there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// How many messages: the number of the next one.
    pub messages: u64,
    /// How many completed items: the number of the next one.
    pub items: u64,
}

/// A turn that was closed because its server was gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Interrupted {
    /// The session.
    pub session_id: SessionId,
    /// The turn.
    pub turn_id: TurnId,
    /// The messages that closed it: what arrived of an answer, an error for each call that was open.
    pub messages: Vec<Arc<Message>>,
    /// The items that were running, as they were kept.
    pub items: Vec<Item>,
}

/// Which sessions to list.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Only those of this workspace folder.
    pub workspace_uri: Option<String>,
    /// Only those with all these words in one title, prompt or answer.
    pub text: Option<String>,
    /// How many at most; 0 counts as 1.
    pub limit: u32,
    /// Only those made before this one.
    pub before: Option<SessionId>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// The sessions, the one made last first.
    pub sessions: Vec<SessionRecord>,
    /// Whether there are more; [`ListQuery::before`] is then the last one's id.
    pub more: bool,
}

/// What to search for.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Words that all occur; of the last one, its beginning. Punctuation and quotes mean nothing.
    pub text: String,
    /// Only in sessions of this workspace folder.
    pub workspace_uri: Option<String>,
    /// How many hits at most; 0 counts as 1.
    pub limit: u32,
    /// Where to go on: [`SearchPage::next`] of the page before.
    pub cursor: Option<i64>,
}

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchHit {
    /// The session.
    pub session: SessionRecord,
    /// The item; `None` for the title.
    pub item_id: Option<ItemId>,
    /// The text around the words.
    pub excerpt: String,
}

/// A page of hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// The hits: of the session made last first, its title after its items, the last item first.
    pub hits: Vec<SearchHit>,
    /// Present when there may be more.
    pub next: Option<i64>,
}

/// What the user should know about the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreNotice {
    /// A stable name: `store.in_memory`, `store.set_aside`.
    pub code: &'static str,
    /// One sentence, without a final period.
    pub message: String,
    /// What can be done about it.
    pub hint: String,
}
