//! The settings as a list and as a tree, for people and for reading them back.

use serde_json::{Map, Value};

use super::expand::escape;
use super::key::Shown;
use super::provider::{PROVIDER, SECRETS};
use super::settings::{GENERAL, Settings};
use super::source::Source;

/// One setting as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its key in dotted form.
    pub key: String,
    /// Its value and where it came from.
    pub shown: Shown,
}

impl Settings {
    /// All settings in the order of the documentation. Of a provider only what is said; of the rest all. Secrets are
    /// shown as the references they are, or as null.
    pub fn list(&self) -> Vec<Listed> {
        let general = GENERAL.iter().map(|key| Listed { key: key.name.to_owned(), shown: (key.get)(&self.general) });
        let providers = self.providers.iter().flat_map(|(name, provider)| {
            PROVIDER.iter().filter_map(move |key| {
                let shown = (key.get)(provider);
                let is_said = shown.source != Source::Default || (key.name == "baseUrl" || key.name == "version");
                is_said.then(|| Listed { key: format!("providers.{name}.{}", key.name), shown })
            })
        });
        general.chain(providers).collect()
    }

    /// The settings as one value, which a file in JSON can hold: read back, it says the same. Secrets are left out,
    /// unless they are nothing but references.
    pub fn to_json(&self) -> Value {
        let mut tree = Map::new();
        for Listed { key, shown } in self.list() {
            let mut value = shown.value;
            if value.is_null() {
                continue;
            }
            // What is looked up late was never expanded.
            if !SECRETS.iter().any(|secret| key.ends_with(secret)) {
                escape_all(&mut value);
            }
            insert(&mut tree, &key, value);
        }
        Value::Object(tree)
    }
}

fn escape_all(value: &mut Value) {
    match value {
        Value::String(text) => *text = escape(text),
        Value::Array(values) => values.iter_mut().for_each(escape_all),
        Value::Object(map) => map.values_mut().for_each(escape_all),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts a value at a dotted key.
pub(super) fn insert(tree: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            tree.insert(key.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = tree.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read::{Origin, read};
    use crate::config::{Environment, Layer};
    use serde_json::json;

    #[test]
    fn what_is_written_reads_back_the_same_and_holds_no_secret() {
        let mut layer = Layer::default();
        let said = [
            ("model", json!("sim:${odd}")),
            ("sampling.topP", json!(0.5)),
            ("thinking", json!({"type": "enabled", "budgetTokens": 2000})),
            ("providers.acme.baseUrl", json!("http://a")),
            ("providers.acme.apiKey", json!("sk-hidden")),
            ("providers.beta.apiKey", json!("${BETA}")),
            ("providers.beta.headers", json!({"x-a": "b"})),
        ];
        for (key, value) in said {
            layer.set(key, value, None).unwrap();
        }
        let settings = Settings::resolve(&[(Source::User, &layer)]);
        let written = settings.to_json();
        assert!(!written.to_string().contains("hidden"));
        let environment = Environment::default();
        let origin = Origin { source: Source::User, name: "json", variables: Some(&environment) };
        let (back, problems) = read(&written.clone().into(), &origin);
        assert_eq!(problems, []);
        assert_eq!(back.general.model, Some(Some("sim:${odd}".into())));
        assert_eq!(back.providers["beta"].api_key.clone().flatten().unwrap().text(), "${BETA}");
        assert_eq!(Settings::resolve(&[(Source::User, &back)]).to_json(), written);
    }
}
