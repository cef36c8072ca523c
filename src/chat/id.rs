//! Identifiers. They are opaque to everyone but their maker, cheap to clone, and never reused.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[doc = $doc:literal])+ $name:ident, $prefix:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// A fresh id, unique across processes, whose text sorts by time of making.
            pub fn generate() -> Self {
                Self(format!(concat!($prefix, "_{}"), uuid::Uuid::now_v7().simple()).into())
            }

            /// The id as it travels.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Names a session.
    SessionId, "ses"
);
id!(
    /// Names a turn: one prompt and all that follows from it until it stops.
    TurnId, "turn"
);
id!(
    /// Names an item of a turn: a message, a thinking block, a tool call.
    ItemId, "item"
);

impl ItemId {
    /// The `number`th item of `turn`, counted from 0. Derived, so that a pure state machine can name its items.
    pub fn nth(turn: &TurnId, number: usize) -> Self {
        Self(format!("{turn}.{number}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_travel_as_text() {
        let (a, b) = (SessionId::generate(), SessionId::generate());
        assert_ne!(a, b);
        assert!(a.as_str().starts_with("ses_"));
        assert_eq!(serde_json::to_value(&a).unwrap(), a.as_str());
        assert_eq!(ItemId::nth(&TurnId::from("turn_1"), 2).as_str(), "turn_1.2");
    }
}
