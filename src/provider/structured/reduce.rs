//! JSON Schema, reduced to what vendors accept for native structured output.
//!
//! What the subset cannot say moves into `description`, for the model to read; the answer is held to the original
//! schema afterwards. So a reduced schema may allow more than the original. It allows less in one way: objects have no
//! properties but the named ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::SchemaError;
use super::keywords::{Node, child, is_of_type, known, limits, types_meant};
use super::merge::{merge, names};
use super::refs::Refs;
use super::words;

mod pattern;
mod shape;
mod typed;

/// How many schemas one may unfold to.
const MAX_NODES: usize = 5_000;
/// How deep schemas may nest, references followed.
const MAX_DEPTH: usize = 100;

/// A schema of the subset that vendors accept.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    /// The schema.
    pub schema: Value,
    /// Whether it differs from the original, which then says more.
    pub changed: bool,
}

/// Reduces a schema, in the spelling of draft 7 or 2020-12, to the subset that native structured output accepts. Its
/// root must be an object. A reduced schema reduces to itself.
///
/// # Errors
/// What cannot be said in the subset: recursion, references that lead out of the schema, objects whose property names
/// are open, values of any type, a root that is not an object, more optional or union-typed properties than there may
/// be. The answer can then only be asked for in words.
pub fn reduce(schema: &Value) -> Result<Reduced, SchemaError> {
    let Some(root) = schema.as_object() else {
        return Err(SchemaError::new("", "the schema must be a JSON object that describes an object"));
    };
    let mut reducer = Reducer { refs: Refs::new(schema)?, definitions: BTreeMap::new(), nodes: 0, depth: 0 };
    let reduced = Value::Object(reducer.root(root)?);
    super::limits::check(&reduced)?;
    let changed = reduced != *schema;
    Ok(Reduced { schema: reduced, changed })
}

struct Reducer<'a> {
    refs: Refs<'a>,
    /// The definitions that the result refers to, by JSON pointer. `None` while one is being reduced.
    definitions: BTreeMap<String, Option<Value>>,
    nodes: usize,
    depth: usize,
}

impl Reducer<'_> {
    fn root(&mut self, root: &Node) -> Result<Node, SchemaError> {
        let mut notes = Vec::new();
        let mut node = self.flatten(known(root), "", &mut notes)?;
        // Alternatives of the root stay words, because the root itself must be an object.
        for key in ["anyOf", "oneOf"] {
            if let Some(alternatives) = node.shift_remove(key) {
                notes.extend(words::sentence("object", key, &alternatives, &node));
            }
        }
        if *types(&node, "")? != ["object"] {
            return Err(SchemaError::new("", "the schema's root must be an object and nothing else"));
        }
        let mut reduced = self.shaped(node, notes, "")?;
        for container in ["$defs", "definitions"] {
            let Some(all) = root.get(container).and_then(Value::as_object) else { continue };
            let used = all.keys().filter_map(|name| {
                let pointer = child(&child("", container), name);
                self.definitions.remove(&pointer).flatten().map(|schema| (name.clone(), schema))
            });
            let used: Map<String, Value> = used.collect();
            if !used.is_empty() {
                let before = root.keys().take_while(|key| *key != container);
                let index = before.filter(|key| reduced.contains_key(*key)).count();
                reduced.shift_insert(index, container.to_owned(), Value::Object(used));
            }
        }
        Ok(reduced)
    }

    /// Reduces one schema.
    fn schema(&mut self, schema: &Value, at: &str) -> Result<Value, SchemaError> {
        let node = match schema {
            Value::Object(node) => known(node),
            Value::Bool(false) => return Err(nothing(at)),
            Value::Bool(true) => return Err(anything(at)),
            _ => return Err(SchemaError::new(at, "a schema must be an object or a boolean")),
        };
        self.depth += 1;
        self.count(at)?;
        let reduced = self.node(node, at)?;
        self.depth -= 1;
        Ok(reduced)
    }

    /// Fails when the schema has grown out of measure.
    fn count(&mut self, at: &str) -> Result<(), SchemaError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || self.depth > MAX_DEPTH {
            return Err(SchemaError::new(at, "the schema is too large or nests too deeply for native output"));
        }
        Ok(())
    }

    fn node(&mut self, node: Node, at: &str) -> Result<Value, SchemaError> {
        if node.len() == 1
            && let Some(reference) = node.get("$ref")
            && let Some(kept) = self.kept_reference(reference, at)?
        {
            return Ok(kept);
        }
        let mut notes = Vec::new();
        let node = self.flatten(node, at, &mut notes)?;
        self.shaped(node, notes, at).map(Value::Object)
    }

    /// A reference to a definition stays one.
    fn kept_reference(&mut self, reference: &Value, at: &str) -> Result<Option<Value>, SchemaError> {
        let target = self.refs.resolve(reference, at)?;
        if target.definition().is_none() {
            return Ok(None);
        }
        if !self.definitions.contains_key(&target.pointer) {
            self.definitions.insert(target.pointer.clone(), None);
            let reduced = self.schema(target.schema, &target.pointer)?;
            self.definitions.insert(target.pointer, Some(reduced));
        }
        Ok(Some(json!({ "$ref": target.fragment })))
    }

    /// Puts what `$ref` and `allOf` lead to into the node itself. What does not go into one schema becomes a note.
    fn flatten(&mut self, mut node: Node, at: &str, notes: &mut Vec<String>) -> Result<Node, SchemaError> {
        self.count(at)?;
        let mut others: Vec<(Value, String)> = Vec::new();
        if let Some(reference) = node.shift_remove("$ref") {
            let target = self.refs.resolve(&reference, at)?;
            others.push((target.schema.clone(), target.pointer));
        }
        match node.shift_remove("allOf") {
            Some(Value::Array(list)) => {
                let at = child(at, "allOf");
                others.extend(list.into_iter().enumerate().map(|(index, schema)| (schema, format!("{at}/{index}"))));
            }
            Some(_) => return Err(SchemaError::new(at, "`allOf` must be a list of schemas")),
            None => {}
        }
        for (other, pointer) in others {
            let other = match other {
                Value::Object(other) => self.flatten(known(&other), &pointer, notes)?,
                Value::Bool(true) => continue,
                Value::Bool(false) => return Err(nothing(&pointer)),
                _ => return Err(SchemaError::new(pointer, "a schema must be an object or a boolean")),
            };
            match merge(&node, &other) {
                Some(merged) => node = merged,
                None => notes.extend(words::sentence("", "allOf", &Value::Object(limits(&other)), &node)),
            }
        }
        Ok(node)
    }
}

