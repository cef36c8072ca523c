//! Schemas in and out, rule by rule.

use serde_json::{Value, json};

use super::super::{SchemaError, reduce};

/// The schema of a property `x`, as it comes out when it goes in so.
fn property(schema: &Value) -> Value {
    let root = json!({"type": "object", "properties": {"x": schema}, "additionalProperties": false});
    let reduced = reduce(&root).unwrap_or_else(|error| panic!("{schema}: {error}"));
    let out = reduced.schema.pointer("/properties/x").cloned().unwrap();
    assert_eq!(reduced.changed, out != *schema, "{schema}");
    let again = reduce(&reduced.schema).unwrap();
    assert!(!again.changed, "{schema} reduces to itself: {} and {}", reduced.schema, again.schema);
    out
}

#[track_caller]
fn table<const N: usize>(cases: [(Value, Value); N]) {
    for (schema, expected) in cases {
        let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
        // As text, so that the order of keys counts.
        assert_eq!(text(&property(&schema)), text(&expected), "{schema}");
    }
}

/// The error of a schema, as pointer and a part of its sentence.
#[track_caller]
fn fails(schema: &Value, pointer: &str, words: &str) {
    match reduce(schema) {
        Ok(reduced) => panic!("{schema} became {}", reduced.schema),
        Err(SchemaError { pointer: at, message }) => {
            assert_eq!(at, pointer, "{schema}: {message}");
            assert!(message.contains(words), "{schema}: {message}");
        }
    }
}

#[track_caller]
fn property_fails(schema: &Value, pointer: &str, words: &str) {
    let root = json!({"type": "object", "properties": {"x": schema}});
    fails(&root, &format!("/properties/x{pointer}"), words);
}

