//! The result for a flat node: its alternatives, or one node for each of its types.

use serde_json::{Map, Value, json};

use super::super::keywords::{Node, child, limits};
use super::super::merge::merge;
use super::super::{SchemaError, words};
use super::{Reducer, nothing};

impl Reducer<'_> {
    /// Reduces a node that has no `$ref` and no `allOf`. `notes` are sentences for its description.
    pub(super) fn shaped(&mut self, mut node: Node, mut notes: Vec<String>, at: &str) -> Result<Node, SchemaError> {
        for key in ["anyOf", "oneOf"] {
            let Some(list) = node.get(key) else { continue };
            let Some(list) = list.as_array() else {
                return Err(SchemaError::new(at, format!("`{key}` must be a list of schemas")));
            };
            if let Some(branches) = branches(&node, key, list) {
                let reduced = self.alternatives(&branches, &child(at, key))?;
                if key == "oneOf" && reduced.len() > 1 {
                    notes.push("Must match exactly one of the alternatives".to_owned());
                }
                return Ok(any_of(&node, key, reduced, notes));
            }
            let list = node.shift_remove(key).unwrap_or_default();
            notes.extend(words::sentence("", key, &list, &node));
        }
        let types = super::types(&node, at)?;
        if let [name] = *types {
            return self.typed(&node, name, notes, at);
        }
        let base = limits(&node);
        let branches = types.iter().map(|name| self.typed(&base, name, Vec::new(), at).map(Value::Object));
        let branches = branches.collect::<Result<Vec<_>, _>>()?;
        let place = ["type", "const", "enum"].into_iter().find(|key| node.contains_key(*key)).unwrap_or_default();
        Ok(any_of(&node, place, branches, notes))
    }

    fn alternatives(&mut self, branches: &[Value], at: &str) -> Result<Vec<Value>, SchemaError> {
        let mut reduced: Vec<Value> = Vec::new();
        for (index, branch) in branches.iter().enumerate().filter(|(_, branch)| **branch != Value::Bool(false)) {
            let branch = self.schema(branch, &format!("{at}/{index}"))?;
            if !reduced.contains(&branch) {
                reduced.push(branch);
            }
        }
        if reduced.is_empty() { Err(nothing(at)) } else { Ok(reduced) }
    }
}

/// The alternatives, each with what the node demands beside them; `None` where the two do not go into one schema.
fn branches(node: &Node, key: &str, list: &[Value]) -> Option<Vec<Value>> {
    let mut base = limits(node);
    base.shift_remove(key);
    if base.is_empty() {
        return Some(list.to_vec());
    }
    let with_base = |branch: &Value| match branch {
        Value::Object(branch) => merge(&base, branch).map(Value::Object),
        Value::Bool(true) => Some(Value::Object(base.clone())),
        other => Some(other.clone()),
    };
    list.iter().map(with_base).collect()
}

/// A node of alternatives, which stand at the place of `key`, with the annotations of `node`.
fn any_of(node: &Node, key: &str, alternatives: Vec<Value>, mut notes: Vec<String>) -> Node {
    let mut out = Map::new();
    let mut alternatives = Some(Value::Array(alternatives));
    for (own, value) in node {
        match own.as_str() {
            "title" | "description" | "default" => {
                out.insert(own.clone(), value.clone());
            }
            "examples" => notes.extend(words::sentence("", own, value, node)),
            _ if own == key => {
                out.extend(alternatives.take().map(|list| ("anyOf".to_owned(), list)));
            }
            _ => {}
        }
    }
    out.extend(alternatives.map(|list| ("anyOf".to_owned(), list)));
    described(out, &notes)
}

/// The node with the notes in its description.
pub(super) fn described(mut node: Node, notes: &[String]) -> Node {
    if !notes.is_empty() {
        let text = words::description(node.get("description").and_then(Value::as_str), notes);
        node.insert("description".to_owned(), json!(text));
    }
    node
}
