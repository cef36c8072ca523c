//! Every example of `docs/protocol.md` has the shape of its type, and no field that the type does not know.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use souffleur::error::{ErrorCode, UserError};
use souffleur::protocol::export::{Format, export};
use souffleur::protocol::{ClientCapabilities, EditorSettings, METHODS, MethodInfo, PromptOptions, ServerExperimental};

use crate::markdown::{Fence, Section, sections};
use crate::protocol::{DOCUMENT, method_of};
use crate::read;

/// JSON-RPC's code for params that do not fit.
const INVALID_PARAMS: i64 = -32602;
/// LSP's code for a request that failed.
const REQUEST_FAILED: i64 = -32803;

#[test]
fn every_example_is_what_its_tag_says() {
    let wrong: Vec<_> = examples()
        .iter()
        .filter_map(|(method, fence)| Some(format!("{DOCUMENT}:{}: {}", fence.line, check(*method, fence).err()?)))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn each_method_has_an_example_of_its_params_and_its_result() {
    let examples = examples();
    for method in METHODS {
        let has = |tag: &str| examples.iter().any(|(name, fence)| *name == Some(method.name) && fence.tag == tag);
        assert!(has("json params"), "{}: no example of its params", method.name);
        assert!(method.result.is_none() || has("json result"), "{}: no example of its result", method.name);
    }
}

/// The words of the tags `type` and `kind` in the schema are the ones in the examples.
#[test]
fn every_kind_of_value_has_an_example() {
    fn tags(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if let (true, Some(word)) = (key == "type" || key == "kind", value.as_str()) {
                        found.insert(word.to_owned());
                    }
                    tags(value, found);
                }
            }
            Value::Array(list) => {
                for value in list {
                    tags(value, found);
                }
            }
            _ => {}
        }
    }
    fn constants(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for key in ["type", "kind"] {
                    let constant = map.get("properties").and_then(|fields| fields.get(key)?.get("const")?.as_str());
                    found.extend(constant.map(str::to_owned));
                }
                for value in map.values() {
                    constants(value, found);
                }
            }
            Value::Array(list) => {
                for value in list {
                    constants(value, found);
                }
            }
            _ => {}
        }
    }
    let schema: Value = serde_json::from_str(&export(Format::JsonSchema).remove(0).text).unwrap();
    let (mut expected, mut shown) = (BTreeSet::new(), BTreeSet::new());
    constants(&schema["$defs"], &mut expected);
    for (_, fence) in examples() {
        tags(&serde_json::from_str(&fence.text).unwrap(), &mut shown);
    }
    assert!(expected.contains("itemStarted") && expected.contains("begin"));
    assert_eq!(expected.difference(&shown).collect::<Vec<_>>(), [""; 0]);
}

/// All JSON examples, each with the method whose section it stands in.
fn examples() -> Vec<(Option<&'static str>, Fence)> {
    let document = read(DOCUMENT);
    let of_section = |section: Section| {
        let method = method_of(&section);
        section.fences.into_iter().filter(|fence| fence.tag.starts_with("json")).map(move |fence| (method, fence))
    };
    sections(&document).into_iter().flat_map(of_section).collect()
}

fn check(method: Option<&str>, fence: &Fence) -> Result<(), String> {
    let value: Value = serde_json::from_str(&fence.text).map_err(|error| error.to_string())?;
    let method = method.and_then(info);
    match (fence.tag.as_str(), method) {
        ("json params", Some(method)) => same(&value, (method.check_params)(&value)),
        ("json result", Some(MethodInfo { check_result: Some(check), .. })) => same(&value, check(&value)),
        ("json ClientCapabilities", _) => same(&value, reread::<ClientCapabilities>(&value)),
        ("json EditorSettings", _) => same(&value, reread::<EditorSettings>(&value)),
        ("json PromptOptions", _) => same(&value, reread::<PromptOptions>(&value)),
        ("json ServerExperimental", _) => same(&value, reread::<ServerExperimental>(&value)),
        ("json message", _) => message(&value),
        (tag, _) => Err(format!("the tag `{tag}` says nothing here")),
    }
}

fn info(name: &str) -> Option<&'static MethodInfo> {
    METHODS.iter().find(|method| method.name == name)
}

