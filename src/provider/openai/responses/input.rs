//! A history as the input items of a request.

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::MESSAGE_META;
use crate::chat::{ContentBlock, MediaSource, Message, MessageBlock, Role, ToolCall, ToolResult};
use crate::provider::{Category, Error};

/// Whose encodings these are.
const ENCODER: &str = "openai.responses";

/// The items of `messages` as a JSON array. A message that was encoded for an earlier request is taken as it was, byte
/// for byte; `author` alone gets back what only it understands.
///
/// # Errors
/// [`Category::BadRequest`] for content that the API has no form for.
pub(super) fn input(messages: &[Arc<Message>], author: &str) -> Result<Box<RawValue>, Error> {
    let mut all = String::from("[");
    for message in messages {
        let own = message.author.as_deref() == Some(author);
        let made;
        let bytes = if message.role == Role::User || own {
            message.encoding.get_or_make(ENCODER, || encode(message, own))?
        } else {
            None
        };
        let bytes = if let Some(kept) = bytes {
            kept
        } else {
            made = encode(message, own)?;
            made.as_deref()
        };
        let Some(bytes) = bytes else { continue };
        if all.len() > 1 {
            all.push(',');
        }
        let bytes = bytes.get();
        all.push_str(&bytes[1..bytes.len() - 1]);
    }
    all.push(']');
    RawValue::from_string(all).map_err(unencodable)
}

fn unencodable(error: impl std::fmt::Display) -> Error {
    Error::new(Category::BadRequest, format!("a message cannot be encoded: {error}"))
}

/// A message's items as a JSON array; nothing when there are none.
fn encode(message: &Message, own: bool) -> Result<Option<Box<RawValue>>, Error> {
    let items = match message.role {
        Role::User => user(message)?,
        Role::Assistant => assistant(message, own)?,
    };
    if items.is_empty() {
        return Ok(None);
    }
    serde_json::value::to_raw_value(&items).map(Some).map_err(unencodable)
}

fn item(value: &Value) -> Result<Box<RawValue>, Error> {
    serde_json::value::to_raw_value(value).map_err(unencodable)
}

fn user(message: &Message) -> Result<Vec<Box<RawValue>>, Error> {
    let (mut items, mut parts) = (Vec::new(), Vec::new());
    let close = |parts: &mut Vec<Value>, items: &mut Vec<Box<RawValue>>| {
        if !parts.is_empty() {
            items.push(item(&json!({"role": "user", "content": std::mem::take(parts)}))?);
        }
        Ok::<(), Error>(())
    };
    for block in &message.content {
        match block {
            MessageBlock::Text { text } if !text.is_empty() => parts.push(input_text(text)),
            MessageBlock::Attachment { content } => parts.extend(part(content)?),
            MessageBlock::ToolResult(result) => {
                close(&mut parts, &mut items)?;
                let output = output(result)?;
                let answer = json!({"type": "function_call_output", "call_id": result.call_id, "output": output});
                items.push(item(&answer)?);
            }
            _ => {}
        }
    }
    close(&mut parts, &mut items)?;
    Ok(items)
}

/// A tool's answer: a string where it is text alone, else parts.
fn output(result: &ToolResult) -> Result<Value, Error> {
    let texts: Option<Vec<&str>> = result.content.iter().map(ContentBlock::as_text).collect();
    if let Some(texts) = texts {
        return Ok(json!(texts.join("\n")));
    }
    let parts = result.content.iter().map(part).collect::<Result<Vec<_>, _>>()?;
    Ok(parts.into_iter().flatten().collect())
}

fn input_text(text: &str) -> Value {
    json!({"type": "input_text", "text": text})
}

fn part(content: &ContentBlock) -> Result<Option<Value>, Error> {
    Ok(Some(match content {
        ContentBlock::Text { text } if text.is_empty() => return Ok(None),
        ContentBlock::Text { text } => input_text(text),
        ContentBlock::Image { source } => {
            let url = match source {
                MediaSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
                MediaSource::Url { url } => url.clone(),
                MediaSource::Text { .. } => return Err(refused("an image is text", "send it as base64 or a URL")),
            };
            json!({"type": "input_image", "image_url": url, "detail": "auto"})
        }
        ContentBlock::Document { source, title } => document(source, title.as_deref())?,
        ContentBlock::Unknown => return Ok(None),
    }))
}

