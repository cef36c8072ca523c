//! JSON Schema of a file of settings.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::key::choices;
use super::provider::PROVIDER;
use super::settings::{GENERAL, Settings};

/// The schema of the user's own file. Editors that know it complete and check the file.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let defaults = Settings::default();
    let mut general = Map::new();
    for key in GENERAL {
        let default = (key.get)(&defaults.general).value;
        place(&mut general, key.name, property((key.schema)(&mut generator).into(), key.doc, key.expects, default));
    }
    let mut provider = Map::new();
    for key in PROVIDER {
        place(
            &mut provider,
            key.name,
            property((key.schema)(&mut generator).into(), key.doc, key.expects, Value::Null),
        );
    }
    let providers = json!({
        "type": "object",
        "description": "Settings of providers, by the part before the colon of their models' names.",
        "propertyNames": {"pattern": "^[a-z][a-z0-9_-]*$"},
        "additionalProperties": {"type": "object", "additionalProperties": false, "properties": provider},
    });
    general.insert("providers".to_owned(), providers);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of Souffleur",
        "type": "object",
        "additionalProperties": false,
        "properties": general,
        "$defs": definitions(&mut generator),
    })
}

fn definitions(generator: &mut SchemaGenerator) -> Value {
    Value::Object(generator.take_definitions(true))
}

fn property(schema: Value, doc: &str, expects: &str, default: Value) -> Value {
    let mut schema = match schema {
        Value::Object(schema) => schema,
        other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
    };
    schema.insert("description".to_owned(), Value::String(doc.trim().replace("\n ", " ").replace('\n', " ")));
    let words = choices(expects);
    // What has a type of its own lists its words itself.
    if !words.is_empty() && schema.get("type") == Some(&json!(["string", "null"])) && !schema.contains_key("enum") {
        schema.insert("enum".to_owned(), words.into_iter().map(Value::from).chain([Value::Null]).collect());
    }
    if !default.is_null() {
        schema.insert("default".to_owned(), default);
    }
    Value::Object(schema)
}

/// Puts a property at a dotted key, in objects within objects.
fn place(properties: &mut Map<String, Value>, key: &str, property: Value) {
    let Some((first, rest)) = key.split_once('.') else {
        properties.insert(key.to_owned(), property);
        return;
    };
    let object = || json!({"type": "object", "additionalProperties": false, "properties": {}});
    let inner = properties.entry(first).or_insert_with(object);
    if let Some(Value::Object(inner)) = inner.get_mut("properties") {
        place(inner, rest, property);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_takes_what_is_right_and_refuses_what_is_not() {
        let schema = schema();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let right = json!({"model": "sim:x", "maxOutputTokens": 5, "thinking": {"type": "disabled"},
            "promptCache": {"ttl": "1h"}, "providers": {"acme": {"auth": {"hosts": ["h"]}, "apiKey": "${A}", "api": "chat"}}});
        assert!(validator.is_valid(&right));
        assert!(validator.is_valid(&Settings::default().to_json()));
        let no_api = json!({"providers": {"acme": {"api": "chta"}}});
        let no_key = json!({"providers": {"acme": {"x": 1}}});
        for wrong in [json!({"modle": "x"}), json!({"effort": "heroic"}), no_key, no_api] {
            assert!(!validator.is_valid(&wrong), "{wrong}");
        }
    }
}