fn reread<T: DeserializeOwned + Serialize>(value: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(T::deserialize(value)?)
}

/// A whole JSON-RPC message: one of our methods, or an error.
fn message(value: &Value) -> Result<(), String> {
    if value["jsonrpc"] != "2.0" {
        return Err("not a JSON-RPC message".to_owned());
    }
    if let Some(error) = value.get("error") {
        return error_object(error);
    }
    let name = value["method"].as_str().unwrap_or_default();
    let method = info(name).ok_or_else(|| format!("no method `{name}`"))?;
    same(&value["params"], (method.check_params)(&value["params"]))
}

/// The `error` of a response: its number follows from its code.
fn error_object(error: &Value) -> Result<(), String> {
    let data = &error["data"];
    same(data, reread::<UserError>(data))?;
    let user: UserError = serde_json::from_value(data.clone()).map_err(|error| error.to_string())?;
    let number = if user.code == ErrorCode::ProtocolInvalidParams { INVALID_PARAMS } else { REQUEST_FAILED };
    if error["code"] != number {
        return Err(format!("`{}` travels with {number}", user.code));
    }
    if error["message"] != user.message.as_str() {
        return Err("the message of the error and of its data differ".to_owned());
    }
    if user.retryable != user.code.is_retryable() {
        return Err(format!("`{}` has the wrong `retryable`", user.code));
    }
    Ok(())
}

/// Whether all that an example shows came back.
fn same(shown: &Value, back: Result<Value, serde_json::Error>) -> Result<(), String> {
    let back = back.map_err(|error| error.to_string())?;
    lost(shown, &back, "").map_or(Ok(()), |path| Err(format!("`{path}` is not a field, or has no such value")))
}

/// The path of the first thing of `shown` that `back` has not.
fn lost(shown: &Value, back: &Value, path: &str) -> Option<String> {
    match (shown, back) {
        (Value::Object(shown), Value::Object(back)) => shown.iter().find_map(|(key, value)| {
            let path = format!("{path}/{key}");
            back.get(key).map_or(Some(path.clone()), |back| lost(value, back, &path))
        }),
        (Value::Array(shown), Value::Array(back)) if shown.len() == back.len() => {
            let mut pairs = shown.iter().zip(back).enumerate();
            pairs.find_map(|(index, (shown, back))| lost(shown, back, &format!("{path}/{index}")))
        }
        _ => (shown != back).then(|| path.to_owned()),
    }
}

#[test]
fn wrong_examples_are_found() {
    let find = |method: Option<&str>, tag: &str, text: &str| {
        check(method, &Fence { tag: tag.into(), text: text.into(), line: 1 }).is_err()
    };
    let prompt = Some("souffleur/session/prompt");
    let params = |content: &str| format!(r#"{{"sessionId":"s","streamToken":1,"content":[{content}]}}"#);
    assert!(!find(prompt, "json params", &params(r#"{"type":"text","text":"a"}"#)));
    assert!(find(prompt, "json params", &params(r#"{"type":"text","text":"a","txet":"b"}"#)), "a field too many");
    assert!(find(prompt, "json params", &params(r#"{"type":"txet","text":"a"}"#)), "an unknown kind");
    assert!(find(prompt, "json params", r#"{"sessionId":"s","content":[]}"#), "a field is missing");
    assert!(find(prompt, "json params", "{"), "not JSON");
    assert!(find(prompt, "json", "{}"), "no tag");
    assert!(find(None, "json params", "{}"), "no method");
    assert!(find(Some("$/progress"), "json result", "{}"), "a notification has no result");
    assert!(find(None, "json EditorSettings", r#"{"modle":"sim:echo"}"#));

    let error = |number: i64, retryable: bool| {
        let data = format!(r#"{{"code":"session.busy","message":"m","retryable":{retryable}}}"#);
        format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{number},"message":"m","data":{data}}}}}"#)
    };
    assert!(!find(None, "json message", &error(REQUEST_FAILED, true)));
    assert!(find(None, "json message", &error(INVALID_PARAMS, true)));
    assert!(find(None, "json message", &error(REQUEST_FAILED, false)));
    assert!(find(None, "json message", r#"{"jsonrpc":"2.0","method":"souffleur/nothing","params":{}}"#));
}
