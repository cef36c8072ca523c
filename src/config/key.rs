//! The tables of settings: each key with its type, its default and who may set it.

use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::source::{Reach, Source};

/// One setting: `L` is the layer it is said in, `S` the settings it is resolved to.
pub struct Key<L, S> {
    /// Its name, in dotted form; of a provider's settings the part behind the provider's name.
    pub name: &'static str,
    /// What it is, in Markdown.
    pub doc: &'static str,
    /// What its value has to be, for people.
    pub expects: &'static str,
    /// Who may set it.
    pub reach: Reach,
    /// Makes its schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Says it in a layer. An error when the value is not of its type.
    pub set: fn(&mut L, Value) -> Result<(), String>,
    /// Its resolved value; null when it has none or must not be shown.
    pub get: fn(&S) -> Shown,
}

/// A setting as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The value; null when it has none or must not be shown.
    pub value: Value,
    /// Where it came from.
    pub source: Source,
    /// Where exactly.
    pub at: Option<Arc<str>>,
}

/// Picks the strongest layer's say. What a layer may not say was left out when it was read.
macro_rules! pick {
    (Lower, $layers:expr, $name:ident, $key:expr, $default:expr) => {{
        let mut picked = $crate::config::source::Setting { value: $default, source: Source::Default, at: None };
        for (source, layer) in $layers {
            let Some(value) = layer.$name.clone() else { continue };
            if *source == Source::Workspace && value > picked.value {
                continue;
            }
            picked = $crate::config::source::Setting { value, source: *source, at: layer.at.get($key).cloned() };
        }
        picked
    }};
    ($reach:ident, $layers:expr, $name:ident, $key:expr, $default:expr) => {{
        let strongest = $layers.iter().rev().find_map(|(source, layer)| {
            let (value, source) = (layer.$name.clone()?, *source);
            Some($crate::config::source::Setting { value, source, at: layer.at.get($key).cloned() })
        });
        strongest.unwrap_or_else(|| $crate::config::source::Setting {
            value: $default,
            source: Source::Default,
            at: None,
        })
    }};
}

macro_rules! settings {
    (
        $(#[doc = $layer_doc:literal])+ layer $Layer:ident;
        $(#[doc = $settings_doc:literal])+ settings $Settings:ident;
        $(#[doc = $table_doc:literal])+ table $KEYS:ident;
        $($(#[doc = $doc:literal])+ $key:literal, $reach:ident, $expects:literal, $name:ident: $type:ty = $default:expr;)+
    ) => {
        $(#[doc = $layer_doc])+
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $Layer {
            $($(#[doc = $doc])+ pub $name: Option<$type>,)+
            /// Where the values stand: a file and line, or a variable's name, by key.
            pub at: std::collections::BTreeMap<&'static str, std::sync::Arc<str>>,
        }

        $(#[doc = $settings_doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Settings {
            $($(#[doc = $doc])+ pub $name: $crate::config::source::Setting<$type>,)+
        }

        impl $Settings {
            /// Resolves the layers, the weakest first.
            pub fn from_layers(layers: &[(Source, &$Layer)]) -> Self {
                Self { $($name: $crate::config::key::pick!($reach, layers, $name, $key, $default),)+ }
            }
        }

        $(#[doc = $table_doc])+
        pub const $KEYS: &[$crate::config::key::Key<$Layer, $Settings>] = &[$($crate::config::key::Key {
            name: $key,
            doc: concat!($($doc, "\n"),+),
            expects: $expects,
            reach: Reach::$reach,
            schema: |generator| generator.subschema_for::<$type>(),
            set: |layer, value| {
                layer.$name = Some(serde_json::from_value(value).map_err(|error| error.to_string())?);
                Ok(())
            },
            get: |settings| {
                let setting = &settings.$name;
                $crate::config::key::Shown {
                    value: serde_json::to_value(&setting.value).unwrap_or_default(),
                    source: setting.source,
                    at: setting.at.clone(),
                }
            },
        }),+];
    };
}

pub(super) use {pick, settings};

/// The words that a value has to be one of, where `expects` is a list of words; else none.
pub(super) fn choices(expects: &str) -> Vec<&str> {
    let words = expects.split(", ").map(|part| part.strip_prefix('`')?.strip_suffix('`'));
    words.collect::<Option<_>>().unwrap_or_default()
}

/// The candidate that a mistyped `name` most likely meant, if one is near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase());
    let (distance, nearest) = candidates.into_iter().map(|name| (distance(name), name)).min_by_key(|(d, _)| *d)?;
    (distance <= (name.len() / 3).max(2)).then_some(nearest)
}