#[test]
fn what_is_in_the_subset_stays_as_it_is() {
    for schema in [
        json!({"type": "string"}),
        json!({"description": "d", "title": "t", "type": "string", "default": "x"}),
        json!({"type": "boolean"}),
        json!({"type": "null"}),
        json!({"type": "string", "enum": ["a", "b"]}),
        json!({"const": 1, "type": "integer"}),
        json!({"type": "array", "items": {"type": "number"}, "minItems": 1}),
        json!({"type": "array", "minItems": 0}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"}),
        json!({"type": "string", "pattern": "^[a-z]+$"}),
        json!({"type": "object", "properties": {}, "additionalProperties": false}),
    ] {
        assert_eq!(property(&schema), schema);
    }
}

#[test]
fn limits_of_numbers_become_words() {
    table([
        (
            json!({"type": "integer", "minimum": 100}),
            json!({"type": "integer", "description": "Must be at least 100."}),
        ),
        (
            json!({"type": "number", "description": "A share", "minimum": 0, "exclusiveMaximum": 1.5, "multipleOf": 0.5}),
            json!({
                "type": "number",
                "description": "A share. Must be at least 0. Must be less than 1.5. Must be a multiple of 0.5.",
            }),
        ),
        (
            json!({"type": "number", "maximum": 9, "exclusiveMinimum": -1, "description": "Ends."}),
            json!({"type": "number", "description": "Ends. Must be at most 9. Must be greater than -1."}),
        ),
        (json!({"minimum": 1}), json!({"type": "number", "description": "Must be at least 1."})),
        (json!({"type": "integer", "format": "int32"}), json!({"type": "integer"})),
    ]);
}

#[test]
fn limits_of_strings_become_words() {
    table([
        (
            json!({"type": "string", "minLength": 1, "maxLength": 20}),
            json!({"type": "string", "description": "Must have at least 1 character. Must have at most 20 characters."}),
        ),
        (json!({"type": "string", "format": "date-time"}), json!({"type": "string", "format": "date-time"})),
        (
            json!({"type": "string", "format": "iri"}),
            json!({"type": "string", "description": "Must have the format `iri`."}),
        ),
        (
            json!({"type": "string", "pattern": "\\bword\\b"}),
            json!({"type": "string", "description": "Must match the regular expression `\\bword\\b`."}),
        ),
        (
            json!({"type": "string", "pattern": "^(?!x)"}),
            json!({"type": "string", "description": "Must match the regular expression `^(?!x)`."}),
        ),
        (
            json!({"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}),
            json!({"type": "string", "description": "Must be encoded as `base64`. Must hold `image/png`."}),
        ),
    ]);
}

#[test]
fn limits_of_arrays_become_words() {
    let strings = json!({"type": "string"});
    table([
        (
            json!({"type": "array", "items": strings, "minItems": 2, "maxItems": 3, "uniqueItems": true}),
            json!({
                "type": "array",
                "items": strings,
                "minItems": 1,
                "description": "Must have at least 2 items. Must have at most 3 items. No two items may be equal.",
            }),
        ),
        (json!({"items": strings}), json!({"type": "array", "items": strings})),
        (json!({"type": "array", "items": {}}), json!({"type": "array"})),
        (json!({"type": "array", "items": false}), json!({"type": "array", "description": "Must be empty."})),
        (
            json!({"type": "array", "contains": {"const": 1}, "minContains": 2, "maxContains": 4}),
            json!({
                "type": "array",
                "description": "Must have at least 2 and at most 4 items that match the JSON Schema {\"const\":1}.",
            }),
        ),
    ]);
}

#[test]
fn tuples_become_lists_of_alternatives() {
    let words = "The items match, by position: item 1 {\"type\":\"string\"}, item 2 {\"type\":\"number\"}";
    let items = json!({"anyOf": [{"type": "string"}, {"type": "number"}]});
    table([
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": false}),
            json!({"type": "array", "items": items, "description": format!("{words}, no further items.")}),
        ),
        (
            json!({"type": "array", "items": [{"type": "string"}, {"type": "number"}]}),
            json!({"type": "array", "items": items, "description": format!("{words}.")}),
        ),
        (
            json!({
                "type": "array", "items": [{"type": "string"}, {"type": "number"}], "additionalItems": {"type": "null"},
            }),
            json!({
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
                "description": format!("{words}, further items {{\"type\":\"null\"}}."),
            }),
        ),
        (
            json!({"type": "array", "prefixItems": [{"type": "null"}, {"type": "null"}]}),
            json!({
                "type": "array",
                "items": {"type": "null"},
                "description":
                    "The items match, by position: item 1 {\"type\":\"null\"}, item 2 {\"type\":\"null\"}.",
            }),
        ),
    ]);
}

#[test]
fn every_object_is_closed() {
    let a = json!({"a": {"type": "string"}});
    table([
        (
            json!({"type": "object", "properties": a}),
            json!({"type": "object", "properties": a, "additionalProperties": false}),
        ),
        (
            json!({"additionalProperties": {"type": "string"}, "properties": a, "required": ["a"]}),
            json!({"type": "object", "additionalProperties": false, "properties": a, "required": ["a"]}),
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": false}}),
            json!({"type": "object", "properties": a, "additionalProperties": false}),
        ),
        (
            json!({
                "type": "object", "properties": a, "minProperties": 1, "maxProperties": 2,
                "propertyNames": {"minLength": 1}, "patternProperties": {"^a": {"maxLength": 3}},
            }),
            json!({
                "type": "object", "properties": a, "additionalProperties": false,
                "description": "Must have at least 1 property. Must have at most 2 properties. Each property's name \
                    must match the JSON Schema {\"minLength\":1}. Properties whose names match `^a` must match the JSON \
                    Schema {\"maxLength\":3}.",
            }),
        ),
        (
            json!({
                "type": "object", "properties": a, "dependentRequired": {"a": ["b", "c"]},
                "dependencies": {"a": {"minProperties": 2}},
            }),
            json!({
                "type": "object", "properties": a, "additionalProperties": false,
                "description": "With the property `a` there must also be: \"b\", \"c\". With the property `a` the whole \
                    must match the JSON Schema {\"minProperties\":2}.",
            }),
        ),
        (
            json!({"type": "array", "items": {"type": "object", "properties": a}}),
            json!({"type": "array", "items": {"type": "object", "properties": a, "additionalProperties": false}}),
        ),
    ]);
}

#[test]
fn values_keep_what_is_scalar() {
    table([
        (json!({"enum": ["a", "b"]}), json!({"type": "string", "enum": ["a", "b"]})),
        (json!({"const": true}), json!({"type": "boolean", "const": true})),
        (json!({"type": "string", "enum": ["a", null]}), json!({"type": "string", "enum": ["a"]})),
        (json!({"enum": [1, 2.5]}), json!({"type": "number", "enum": [1, 2.5]})),
        (
            json!({"enum": ["a", null, 1]}),
            json!({"anyOf": [
                {"type": "string", "enum": ["a"]}, {"type": "null"}, {"type": "integer", "enum": [1]},
            ]}),
        ),
        (json!({"enum": [[1, 2], [3]]}), json!({"type": "array", "description": "Must be one of: [1,2], [3]."})),
        (
            json!({"type": "object", "properties": {"a": {"type": "integer"}}, "const": {"a": 1}}),
            json!({
                "type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false,
                "description": "Must be exactly {\"a\":1}.",
            }),
        ),
    ]);
}

#[test]
fn lists_of_types_become_alternatives() {
    table([
        (
            json!({"description": "d", "type": ["string", "null"], "minLength": 2, "default": null}),
            json!({
                "description": "d",
                "anyOf": [
                    {"type": "string", "description": "Must have at least 2 characters."}, {"type": "null"},
                ],
                "default": null,
            }),
        ),
        (json!({"type": ["string"]}), json!({"type": "string"})),
        (json!({"type": ["integer", "number"]}), json!({"type": "number"})),
        (
            json!({"type": ["string", "null"], "enum": ["a", null]}),
            json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}),
        ),
    ]);
}

