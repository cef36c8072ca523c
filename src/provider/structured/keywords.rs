//! The keywords of JSON Schema, sorted by what they hold.

use serde_json::{Map, Value};

/// A schema that is an object.
pub(super) type Node = Map<String, Value>;

/// Keywords that say something about a value without limiting it.
pub(super) const ANNOTATIONS: &[&str] = &["title", "description", "default", "examples"];

/// Keywords that have a meaning for the reduction; all others are dropped without a word.
const KNOWN: &[&str] = &[
    "$ref",
    "type",
    "enum",
    "const",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "items",
    "prefixItems",
    "additionalItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "contentEncoding",
    "contentMediaType",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];

/// Keywords that hold one schema; `items` may hold a list.
const ONE: &[&str] = &[
    "additionalProperties",
    "propertyNames",
    "items",
    "additionalItems",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords that hold a list of schemas.
const LIST: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems", "items"];

/// Keywords that hold schemas by name.
const NAMED: &[&str] = &["properties", "patternProperties", "dependentSchemas", "dependencies"];

/// The node without the keywords that mean nothing here.
pub(super) fn known(node: &Node) -> Node {
    let keep = |key: &String| KNOWN.contains(&key.as_str()) || ANNOTATIONS.contains(&key.as_str());
    node.iter().filter(|(key, _)| keep(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The node without annotations: what limits a value.
pub(super) fn limits(node: &Node) -> Node {
    let keep = |key: &String| !ANNOTATIONS.contains(&key.as_str());
    node.iter().filter(|(key, _)| keep(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The schemas directly inside a node, definitions left out, each with its pointer.
pub(super) fn subschemas<'a>(node: &'a Node, pointer: &str) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    for (key, value) in node {
        let at = child(pointer, key);
        match value {
            Value::Array(list) if LIST.contains(&key.as_str()) => {
                found.extend(list.iter().enumerate().map(|(index, schema)| (format!("{at}/{index}"), schema)));
            }
            Value::Object(named) if NAMED.contains(&key.as_str()) => {
                found.extend(named.iter().map(|(name, schema)| (child(&at, name), schema)));
            }
            Value::Object(_) if ONE.contains(&key.as_str()) => found.push((at, value)),
            _ => {}
        }
    }
    found
}

/// The JSON pointer of `key` in what `pointer` points to.
pub(super) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Whether a value is of the JSON Schema type. A number without a fraction is an integer, however it is written.
pub(super) fn is_of_type(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
        Value::Number(number) => {
            let whole = number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0);
            name == "number" || name == "integer" && whole
        }
    }
}

/// The types that a node without `type` or values means, judged by its other keywords.
pub(super) fn types_meant(node: &Node) -> Vec<&'static str> {
    const MEANT: &[(&str, &[&str])] = &[
        (
            "object",
            &[
                "properties",
                "required",
                "additionalProperties",
                "patternProperties",
                "propertyNames",
                "minProperties",
                "maxProperties",
                "dependentRequired",
                "dependentSchemas",
            ],
        ),
        ("array", &["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"]),
        ("string", &["minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ];
    let named = |keys: &[&str]| keys.iter().any(|key| node.contains_key(*key));
    MEANT.iter().filter(|(_, keys)| named(keys)).map(|(name, _)| *name).collect()
}
