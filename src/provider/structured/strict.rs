//! `OpenAI`'s strict subset of JSON Schema: every object is closed and requires all its properties; what may be left out
//! may be null instead.
//!
//! Closed objects, required properties and `$ref` alone: from notes on the API of November 2026. Which keywords and formats
//! are left out beyond that is caution, not verified against a live service.

use serde_json::{Map, Value, json};

use super::SchemaError;
use super::keywords::Node;
use super::reduce::reduce;
use super::words;

/// Keywords that are surely in the subset. Limits on text, numbers and lists are not among them: not every model takes them.
const KEYWORDS: &[&str] = &[
    "type",
    "enum",
    "const",
    "anyOf",
    "$ref",
    "$defs",
    "definitions",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "title",
    "description",
];

/// The formats of strings that are kept.
const FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// Whether a schema is in the subset as it is.
pub fn is_strict(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object") && node_is_strict(schema)
}

fn node_is_strict(schema: &Value) -> bool {
    let Some(node) = schema.as_object() else { return false };
    if node.keys().any(|key| !KEYWORDS.contains(&key.as_str())) {
        return false;
    }
    if node.contains_key("$ref") {
        return node.len() == 1;
    }
    let is_object = names_type(node, "object") || node.contains_key("properties");
    let says_what = ["type", "anyOf", "enum", "const"].iter().any(|key| node.contains_key(*key));
    let lists_items = !names_type(node, "array") || node.contains_key("items");
    says_what && lists_items && (!is_object || is_closed(node)) && inner(node).all(node_is_strict)
}

fn names_type(node: &Node, name: &str) -> bool {
    match node.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(all)) => all.iter().any(|kind| kind == name),
        _ => false,
    }
}

/// Whether an object has no properties but those that it names, and all of them.
fn is_closed(node: &Node) -> bool {
    let Some(properties) = node.get("properties").and_then(Value::as_object) else { return false };
    let required = node.get("required").and_then(Value::as_array);
    node.get("additionalProperties") == Some(&Value::Bool(false))
        && properties.keys().all(|name| required.is_some_and(|all| all.iter().any(|known| known == name)))
}

/// The schemas inside a node of the subset.
fn inner(node: &Node) -> impl Iterator<Item = &Value> {
    let named = ["properties", "$defs", "definitions"].into_iter().filter_map(|key| node.get(key)?.as_object());
    let listed = node.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    named.flat_map(Map::values).chain(listed).chain(node.get("items"))
}

/// A schema of an answer, in the subset. What it cannot say moves into descriptions. Where the original lets a property
/// be left out, the result may be null: see [`drop_added_nulls`].
///
/// # Errors
/// As [`reduce`].
pub fn strict(schema: &Value) -> Result<Value, SchemaError> {
    let mut reduced = reduce(schema)?.schema;
    tighten(&mut reduced);
    Ok(reduced)
}

fn tighten(schema: &mut Value) {
    let Some(node) = schema.as_object_mut() else { return };
    node.shift_remove("default");
    for (name, key) in [("array", "minItems"), ("string", "format")] {
        let stays = key == "format" && node.get(key).and_then(Value::as_str).is_some_and(|f| FORMATS.contains(&f));
        if !stays && let Some(value) = node.shift_remove(key) {
            let sentence = words::sentence(name, key, &value, node);
            let own = node.get("description").and_then(Value::as_str);
            let text = words::description(own, sentence.as_slice());
            if !text.is_empty() {
                node.insert("description".to_owned(), json!(text));
            }
        }
    }
    for key in ["properties", "$defs", "definitions"] {
        if let Some(named) = node.get_mut(key).and_then(Value::as_object_mut) {
            named.values_mut().for_each(tighten);
        }
    }
    if let Some(listed) = node.get_mut("anyOf").and_then(Value::as_array_mut) {
        listed.iter_mut().for_each(tighten);
    }
    if let Some(items) = node.get_mut("items") {
        tighten(items);
    }
    require_all(node);
}

fn require_all(node: &mut Node) {
    let required: Vec<Value> = node.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(properties) = node.get_mut("properties").and_then(Value::as_object_mut) else {
        if names_type(node, "object") {
            node.insert("properties".to_owned(), json!({}));
            node.insert("required".to_owned(), json!([]));
        }
        return;
    };
    for (name, property) in properties.iter_mut() {
        if !required.iter().any(|known| known == name) && !takes_null(property) {
            *property = or_null(std::mem::take(property));
        }
    }
    let all: Vec<Value> = properties.keys().map(|name| json!(name)).collect();
    node.insert("required".to_owned(), Value::Array(all));
}

/// Whether null is one of the values that a schema allows by itself. What it refers to is not looked at.
fn takes_null(schema: &Value) -> bool {
    let Some(node) = schema.as_object() else { return false };
    let listed = |key: &str| node.get(key).and_then(Value::as_array);
    names_type(node, "null") || listed("anyOf").is_some_and(|all| all.iter().any(takes_null))
}

fn or_null(mut schema: Value) -> Value {
    let none = json!({"type": "null"});
    if let Some(listed) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        listed.push(none);
        return schema;
    }
    let description = schema.as_object_mut().and_then(|node| node.shift_remove("description"));
    let mut union = json!({ "anyOf": [schema, none] });
    if let Some(description) = description {
        union["description"] = description;
    }
    union
}

