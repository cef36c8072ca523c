use serde_json::json;

use super::*;

fn validator() -> Validator {
    let schema = json!({
        "type": "object",
        "properties": {
            "color": {"enum": ["Red", "Green", null]},
            "count": {"type": "integer", "minimum": 3},
            "when": {"type": "string", "format": "date"},
            "shape": {"anyOf": [
                {"properties": {"kind": {"const": "Circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]},
                {"properties": {"kind": {"const": "Square"}, "a": {"type": "number"}}, "required": ["kind", "a"]},
            ]},
        },
        "additionalProperties": false,
    });
    Validator::new(&schema).unwrap()
}

#[track_caller]
fn errors(text: &str) -> Vec<String> {
    match validator().check(text) {
        Err(Mismatch::Invalid { errors }) => errors,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn an_answer_may_stand_in_one_fence() {
    for text in [
        "{\"count\": 3}",
        "\u{feff}\n {\"count\": 3}\n",
        "```json\n{\"count\": 3}\n```",
        "\n```\n{\"count\": 3}\n```\n\n",
        "```JSON\r\n{\"count\": 3}\r\n```",
        "~~~json5 \n{\"count\": 3}\n~~~",
        "````\n{\"count\": 3}\n````",
        "```json{\"count\": 3}```",
    ] {
        assert_eq!(validator().check(text), Ok(json!({"count": 3})), "{text:?}");
    }
    let anything = Validator::new(&json!(true)).unwrap();
    assert_eq!(anything.check("```true```"), Ok(json!(true)));
    assert_eq!(anything.check("```\n\"```\"\n```"), Ok(json!("```")));
}

#[test]
fn what_is_not_json_says_why() {
    for text in [
        "",
        " \n",
        "Here it is: {}",
        "{\"count\": 3",
        "{} {}",
        "```json\n{}",
        "``{}``",
        "```\n```",
        "```json\n```",
        "{'a': 1}",
    ] {
        match validator().check(text) {
            Err(Mismatch::NotJson { message }) => assert!(!message.is_empty(), "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn an_answer_is_held_to_the_original_schema() {
    assert_eq!(validator().check("{\"when\": \"2026-11-20\"}"), Ok(json!({"when": "2026-11-20"})));
    assert_eq!(errors("{\"count\": 2}"), ["at `/count`: the value is less than the minimum of 3"]);
    assert!(errors("{\"when\": \"tomorrow\"}")[0].starts_with("at `/when`: "));
    assert!(errors("[1]")[0].starts_with("at the root: "));
    assert!(errors("{\"other\": 1}")[0].contains("other"));
    assert_eq!(errors("{\"count\": 2, \"color\": \"blue\"}").len(), 2);
}

#[test]
fn alternatives_name_the_closest() {
    let found = errors("{\"shape\": {\"kind\": \"Circle\", \"r\": \"wide\"}}");
    assert!(found[0].starts_with("at `/shape`: ") && found[0].contains("closest: at `/shape/r`"), "{found:?}");
}

#[test]
fn at_most_ten_errors_of_a_bounded_length_are_named() {
    let properties: serde_json::Map<String, Value> =
        (0..30).map(|n| (format!("p{n}"), json!({"type": "null"}))).collect();
    let validator = Validator::new(&json!({"properties": properties, "required": ["é".repeat(5_000)]})).unwrap();
    let answer: Value = (0..30).map(|n| (format!("p{n}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    let Err(Mismatch::Invalid { errors }) = validator.check(&answer.to_string()) else { panic!("it is invalid") };
    assert_eq!(errors.len(), 10);
    let Err(Mismatch::Invalid { errors }) = validator.check("{}") else { panic!("it is invalid") };
    assert_eq!(errors[0].chars().count(), MAX_ERROR_CHARS + 1);
}

#[test]
fn values_get_the_spelling_of_the_schema() {
    assert_eq!(validator().check("{\"color\": \"GREEN\"}"), Ok(json!({"color": "Green"})));
    assert_eq!(validator().check("{\"color\": null}"), Ok(json!({"color": null})));
    assert_eq!(
        validator().check("{\"color\": \"red\", \"shape\": {\"kind\": \"square\", \"a\": 1}}"),
        Ok(json!({"color": "Red", "shape": {"kind": "Square", "a": 1}}))
    );
    assert!(errors("{\"color\": \"Reddish\"}")[0].starts_with("at `/color`"));
    // What differs in more than case is named, and only that.
    let found = errors("{\"color\": \"red\", \"count\": 1}");
    assert!(found.len() == 1 && found[0].starts_with("at `/count`"), "{found:?}");
}

#[test]
fn a_spelling_that_could_be_two_is_not_guessed() {
    let validator = Validator::new(&json!({"enum": ["id", "ID", "Name"]})).unwrap();
    assert_eq!(validator.check("\"ID\""), Ok(json!("ID")));
    assert!(validator.check("\"Id\"").is_err());
    assert_eq!(validator.check("\"NAME\""), Ok(json!("Name")));
}

#[test]
fn values_that_are_not_strings_have_a_spelling_too() {
    let validator = Validator::new(&json!({"enum": [["A", 1], {"k": "V"}, 7]})).unwrap();
    assert_eq!(validator.check("[\"a\", 1]"), Ok(json!(["A", 1])));
    assert_eq!(validator.check("{\"k\": \"v\"}"), Ok(json!({"k": "V"})));
    assert!(validator.check("{\"K\": \"v\"}").is_err());
    assert!(validator.check("[\"a\", 2]").is_err());
}

#[test]
fn both_spellings_of_a_schema_are_read() {
    let tuples = [
        json!({"items": [{"type": "string"}, {"type": "number"}], "additionalItems": false}),
        json!({"prefixItems": [{"type": "string"}, {"type": "number"}], "items": false}),
        json!({"$ref": "#/definitions/t", "definitions": {"t": {
            "items": [{"type": "string"}, {"type": "number"}], "additionalItems": false,
        }}}),
    ];
    for schema in tuples {
        let validator = Validator::new(&schema).unwrap();
        assert_eq!(validator.check("[\"a\", 1]"), Ok(json!(["a", 1])), "{schema}");
        assert!(validator.check("[1, \"a\"]").is_err(), "{schema}");
        assert!(validator.check("[\"a\", 1, 2]").is_err(), "{schema}");
    }
    let validator = Validator::new(&json!({"dependencies": {"a": ["b"]}})).unwrap();
    assert!(validator.check("{\"a\": 1}").is_err());
}

#[test]
fn a_recursive_schema_can_be_held_to() {
    let tree = json!({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}});
    let validator = Validator::new(&tree).unwrap();
    assert!(validator.check("{\"children\": [{\"children\": []}]}").is_ok());
    let Err(Mismatch::Invalid { errors }) = validator.check("{\"children\": [{\"children\": 1}]}") else {
        panic!("it is invalid")
    };
    assert!(errors[0].starts_with("at `/children/0/children`"), "{errors:?}");
}

#[test]
fn a_schema_that_cannot_be_used_is_refused() {
    let error = Validator::new(&json!({"properties": {"a": {"type": "text"}}})).unwrap_err();
    assert_eq!(error.pointer, "/properties/a/type", "{error}");
    for schema in [
        json!({"$ref": "https://example.com/other.json"}),
        json!({"$ref": "#/$defs/none"}),
        json!({"$ref": "file:///etc/hostname"}),
        json!({"pattern": "("}),
        json!({"$schema": "https://example.com/own-dialect"}),
        json!(1),
    ] {
        assert!(Validator::new(&schema).is_err(), "{schema}");
    }
}

#[test]
fn null_for_what_may_be_left_out_is_leaving_it_out() {
    let schema = serde_json::json!({"type": "object", "required": ["n"],
        "properties": {"n": {"type": "integer"}, "why": {"type": "string"}, "none": {"type": ["string", "null"]}}});
    let validator = Validator::new(&schema).unwrap();
    let checked = validator.check(r#"{"n": 1, "why": null, "none": null}"#).unwrap();
    assert_eq!(checked.get("why"), None);
    assert!(validator.check(r#"{"n": null}"#).is_err(), "what is required is not left out");
}
