//! The keywords of a node of one type.

use serde_json::{Map, Value, json};

use super::super::keywords::{Node, child, is_of_type, known, limits};
use super::super::{SchemaError, words};
use super::shape::described;
use super::{Reducer, nothing, pattern, values};

/// The string formats that are accepted.
const FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

impl Reducer<'_> {
    /// The node for values of one type. `notes` are sentences for its description.
    pub(super) fn typed(
        &mut self,
        node: &Node,
        name: &str,
        mut notes: Vec<String>,
        at: &str,
    ) -> Result<Node, SchemaError> {
        let mut out = Map::new();
        if !node.contains_key("type") {
            out.insert("type".to_owned(), json!(name));
        }
        for (key, value) in node {
            let here = child(at, key);
            let kept = match (name, key.as_str()) {
                (_, "type") => Some(json!(name)),
                (_, "title" | "description" | "default") | ("object", "required") => Some(value.clone()),
                (_, "enum" | "const") => scalars(node, key, name, &mut notes),
                ("object", "properties") => Some(Value::Object(self.properties(value, &here)?)),
                ("object", "additionalProperties") => Some(json!(false)),
                ("array", "prefixItems") => self.tuple(value, node.get("items"), &here, &mut notes)?,
                ("array", "items") if value.is_array() => {
                    self.tuple(value, node.get("additionalItems"), &here, &mut notes)?
                }
                ("array", "items") if !node.contains_key("prefixItems") => self.items(value, &here, &mut notes)?,
                _ if stays(name, key, value) => Some(value.clone()),
                _ => {
                    notes.extend(words::sentence(name, key, value, node));
                    None
                }
            };
            if let Some(kept) = kept {
                let key = if key == "prefixItems" { "items" } else { key };
                out.insert(key.to_owned(), kept);
            }
        }
        match (name, node.get("minItems")) {
            ("array", Some(least)) if least.as_f64().is_some_and(|least| least > 1.0) => {
                out.insert("minItems".to_owned(), json!(1));
            }
            ("object", _) => closed(node, &mut out, at)?,
            _ => {}
        }
        Ok(described(out, &notes))
    }

    fn properties(&mut self, named: &Value, at: &str) -> Result<Node, SchemaError> {
        let Some(named) = named.as_object() else {
            return Err(SchemaError::new(at, "`properties` must be an object"));
        };
        // A property that may have no value is left out; no others are allowed anyway.
        let possible = named.iter().filter(|(_, schema)| **schema != Value::Bool(false));
        possible.map(|(name, schema)| Ok((name.clone(), self.schema(schema, &child(at, name))?))).collect()
    }

    /// The schema of items that are all alike.
    fn items(&mut self, schema: &Value, at: &str, notes: &mut Vec<String>) -> Result<Option<Value>, SchemaError> {
        match schema {
            Value::Bool(true) => Ok(None),
            Value::Bool(false) => {
                notes.push("Must be empty".to_owned());
                Ok(None)
            }
            Value::Object(node) if limits(&known(node)).is_empty() => Ok(None),
            _ => self.schema(schema, at).map(Some),
        }
    }

    /// One schema for items that differ by position; which stands where becomes a note.
    fn tuple(
        &mut self,
        schemas: &Value,
        rest: Option<&Value>,
        at: &str,
        notes: &mut Vec<String>,
    ) -> Result<Option<Value>, SchemaError> {
        let Some(list) = schemas.as_array() else {
            return Err(SchemaError::new(at, "the schemas of a tuple must be a list"));
        };
        notes.extend(words::by_position(list, rest));
        let mut alternatives: Vec<Value> = Vec::new();
        for (index, schema) in list.iter().chain(rest.filter(|rest| rest.is_object())).enumerate() {
            let reduced = self.schema(schema, &format!("{at}/{index}"))?;
            if !alternatives.contains(&reduced) {
                alternatives.push(reduced);
            }
        }
        Ok(match alternatives.len() {
            0 => None,
            1 => alternatives.pop(),
            _ => Some(json!({ "anyOf": alternatives })),
        })
    }
}

/// Whether a keyword may stay as it is.
fn stays(name: &str, key: &str, value: &Value) -> bool {
    match (name, key) {
        ("array", "minItems") => value.as_u64().is_some_and(|least| least <= 1),
        ("string", "format") => value.as_str().is_some_and(|format| FORMATS.contains(&format)),
        ("string", "pattern") => value.as_str().is_some_and(pattern::is_simple),
        _ => false,
    }
}

/// The values of `enum` or `const` that are of the type. Lists and objects become a note.
fn scalars(node: &Node, key: &str, name: &str, notes: &mut Vec<String>) -> Option<Value> {
    if name == "null" || key == "enum" && node.contains_key("const") {
        return None;
    }
    let fitting: Vec<&Value> = values(node)?.into_iter().filter(|value| is_of_type(value, name)).collect();
    if matches!(name, "array" | "object") {
        notes.push(words::one_of(&fitting));
        return None;
    }
    if key == "const" { fitting.first().map(|value| (*value).clone()) } else { Some(json!(fitting)) }
}

/// Closes an object to all but its named properties.
fn closed(node: &Node, out: &mut Node, at: &str) -> Result<(), SchemaError> {
    let named = out.get("properties").and_then(Value::as_object);
    let none_named = named.is_none_or(Map::is_empty);
    let open = node.get("additionalProperties") != Some(&Value::Bool(false)) || node.contains_key("patternProperties");
    if none_named && open {
        let message =
            "an object with property names of any kind cannot be expressed in native output; name its `properties`";
        return Err(SchemaError::new(at, message));
    }
    let required = node.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if named.is_some_and(|named| named.contains_key(name)) {
            continue;
        }
        let forbidden = node.get("properties").is_some_and(|all| all.get(name).is_some());
        if forbidden || node.get("additionalProperties") == Some(&Value::Bool(false)) {
            return Err(nothing(at));
        }
        return Err(SchemaError::new(at, format!("the required property `{name}` is not among the `properties`")));
    }
    out.insert("additionalProperties".to_owned(), json!(false));
    Ok(())
}
