//! References inside a schema.

use std::collections::BTreeSet;

use serde_json::Value;

use super::SchemaError;
use super::keywords::{Node, subschemas};

/// How deep schemas may nest, references followed.
const MAX_DEPTH: usize = 100;

/// A schema's document, in which its references are looked up.
pub(super) struct Refs<'a> {
    root: &'a Value,
    id: &'a str,
}

/// What a reference leads to.
pub(super) struct Target<'a> {
    /// Its JSON pointer.
    pub pointer: String,
    /// The reference as it is to be written: a fragment.
    pub fragment: String,
    /// The schema.
    pub schema: &'a Value,
}

impl Target<'_> {
    /// The keyword and the name, when the target is one of the root's definitions.
    pub(super) fn definition(&self) -> Option<(&str, String)> {
        let (container, name) = self.pointer.strip_prefix('/')?.split_once('/')?;
        let is_definition = matches!(container, "$defs" | "definitions") && !name.contains('/');
        is_definition.then(|| (container, name.replace("~1", "/").replace("~0", "~")))
    }
}

impl<'a> Refs<'a> {
    /// The references of a document that has no cycle among those that its root needs.
    pub(super) fn new(root: &'a Value) -> Result<Self, SchemaError> {
        let refs = Self { root, id: root.get("$id").and_then(Value::as_str).unwrap_or_default() };
        let mut walk = Walk { refs: &refs, open: Vec::new(), done: BTreeSet::new() };
        walk.schema(root, "", 0)?;
        Ok(refs)
    }

    /// Finds what the `$ref` at `at` leads to.
    pub(super) fn resolve(&self, reference: &Value, at: &str) -> Result<Target<'a>, SchemaError> {
        let Some(text) = reference.as_str() else {
            return Err(SchemaError::new(at, "`$ref` must be a string"));
        };
        let local = if self.id.is_empty() { text } else { text.strip_prefix(self.id).unwrap_or(text) };
        let Some(fragment) = local.strip_prefix('#') else {
            return Err(SchemaError::new(at, format!("the reference `{text}` leads out of the schema")));
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return Err(SchemaError::new(at, format!("the reference `{text}` is an anchor, not a JSON pointer")));
        }
        let pointer = percent_decoded(fragment);
        match self.root.pointer(&pointer) {
            Some(schema) => Ok(Target { pointer, fragment: local.to_owned(), schema }),
            None => Err(SchemaError::new(at, format!("the reference `{text}` leads to nothing"))),
        }
    }
}

/// Follows all references from the root. `open` are those that lead to where the walk stands.
struct Walk<'r, 'a> {
    refs: &'r Refs<'a>,
    open: Vec<String>,
    done: BTreeSet<String>,
}

impl Walk<'_, '_> {
    fn schema(&mut self, schema: &Value, at: &str, depth: usize) -> Result<(), SchemaError> {
        let Some(node) = schema.as_object() else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Err(SchemaError::new(at, format!("the schema nests deeper than {MAX_DEPTH} levels")));
        }
        unsupported(node, at)?;
        if let Some(reference) = node.get("$ref") {
            self.follow(reference, at, depth)?;
        }
        subschemas(node, at).into_iter().try_for_each(|(pointer, inner)| self.schema(inner, &pointer, depth + 1))
    }

    fn follow(&mut self, reference: &Value, at: &str, depth: usize) -> Result<(), SchemaError> {
        let target = self.refs.resolve(reference, at)?;
        // A reference to what stands around it has no end either.
        let around = at == target.pointer || at.starts_with(&format!("{}/", target.pointer));
        if around || self.open.contains(&target.pointer) {
            let message =
                format!("the reference `{}` is recursive, which native output cannot express", target.fragment);
            return Err(SchemaError::new(at, message));
        }
        if self.done.contains(&target.pointer) {
            return Ok(());
        }
        self.open.push(target.pointer.clone());
        self.schema(target.schema, &target.pointer, depth + 1)?;
        self.open.pop();
        self.done.insert(target.pointer);
        Ok(())
    }
}

fn unsupported(node: &Node, at: &str) -> Result<(), SchemaError> {
    for key in ["$dynamicRef", "$recursiveRef"] {
        if node.contains_key(key) {
            return Err(SchemaError::new(at, format!("`{key}` cannot be expressed in native output")));
        }
    }
    let inner = node.get("$id").and_then(Value::as_str).is_some_and(|id| !id.starts_with('#'));
    if inner && !at.is_empty() {
        return Err(SchemaError::new(at, "a schema with an `$id` of its own inside another is not supported"));
    }
    Ok(())
}

fn percent_decoded(fragment: &str) -> String {
    percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().into_owned()
}
