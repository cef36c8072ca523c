//! What vendors other than the first one say and take. Each has an encoder, from [`Said`] to a script in its format,
//! and a decoder, from a request to [`Asked`]. The decoders are strict: a request that the vendor would refuse, or that
//! has a field it does not know, is an error, which [`demand`] sends back as the vendor words it.

pub mod anthropic;
pub mod apis;
pub mod chat;
pub mod dialects;
pub mod oci;
pub mod ollama;
pub mod responses;

use serde_json::{Value, json};

use super::script::Script;
use super::vendor::{Request, Vendor};

/// What a model says in one answer, in no vendor's words. Each answer used 100 tokens of input, 40 of them read from a
/// cache, and 20 of output, 8 of them thinking, as far as the vendor counts these.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// What it thinks first.
    pub thinking: &'a str,
    /// What it says.
    pub text: &'a str,
    /// The tool that it calls in the end: the call's id, the name, the input as JSON text.
    pub call: Option<(&'a str, &'a str, &'a str)>,
}

/// What a request asks, in no vendor's words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The model.
    pub model: String,
    /// The system prompt.
    pub system: String,
    /// The conversation.
    pub history: Vec<Entry>,
    /// The names of the tools.
    pub tools: Vec<String>,
    /// The schema of the answer.
    pub schema: Option<Value>,
    /// The most tokens of the answer.
    pub limit: u64,
    /// The word of effort.
    pub effort: Option<String>,
    /// The temperature.
    pub temperature: Option<f64>,
}

/// An entry of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// The user said this, with so many images.
    User {
        /// The text.
        text: String,
        /// How many images.
        images: usize,
    },
    /// A model said this.
    Assistant {
        /// What of its thinking goes back to it.
        thinking: Option<String>,
        /// The text.
        text: String,
        /// The calls.
        calls: Vec<Called>,
    },
    /// A tool answered.
    Result {
        /// The call's id.
        id: String,
        /// The text.
        text: String,
    },
}

/// A tool call in a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// Its id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The input.
    pub input: Value,
}

/// Reads a request strictly.
pub type Decode = std::sync::Arc<dyn Fn(&Request) -> Result<Asked, String> + Send + Sync>;

/// Has the vendor turn away each request to it that `decode` cannot read.
pub fn demand(vendor: &Vendor, decode: impl Fn(&Request) -> Result<Asked, String> + Send + Sync + 'static) {
    vendor.answer_first(move |request| decode(request).err().map(|why| refusal(&why)));
}

/// How a sloppy request is refused.
pub fn refusal(why: &str) -> Script {
    json_script(400, &json!({"error": {"message": format!("SLOPPY: {why}"), "type": "invalid_request_error"}}))
}

/// An answer that is one JSON value.
pub fn json_script(status: u16, body: &Value) -> Script {
    Script::status(status).header("content-type", "application/json").body(body.to_string())
}

/// A pair of halves of a text: what streams comes in pieces.
pub fn halves(text: &str) -> [&str; 2] {
    let middle = (text.len() / 2..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    [&text[..middle], &text[middle..]]
}

fn parse<T: serde::de::DeserializeOwned>(request: &Request) -> Result<T, String> {
    serde_json::from_slice(&request.raw).map_err(|error| error.to_string())
}

fn need(condition: bool, what: &str) -> Result<(), String> {
    if condition { Ok(()) } else { Err(what.to_owned()) }
}

fn post(request: &Request, path: &str) -> Result<(), String> {
    need(request.method == "POST", "the method is POST")?;
    if request.path != path {
        return Err(format!("the path is {path}, not {}", request.path));
    }
    need(request.header("content-type") == Some("application/json"), "the content type is application/json")
}

fn bearer(request: &Request, key: &str) -> Result<(), String> {
    need(request.header("authorization") == Some(&format!("Bearer {key}")), "the key is a bearer token")?;
    need(request.header("x-api-key").is_none() && request.header("api-key").is_none(), "the key is sent once")
}

/// The rules that every vendor has for a conversation: it begins and ends with the user, results answer calls that are
/// open, nothing is empty.
fn check(asked: &Asked) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    for (at, entry) in asked.history.iter().enumerate() {
        match entry {
            Entry::User { text, images } => {
                need(open.is_empty(), "every call has a result before the user goes on")?;
                need(!text.is_empty() || *images > 0, "a message has content")?;
            }
            Entry::Assistant { text, calls, .. } => {
                need(at > 0, "the first message is the user's")?;
                need(open.is_empty(), "every call has a result before the model goes on")?;
                need(!text.is_empty() || !calls.is_empty(), "a message has content")?;
                open.extend(calls.iter().map(|call| call.id.as_str()));
                need(calls.iter().all(|call| call.input.is_object()), "the input of a call is an object")?;
            }
            Entry::Result { id, .. } => {
                let Some(place) = open.iter().position(|known| known == id) else {
                    return Err(format!("no open call has the id {id}"));
                };
                open.remove(place);
            }
        }
    }
    need(open.is_empty(), "every call has a result")?;
    need(!matches!(asked.history.last(), None | Some(Entry::Assistant { .. })), "the last word is not the model's")?;
    need(asked.limit > 0, "the answer has a limit")
}