#[test]
fn words_that_hold_for_any_type() {
    table([
        (
            json!({"type": "string", "not": {"const": "x"}}),
            json!({"type": "string", "description": "Must not match the JSON Schema {\"const\":\"x\"}."}),
        ),
        (
            json!({"type": "integer", "if": {"minimum": 3}, "then": {"maximum": 9}, "else": {"const": 0}}),
            json!({
                "type": "integer",
                "description": "When it matches the JSON Schema {\"minimum\":3}, it must match {\"maximum\":9}, else it \
                    must match {\"const\":0}.",
            }),
        ),
        (
            json!({"type": "string", "examples": ["a", "b"], "x-order": 1, "readOnly": true}),
            json!({"type": "string", "description": "For example: \"a\", \"b\"."}),
        ),
    ]);
}

#[test]
fn what_cannot_be_said_names_its_place() {
    property_fails(&json!({"type": "object"}), "", "name its `properties`");
    property_fails(&json!({"type": "object", "additionalProperties": true}), "", "name its `properties`");
    property_fails(&json!({"type": "object", "additionalProperties": {"type": "string"}}), "", "name its `properties`");
    let by_pattern = json!({"type": "object", "patternProperties": {"^a": {}}, "additionalProperties": false});
    property_fails(&by_pattern, "", "name its `properties`");
    property_fails(&json!({"type": "array", "items": {"type": "object"}}), "/items", "name its `properties`");
    property_fails(&json!({}), "", "a value of any kind");
    property_fails(&json!(true), "", "a value of any kind");
    property_fails(&json!({"description": "d"}), "", "a value of any kind");
    property_fails(&json!({"not": {"type": "string"}}), "", "a value of any kind");
    property_fails(&json!({"anyOf": [{"type": "string"}, {}]}), "/anyOf/1", "a value of any kind");
    property_fails(&json!({"enum": []}), "", "no value can match");
    property_fails(&json!({"type": "string", "const": 1}), "", "no value can match");
    property_fails(&json!({"anyOf": [false]}), "/anyOf", "no value can match");
    property_fails(&json!({"type": "text"}), "", "`text` is not a type");
    property_fails(&json!({"anyOf": {}}), "", "`anyOf` must be a list");
    property_fails(&json!(7), "", "must be an object or a boolean");
    let required = json!({"properties": {"a": {"type": "null"}}, "required": ["b"]});
    property_fails(&required, "", "`b` is not among");
    let forbidden = json!({"properties": {"a": {"type": "null"}, "b": false}, "required": ["b"]});
    property_fails(&forbidden, "", "no value can match");
    fails(
        &json!({"type": "object", "properties": {"a/b~c": {"type": "object"}}}),
        "/properties/a~1b~0c",
        "name its `properties`",
    );
}

#[test]
fn the_root_is_an_object() {
    for schema in [json!({"type": "array"}), json!({"type": ["object", "null"], "properties": {"a": {"type": "null"}}})]
    {
        fails(&schema, "", "must be an object");
    }
    fails(&json!(true), "", "must be a JSON object");
    fails(&json!({"anyOf": [{"type": "object", "properties": {"a": {"type": "null"}}}]}), "", "any kind");
    fails(&json!({"type": "object"}), "", "name its `properties`");
}
