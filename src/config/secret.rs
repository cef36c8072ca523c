//! A secret among the settings.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret as the user wrote it: the secret itself, or better a reference such as `${MY_KEY}` that is looked up when it
/// is used. It does not print itself; what is nothing but a reference may be seen.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The text as it was written, references and all.
    pub fn text(&self) -> &str {
        self.0.expose_secret()
    }

    /// The text, when it is nothing but a reference.
    pub fn reference(&self) -> Option<&str> {
        let name = self.text().strip_prefix("${")?.strip_suffix('}')?;
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then(|| self.text())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reference().unwrap_or("Secret"))
    }
}

/// A reference as it is; anything else as null.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.reference().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reference_is_ever_shown() {
        let reference = Secret::from("${MY_KEY}".to_owned());
        assert_eq!(serde_json::to_value(&reference).unwrap(), "${MY_KEY}");
        for text in ["sk-hidden", "${MY_KEY}sk-hidden", "${MY_KEY:-sk-hidden}"] {
            let secret = Secret::from(text.to_owned());
            assert_eq!(serde_json::to_value(&secret).unwrap(), serde_json::Value::Null);
            assert!(!format!("{secret:?}").contains("hidden"));
        }
    }
}
