//! From a tree of values (a file, an editor's settings) to a layer: what can be used is, and what cannot is told.

use std::sync::Arc;

use serde_json::Value;

use super::environment::Environment;
use super::expand::expand;
use super::key::nearest;
use super::provider::{FREE_FORM, PROVIDER, SECRETS, is_provider_name};
use super::settings::{GENERAL, Layer};
use super::source::{Reach, Source};
pub use crate::protocol::SettingProblem as Problem;

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value; entries of a table are nodes of their own.
    pub value: NodeValue,
    /// The line, counted from 1, where the source has lines.
    pub line: Option<u32>,
}

/// A table or anything else.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// Names and values, in their order.
    Table(Vec<(String, Node)>),
    /// A value that has no names.
    Leaf(Value),
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        let value = match value {
            Value::Object(map) => NodeValue::Table(map.into_iter().map(|(name, value)| (name, value.into())).collect()),
            leaf => NodeValue::Leaf(leaf),
        };
        Self { value, line: None }
    }
}

impl Node {
    fn to_value(&self) -> Value {
        match &self.value {
            NodeValue::Leaf(value) => value.clone(),
            NodeValue::Table(entries) => entries
                .iter()
                .map(|(name, node)| (name.clone(), node.to_value()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// Where a tree comes from, and what may be said there.
pub struct Origin<'a> {
    /// Whose settings they are.
    pub source: Source,
    /// The file, or a word for it.
    pub name: &'a str,
    /// For `${VAR}`, where it is replaced: in the user's own file.
    pub variables: Option<&'a Environment>,
}

/// Reads a tree.
pub fn read(tree: &Node, origin: &Origin<'_>) -> (Layer, Vec<Problem>) {
    let mut reader = Reader { origin, layer: Layer::default(), problems: Vec::new() };
    reader.table("", tree);
    (reader.layer, reader.problems)
}

struct Reader<'a> {
    origin: &'a Origin<'a>,
    layer: Layer,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn place(&self, line: Option<u32>) -> String {
        line.map_or_else(|| self.origin.name.to_owned(), |line| format!("{}:{line}", self.origin.name))
    }

    fn problem(&mut self, line: Option<u32>, key: &str, message: String, hint: Option<String>) {
        self.problems.push(Problem { at: self.place(line), key: key.to_owned(), message, hint });
    }

    fn table(&mut self, prefix: &str, node: &Node) {
        let NodeValue::Table(entries) = &node.value else {
            let what = if prefix.is_empty() { "the settings are" } else { &format!("{prefix} is") };
            return self.problem(node.line, prefix, format!("{what} not a table of settings"), None);
        };
        for (name, node) in entries {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            self.entry(&key, node);
        }
    }

    fn entry(&mut self, key: &str, node: &Node) {
        if matches!(node.value, NodeValue::Leaf(Value::Null)) {
            return;
        }
        if let Some(found) = find(key) {
            self.say(key, found, node);
        } else if is_inner(key) {
            self.table(key, node);
        } else if let Some(name) = key.strip_prefix("providers.").filter(|rest| !rest.contains('.')) {
            let message = format!("{name:?} cannot be a provider's name");
            self.problem(node.line, key, message, Some("use lower-case letters, digits, - and _".to_owned()));
        } else {
            let hint = suggestion(key);
            self.problem(node.line, key, format!("there is no setting {key}"), hint);
        }
    }

    fn say(&mut self, key: &str, found: Found, node: &Node) {
        if !found.reach.admits(self.origin.source) {
            let message = format!("{key} cannot be set by the {}", self.origin.source);
            let hint = "it names an address, a file, a program or a secret; set it in your own file".to_owned();
            return self.problem(node.line, key, message, Some(hint));
        }
        let mut value = node.to_value();
        if let Some(environment) = self.origin.variables.filter(|_| !SECRETS.contains(&found.name))
            && let Err(message) = expand_all(&mut value, environment)
        {
            let hint = "set it, or write ${NAME:-default}; $${ stands for ${ itself".to_owned();
            return self.problem(node.line, key, format!("{key}: {message}"), Some(hint));
        }
        let at = Arc::from(self.place(node.line));
        if let Err(error) = self.layer.set(key, value, Some(at)) {
            self.problem(node.line, key, error, None);
        }
    }
}

fn expand_all(value: &mut Value, environment: &Environment) -> Result<(), String> {
    match value {
        Value::String(text) => {
            *text = expand(text, environment)?;
            Ok(())
        }
        Value::Array(values) => values.iter_mut().try_for_each(|value| expand_all(value, environment)),
        Value::Object(map) => map.values_mut().try_for_each(|value| expand_all(value, environment)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// What the tables say of a key.
#[derive(Clone, Copy)]
struct Found {
    reach: Reach,
    expects: &'static str,
    name: &'static str,
}

/// Splits `providers.NAME.KEY`.
fn of_provider(key: &str) -> Option<(&str, &str)> {
    let (name, key) = key.strip_prefix("providers.")?.split_once('.')?;
    is_provider_name(name).then_some((name, key))
}

fn find(key: &str) -> Option<Found> {
    if let Some((_, key)) = of_provider(key) {
        let key = PROVIDER.iter().find(|known| known.name == key)?;
        return Some(Found { reach: key.reach, expects: key.expects, name: key.name });
    }
    let key = GENERAL.iter().find(|known| known.name == key)?;
    Some(Found { reach: key.reach, expects: key.expects, name: key.name })
}

/// Whether settings begin with `key` and a dot.
fn is_inner(key: &str) -> bool {
    let begins = |name: &str, key: &str| name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    match of_provider(key) {
        Some((_, key)) => PROVIDER.iter().any(|known| begins(known.name, key)),
        None => {
            key == "providers"
                || key.strip_prefix("providers.").is_some_and(is_provider_name)
                || GENERAL.iter().any(|known| begins(known.name, key))
        }
    }
}

/// The known key nearest to `key`.
fn suggestion(key: &str) -> Option<String> {
    let nearest = match of_provider(key) {
        Some((provider, key)) => {
            let near = nearest(key, PROVIDER.iter().map(|known| known.name))?;
            format!("providers.{provider}.{near}")
        }
        None => nearest(key, GENERAL.iter().map(|known| known.name).chain(["providers"]))?.to_owned(),
    };
    Some(format!("did you mean {nearest}?"))
}

impl Layer {
    /// Says one setting, by its key in dotted form. `at` is where it is said.
    ///
    /// # Errors
    /// What is wrong, for people: there is no such setting, or the value is not of its type.
    pub fn set(&mut self, key: &str, value: Value, at: Option<Arc<str>>) -> Result<(), String> {
        let found = find(key).ok_or_else(|| format!("there is no setting {key}"))?;
        // There may be a secret among what is free in its form.
        let is_hidden = SECRETS.contains(&found.name) || FREE_FORM.contains(&found.name);
        let shown = if is_hidden { "what it is".to_owned() } else { value.to_string() };
        let wrong = |_| format!("{key} takes {}, not {shown}", found.expects.replace('`', ""));
        if let Some((provider, _)) = of_provider(key) {
            let mut layer = self.providers.get(provider).cloned().unwrap_or_default();
            let known = PROVIDER.iter().find(|known| known.name == found.name);
            known.map_or(Ok(()), |known| (known.set)(&mut layer, value)).map_err(wrong)?;
            layer.at.extend(at.map(|at| (found.name, at)));
            self.providers.insert(provider.to_owned(), layer);
        } else {
            let known = GENERAL.iter().find(|known| known.name == found.name);
            known.map_or(Ok(()), |known| (known.set)(&mut self.general, value)).map_err(wrong)?;
            self.general.at.extend(at.map(|at| (found.name, at)));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
