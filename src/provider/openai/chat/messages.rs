//! A history as the messages of a request.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use super::details;
use super::request::fnv;
use crate::chat::{self, ContentBlock, MediaSource, MessageBlock, Role, ToolCall, ToolResult};
use crate::provider::openai::{Family, Profile, ReasoningOut, SystemPlacement, SystemRole};
use crate::provider::{Category, CompletionRequest, Error};

/// What Google takes in the place of a thought signature that there is none of.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// A message.
#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub(super) enum Message<'a> {
    System {
        content: String,
    },
    Developer {
        content: String,
    },
    User {
        content: Content<'a>,
    },
    Assistant {
        content: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reasoning_content: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reasoning: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        reasoning_details: Vec<Value>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
    },
    Tool {
        tool_call_id: Cow<'a, str>,
        content: Content<'a>,
    },
}

/// Text alone is one string: every server takes that, and some templates nothing else.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(String),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: ImageUrl<'a> },
    File { file: File<'a> },
}

#[derive(Serialize)]
pub(super) struct ImageUrl<'a> {
    url: Cow<'a, str>,
}

#[derive(Serialize)]
pub(super) struct File<'a> {
    filename: Cow<'a, str>,
    file_data: String,
}

#[derive(Serialize)]
pub(super) struct Call<'a> {
    id: Cow<'a, str>,
    r#type: &'static str,
    function: Called<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<Value>,
}

#[derive(Serialize)]
pub(super) struct Called<'a> {
    name: &'a str,
    arguments: &'a str,
}

/// The messages of a request, the system prompt among them.
pub(super) fn messages<'a>(
    request: &'a CompletionRequest,
    profile: &Profile,
    family: &Family,
) -> Result<Vec<Message<'a>>, Error> {
    let reasoning = match profile.reasoning_out {
        ReasoningOut::ByModel => family.reasoning_out.unwrap_or(ReasoningOut::LastTurn),
        out => out,
    };
    // Where the last turn of the user begins: what only brings results goes on with an older one.
    let said = |message: &chat::Message| {
        message.role == Role::User && message.content.iter().any(|block| !matches!(block, MessageBlock::ToolResult(_)))
    };
    let last_turn = request.messages.iter().rposition(|message| said(message)).unwrap_or(0);
    let author = request.model.to_string();
    let mut writer = Writer { profile, family, reasoning, messages: Vec::new(), lead: None };
    writer.system(request);
    for (at, message) in request.messages.iter().enumerate() {
        match message.role {
            Role::User => writer.user(message)?,
            Role::Assistant => {
                let own = message.author.as_deref() == Some(author.as_str());
                writer.assistant(message, own, at > last_turn);
            }
        }
    }
    if let Some(lead) = writer.lead.take() {
        writer.messages.push(Message::User { content: Content::Text(lead) });
    }
    Ok(writer.messages)
}

struct Writer<'a, 'p> {
    profile: &'p Profile,
    family: &'p Family,
    reasoning: ReasoningOut,
    messages: Vec<Message<'a>>,
    /// The system prompt, where it waits for the first user message.
    lead: Option<String>,
}

