//! OpenAI's Responses API: `POST {base}/responses`.
//!
//! Requests are stateless: nothing is stored at the provider, and what it needs of earlier answers goes back. How that
//! is kept in a history, which has no words of this API:
//!
//! * an item `reasoning` is thinking whose signature is the item's JSON exactly as `response.output_item.done` had it;
//! * the `id` and `phase` of an item `message` are a block of JSON, `{"type": "message_meta", …}`, behind its text;
//! * a `function_call` is a tool call whose id is the `call_id`;
//! * any other item is a block of its JSON.
//!
//! Only the model that wrote them gets these back; another one gets text, calls and results.

mod input;
mod item;
mod request;
mod stream;
mod wire;

pub use request::{Built, Target, build};
pub use stream::{Events, Mapper, events};

/// The type of the block that holds what a message carries beside its text.
const MESSAGE_META: &str = "message_meta";
