//! Tests of [`super::Model`].

use serde_json::json;

use super::*;
use crate::protocol::export::schema::definitions;

fn read(name: &str, schema: Value) -> Model {
    Model::read(&Map::from_iter([(name.to_owned(), schema)]))
}

fn field(name: &str, optional: bool, ty: Type) -> Field {
    Field { name: name.into(), doc: String::new(), optional, ty }
}

#[test]
fn nothing_of_the_contract_is_beyond_this_reader() {
    let model = Model::read(&definitions());
    assert_eq!(model.unsupported, Vec::<String>::new());
    let unknown = |def: &&TypeDef| def.shape == Shape::Alias(Type::Unknown);
    assert_eq!(model.types.iter().filter(unknown).count(), 0);
}

#[test]
fn names_are_unique_and_every_use_has_its_declaration() {
    fn uses(ty: &Type, found: &mut Vec<String>) {
        match ty {
            Type::Named(name) => found.push(name.clone()),
            Type::Array(inner) | Type::Map(inner) => uses(inner, found),
            Type::Union(types) => {
                for ty in types {
                    uses(ty, found);
                }
            }
            _ => {}
        }
    }
    let model = Model::read(&definitions());
    let mut found = Vec::new();
    for def in &model.types {
        assert_eq!(model.types.iter().filter(|other| other.name == def.name).count(), 1, "{}", def.name);
        match &def.shape {
            Shape::Object { parents, fields } => {
                found.extend(parents.iter().cloned());
                for field in fields {
                    uses(&field.ty, &mut found);
                }
            }
            Shape::Alias(ty) => uses(ty, &mut found),
            Shape::Words(_) => {}
        }
    }
    assert!(found.len() > model.types.len());
    for name in found {
        assert!(model.types.iter().any(|def| def.name == name), "{name} is declared");
    }
}

#[test]
fn an_unknown_keyword_or_shape_is_reported_not_passed_over() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string", "pattern": "x" } } });
    assert_eq!(read("T", schema).unsupported, ["T: pattern"]);
    let schema = json!({ "type": "object", "properties": { "a": { "type": "object", "properties": {} } } });
    assert_eq!(read("T", schema).unsupported, ["T: object without a name"]);
    let schema = json!({ "oneOf": [{ "type": "object", "properties": { "a": { "type": "string" } } }] });
    assert_eq!(read("T", schema).unsupported, ["T: a variant without a tag"]);
    let schema = json!({ "type": "object", "allOf": [{ "oneOf": [{ "type": "string" }] }] });
    assert_eq!(read("T", schema).unsupported, ["T: a union within allOf"]);
}

#[test]
fn an_optional_field_loses_its_null_and_a_required_one_keeps_it() {
    let model = read(
        "T",
        json!({
            "type": "object",
            "properties": {
                "a": { "type": ["string", "null"] },
                "b": { "anyOf": [{ "$ref": "#/$defs/B" }, { "type": "null" }] },
                "c": { "type": "array", "items": { "type": "integer", "format": "uint64", "minimum": 0 } },
                "d": true,
            },
            "required": ["b"],
        }),
    );
    let nullable = Type::Union(vec![Type::Named("B".into()), Type::Null]);
    let fields = vec![
        field("a", true, Type::String),
        field("b", false, nullable),
        field("c", true, Type::Array(Box::new(Type::Integer))),
        field("d", true, Type::Unknown),
    ];
    assert_eq!(model.types[0].shape, Shape::Object { parents: vec![], fields });
}

#[test]
fn a_tagged_union_gives_each_variant_a_name_the_shared_fields_and_its_parent() {
    let tag = |tag: &str| json!({ "type": "string", "const": tag });
    let model = read(
        "T",
        json!({
            "type": "object",
            "properties": { "id": { "type": "string" } },
            "required": ["id"],
            "oneOf": [
                { "type": "object", "properties": { "type": tag("toolCall") }, "required": ["type"] },
                { "$ref": "#/$defs/P", "properties": { "type": tag("b_c") }, "required": ["type"] },
            ],
        }),
    );
    let names: Vec<_> = model.types.iter().map(|def| def.name.as_str()).collect();
    assert_eq!(names, ["TToolCall", "TBC", "T"]);
    let fields = vec![field("id", false, Type::String), field("type", false, Type::Literal("b_c".into()))];
    assert_eq!(model.types[1].shape, Shape::Object { parents: vec!["P".into()], fields });
    let union = Type::Union(vec![Type::Named("TToolCall".into()), Type::Named("TBC".into())]);
    assert_eq!(model.types[2].shape, Shape::Alias(union));
}

#[test]
fn enumerations_maps_and_all_of_are_read() {
    let words = read("T", json!({ "oneOf": [{ "const": "a", "description": "A." }, { "enum": ["b"] }] }));
    let word = |text: &str, doc: &str| Word { text: text.into(), doc: doc.into() };
    assert_eq!(words.types[0].shape, Shape::Words(vec![word("a", "A."), word("b", "")]));

    let plain = read("T", json!({ "type": "string", "enum": ["a", "b"] }));
    assert_eq!(plain.types[0].shape, Shape::Words(vec![word("a", ""), word("b", "")]));

    let map = read("T", json!({ "type": "object", "additionalProperties": { "type": "number" } }));
    assert_eq!(map.types[0].shape, Shape::Alias(Type::Map(Box::new(Type::Number))));

    let merged =
        read("T", json!({ "type": "object", "allOf": [{ "$ref": "#/$defs/P" }, { "properties": { "a": {} } }] }));
    let fields = vec![field("a", true, Type::Unknown)];
    assert_eq!(merged.types[0].shape, Shape::Object { parents: vec!["P".into()], fields });
}
