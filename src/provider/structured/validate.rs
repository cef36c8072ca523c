//! Holding an answer to the schema as the caller wrote it.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError};
use serde_json::Value;

use super::keywords::subschemas;
use super::strict::drop_added_nulls;
use super::{SchemaError, place};

/// How many errors a mismatch names.
const MAX_ERRORS: usize = 10;
/// How many characters an error's sentence may have.
const MAX_ERROR_CHARS: usize = 400;
/// How often values are brought to the schema's spelling: one change can bring another schema into play.
const MAX_ROUNDS: usize = 4;

/// Why an answer is not what the schema asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It is not JSON.
    #[error("the answer is not JSON: {message}")]
    NotJson {
        /// What the parser said.
        message: String,
    },
    /// It is JSON that is not valid under the schema.
    #[error("the answer does not match the schema: {}", errors.join("; "))]
    Invalid {
        /// What is wrong, each with the JSON pointer of its place; at most ten.
        errors: Vec<String>,
    },
}

/// Holds answers to a schema.
#[derive(Debug)]
pub struct Validator {
    compiled: jsonschema::Validator,
    schema: Value,
}

impl Validator {
    /// A validator for the schema. Without `$schema` it is read as 2020-12, or as draft 7 where its spelling shows that.
    /// Nothing is ever fetched.
    ///
    /// # Errors
    /// Where the schema is malformed, or refers to something that is not in it.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        let mut options = jsonschema::options().offline().should_validate_formats(true);
        if schema.get("$schema").is_none() {
            options = options.with_draft(if is_draft_7(schema) { Draft::Draft7 } else { Draft::Draft202012 });
        }
        match options.build(schema) {
            Ok(compiled) => Ok(Self { compiled, schema: schema.clone() }),
            Err(error) => Err(SchemaError::new(error.instance_path().as_str(), short(error.to_string()))),
        }
    }

    /// Reads an answer and holds it to the schema. One Markdown fence around it is tolerated. Where strings of `enum` or
    /// `const` differ in their case alone, the value returned has the schema's spelling.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub fn check(&self, text: &str) -> Result<Value, Mismatch> {
        let text = unfenced(text);
        if text.is_empty() {
            return Err(Mismatch::NotJson { message: "the answer is empty".to_owned() });
        }
        let mut value: Value =
            serde_json::from_str(text).map_err(|error| Mismatch::NotJson { message: error.to_string() })?;
        for _ in 0..MAX_ROUNDS {
            let mut fixes = Vec::new();
            for error in self.compiled.iter_errors(&value) {
                spelling(&error, &mut fixes);
            }
            if fixes.is_empty() {
                break;
            }
            for (pointer, spelled) in fixes {
                if let Some(place) = value.pointer_mut(&pointer) {
                    *place = spelled;
                }
            }
        }
        if !self.compiled.is_valid(&value) {
            // Some providers demand every property, and null where one may be left out.
            let mut without = value.clone();
            drop_added_nulls(&mut without, &self.schema);
            if self.compiled.is_valid(&without) {
                return Ok(without);
            }
        }
        let errors: Vec<String> = self.compiled.iter_errors(&value).take(MAX_ERRORS).map(|e| named(&e)).collect();
        if errors.is_empty() { Ok(value) } else { Err(Mismatch::Invalid { errors }) }
    }
}

/// Whether some part of the schema is spelled as only drafts up to 7 spell it.
fn is_draft_7(schema: &Value) -> bool {
    let Some(node) = schema.as_object() else { return false };
    let definitions = ["$defs", "definitions"].into_iter().filter_map(|key| node.get(key)?.as_object());
    node.get("items").is_some_and(Value::is_array)
        || node.contains_key("dependencies")
        || definitions.flat_map(|named| named.values()).any(is_draft_7)
        || subschemas(node, "").into_iter().any(|(_, inner)| is_draft_7(inner))
}

/// The text inside a Markdown fence, or the text itself, without blanks around it.
fn unfenced(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}').trim();
    let Some(mark) = text.chars().next().filter(|c| matches!(c, '`' | '~')) else { return text };
    let inner = text.trim_start_matches(mark);
    let fence = &text[..text.len() - inner.len()];
    let Some(inner) = inner.strip_suffix(fence).filter(|_| fence.len() >= 3) else { return text };
    let info = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(0);
    let body = &inner[info..];
    // The word after the fence is the language, unless it is the answer, as in a fenced `true`.
    let is_language = body.starts_with(['\n', '\r', ' ', '\t', '{', '[']) && !body.trim().is_empty();
    (if is_language { body } else { inner }).trim()
}

/// Collects what brings an error away by the case of strings alone. Of alternatives, the first that needs no more than
/// that is taken.
fn spelling(error: &ValidationError<'_>, fixes: &mut Vec<(String, Value)>) -> bool {
    let at = || error.instance_path().as_str().to_owned();
    match error.kind() {
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let mut same = options.iter().filter(|option| same_but_case(option, error.instance()));
            match (same.next(), same.next()) {
                (Some(only), None) => fixes.push((at(), only.clone())),
                _ => return false,
            }
            true
        }
        ValidationErrorKind::Constant { expected_value } if same_but_case(expected_value, error.instance()) => {
            fixes.push((at(), Value::clone(expected_value)));
            true
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            for branch in context {
                let mut own = Vec::new();
                if branch.iter().all(|error| spelling(error, &mut own)) {
                    fixes.append(&mut own);
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

fn same_but_case(first: &Value, second: &Value) -> bool {
    match (first, second) {
        (Value::String(first), Value::String(second)) => first.to_lowercase() == second.to_lowercase(),
        (Value::Array(first), Value::Array(second)) => {
            first.len() == second.len() && first.iter().zip(second).all(|(first, second)| same_but_case(first, second))
        }
        (Value::Object(first), Value::Object(second)) => {
            let same =
                |(key, value): (&String, &Value)| second.get(key).is_some_and(|other| same_but_case(value, other));
            first.len() == second.len() && first.iter().all(same)
        }
        _ => first == second,
    }
}

/// An error as a sentence with its place. The value itself is left out: it may be long, and who wrote it knows it.
fn named(error: &ValidationError<'_>) -> String {
    let mut sentence = format!("{}: {}", place(error.instance_path().as_str()), error.masked_with("the value"));
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        let closest = context.iter().filter(|errors| !errors.is_empty()).min_by_key(|errors| errors.len());
        if let Some(first) = closest.and_then(|errors| errors.first()) {
            sentence = format!("{sentence}; closest: {}", named(first));
        }
    }
    short(sentence)
}

fn short(mut sentence: String) -> String {
    if let Some((end, _)) = sentence.char_indices().nth(MAX_ERROR_CHARS) {
        sentence.truncate(end);
        sentence.push('…');
    }
    sentence
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