/// The types that a value of a flat node may have: at least one.
fn types(node: &Node, at: &str) -> Result<Vec<&'static str>, SchemaError> {
    let values = values(node);
    let mut types = match (node.get("type"), &values) {
        (Some(names), _) => declared(names, at)?,
        (None, Some(values)) => values.iter().filter_map(|value| type_of(value)).collect(),
        (None, None) => types_meant(node),
    };
    if types.is_empty() && values.is_none() {
        return Err(anything(at));
    }
    if let Some(values) = values {
        types.retain(|name| values.iter().any(|value| is_of_type(value, name)));
    }
    let has_number = types.contains(&"number");
    let mut distinct = Vec::new();
    for name in types {
        let covered = has_number && name == "integer";
        if !covered && !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    if distinct.is_empty() { Err(nothing(at)) } else { Ok(distinct) }
}

/// The types of JSON Schema, the narrower of two first.
const TYPES: &[&str] = &["object", "array", "string", "integer", "number", "boolean", "null"];

fn type_of(value: &Value) -> Option<&'static str> {
    TYPES.iter().copied().find(|name| is_of_type(value, name))
}

fn declared(value: &Value, at: &str) -> Result<Vec<&'static str>, SchemaError> {
    let Some(names) = names(value) else {
        return Err(SchemaError::new(at, "`type` must name one or more types"));
    };
    let known = |name: &str| TYPES.iter().copied().find(|known| *known == name);
    let unknown = |name: &str| SchemaError::new(at, format!("`{name}` is not a type of JSON Schema"));
    names.into_iter().map(|name| known(name).ok_or_else(|| unknown(name))).collect()
}

/// The values that `const` or `enum` allows, where there is one of them.
fn values(node: &Node) -> Option<Vec<&Value>> {
    match (node.get("const"), node.get("enum")) {
        (Some(only), Some(Value::Array(all))) => Some(all.iter().filter(|value| *value == only).collect()),
        (Some(only), _) => Some(vec![only]),
        (None, Some(Value::Array(all))) => Some(all.iter().collect()),
        (None, _) => None,
    }
}

fn anything(at: &str) -> SchemaError {
    SchemaError::new(at, "a value of any kind cannot be expressed in native output; give it a `type`")
}

fn nothing(at: &str) -> SchemaError {
    SchemaError::new(at, "no value can match this schema")
}

#[cfg(test)]
mod composition_tests;
#[cfg(test)]
mod tests;
