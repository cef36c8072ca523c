//! JSON Schemas as single servers take them.

use serde_json::{Map, Value, json};

/// How many values a schema may have when its references are in place.
const MAX_NODES: usize = 20_000;

/// Applies `change` to every schema in `schema`, the inner ones first. Values that only look like schemas are spared.
fn each(schema: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    let Value::Object(node) = schema else { return };
    for (key, value) in node.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "patternProperties" | "$defs" | "definitions", Value::Object(named)) => {
                for schema in named.values_mut() {
                    each(schema, change);
                }
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems" | "items", Value::Array(list)) => {
                for schema in list {
                    each(schema, change);
                }
            }
            ("items" | "additionalProperties" | "not", value) => each(value, change),
            _ => {}
        }
    }
    change(node);
}

/// The schema within OpenAI's strict subset, where a schema that was reduced for native output is not yet: every
/// property is required, and one that was optional may be null. [`drop_added_nulls`] undoes that in an answer.
pub fn strict(schema: &Value) -> Value {
    let mut strict = schema.clone();
    each(&mut strict, &|node| {
        if node.contains_key("$ref") {
            node.retain(|key, _| matches!(key.as_str(), "$ref" | "$defs" | "definitions"));
        }
        let Some(Value::Object(properties)) = node.get("properties") else {
            if node.get("type") == Some(&json!("object")) {
                node.entry("properties").or_insert_with(|| json!({}));
                node.entry("required").or_insert_with(|| json!([]));
                node.insert("additionalProperties".to_owned(), json!(false));
            }
            return;
        };
        let names: Vec<Value> = properties.keys().map(|name| json!(name)).collect();
        let required = node.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(Value::Object(properties)) = node.get_mut("properties") {
            for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(&json!(name))) {
                or_null(property);
            }
        }
        node.insert("required".to_owned(), Value::Array(names));
        node.insert("additionalProperties".to_owned(), json!(false));
    });
    strict
}

/// Lets a schema's value be null, too.
fn or_null(schema: &mut Value) {
    if takes_null(schema) {
        return;
    }
    match schema.as_object_mut() {
        Some(node) if node.get("type").is_some_and(Value::is_string) && !node.contains_key("const") => {
            let kind = node["type"].clone();
            node.insert("type".to_owned(), json!([kind, "null"]));
            if let Some(Value::Array(values)) = node.get_mut("enum") {
                values.push(Value::Null);
            }
        }
        Some(node) if node.get("anyOf").is_some_and(Value::is_array) => {
            if let Some(Value::Array(list)) = node.get_mut("anyOf") {
                list.push(json!({"type": "null"}));
            }
        }
        _ => *schema = json!({"anyOf": [schema.take(), {"type": "null"}]}),
    }
}

fn takes_null(schema: &Value) -> bool {
    let null = json!("null");
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.contains(&null),
        Some(kind) => *kind == null,
        None => schema.get("anyOf").and_then(Value::as_array).is_some_and(|list| list.iter().any(takes_null)),
    }
}

/// Whether a schema is within the strict subset already.
pub fn is_strict(schema: &Value) -> bool {
    schema.get("type") == Some(&json!("object")) && strict(schema) == *schema
}

