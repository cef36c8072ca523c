//! Alternatives, `allOf` and references, in and out.

use serde_json::{Value, json};

use super::super::{Validator, reduce};

#[track_caller]
fn becomes(schema: &Value, expected: &Value) {
    let reduced = reduce(schema).unwrap_or_else(|error| panic!("{schema}: {error}")).schema;
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    assert_eq!(text(&reduced), text(expected));
    assert!(!reduce(&reduced).unwrap().changed, "it reduces to itself");
    assert!(Validator::new(schema).is_ok() && Validator::new(&reduced).is_ok());
}

#[track_caller]
fn fails(schema: &Value, pointer: &str, words: &str) {
    let error = reduce(schema).expect_err("no native form");
    assert_eq!(error.pointer, pointer, "{error}");
    assert!(error.message.contains(words), "{error}");
}

fn object(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

#[test]
fn one_of_becomes_any_of() {
    becomes(
        &object(&json!({"x": {"oneOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}})),
        &object(&json!({"x": {
            "anyOf": [{"type": "string", "description": "Must have at most 3 characters."}, {"type": "null"}],
            "description": "Must match exactly one of the alternatives.",
        }})),
    );
}

#[test]
fn alternatives_get_what_stands_beside_them() {
    let both = json!({"a": {"type": "string"}, "b": {"type": "string"}});
    let closed = |required: &str| json!({"type": "object", "properties": both, "required": [required], "additionalProperties": false});
    becomes(
        &object(&json!({"x": {
            "title": "t", "type": "object", "properties": both, "anyOf": [{"required": ["a"]}, {"required": ["b"]}, false],
        }})),
        &object(&json!({"x": {"title": "t", "anyOf": [closed("a"), closed("b")]}})),
    );
}

#[test]
fn alternatives_that_do_not_fit_what_stands_beside_them_become_words() {
    becomes(
        &object(&json!({"x": {"type": "string", "pattern": "^a", "anyOf": [{"pattern": "b$"}, {"pattern": "c$"}]}})),
        &object(&json!({"x": {
            "type": "string",
            "pattern": "^a",
            "description": "Must match at least one of the JSON Schemas [{\"pattern\":\"b$\"},{\"pattern\":\"c$\"}].",
        }})),
    );
}

#[test]
fn alternatives_of_the_root_become_words() {
    let properties = json!({"a": {"type": "string"}, "b": {"type": "string"}});
    becomes(
        &json!({"type": "object", "properties": properties, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        &json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
            "description":
                "Must match exactly one of the JSON Schemas [{\"required\":[\"a\"]},{\"required\":[\"b\"]}].",
        }),
    );
}

#[test]
fn all_of_becomes_one_schema() {
    becomes(
        &json!({
            "type": "object",
            "properties": {"a": {"type": "string"}},
            "required": ["a"],
            "allOf": [
                {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
                {"properties": {"a": {"enum": ["x", "y"]}}, "description": "d"},
            ],
        }),
        &json!({
            "type": "object",
            "properties": {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "description": "d",
            "additionalProperties": false,
        }),
    );
    becomes(
        &object(&json!({"x": {"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "b"}]}})),
        &object(&json!({"x": {
            "type": "string", "pattern": "a", "description": "Must also match the JSON Schema {\"pattern\":\"b\"}.",
        }})),
    );
}

#[test]
fn definitions_that_are_used_stay() {
    for container in ["$defs", "definitions"] {
        becomes(
            &json!({
                "$schema": "http://json-schema.org/draft-07/schema#",
                "$id": "https://example.com/root",
                container: {
                    "unused": {"type": "array", "items": {"$ref": format!("#/{container}/unused")}},
                    "in/ner": {"type": "string", "minLength": 1},
                    "outer": {"type": "object", "properties": {"i": {"$ref": format!("#/{container}/in~1ner")}}},
                },
                "type": "object",
                "properties": {
                    "o": {"$ref": format!("https://example.com/root#/{container}/outer")},
                    "p": {"type": "array", "items": {"$ref": format!("#/{container}/outer")}},
                },
            }),
            &json!({
                container: {
                    "in/ner": {"type": "string", "description": "Must have at least 1 character."},
                    "outer": {
                        "type": "object",
                        "properties": {"i": {"$ref": format!("#/{container}/in~1ner")}},
                        "additionalProperties": false,
                    },
                },
                "type": "object",
                "properties": {
                    "o": {"$ref": format!("#/{container}/outer")},
                    "p": {"type": "array", "items": {"$ref": format!("#/{container}/outer")}},
                },
                "additionalProperties": false,
            }),
        );
    }
}

#[test]
fn other_references_are_written_out() {
    becomes(
        &json!({
            "type": "object",
            "properties": {
                "a": {"$ref": "#/$defs/name", "description": "Own words"},
                "b": {"allOf": [{"$ref": "#/$defs/name"}], "default": "x"},
                "c": {"$ref": "#/properties/a"},
                "d": {"anyOf": [{"$ref": "#/$defs/name"}, {"type": "null"}]},
            },
            "$defs": {"name": {"type": "string", "description": "A name"}},
        }),
        &json!({
            "type": "object",
            "properties": {
                "a": {"description": "Own words", "type": "string"},
                "b": {"default": "x", "type": "string", "description": "A name"},
                "c": {"description": "Own words", "type": "string"},
                "d": {"anyOf": [{"$ref": "#/$defs/name"}, {"type": "null"}]},
            },
            "$defs": {"name": {"type": "string", "description": "A name"}},
            "additionalProperties": false,
        }),
    );
    becomes(
        &json!({"$ref": "#/$defs/root", "$defs": {"root": {"type": "object", "properties": {"a": {"type": "null"}}}}}),
        &object(&json!({"a": {"type": "null"}})),
    );
}

#[test]
fn meeting_a_definition_twice_is_no_recursion() {
    let schema = json!({
        "type": "object",
        "allOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/c"}],
        "$defs": {
            "a": {"properties": {"a": {"type": "null"}}},
            "b": {"allOf": [{"$ref": "#/$defs/a"}], "properties": {"b": {"$ref": "#/$defs/a"}}},
            "c": {"allOf": [{"$ref": "#/$defs/a"}]},
        },
    });
    let reduced = reduce(&schema).unwrap().schema;
    assert_eq!(reduced.pointer("/properties/b/$ref"), Some(&json!("#/$defs/a")));
    assert_eq!(reduced.pointer("/properties/a/type"), Some(&json!("null")));
}

#[test]
fn recursion_has_no_native_form() {
    let around = |schema: Value| json!({"type": "object", "properties": {"x": schema}});
    fails(&around(json!({"$ref": "#"})), "/properties/x", "recursive");
    fails(&around(json!({"type": "array", "items": {"$ref": "#/properties/x"}})), "/properties/x/items", "recursive");
    let tree = json!({
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/tree"}},
        "$defs": {
            "tree": {"type": "object", "properties": {"children": {"$ref": "#/$defs/list"}}},
            "list": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
        },
    });
    fails(&tree, "/$defs/list/items", "recursive");
    fails(&around(json!({"$dynamicRef": "#x"})), "/properties/x", "`$dynamicRef`");
}

#[test]
fn references_stay_in_the_document() {
    let to = |reference: Value| json!({"type": "object", "properties": {"x": {"$ref": reference}}});
    fails(&to(json!("https://example.com/other.json")), "/properties/x", "leads out of the schema");
    fails(&to(json!("other.json#/a")), "/properties/x", "leads out of the schema");
    fails(&to(json!("#/$defs/none")), "/properties/x", "leads to nothing");
    fails(&to(json!("#anchor")), "/properties/x", "is an anchor");
    fails(&to(json!(1)), "/properties/x", "must be a string");
    let inner = json!({"type": "object", "properties": {"x": {"$id": "https://example.com/x", "type": "null"}}});
    fails(&inner, "/properties/x", "`$id` of its own");
}

#[test]
fn a_property_may_be_named_like_a_keyword() {
    let properties = json!({
        "$ref": {"type": "string"}, "enum": {"type": "null"}, "properties": {"type": "boolean"},
        "const": {"$ref": "#/$defs/default"},
    });
    let schema = json!({
        "$defs": {"default": {"type": "null"}}, "type": "object", "properties": properties, "additionalProperties": false,
    });
    becomes(&schema, &schema);
    // Values are not schemas.
    let value = json!({"type": "object", "properties": {"a": {"type": "string", "default": {"$ref": "nowhere"}}}});
    assert!(reduce(&value).is_ok());
}

#[test]
fn a_small_schema_that_unfolds_without_measure_is_refused() {
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert("d40".to_owned(), json!({"type": "null"}));
    let schema = json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": definitions});
    assert!(reduce(&schema).unwrap_err().message.contains("too large"));
}
