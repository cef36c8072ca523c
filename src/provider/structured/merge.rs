//! Two schemas that must both hold, as one.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::keywords::{ANNOTATIONS, Node};

/// One schema for what both demand, or `None` where that takes more than one schema's keywords. Annotations of `first`
/// win; its keys come first.
pub(super) fn merge(first: &Node, second: &Node) -> Option<Node> {
    if closed_against(first, second) || closed_against(second, first) {
        return None;
    }
    let mut merged = first.clone();
    for (key, value) in second {
        let both = match first.get(key) {
            None => value.clone(),
            Some(_) if ANNOTATIONS.contains(&key.as_str()) => continue,
            Some(own) => both(key, own, value)?,
        };
        merged.insert(key.clone(), both);
    }
    Some(merged)
}

/// Whether `node` allows no properties but its own, and `other` has some that are not among them.
fn closed_against(node: &Node, other: &Node) -> bool {
    if node.get("additionalProperties") != Some(&Value::Bool(false)) {
        return false;
    }
    let own = node.get("properties").and_then(Value::as_object);
    let others = other.get("properties").and_then(Value::as_object);
    others.is_some_and(|others| others.keys().any(|name| own.is_none_or(|own| !own.contains_key(name))))
}

fn both(key: &str, first: &Value, second: &Value) -> Option<Value> {
    if first == second {
        return Some(first.clone());
    }
    match key {
        "type" => types(first, second),
        "enum" => values(first, second),
        "required" => {
            let own = first.as_array()?;
            let others = second.as_array()?.iter().filter(|name| !own.contains(name));
            Some(Value::Array(own.iter().chain(others).cloned().collect()))
        }
        "properties" => {
            let mut all = first.as_object()?.clone();
            for (name, schema) in second.as_object()? {
                let schema = all.get(name).map_or_else(|| schema.clone(), |own| all_of(own, schema));
                all.insert(name.clone(), schema);
            }
            Some(Value::Object(all))
        }
        "items" if !first.is_array() && !second.is_array() => Some(all_of(first, second)),
        "additionalProperties" => match (first, second) {
            (Value::Bool(true), other) | (other, Value::Bool(true)) => Some(other.clone()),
            (Value::Bool(false), _) | (_, Value::Bool(false)) => Some(Value::Bool(false)),
            _ => None,
        },
        "uniqueItems" => Some(Value::Bool(true)),
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => {
            tighter(first, second, Ordering::Greater)
        }
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => {
            tighter(first, second, Ordering::Less)
        }
        _ => None,
    }
}

fn all_of(first: &Value, second: &Value) -> Value {
    if first == second { first.clone() } else { json!({ "allOf": [first, second] }) }
}

fn tighter(first: &Value, second: &Value, wanted: Ordering) -> Option<Value> {
    let order = first.as_f64()?.partial_cmp(&second.as_f64()?)?;
    Some(if order == wanted { first.clone() } else { second.clone() })
}

fn values(first: &Value, second: &Value) -> Option<Value> {
    let second = second.as_array()?;
    let shared: Vec<Value> = first.as_array()?.iter().filter(|value| second.contains(value)).cloned().collect();
    (!shared.is_empty()).then_some(Value::Array(shared))
}

/// The types in both; an integer is a number too.
fn types(first: &Value, second: &Value) -> Option<Value> {
    let (first, second) = (names(first)?, names(second)?);
    let within = |name: &str, list: &[&str]| list.contains(&name) || name == "integer" && list.contains(&"number");
    let mut shared: Vec<&str> = first.iter().copied().filter(|name| within(name, &second)).collect();
    for name in second.iter().copied().filter(|name| within(name, &first)) {
        if !shared.contains(&name) {
            shared.push(name);
        }
    }
    match *shared {
        [] => None,
        [only] => Some(json!(only)),
        _ => Some(json!(shared)),
    }
}

/// The value of `type` as a list.
pub(super) fn names(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(name) => Some(vec![name.as_str()]),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(first: &Value, second: &Value) -> Option<Value> {
        merge(first.as_object().unwrap(), second.as_object().unwrap()).map(Value::Object)
    }

    #[test]
    fn both_schemas_hold_in_one() {
        let cases = [
            (json!({"type": "number"}), json!({"type": "integer"}), json!({"type": "integer"})),
            (json!({"type": ["string", "null"]}), json!({"type": ["null", "number"]}), json!({"type": "null"})),
            (
                json!({"type": ["number", "null"]}),
                json!({"type": ["integer", "null"]}),
                json!({"type": ["null", "integer"]}),
            ),
            (json!({"enum": [1, 2, 3]}), json!({"enum": [3, 2]}), json!({"enum": [2, 3]})),
            (
                json!({"minimum": 1, "maximum": 9}),
                json!({"minimum": 3, "maximum": 20}),
                json!({"minimum": 3, "maximum": 9}),
            ),
            (json!({"minLength": 5}), json!({"minLength": 2}), json!({"minLength": 5})),
            (json!({"required": ["a"]}), json!({"required": ["b", "a"]}), json!({"required": ["a", "b"]})),
            (
                json!({"title": "own"}),
                json!({"title": "other", "description": "d"}),
                json!({"title": "own", "description": "d"}),
            ),
            (
                json!({"properties": {"a": {"type": "string"}}}),
                json!({"properties": {"a": {"minLength": 1}, "b": {}}}),
                json!({"properties": {"a": {"allOf": [{"type": "string"}, {"minLength": 1}]}, "b": {}}}),
            ),
            (
                json!({"items": {"type": "string"}}),
                json!({"items": {"type": "string"}}),
                json!({"items": {"type": "string"}}),
            ),
            (
                json!({"additionalProperties": true}),
                json!({"additionalProperties": false}),
                json!({"additionalProperties": false}),
            ),
            (
                json!({"additionalProperties": {}}),
                json!({"additionalProperties": false}),
                json!({"additionalProperties": false}),
            ),
            (
                json!({"additionalProperties": false}),
                json!({"additionalProperties": {}}),
                json!({"additionalProperties": false}),
            ),
            (
                json!({"additionalProperties": true}),
                json!({"additionalProperties": {"type": "string"}}),
                json!({"additionalProperties": {"type": "string"}}),
            ),
            (json!({"uniqueItems": false}), json!({"uniqueItems": true}), json!({"uniqueItems": true})),
        ];
        for (first, second, expected) in cases {
            assert_eq!(merged(&first, &second), Some(expected), "{first} and {second}");
        }
    }

    #[test]
    fn what_one_schema_cannot_say_is_not_merged() {
        let cases = [
            (json!({"type": "string"}), json!({"type": "null"})),
            (json!({"enum": [1]}), json!({"enum": [2]})),
            (json!({"const": 1}), json!({"const": 2})),
            (json!({"pattern": "a"}), json!({"pattern": "b"})),
            (json!({"anyOf": [{"type": "null"}]}), json!({"anyOf": [{"type": "string"}]})),
            (json!({"additionalProperties": {"type": "null"}}), json!({"additionalProperties": {"type": "string"}})),
            (json!({"properties": {"a": {}}, "additionalProperties": false}), json!({"properties": {"b": {}}})),
            (json!({"properties": {"b": {}}}), json!({"additionalProperties": false})),
        ];
        for (first, second) in cases {
            assert_eq!(merged(&first, &second), None, "{first} and {second}");
        }
    }
}