/// Drops from an answer the nulls that [`strict`] allowed where `schema`, the caller's own, does not: a property that
/// is null and may be left out. References are not followed.
pub fn drop_added_nulls(schema: &Value, answer: &mut Value) {
    match answer {
        Value::Object(fields) => {
            let Some(Value::Object(properties)) = schema.get("properties") else { return };
            let required = schema.get("required").and_then(Value::as_array);
            let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
            fields.retain(|name, value| {
                let property = properties.get(name);
                !(value.is_null() && !is_required(name) && property.is_some_and(|schema| !takes_null(schema)))
            });
            for (name, value) in fields {
                if let Some(schema) = properties.get(name) {
                    drop_added_nulls(schema, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    drop_added_nulls(schema, item);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The schema with what its `$ref`s lead to in their place. One that leads nowhere or into itself becomes any object,
/// and so does everything beyond a size that no one needs.
pub fn inline_refs(schema: &Value) -> Value {
    let mut inlined = Inliner { root: schema, open: Vec::new(), left: MAX_NODES }.value(schema);
    if let Value::Object(node) = &mut inlined {
        node.shift_remove("$defs");
        node.shift_remove("definitions");
    }
    inlined
}

struct Inliner<'a> {
    root: &'a Value,
    /// The references that are being followed.
    open: Vec<&'a str>,
    /// How many more values there may be.
    left: usize,
}

impl<'a> Inliner<'a> {
    fn value(&mut self, value: &'a Value) -> Value {
        let Some(left) = self.left.checked_sub(1) else { return json!({"type": "object"}) };
        self.left = left;
        match value {
            Value::Object(node) => {
                if let Some(reference) = node.get("$ref").and_then(Value::as_str) {
                    return self.followed(reference, node);
                }
                let at_root = std::ptr::eq(value, self.root);
                let kept = node.iter().filter(|(key, _)| !at_root || !matches!(key.as_str(), "$defs" | "definitions"));
                kept.map(|(key, value)| (key.clone(), self.value(value))).collect::<Map<_, _>>().into()
            }
            Value::Array(list) => list.iter().map(|value| self.value(value)).collect(),
            other => other.clone(),
        }
    }

    fn followed(&mut self, reference: &'a str, node: &Map<String, Value>) -> Value {
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target.filter(|_| !self.open.contains(&reference)) else { return json!({"type": "object"}) };
        self.open.push(reference);
        let mut found = self.value(target);
        self.open.pop();
        if let Value::Object(found) = &mut found {
            for (key, value) in node.iter().filter(|(key, _)| *key != "$ref") {
                found.insert(key.clone(), value.clone());
            }
        }
        found
    }
}

/// The schema without what Oracle's gateway refuses: titles, `const`, null defaults, extensions, unions with null,
/// arrays of anything.
pub fn sanitise(schema: &Value) -> Value {
    let mut clean = schema.clone();
    each(&mut clean, &|node| {
        node.retain(|key, value| key != "title" && !key.starts_with("x-") && !(key == "default" && value.is_null()));
        if let Some(only) = node.shift_remove("const") {
            node.insert("enum".to_owned(), json!([only]));
        }
        let kind = match node.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().find(|kind| **kind != json!("null")).cloned(),
            Some(Value::String(kind)) if kind == "any" => Some(json!("object")),
            _ => None,
        };
        if let Some(kind) = kind {
            node.insert("type".to_owned(), kind);
        }
        if node.get("type") == Some(&json!("array")) && !node.contains_key("items") {
            node.insert("items".to_owned(), json!({"type": "object"}));
        }
    });
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_requires_everything_and_lets_the_optional_be_null() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "string"}, "b": {"type": "integer"}, "c": {"enum": ["x"], "type": "string"},
            "d": {"$ref": "#/$defs/e"}, "f": {"type": "array", "items": {"type": "object", "properties": {}}}},
            "required": ["a", "f"], "$defs": {"e": {"type": "object", "properties": {"g": {"type": "null"}}}}});
        let expected = json!({"type": "object", "properties": {
            "a": {"type": "string"}, "b": {"type": ["integer", "null"]}, "c": {"enum": ["x", null], "type": ["string", "null"]},
            "d": {"anyOf": [{"$ref": "#/$defs/e"}, {"type": "null"}]},
            "f": {"type": "array", "items": {"type": "object", "properties": {}, "required": [], "additionalProperties": false}}},
            "required": ["a", "b", "c", "d", "f"], "additionalProperties": false,
            "$defs": {"e": {"type": "object", "properties": {"g": {"type": "null"}}, "required": ["g"], "additionalProperties": false}}});
        assert_eq!(strict(&schema), expected);
        assert_eq!(strict(&expected), expected, "what is strict stays as it is");
        assert!(is_strict(&expected) && !is_strict(&schema));
    }

    #[test]
    fn nulls_that_were_added_are_dropped_again() {
        let schema = json!({"type": "object", "required": ["kept"], "properties": {
            "kept": {"type": "string"}, "gone": {"type": "string"}, "null": {"type": ["string", "null"]},
            "list": {"type": "array", "items": {"type": "object", "properties": {"gone": {"type": "integer"}}}}}});
        let mut answer = json!({"kept": null, "gone": null, "null": null, "list": [{"gone": null}, {"gone": 1}]});
        drop_added_nulls(&schema, &mut answer);
        assert_eq!(answer, json!({"kept": null, "null": null, "list": [{}, {"gone": 1}]}));
    }

    #[test]
    fn references_are_put_in_place_and_endless_ones_end() {
        let schema = json!({"type": "object", "$defs": {"p": {"type": "string"}, "q": {"$ref": "#/$defs/p"}},
            "properties": {"a": {"$ref": "#/$defs/q", "description": "own"}, "b": {"$ref": "#/nowhere"}}});
        assert_eq!(
            inline_refs(&schema),
            json!({"type": "object", "properties": {
                "a": {"type": "string", "description": "own"}, "b": {"type": "object"}}})
        );
        let endless = json!({"$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}}},
            "type": "object", "properties": {"first": {"$ref": "#/$defs/n"}}});
        assert!(!inline_refs(&endless).to_string().contains("$ref"));
    }

    #[test]
    fn what_oracle_refuses_is_cleaned_away_but_not_from_values() {
        let schema = json!({"title": "T", "type": "object", "x-order": 1, "properties": {
            "title": {"type": ["string", "null"], "default": null, "title": "t"},
            "kind": {"const": "a"}, "any": {"type": "any"}, "list": {"type": "array"}}});
        assert_eq!(
            sanitise(&schema),
            json!({"type": "object", "properties": {
                "title": {"type": "string"}, "kind": {"enum": ["a"]}, "any": {"type": "object"},
                "list": {"type": "array", "items": {"type": "object"}}}})
        );
    }
}