/// Takes out of an answer the properties that are null only because [`strict`] could not let them be left out: those
/// that `schema`, the original, neither requires nor lets be null.
pub fn drop_added_nulls(answer: &mut Value, schema: &Value) {
    drop_nulls(answer, schema, schema, 0);
}

/// How deep references are followed.
const MAX_DEPTH: usize = 64;

fn drop_nulls(answer: &mut Value, schema: &Value, root: &Value, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let next = depth + 1;
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?))
    {
        drop_nulls(answer, target, root, next);
    }
    for part in ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten() {
        drop_nulls(answer, part, root, next);
    }
    match answer {
        Value::Array(items) => {
            if let Some(of_items) = schema.get("items") {
                for item in items {
                    drop_nulls(item, of_items, root, next);
                }
            }
        }
        Value::Object(fields) => {
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
            let required = schema.get("required").and_then(Value::as_array);
            let is_required = |name: &String| required.is_some_and(|all| all.iter().any(|known| known == name));
            fields.retain(|name, value| {
                let added = |property| value.is_null() && !is_required(name) && !allows_null(property, root, next);
                !properties.get(name).is_some_and(added)
            });
            for (name, value) in fields {
                if let Some(property) = properties.get(name) {
                    drop_nulls(value, property, root, next);
                }
            }
        }
        _ => {}
    }
}

/// Whether an original schema lets a value be null.
fn allows_null(schema: &Value, root: &Value, depth: usize) -> bool {
    let Some(node) = schema.as_object() else { return schema == &Value::Bool(true) };
    if let Some(target) = node.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?)) {
        return depth < MAX_DEPTH && allows_null(target, root, depth + 1);
    }
    let any_of = ["anyOf", "oneOf"].into_iter().filter_map(|key| node.get(key)?.as_array()).flatten();
    let mut any_of = any_of.peekable();
    if any_of.peek().is_some() {
        return depth < MAX_DEPTH && any_of.any(|schema| allows_null(schema, root, depth + 1));
    }
    if let Some(values) = node.get("enum").and_then(Value::as_array) {
        return values.contains(&Value::Null);
    }
    !node.contains_key("type") || names_type(node, "null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Validator;

    fn original() -> Value {
        json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 2},
                "link": {"type": "string", "format": "uri", "description": "Where"},
                "age": {"type": ["integer", "null"]},
                "tags": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/tag"}},
                "main": {"$ref": "#/$defs/tag"},
            },
            "required": ["name"],
            "$defs": {"tag": {"type": "object", "properties": {"id": {"type": "string"}, "hue": {"type": "number"}}, "required": ["id"]}},
        })
    }

    #[test]
    fn what_may_be_left_out_may_be_null() {
        let made = strict(&original()).unwrap();
        assert!(!is_strict(&original()));
        assert!(is_strict(&made), "{made:#}");
        assert_eq!(made["required"], json!(["name", "link", "age", "tags", "main"]));
        assert_eq!(made["properties"]["name"]["type"], "string");
        assert_eq!(made["properties"]["link"]["anyOf"][1], json!({"type": "null"}));
        assert_eq!(made["properties"]["link"]["description"], "Where. Must have the format `uri`.");
        assert_eq!(made["properties"]["main"], json!({"anyOf": [{"$ref": "#/$defs/tag"}, {"type": "null"}]}));
        let hue = &made["$defs"]["tag"]["properties"]["hue"];
        assert_eq!(*hue, json!({"anyOf": [{"type": "number"}, {"type": "null"}]}));
        assert_eq!(strict(&made).unwrap(), made, "it stays as it is");
    }

    #[test]
    fn added_nulls_are_taken_out_and_others_stay() {
        let mut answer =
            json!({"name": "ab", "link": null, "age": null, "tags": [{"id": "x", "hue": null}], "main": null});
        assert!(Validator::new(&strict(&original()).unwrap()).unwrap().check(&answer.to_string()).is_ok());
        drop_added_nulls(&mut answer, &original());
        assert_eq!(answer, json!({"name": "ab", "age": null, "tags": [{"id": "x"}]}));
        assert!(Validator::new(&original()).unwrap().check(&answer.to_string()).is_ok());
    }

    #[test]
    fn only_the_subset_is_strict() {
        let closed = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        assert!(is_strict(&closed(json!({"a": {"type": "string"}}), json!(["a"]))));
        assert!(is_strict(&closed(json!({}), json!([]))));
        for schema in [
            closed(json!({"a": {"type": "string"}}), json!([])),
            closed(json!({"a": {"type": "string", "minLength": 1}}), json!(["a"])),
            closed(json!({"a": {}}), json!(["a"])),
            closed(json!({"a": {"type": "array"}}), json!(["a"])),
            closed(json!({"a": {"$ref": "#/$defs/x", "description": "d"}}), json!(["a"])),
            closed(json!({"a": {"type": "object", "properties": {}}}), json!(["a"])),
            json!({"type": "object", "properties": {}}),
            json!({"type": "string"}),
            json!(true),
        ] {
            assert!(!is_strict(&schema), "{schema}");
        }
    }
}
