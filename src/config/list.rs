//! The settings as a list and as a tree, for people and for reading them back.

use serde_json::{Map, Value};

use super::expand::escape;
use super::key::Shown;
use super::provider::{FREE_FORM, PROVIDER, SECRETS, is_secret_name};
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
                let mut shown = (key.get)(provider);
                if FREE_FORM.contains(&key.name) {
                    hide(&mut shown.value);
                } else if key.name == "baseUrl" && shown.value.as_str().is_some_and(has_password) {
                    shown.value = Value::Null;
                }
                let is_said = shown.source != Source::Default || !shown.value.is_null() && is_shown_unsaid(key.name);
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
            drop_nulls(&mut value);
            // What is looked up late was never expanded.
            if !SECRETS.iter().any(|secret| key.ends_with(secret)) {
                escape_all(&mut value);
            }
            insert(&mut tree, &key, value);
        }
        Value::Object(tree)
    }
}

/// Whether a provider's setting is shown although nobody set it: what says where requests go, and in which version.
fn is_shown_unsaid(key: &str) -> bool {
    matches!(key, "baseUrl" | "version")
}

/// Puts null in the place of what is most likely a secret.
fn hide(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if is_secret_name(name) && value.is_string() {
                    *value = Value::Null;
                } else {
                    hide(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Leaves out what must not be shown.
fn drop_nulls(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|_, value| !value.is_null());
        map.values_mut().for_each(drop_nulls);
    }
}

/// Whether an address has a user's name or a password before its host.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
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
            ("providers.beta.headers", json!({"x-a": "b", "Authorization": "Bearer sk-hidden", "X-Api-Key": "hidden"})),
            ("providers.beta.body", json!({"user": {"access_token": "hidden"}, "prompt_cache_key": "k"})),
            ("providers.beta.quirks", json!({"token_field": "max_tokens", "query": {"key": "hidden"}})),
            ("providers.gamma.baseUrl", json!("https://me:hidden@host/v1")),
        ];
        for (key, value) in said {
            layer.set(key, value, None).unwrap();
        }
        let settings = Settings::resolve(&[(Source::User, &layer)]);
        let written = settings.to_json();
        assert!(!written.to_string().contains("hidden"), "{written}");
        let beta = &written["providers"]["beta"];
        assert_eq!(beta["headers"], json!({"x-a": "b"}));
        assert_eq!(beta["body"]["prompt_cache_key"], "k");
        assert_eq!(beta["quirks"]["token_field"], "max_tokens");
        assert!(settings.list().iter().all(|listed| !listed.shown.value.to_string().contains("hidden")));
        let environment = Environment::default();
        let origin = Origin { source: Source::User, name: "json", variables: Some(&environment) };
        let (back, problems) = read(&written.clone().into(), &origin);
        assert_eq!(problems, []);
        assert_eq!(back.general.model, Some(Some("sim:${odd}".into())));
        assert_eq!(back.providers["beta"].api_key.clone().flatten().unwrap().text(), "${BETA}");
        assert_eq!(Settings::resolve(&[(Source::User, &back)]).to_json(), written);
    }
}