fn document(source: &MediaSource, title: Option<&str>) -> Result<Value, Error> {
    Ok(match source {
        MediaSource::Text { text } => match title {
            Some(title) => input_text(&format!("{title}:\n\n{text}")),
            None => input_text(text),
        },
        MediaSource::Url { url } => json!({"type": "input_file", "file_url": url}),
        MediaSource::Base64 { media_type, data } if media_type == "application/pdf" => {
            let name = title.unwrap_or("document");
            let is_named = std::path::Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("pdf"));
            let name = if is_named { name.to_owned() } else { format!("{name}.pdf") };
            json!({"type": "input_file", "filename": name, "file_data": format!("data:{media_type};base64,{data}")})
        }
        MediaSource::Base64 { media_type, .. } => {
            let message = format!("a document of type {media_type} is not taken");
            return Err(refused(&message, "send PDF as base64, or plain text as text"));
        }
    })
}

fn refused(message: &str, hint: &str) -> Error {
    Error { hint: Some(hint.to_owned()), ..Error::new(Category::BadRequest, message) }
}

fn assistant(message: &Message, own: bool) -> Result<Vec<Box<RawValue>>, Error> {
    let content = &message.content;
    // Reasoning must be followed by what it led to. An answer that broke off may end with it: then it led to nothing.
    let is_reasoning = |block: &&MessageBlock| matches!(block, MessageBlock::Thinking { .. });
    let led = content.len() - content.iter().rev().take_while(is_reasoning).count();
    let mut items = Vec::with_capacity(content.len());
    for (at, block) in content.iter().take(led).enumerate() {
        match block {
            MessageBlock::Text { text } if !text.is_empty() => {
                items.push(item(&said(text, content.get(at + 1).filter(|_| own)))?);
            }
            MessageBlock::ToolCall(call) => items.push(item(&function_call(call))?),
            MessageBlock::Thinking { signature: json, .. } if own => items.extend(raw_item(json, Some("reasoning"))),
            MessageBlock::Other { json } if own => items.extend(raw_item(json, None)),
            _ => {}
        }
    }
    Ok(items)
}

/// An item as it was received. What is kept of another API of the same model is none.
fn raw_item(json: &str, wanted: Option<&str>) -> Option<Box<RawValue>> {
    let kind = type_of(json)?;
    let fits = wanted.map_or(kind != MESSAGE_META, |wanted| kind == wanted);
    if fits { RawValue::from_string(json.to_owned()).ok() } else { None }
}

fn type_of(json: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: String,
    }
    serde_json::from_str::<Head>(json).ok().map(|head| head.kind)
}

/// Text that the model said, with what the block behind it tells of it.
fn said(text: &str, next: Option<&MessageBlock>) -> Value {
    let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
    let mut message = json!({"type": "message", "role": "assistant", "content": content});
    let meta = match next {
        Some(MessageBlock::Other { json }) => serde_json::from_str::<Value>(json).ok(),
        _ => None,
    };
    let Some(meta) = meta.filter(|meta| meta.get("type").is_some_and(|kind| kind == MESSAGE_META)) else {
        return message;
    };
    if let Some(phase) = meta.get("phase") {
        message["phase"] = phase.clone();
    }
    if let Some(id) = meta.get("id") {
        message["id"] = id.clone();
        // An item with an id is one of the API's own, and those have a status.
        message["status"] = json!("completed");
    }
    message
}

/// A call, without the `id` of an item: it is the `call_id` that its result refers to. The arguments go back exactly
/// as the model wrote them.
fn function_call(call: &ToolCall) -> Value {
    let arguments = if call.input.trim().is_empty() { "{}" } else { call.input.as_str() };
    json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments})
}
