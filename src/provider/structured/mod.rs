//! Structured output: answers that are JSON of a shape that the caller asked for.
//!
//! *For*: [`reduce`] fits a JSON Schema to what vendors accept natively, [`Validator`] holds an answer to the schema as
//! the caller wrote it, [`prompt_for`] and [`repair_prompt`] serve models without native support.
//! *Owns*: which part of JSON Schema travels, and in which words the rest is told.
//! *Must not know*: any vendor's request, sessions, I/O, time.

mod keywords;
mod limits;
mod merge;
mod reduce;
mod refs;
mod strict;
mod validate;
mod words;

use serde_json::Value;

pub use reduce::{Reduced, reduce};
pub use strict::{drop_added_nulls, is_strict, strict};
pub use validate::{Mismatch, Validator};

/// Why a schema cannot be used: as it is, or not for native structured output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", place(pointer))]
pub struct SchemaError {
    /// The JSON pointer to the place in the schema; empty for its root.
    pub pointer: String,
    /// What is wrong there: one sentence without a final period.
    pub message: String,
}

impl SchemaError {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// How a JSON pointer is named in a sentence.
fn place(pointer: &str) -> String {
    if pointer.is_empty() { "at the root".to_owned() } else { format!("at `{pointer}`") }
}

/// Instructions for a model that has no native structured output: to be added to what it is asked.
pub fn prompt_for(schema: &Value) -> String {
    format!(
        "Answer with one JSON value and nothing else: no words before or after it, no Markdown. It must be valid under \
         this JSON Schema:\n\n{schema:#}"
    )
}

/// What to tell a model whose answer did not fit, so that its next one does.
pub fn repair_prompt(mismatch: &Mismatch) -> String {
    let wrong = match mismatch {
        Mismatch::NotJson { message } => format!("Your answer is not valid JSON: {message}."),
        Mismatch::Invalid { errors } => {
            format!("Your answer is not valid under the JSON Schema:\n- {}\n", errors.join("\n- "))
        }
    };
    format!("{wrong}\nSend the whole answer again, corrected: one JSON value and nothing else.")
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_prompt_carries_the_schema_in_its_own_order() {
        let schema = json!({"type": "object", "properties": {"b": {"type": "null"}, "a": {"type": "null"}}});
        let prompt = prompt_for(&schema);
        let shown = &prompt[prompt.find('{').unwrap()..];
        assert_eq!(serde_json::from_str::<Value>(shown).unwrap(), schema);
        assert!(shown.find("\"b\"") < shown.find("\"a\""), "{shown}");
        assert_eq!(prompt, prompt_for(&schema.clone()));
    }

    #[test]
    fn the_repair_names_what_was_wrong() {
        let text = repair_prompt(&Mismatch::NotJson { message: "expected value at line 1 column 1".to_owned() });
        assert!(text.contains("expected value at line 1 column 1"), "{text}");
        let text = repair_prompt(&Mismatch::Invalid { errors: vec!["at `/a`: x".to_owned(), "at `/b`: y".to_owned()] });
        assert!(text.contains("\n- at `/a`: x\n- at `/b`: y\n"), "{text}");
    }

    #[test]
    fn an_error_is_one_sentence_with_its_place() {
        assert_eq!(SchemaError::new("/a", "it is wrong").to_string(), "at `/a`: it is wrong");
        assert_eq!(SchemaError::new("", "it is wrong").to_string(), "at the root: it is wrong");
    }
}
