//! What holds for any schema.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::keywords::subschemas;
use super::{Validator, reduce};

/// A schema and a value that is valid under it and has no more than what the schema names.
fn schemas() -> impl Strategy<Value = (Value, Value)> {
    let leaf = prop_oneof![
        (0..50_i64).prop_map(|n| (json!({"type": "integer", "minimum": n, "multipleOf": 1}), json!(n + 1))),
        (1..5_usize)
            .prop_map(|n| (json!({"type": "string", "minLength": n, "description": "Words"}), json!("x".repeat(n)))),
        Just((json!({"type": ["string", "null"], "maxLength": 3}), json!(null))),
        Just((json!({"enum": ["a", 1, null, [1]]}), json!([1]))),
        Just((json!({"const": "a", "title": "t"}), json!("a"))),
        Just((json!({"format": "iri", "pattern": "^(?!x)"}), json!("a:b"))),
        Just((json!({"$ref": "#/$defs/leaf"}), json!(7.5))),
        Just((json!({"$ref": "#/$defs/leaf", "maximum": 9}), json!(8))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let object = vec((inner.clone(), any::<bool>()), 1..4).prop_map(|parts| object(&parts));
        prop_oneof![
            object.clone(),
            (inner.clone(), 0..4_usize).prop_map(|((schema, value), n)| {
                (json!({"type": "array", "items": schema, "minItems": n}), Value::Array(vec![value; n]))
            }),
            vec(inner.clone(), 1..4).prop_map(|parts| {
                let (schemas, values): (Vec<Value>, Vec<Value>) = parts.into_iter().unzip();
                (json!({"prefixItems": schemas, "items": false}), Value::Array(values))
            }),
            vec(inner.clone(), 1..4).prop_map(|parts| {
                let schemas: Vec<Value> = parts.iter().map(|(schema, _)| schema.clone()).collect();
                (json!({"anyOf": schemas, "title": "t"}), parts[0].1.clone())
            }),
            inner.prop_map(|(schema, value)| (json!({"allOf": [schema], "default": 1}), value)),
            object.prop_map(|(mut schema, value)| {
                let required = schema.as_object_mut().and_then(|node| node.shift_remove("required")).unwrap();
                schema["anyOf"] = json!([{"required": required}, {"maxProperties": 0}]);
                (schema, value)
            }),
        ]
    })
}

fn object(parts: &[((Value, Value), bool)]) -> (Value, Value) {
    let (mut properties, mut instance, mut required) = (Map::new(), Map::new(), Vec::new());
    for (index, ((schema, value), is_required)) in parts.iter().enumerate() {
        let name = format!("p{index}");
        properties.insert(name.clone(), schema.clone());
        if *is_required {
            required.push(json!(name));
            instance.insert(name, value.clone());
        }
    }
    (json!({"properties": properties, "required": required, "minProperties": 0}), instance.into())
}

/// All that native output accepts, told once more and apart from the code: keyword by keyword.
fn assert_in_subset(schema: &Value) {
    let node = schema.as_object().expect("each schema is an object");
    for (key, value) in node {
        match key.as_str() {
            "title" | "description" | "default" | "required" | "properties" | "$defs" | "items" | "pattern" => {}
            "type" => assert!(value.is_string(), "{schema}"),
            "const" => assert!(!value.is_array() && !value.is_object(), "{schema}"),
            "enum" => {
                assert!(
                    value.as_array().unwrap().iter().all(|value| !value.is_array() && !value.is_object()),
                    "{schema}"
                );
            }
            "anyOf" => assert!(!value.as_array().unwrap().is_empty(), "{schema}"),
            "$ref" => assert!(value.as_str().unwrap().starts_with("#/$defs/") && node.len() == 1, "{schema}"),
            "additionalProperties" => assert_eq!(value, false, "{schema}"),
            "minItems" => assert!(value == 0 || value == 1, "{schema}"),
            other => panic!("`{other}` in {schema}"),
        }
    }
    if node.get("type").is_some_and(|name| name == "object") {
        assert_eq!(node.get("additionalProperties"), Some(&json!(false)), "{schema}");
    }
    let definitions = node.get("$defs").and_then(Value::as_object).into_iter().flat_map(|all| all.values());
    let inner = subschemas(node, "").into_iter().map(|(_, inner)| inner).filter(|inner| **inner != json!(false));
    inner.chain(definitions).for_each(assert_in_subset);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_reduced_schema_is_in_the_subset_and_accepts_what_the_original_names((schema, value) in schemas()) {
        let root = json!({
            "type": "object", "properties": {"x": schema}, "$defs": {"leaf": {"type": "number", "exclusiveMinimum": 1}},
        });
        let answer = json!({ "x": value }).to_string();
        prop_assert!(Validator::new(&root).unwrap().check(&answer).is_ok(), "the generator keeps its word: {root}");

        // A schema may be valid and yet larger than the vendor takes: then it is refused, and for nothing else.
        let reduced = match reduce(&root) {
            Ok(reduced) => reduced,
            Err(error) => {
                prop_assert!(error.pointer.is_empty() && error.message.contains("the limit is"), "{error} for {root}");
                return Ok(());
            }
        };
        prop_assert!(reduced.changed);
        assert_in_subset(&reduced.schema);
        let held = Validator::new(&reduced.schema).unwrap().check(&answer);
        prop_assert!(held.is_ok(), "{held:?} of {answer} under {}", reduced.schema);

        let again = reduce(&reduced.schema).unwrap();
        prop_assert!(!again.changed);
        prop_assert_eq!(again.schema.to_string(), reduced.schema.to_string());
        prop_assert_eq!(reduce(&root).unwrap().schema.to_string(), reduced.schema.to_string());
    }
}
