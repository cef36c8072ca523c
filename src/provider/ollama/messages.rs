//! A history as Ollama's messages.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::chat::{ContentBlock, MediaSource, Message, MessageBlock, Role, ToolCall, ToolResult};
use crate::provider::{Category, Error};

/// What a history became.
#[derive(Debug, Default)]
pub(super) struct Messages {
    pub(super) all: Vec<Value>,
    /// What could not be said and was left out, as words for the user.
    pub(super) left_out: Vec<String>,
}

/// Who is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    /// The `provider:model` that gets its own thinking back.
    pub(super) author: &'a str,
    /// The model's id.
    pub(super) model: &'a str,
    pub(super) sees_images: bool,
}

/// The messages of a request. What the last message of the user holds and the model cannot take is an error; in what
/// came before, from another model perhaps, words stand in its place.
///
/// # Errors
/// [`Category::BadRequest`], naming the model and what it does not take.
pub(super) fn messages(system: &[String], history: &[Arc<Message>], reader: Reader) -> Result<Messages, Error> {
    let mut made = Messages::default();
    if !system.is_empty() {
        made.all.push(json!({"role": "system", "content": system.join("\n\n")}));
    }
    let names: HashMap<&str, &str> = calls(history).map(|call| (call.id.as_str(), call.name.as_str())).collect();
    for (at, message) in history.iter().enumerate() {
        match message.role {
            Role::User => user(message, &names, reader, at + 1 == history.len(), &mut made)?,
            Role::Assistant => made.all.extend(assistant(message, reader)),
        }
    }
    Ok(made)
}

fn calls(history: &[Arc<Message>]) -> impl Iterator<Item = &ToolCall> {
    history.iter().flat_map(|message| &message.content).filter_map(|block| match block {
        MessageBlock::ToolCall(call) => Some(call),
        _ => None,
    })
}

/// Text and images of one message.
#[derive(Default)]
struct Content {
    texts: Vec<String>,
    images: Vec<Value>,
}

impl Content {
    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.images.is_empty()
    }

    fn into_message(self, role: &str) -> Value {
        let mut message = json!({"role": role, "content": self.texts.join("\n\n")});
        if !self.images.is_empty() {
            message["images"] = Value::Array(self.images);
        }
        message
    }

    /// Takes in a content block, or says why the model cannot take it.
    fn add(&mut self, content: &ContentBlock, reader: Reader) -> Result<(), &'static str> {
        match content {
            ContentBlock::Text { text } if text.is_empty() => {}
            ContentBlock::Text { text } => self.texts.push(text.clone()),
            ContentBlock::Document { source: MediaSource::Text { text }, title } => self.texts.push(match title {
                Some(title) => format!("{title}:\n\n{text}"),
                None => text.clone(),
            }),
            ContentBlock::Document { .. } => return Err("a document that is not plain text"),
            ContentBlock::Image { .. } if !reader.sees_images => return Err("an image"),
            ContentBlock::Image { source: MediaSource::Base64 { data, .. } } => self.images.push(json!(&**data)),
            ContentBlock::Image { .. } => return Err("an image that is not in base64"),
            ContentBlock::Unknown => {}
        }
        Ok(())
    }

    /// As [`Content::add`]; words stand in the place of what the model cannot take.
    fn add_or_say(&mut self, content: &ContentBlock, reader: Reader, left_out: &mut Vec<String>) {
        if let Err(what) = self.add(content, reader) {
            self.texts.push(format!("[{what} was left out: the model cannot take it]"));
            left_out.push(what.to_owned());
        }
    }
}

fn user(
    message: &Message,
    names: &HashMap<&str, &str>,
    reader: Reader,
    is_last: bool,
    made: &mut Messages,
) -> Result<(), Error> {
    let mut said = Content::default();
    for block in &message.content {
        match block {
            MessageBlock::Text { text } if !text.is_empty() => said.texts.push(text.clone()),
            MessageBlock::Attachment { content } if is_last => {
                said.add(content, reader).map_err(|what| not_taken(what, reader.model))?;
            }
            MessageBlock::Attachment { content } => said.add_or_say(content, reader, &mut made.left_out),
            MessageBlock::ToolResult(result) => tool_result(result, names, reader, &mut said, made),
            _ => {}
        }
    }
    if !said.is_empty() {
        made.all.push(said.into_message("user"));
    }
    Ok(())
}

fn not_taken(what: &str, model: &str) -> Error {
    let hint = match what {
        "an image" => format!("use a model that has vision: `ollama show {model}` lists what this one has"),
        "an image that is not in base64" => "send the image's bytes in base64".to_owned(),
        _ => "attach it as plain text".to_owned(),
    };
    Error { hint: Some(hint), ..Error::new(Category::BadRequest, format!("{model} cannot take {what}")) }
}

/// A tool's answer. Its images follow as the user's, as templates know none of a tool.
fn tool_result(
    result: &ToolResult,
    names: &HashMap<&str, &str>,
    reader: Reader,
    said: &mut Content,
    made: &mut Messages,
) {
    let mut answer = Content::default();
    for content in &result.content {
        answer.add_or_say(content, reader, &mut made.left_out);
    }
    let name = names.get(result.call_id.as_str()).copied().unwrap_or_default();
    if !answer.images.is_empty() {
        said.texts.push(format!("Images from the tool {name}:"));
        said.images.append(&mut answer.images);
    }
    let mut message = answer.into_message("tool");
    // Older servers know the name only.
    message["tool_name"] = json!(name);
    message["tool_call_id"] = json!(result.call_id);
    made.all.push(message);
}

fn assistant(message: &Message, reader: Reader) -> Option<Value> {
    let own = message.author.as_deref() == Some(reader.author);
    let (mut content, mut thinking, mut calls) = (String::new(), String::new(), Vec::new());
    for block in &message.content {
        match block {
            MessageBlock::Text { text } => content.push_str(text),
            MessageBlock::Thinking { text, .. } if own => thinking.push_str(text),
            MessageBlock::ToolCall(call) => calls.push(tool_call(call, calls.len())),
            _ => {}
        }
    }
    if content.is_empty() && calls.is_empty() {
        return None;
    }
    let mut made = Map::new();
    made.insert("role".to_owned(), json!("assistant"));
    made.insert("content".to_owned(), json!(content));
    if !thinking.is_empty() {
        made.insert("thinking".to_owned(), json!(thinking));
    }
    if !calls.is_empty() {
        made.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    Some(Value::Object(made))
}

/// A call. The arguments are an object; those that were none were answered with an error, which shows it.
fn tool_call(call: &ToolCall, index: usize) -> Value {
    let arguments = call.parsed_input().ok().filter(Value::is_object).unwrap_or_else(|| json!({}));
    json!({"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments}})
}
