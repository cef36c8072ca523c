//! The JSON Schema of every type of the contract.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::HEADER;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{
    ClientCapabilities, Direction, EditorSettings, METHODS, MethodKind, PROTOCOL_VERSION, ServerExperimental,
};

/// Types of the contract that are no method's params or result.
#[cfg(test)]
pub(super) const EXTRA_TYPES: &[&str] = &["EditorSettings", "ClientCapabilities", "ServerExperimental", "UserError"];

/// The name of a JSON Schema's keyword for its definitions, and how a reference to one begins.
pub(super) const REF_PREFIX: &str = "#/$defs/";

/// All types by name: those of the methods in the table's order, then the others by name.
///
/// What the server reads and what it writes differ in which fields must be there: a field with a default may be
/// absent from what the server reads, and is always present in what it writes. So there are two generators. A type
/// that goes both ways keeps the looser shape.
pub(super) fn definitions() -> Map<String, Value> {
    let mut reads = SchemaSettings::draft2020_12().into_generator();
    let mut writes = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut first = Vec::new();
    for method in METHODS {
        let (params, result) = match method.direction {
            Direction::ClientToServer => (&mut reads, &mut writes),
            Direction::ServerToClient => (&mut writes, &mut reads),
        };
        (method.params_schema)(params);
        first.push(method.params);
        if let (Some(name), Some(schema)) = (method.result, method.result_schema) {
            schema(result);
            first.push(name);
        }
    }
    reads.subschema_for::<EditorSettings>();
    reads.subschema_for::<ClientCapabilities>();
    writes.subschema_for::<ServerExperimental>();
    writes.subschema_for::<UserError>();
    ordered(merged(reads, writes), &first)
}

fn merged(mut reads: SchemaGenerator, mut writes: SchemaGenerator) -> Map<String, Value> {
    let mut all = writes.take_definitions(true);
    all.extend(reads.take_definitions(true));
    all.values_mut().for_each(tidy);
    all
}

fn ordered(mut all: Map<String, Value>, first: &[&str]) -> Map<String, Value> {
    let mut sorted = Map::new();
    for &name in first {
        if let Some(schema) = all.remove(name) {
            sorted.insert(name.to_owned(), schema);
        }
    }
    let mut rest: Vec<_> = all.into_iter().collect();
    rest.sort_by(|a, b| a.0.cmp(&b.0));
    sorted.extend(rest);
    sorted
}

/// Makes descriptions, which are doc comments, readable outside of Rust: one line, no links to Rust items.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    Value::String(text) if key == "description" => {
                        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                        *text = text.replace("[`", "`").replace("`]", "`");
                    }
                    _ => tidy(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The whole document: the types, the table of methods, the error codes.
pub(super) fn document(definitions: &Map<String, Value>) -> String {
    let reference = |name: &str| json!({ "$ref": format!("{REF_PREFIX}{name}") });
    let mut methods = Map::new();
    for method in METHODS {
        let mut entry = json!({
            "direction": direction(method.direction),
            "kind": kind(method.kind),
            "params": reference(method.params),
        });
        if let Some(result) = method.result {
            entry["result"] = reference(result);
        }
        methods.insert(method.name.to_owned(), entry);
    }
    let codes: Vec<Value> =
        ErrorCode::ALL.iter().map(|code| json!({ "code": code.as_str(), "retryable": code.is_retryable() })).collect();
    let document = json!({
        "$comment": HEADER,
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The Souffleur protocol",
        "protocolVersion": PROTOCOL_VERSION,
        "methods": methods,
        "errorCodes": codes,
        "$defs": definitions,
    });
    format!("{document:#}\n")
}

/// How a direction is written in exported files.
pub(super) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "clientToServer",
        Direction::ServerToClient => "serverToClient",
    }
}

/// How a kind of method is written in exported files.
pub(super) const fn kind(kind: MethodKind) -> &'static str {
    match kind {
        MethodKind::Request => "request",
        MethodKind::Notification => "notification",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_the_types_as_the_schema_does() {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        for method in METHODS {
            let params = (method.params_schema)(&mut generator);
            assert_eq!(params.get("$ref"), Some(&json!(format!("{REF_PREFIX}{}", method.params))), "{}", method.name);
            if let (Some(name), Some(schema)) = (method.result, method.result_schema) {
                let result = schema(&mut generator);
                assert_eq!(result.get("$ref"), Some(&json!(format!("{REF_PREFIX}{name}"))), "{}", method.name);
            }
        }
    }

    #[test]
    fn every_reference_has_its_definition() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(target)) = map.get("$ref") {
                        found.push(target.clone());
                    }
                    for value in map.values() {
                        references(value, found);
                    }
                }
                Value::Array(list) => {
                    for value in list {
                        references(value, found);
                    }
                }
                _ => {}
            }
        }
        let document: Value = serde_json::from_str(&document(&definitions())).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > METHODS.len());
        for target in found {
            let name = target.strip_prefix(REF_PREFIX).unwrap();
            assert!(document["$defs"][name].is_object(), "{target}");
        }
    }

    #[test]
    fn a_default_may_be_left_out_of_what_is_read_and_never_is_of_what_is_written() {
        let all = definitions();
        assert_eq!(all["ClientCapabilities"].get("required"), None);
        let required = all["Usage"]["required"].as_array().unwrap();
        assert!(required.contains(&json!("thinkingTokens")));
    }

    #[test]
    fn method_types_come_first_and_in_the_order_of_the_table() {
        let all = definitions();
        let names: Vec<_> = all.keys().map(String::as_str).collect();
        assert_eq!(&names[..4], ["NewParams", "NewResult", "ListParams", "ListResult"]);
        let rest = &names[names.iter().position(|name| *name == "ProgressParams").unwrap() + 1..];
        assert!(rest.is_sorted() && rest.len() > 10);
    }

    #[test]
    fn descriptions_are_one_line_without_links() {
        let mut schema = json!({ "description": "See [`X`].\nMore.", "items": [{ "description": "a\nb" }] });
        tidy(&mut schema);
        assert_eq!(schema, json!({ "description": "See `X`. More.", "items": [{ "description": "a b" }] }));
    }
}