impl<'a> Writer<'a, '_> {
    fn system(&mut self, request: &CompletionRequest) {
        let content = request.system.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join("\n\n");
        if content.is_empty() {
            return;
        }
        let placement = match self.profile.system_placement {
            SystemPlacement::ByModel => self.family.system_placement.unwrap_or_default(),
            placement => placement,
        };
        if placement == SystemPlacement::FirstUserWithTools && !request.tools.is_empty() {
            self.lead = Some(content);
            return;
        }
        let role = match self.profile.system_role {
            SystemRole::ByModel => self.family.system_role.unwrap_or_default(),
            role => role,
        };
        self.messages.push(match role {
            SystemRole::Developer => Message::Developer { content },
            SystemRole::System | SystemRole::ByModel => Message::System { content },
        });
    }

    /// A message of the user's: the results first, each as a message of its own, then what else there is.
    fn user(&mut self, message: &'a chat::Message) -> Result<(), Error> {
        let mut after = Vec::new();
        for block in &message.content {
            if let MessageBlock::ToolResult(result) = block {
                self.result(result, &mut after)?;
            }
        }
        for block in &message.content {
            match block {
                MessageBlock::Text { text } => after.extend(text_part(text)),
                MessageBlock::Attachment { content } => after.extend(self.part(content)?),
                MessageBlock::Thinking { .. }
                | MessageBlock::RedactedThinking { .. }
                | MessageBlock::ToolCall(_)
                | MessageBlock::ToolResult(_)
                | MessageBlock::Other { .. } => {}
            }
        }
        if !after.is_empty() {
            let lead = self.lead.take().map(|text| Part::Text { text: text.into() });
            let parts = lead.into_iter().chain(after).collect();
            self.messages.push(Message::User { content: content(parts) });
        }
        Ok(())
    }

    /// A tool's result. Images that it may not hold are put into `after`.
    fn result(&mut self, result: &'a ToolResult, after: &mut Vec<Part<'a>>) -> Result<(), Error> {
        let mut parts = Vec::new();
        let mut images = Vec::new();
        for block in &result.content {
            match (block, self.part(block)?) {
                (ContentBlock::Image { .. }, Some(image @ Part::ImageUrl { .. }))
                    if !self.profile.images_in_tool_results =>
                {
                    images.push(image);
                }
                (_, part) => parts.extend(part),
            }
        }
        if parts.is_empty() {
            let text = if images.is_empty() { "(no output)" } else { "(see the images that follow)" };
            parts.push(Part::Text { text: text.into() });
        }
        if result.is_error
            && let Some(Part::Text { text }) = parts.first_mut()
            && !text.to_lowercase().starts_with("error")
        {
            *text = format!("Error: {text}").into();
        }
        if !images.is_empty() {
            after.push(Part::Text { text: format!("The images of the result of {}:", result.call_id).into() });
            after.append(&mut images);
        }
        self.messages.push(Message::Tool { tool_call_id: self.call_id(&result.call_id), content: content(parts) });
        Ok(())
    }

    fn part(&self, block: &'a ContentBlock) -> Result<Option<Part<'a>>, Error> {
        Ok(match block {
            ContentBlock::Text { text } => text_part(text),
            ContentBlock::Image { .. } if !self.profile.images => {
                Some(Part::Text { text: "(an image that cannot be shown here)".into() })
            }
            ContentBlock::Image { source } => Some(image(source)),
            ContentBlock::Document { source, title } => Some(self.document(source, title.as_deref())?),
            ContentBlock::Unknown => None,
        })
    }

    fn document(&self, source: &'a MediaSource, title: Option<&'a str>) -> Result<Part<'a>, Error> {
        let refused = |what: String| Error {
            hint: Some("attach its text instead".to_owned()),
            ..Error::new(Category::BadRequest, what)
        };
        match source {
            MediaSource::Text { text } => Ok(inlined(title, text)),
            MediaSource::Base64 { media_type, data } if media_type == "application/pdf" && self.profile.pdf => {
                let filename = title.map_or(Cow::Borrowed("document.pdf"), Cow::Borrowed);
                let file_data = format!("data:{media_type};base64,{data}");
                Ok(Part::File { file: File { filename, file_data } })
            }
            MediaSource::Base64 { media_type, data } if media_type.starts_with("text/") => {
                let bytes = STANDARD.decode(data.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                let text = bytes.ok_or_else(|| refused("a document that says it is text is none".to_owned()))?;
                Ok(inlined(title, &text))
            }
            MediaSource::Base64 { media_type, .. } => {
                Err(refused(format!("{} takes no documents of type {media_type}", self.profile.display)))
            }
            MediaSource::Url { .. } => Err(refused(format!("{} fetches no documents", self.profile.display))),
        }
    }

    /// A message of a model's. Thinking goes back to the model that wrote it, as far as its server wants it back.
    fn assistant(&mut self, message: &'a chat::Message, own: bool, in_last_turn: bool) {
        let (mut texts, mut thinking, mut signatures, mut calls) = (Vec::new(), String::new(), Vec::new(), Vec::new());
        for block in &message.content {
            match block {
                MessageBlock::Text { text } => texts.push(text.as_str()),
                MessageBlock::Thinking { text, signature } if own => {
                    thinking.push_str(text);
                    signatures.push(signature.as_str());
                }
                MessageBlock::ToolCall(call) => calls.push(self.call(call, message, own, calls.is_empty())),
                MessageBlock::Attachment { .. }
                | MessageBlock::Thinking { .. }
                | MessageBlock::RedactedThinking { .. }
                | MessageBlock::ToolResult(_)
                | MessageBlock::Other { .. } => {}
            }
        }
        let content = texts.concat();
        if content.is_empty() && calls.is_empty() {
            return;
        }
        let reasoning_content = match self.reasoning {
            ReasoningOut::Always => Some(thinking.clone()),
            ReasoningOut::LastTurn if in_last_turn && !thinking.is_empty() => Some(thinking.clone()),
            _ => None,
        };
        let with_details = self.reasoning == ReasoningOut::Details;
        let reasoning_details = if with_details { details::kept(signatures.into_iter()) } else { Vec::new() };
        let reasoning = (with_details && reasoning_details.is_empty() && !thinking.is_empty()).then_some(thinking);
        let content = Some(content).filter(|text| !text.is_empty());
        self.messages.push(Message::Assistant {
            content,
            reasoning_content,
            reasoning,
            reasoning_details,
            tool_calls: calls,
        });
    }

    fn call(&self, call: &'a ToolCall, message: &chat::Message, own: bool, first: bool) -> Call<'a> {
        let wanted = self.reasoning == ReasoningOut::ExtraContent;
        let kept = if own && wanted { extra_content(message, &call.id) } else { None };
        // A model that signs its calls signs the first of an answer; without a signature the answer is refused.
        let unsigned = wanted && self.family.thought_signatures && first && kept.is_none();
        let placeholder = unsigned.then(|| json!({"google": {"thought_signature": NO_SIGNATURE}}));
        Call {
            id: self.call_id(&call.id),
            r#type: "function",
            function: Called { name: &call.name, arguments: arguments(call) },
            extra_content: kept.or(placeholder),
        }
    }

    /// The id of a call as the server takes it: the same for the call and its result.
    fn call_id(&self, id: &'a str) -> Cow<'a, str> {
        let fits = id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !self.profile.mistral_tool_ids || fits {
            return Cow::Borrowed(id);
        }
        let mut hash = fnv(id.bytes());
        let letters = (0..9).map(|_| {
            let digit = u8::try_from(hash % 36).unwrap_or_default();
            hash /= 36;
            char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 })
        });
        Cow::Owned(letters.collect())
    }
}

