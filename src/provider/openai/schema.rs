//! JSON Schemas as single servers take them.

use serde_json::{Map, Value, json};

use crate::provider::structured::strict;
use crate::provider::{Category, Error};

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

/// The schema of an answer, within OpenAI's strict subset.
///
/// # Errors
/// [`Category::BadRequest`] for a schema that the subset cannot say.
pub fn answer_schema(schema: &Value) -> Result<Value, Error> {
    strict(schema).map_err(|error| {
        let message = format!("the schema of the answer cannot be sent: {error}");
        Error { hint: Some("ask for the answer in words".to_owned()), ..Error::new(Category::BadRequest, message) }
    })
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
        // A union with null alone, as the strict subset has it, is the other schema.
        if let Some(Value::Array(any_of)) = node.get("anyOf") {
            let mut others = any_of.iter().filter(|schema| schema["type"] != "null");
            if let (Some(Value::Object(only)), None) = (others.next().cloned(), others.next()) {
                node.shift_remove("anyOf");
                for (key, value) in only {
                    node.entry(key).or_insert(value);
                }
            }
        }
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
            "or_null": {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "d"},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "kind": {"const": "a"}, "any": {"type": "any"}, "list": {"type": "array"}}});
        assert_eq!(
            sanitise(&schema),
            json!({"type": "object", "properties": {
                "title": {"type": "string"}, "or_null": {"description": "d", "type": "integer"},
                "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "kind": {"enum": ["a"]}, "any": {"type": "object"},
                "list": {"type": "array", "items": {"type": "object"}}}})
        );
    }
}
