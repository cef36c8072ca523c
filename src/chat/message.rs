//! What a conversation consists of: messages of content blocks.

use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::media::MediaSource;

/// A piece of content that people and tools exchange with the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ContentBlock {
    /// Plain text or Markdown.
    Text {
        /// The text.
        text: String,
    },
    /// An image.
    Image {
        /// Its bytes, or where they are.
        source: MediaSource,
    },
    /// A document: PDF or plain text.
    Document {
        /// Its bytes, or where they are.
        source: MediaSource,
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// A kind that this version does not know. Never sent; a prompt with one is refused, not shortened.
    #[schemars(skip)]
    Unknown,
}

/// Read by hand so that an error names the field inside the block, and so that a block of an unknown kind is one.
impl<'de> Deserialize<'de> for ContentBlock {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            text: Option<String>,
            #[serde(default)]
            source: Option<MediaSource>,
            #[serde(default)]
            title: Option<String>,
        }
        let fields = Fields::deserialize(deserializer)?;
        let missing = serde::de::Error::missing_field;
        match fields.kind.as_str() {
            "text" => Ok(Self::Text { text: fields.text.ok_or_else(|| missing("text"))? }),
            "image" => Ok(Self::Image { source: fields.source.ok_or_else(|| missing("source"))? }),
            "document" => {
                Ok(Self::Document { source: fields.source.ok_or_else(|| missing("source"))?, title: fields.title })
            }
            _ => Ok(Self::Unknown),
        }
    }
}

impl ContentBlock {
    /// A text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// The text of a text block.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Image { .. } | Self::Document { .. } | Self::Unknown => None,
        }
    }
}

/// Who a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The user, and the tools that answer on the user's side.
    User,
    /// The model.
    Assistant,
}

/// One message of a history. Once sent it never changes: providers cache and sign what came before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Who it is from.
    pub role: Role,
    /// What it says, in order.
    pub content: Vec<MessageBlock>,
    /// For the model's messages, the `provider:model` that wrote it: thinking goes back only to its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Arc<str>>,
    /// The message as it was encoded for a provider.
    #[serde(skip)]
    pub encoding: Encoding,
}

/// A message's encoding, kept by the provider that made it: a message never changes, so neither do its bytes, and a
/// long conversation is not encoded anew for each of its requests.
#[derive(Clone, Debug, Default)]
pub struct Encoding(OnceLock<(&'static str, Option<Box<RawValue>>)>);

impl Encoding {
    /// What `provider` made of the message; made by `make` when it is the first to ask. `None` when another provider
    /// was. `Some(None)`: it has nothing to send.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then.
    pub fn get_or_make<E>(
        &self,
        provider: &'static str,
        make: impl FnOnce() -> Result<Option<Box<RawValue>>, E>,
    ) -> Result<Option<Option<&RawValue>>, E> {
        let (owner, bytes) = if let Some(made) = self.0.get() {
            made
        } else {
            let made = make()?;
            self.0.get_or_init(|| (provider, made))
        };
        Ok((*owner == provider).then_some(bytes.as_deref()))
    }

    /// Whether the message was encoded.
    pub fn is_made(&self) -> bool {
        self.0.get().is_some()
    }
}

/// Messages are equal when they say the same, encoded or not.
impl PartialEq for Encoding {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Encoding {}

impl Message {
    /// A message of the user.
    pub fn user(content: Vec<MessageBlock>) -> Self {
        Self { role: Role::User, content, author: None, encoding: Encoding::default() }
    }

    /// A message of the model `author`.
    pub fn assistant(content: Vec<MessageBlock>, author: Arc<str>) -> Self {
        Self { role: Role::Assistant, content, author: Some(author), encoding: Encoding::default() }
    }
}

/// A content block of a message in a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum MessageBlock {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// An image or a document of the user's.
    Attachment {
        /// The content block.
        content: ContentBlock,
    },
    /// Readable thinking; goes back unchanged to the model that wrote it.
    Thinking {
        /// What the model showed of it; may be empty.
        text: String,
        /// The provider's proof of origin.
        signature: String,
    },
    /// Thinking that only the provider can read; goes back unchanged.
    RedactedThinking {
        /// Opaque.
        data: String,
    },
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// A tool answered.
    ToolResult(ToolResult),
    /// A block that we have no word for; goes back unchanged to the same provider.
    Other {
        /// The block as JSON text.
        json: String,
    },
}

/// A complete call of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolCall {
    /// The provider's id of the call; its result carries the same.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The input exactly as the model wrote it: JSON text, empty for no input, possibly malformed.
    pub input: String,
}

impl ToolCall {
    /// The input as a value. No text at all means no arguments: an empty object.
    ///
    /// # Errors
    /// The parser's message when the text is not JSON.
    pub fn parsed_input(&self) -> Result<serde_json::Value, serde_json::Error> {
        if self.input.trim().is_empty() {
            return Ok(serde_json::Value::Object(serde_json::Map::new()));
        }
        serde_json::from_str(&self.input)
    }
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The answer.
    pub content: Vec<ContentBlock>,
    /// Whether the call failed; the content then says why and what to try.
    pub is_error: bool,
}

impl ToolResult {
    /// A failure that the model can read.
    pub fn error(call_id: impl Into<String>, message: impl Into<String>) -> Self {
        Self { call_id: call_id.into(), content: vec![ContentBlock::text(message)], is_error: true }
    }

    /// A success.
    pub fn ok(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { call_id: call_id.into(), content: vec![ContentBlock::text(text)], is_error: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_content_block_is_kept_apart_not_an_error() {
        let blocks: Vec<ContentBlock> =
            serde_json::from_str(r#"[{"type":"text","text":"a"},{"type":"hologram","x":1}]"#).unwrap();
        assert_eq!(blocks, [ContentBlock::text("a"), ContentBlock::Unknown]);
    }

    #[test]
    fn no_input_is_an_empty_object_and_bad_input_an_error() {
        let call = |input: &str| ToolCall { id: "1".into(), name: "t".into(), input: input.into() };
        assert_eq!(call("").parsed_input().unwrap(), serde_json::json!({}));
        assert!(call("{\"a\":").parsed_input().is_err());
    }
}
