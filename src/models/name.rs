//! A model's name: `provider:model`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{ErrorCode, UserError};

/// A model of a provider. Written `provider:model`, split at the first colon, so that a model's own name may hold more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelName {
    full: Arc<str>,
    colon: usize,
}

impl ModelName {
    /// The part before the first colon.
    pub fn provider(&self) -> &str {
        &self.full[..self.colon]
    }

    /// The part after it, exactly as the user wrote it.
    pub fn model(&self) -> &str {
        &self.full[self.colon + 1..]
    }

    /// The whole name, shared.
    pub fn to_shared(&self) -> Arc<str> {
        self.full.clone()
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

impl FromStr for ModelName {
    type Err = UserError;

    /// # Errors
    /// `model.invalid` when there is no colon or nothing on one side of it.
    fn from_str(text: &str) -> Result<Self, UserError> {
        let text = text.trim();
        let invalid = |what: &str| {
            UserError::new(ErrorCode::ModelInvalid, format!("the model name {text:?} {what}"))
                .with_hint("write provider:model, for example anthropic:claude-sonnet-5-5 or sim:default")
        };
        let colon = text.find(':').ok_or_else(|| invalid("names no provider"))?;
        if text[..colon].is_empty() {
            return Err(invalid("has nothing before the colon"));
        }
        if text[colon + 1..].trim().is_empty() {
            return Err(invalid("has no model after the colon"));
        }
        Ok(Self { full: text.into(), colon })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_colon_splits() {
        let name: ModelName = "ollama:qwen3:8b".parse().unwrap();
        assert_eq!((name.provider(), name.model()), ("ollama", "qwen3:8b"));
        assert_eq!(name.to_string(), "ollama:qwen3:8b");
    }

    #[test]
    fn half_a_name_is_an_error_with_a_hint() {
        for text in ["", "claude", ":x", "anthropic:", "anthropic:  "] {
            let error = text.parse::<ModelName>().unwrap_err();
            assert_eq!(error.code, ErrorCode::ModelInvalid, "{text}");
            assert!(error.hint.is_some());
        }
    }
}
