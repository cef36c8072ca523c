//! Messages and content blocks as the API has them.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::NAME;
use super::request::raw;
use crate::chat::{CacheTtl, ContentBlock, MediaSource, Message, MessageBlock, Role, ToolCall, ToolResult};
use crate::provider::{Category, Error};

/// A cache breakpoint.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct CacheControl {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl CacheControl {
    pub(super) fn new(ttl: CacheTtl) -> Self {
        let ttl = match ttl {
            // The API's default; left out, as every version and gateway understands it.
            CacheTtl::FiveMinutes => None,
            CacheTtl::OneHour => Some("1h"),
        };
        Self { r#type: "ephemeral", ttl }
    }
}

/// A message of a request: one that was encoded before, byte for byte, or one that is encoded now.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Wire<'a> {
    Encoded(&'a RawValue),
    Typed(WireMessage<'a>),
}

/// A message.
#[derive(Serialize)]
pub(super) struct WireMessage<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

impl WireMessage<'_> {
    fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// Sets a breakpoint on the last block that can carry one.
    fn mark_last(&mut self, mark: CacheControl) {
        if let Some(block) = self.content.iter_mut().rev().find(|block| block.can_be_marked()) {
            block.mark(mark);
        }
    }
}

/// A content block.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Block<'a> {
    Known(Known<'a>),
    Raw(Box<RawValue>),
}

type Mark = Option<CacheControl>;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Known<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Mark,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Mark,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Mark,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Box<RawValue>,
    },
    ToolResult {
        tool_use_id: &'a str,
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Mark,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
    Text { media_type: &'static str, data: &'a str },
}

impl Block<'_> {
    fn can_be_marked(&self) -> bool {
        match self {
            Self::Known(
                Known::Text { .. } | Known::Image { .. } | Known::Document { .. } | Known::ToolResult { .. },
            ) => true,
            Self::Known(Known::Thinking { .. } | Known::RedactedThinking { .. } | Known::ToolUse { .. })
            | Self::Raw(_) => false,
        }
    }

    /// Sets a breakpoint here, if the block can carry one.
    pub(super) fn mark(&mut self, mark: CacheControl) {
        if let Self::Known(
            Known::Text { cache_control, .. }
            | Known::Image { cache_control, .. }
            | Known::Document { cache_control, .. }
            | Known::ToolResult { cache_control, .. },
        ) = self
        {
            *cache_control = Some(mark);
        }
    }
}

/// A section of the system prompt.
pub(super) fn system_block(text: &str) -> Block<'_> {
    Block::Known(Known::Text { text, cache_control: None })
}

/// The messages of a request, those at `marked` with a breakpoint. What was encoded for an earlier request is taken as
/// it is: a message that was sent never changes.
pub(super) fn wire_messages<'a>(
    messages: &'a [Arc<Message>],
    author: &str,
    marked: &[usize],
    mark: Option<CacheControl>,
) -> Result<Vec<Wire<'a>>, Error> {
    let mut wire = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        let mark = mark.filter(|_| marked.contains(&at));
        let same_for_all = message.role == Role::User || message.author.as_deref() == Some(author);
        if mark.is_none() && same_for_all {
            match message.encoding.get_or_make(NAME, || encode(message, author))? {
                Some(Some(bytes)) => {
                    wire.push(Wire::Encoded(bytes));
                    continue;
                }
                Some(None) => continue,
                // Encoded by another provider.
                None => {}
            }
        }
        let mut typed = wire_message(message, author)?;
        if let Some(mark) = mark {
            typed.mark_last(mark);
        }
        if !typed.is_empty() {
            wire.push(Wire::Typed(typed));
        }
    }
    Ok(wire)
}

fn encode(message: &Message, author: &str) -> Result<Option<Box<RawValue>>, Error> {
    let wire = wire_message(message, author)?;
    if wire.is_empty() {
        return Ok(None);
    }
    let bytes = serde_json::value::to_raw_value(&wire);
    bytes.map(Some).map_err(|error| Error::new(Category::BadRequest, error.to_string()))
}

/// A message of the history. Thinking is bound to the model that wrote it; another model ignores it but bills it, so
/// only `author` gets its own back.
fn wire_message<'a>(message: &'a Message, author: &str) -> Result<WireMessage<'a>, Error> {
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let own = message.author.as_deref() == Some(author);
    let content = message.content.iter().filter_map(|block| wire_block(block, own).transpose());
    Ok(WireMessage { role, content: content.collect::<Result<_, _>>()? })
}

fn wire_block(block: &MessageBlock, own: bool) -> Result<Option<Block<'_>>, Error> {
    let known = match block {
        MessageBlock::Text { text } if !text.is_empty() => Known::Text { text, cache_control: None },
        MessageBlock::Attachment { content } => return Ok(content_block(content)),
        MessageBlock::Thinking { text, signature } if own => Known::Thinking { thinking: text, signature },
        MessageBlock::RedactedThinking { data } if own => Known::RedactedThinking { data },
        MessageBlock::ToolCall(call) => Known::ToolUse { id: &call.id, name: &call.name, input: tool_input(call)? },
        MessageBlock::ToolResult(result) => tool_result(result),
        MessageBlock::Other { json } if own => return Ok(Some(Block::Raw(raw(json.clone())?))),
        MessageBlock::Text { .. }
        | MessageBlock::Thinking { .. }
        | MessageBlock::RedactedThinking { .. }
        | MessageBlock::Other { .. } => return Ok(None),
    };
    Ok(Some(Block::Known(known)))
}

/// The input exactly as the model wrote it, so that the prefix's bytes stay the same. The API wants an object; input
/// that is none was answered with an error, which shows it.
fn tool_input(call: &ToolCall) -> Result<Box<RawValue>, Error> {
    match call.parsed_input() {
        Ok(serde_json::Value::Object(_)) if !call.input.trim().is_empty() => raw(call.input.clone()),
        _ => raw("{}".to_owned()),
    }
}

fn tool_result(result: &ToolResult) -> Known<'_> {
    Known::ToolResult {
        tool_use_id: &result.call_id,
        content: result.content.iter().filter_map(content_block).collect(),
        is_error: result.is_error,
        cache_control: None,
    }
}

fn content_block(content: &ContentBlock) -> Option<Block<'_>> {
    let cache_control = None;
    Some(Block::Known(match content {
        ContentBlock::Text { text } if !text.is_empty() => Known::Text { text, cache_control },
        ContentBlock::Image { source } => Known::Image { source: wire_source(source), cache_control },
        ContentBlock::Document { source, title } => {
            Known::Document { source: wire_source(source), title: title.as_deref(), cache_control }
        }
        ContentBlock::Text { .. } | ContentBlock::Unknown => return None,
    }))
}

fn wire_source(source: &MediaSource) -> Source<'_> {
    match source {
        MediaSource::Base64 { media_type, data } => Source::Base64 { media_type, data },
        MediaSource::Url { url } => Source::Url { url },
        MediaSource::Text { text } => Source::Text { media_type: "text/plain", data: text },
    }
}