/// The arguments exactly as the model wrote them, so that the prefix's bytes stay the same. Servers want an object;
/// what is none was answered with an error, which shows it.
fn arguments(call: &ToolCall) -> &str {
    match call.parsed_input() {
        Ok(Value::Object(_)) if !call.input.trim().is_empty() => &call.input,
        _ => "{}",
    }
}

/// What was kept of a call beside the call itself.
fn extra_content(message: &chat::Message, call_id: &str) -> Option<Value> {
    message.content.iter().find_map(|block| {
        let MessageBlock::Other { json } = block else { return None };
        let mut kept: Value = serde_json::from_str(json).ok()?;
        let is_it = kept["type"] == super::calls::EXTRA && kept["callId"] == call_id;
        is_it.then(|| kept["extra_content"].take())
    })
}

fn text_part(text: &str) -> Option<Part<'_>> {
    (!text.is_empty()).then_some(Part::Text { text: Cow::Borrowed(text) })
}

fn image(source: &MediaSource) -> Part<'_> {
    let url = match source {
        MediaSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}").into(),
        MediaSource::Url { url } => Cow::Borrowed(url.as_str()),
        MediaSource::Text { text } => return Part::Text { text: Cow::Borrowed(text) },
    };
    Part::ImageUrl { image_url: ImageUrl { url } }
}

fn inlined<'a>(title: Option<&str>, text: &str) -> Part<'a> {
    let head = title.map(|title| format!("{title}:\n\n")).unwrap_or_default();
    Part::Text { text: format!("{head}{text}").into() }
}

/// Parts as they are sent: text alone as one string.
fn content(parts: Vec<Part<'_>>) -> Content<'_> {
    let texts: Option<Vec<&str>> = parts
        .iter()
        .map(|part| match part {
            Part::Text { text } => Some(text.as_ref()),
            Part::ImageUrl { .. } | Part::File { .. } => None,
        })
        .collect();
    match texts {
        Some(texts) => Content::Text(texts.join("\n\n")),
        None => Content::Parts(parts),
    }
}
