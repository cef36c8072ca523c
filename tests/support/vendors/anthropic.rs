//! The Messages API, from and to the common words. What it streams is built by [`Answer`].

use serde_json::{Value, json};

use super::{Asked, Called, Entry, Said, check, halves, need, post};
use crate::support::answer::{Answer, Style};
use crate::support::script::Script;
use crate::support::vendor::Request;

/// An answer as the API streams it.
pub fn answer(said: &Said) -> Script {
    let usage = json!({"input_tokens": 60, "cache_read_input_tokens": 40, "output_tokens": 1});
    let mut answer = Answer::with_usage(Style::Plain, &usage);
    if !said.thinking.is_empty() {
        answer = answer.thinking(&halves(said.thinking), "c2ln");
    }
    if !said.text.is_empty() {
        answer = answer.text(&halves(said.text));
    }
    if let Some((id, name, input)) = said.call {
        answer = answer.tool_use(id, name, &halves(input));
    }
    let usage = json!({"output_tokens": 20, "output_tokens_details": {"thinking_tokens": 8}});
    answer.end_with(if said.call.is_some() { "tool_use" } else { "end_turn" }, &usage).script()
}

/// Reads a request.
///
/// # Errors
/// What would be refused, and why.
pub fn decode(key: &str, request: &Request) -> Result<Asked, String> {
    post(request, "/v1/messages")?;
    need(request.header("x-api-key") == Some(key), "the key is in x-api-key")?;
    need(request.header("anthropic-version").is_some(), "the version is said")?;
    let body = &request.body;
    let known = [
        "model",
        "max_tokens",
        "stream",
        "system",
        "tools",
        "messages",
        "thinking",
        "output_config",
        "cache_control",
        "metadata",
    ];
    let unknown = body.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
    need(unknown.is_none(), &format!("the field {unknown:?} is not known"))?;
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        blocks => blocks.as_array().into_iter().flatten().filter_map(|block| block["text"].as_str()).collect(),
    };
    let mut asked = Asked {
        model: text(&body["model"]),
        system: text(&body["system"]),
        limit: body["max_tokens"].as_u64().unwrap_or(0),
        effort: body["output_config"]["effort"].as_str().map(str::to_owned),
        schema: Some(body["output_config"]["format"]["schema"].clone()).filter(|schema| !schema.is_null()),
        ..Asked::default()
    };
    let tools = body["tools"].as_array().into_iter().flatten();
    asked.tools = tools.filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect();
    for message in body["messages"].as_array().ok_or("there are no messages")? {
        let blocks = match &message["content"] {
            Value::String(text) => vec![json!({"type": "text", "text": text})],
            Value::Array(blocks) => blocks.clone(),
            other => return Err(format!("the content {other}")),
        };
        entries(message["role"] == "user", &blocks, &text, &mut asked.history)?;
    }
    check(&asked)?;
    Ok(asked)
}

fn entries(
    is_user: bool,
    blocks: &[Value],
    text: &dyn Fn(&Value) -> String,
    history: &mut Vec<Entry>,
) -> Result<(), String> {
    let (mut texts, mut images, mut thinking, mut calls) = (Vec::new(), 0, None, Vec::new());
    for block in blocks {
        match (is_user, block["type"].as_str().unwrap_or_default()) {
            (_, "text") => texts.push(text(&block["text"])),
            (true, "image") => images += 1,
            (true, "tool_result") => {
                history.push(Entry::Result { id: text(&block["tool_use_id"]), text: text(&block["content"]) });
            }
            (false, "thinking") => {
                need(block["signature"] == "c2ln", "thinking comes back with its signature")?;
                thinking = Some(text(&block["thinking"]));
            }
            (false, "tool_use") => {
                let (id, name) = (text(&block["id"]), text(&block["name"]));
                calls.push(Called { id, name, input: block["input"].clone() });
            }
            (_, other) => return Err(format!("a block of type {other}")),
        }
    }
    if !is_user {
        history.push(Entry::Assistant { thinking, text: texts.concat(), calls });
    } else if !texts.is_empty() || images > 0 {
        history.push(Entry::User { text: texts.join("\n\n"), images });
    }
    Ok(())
}
