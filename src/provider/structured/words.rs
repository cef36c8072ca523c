//! Limits that do not travel as keywords, in plain words for the model.

use serde_json::Value;

use super::keywords::Node;

/// What `key` demands of a value of type `name`, as a sentence without a final period. `None` where it demands nothing.
pub(super) fn sentence(name: &str, key: &str, value: &Value, node: &Node) -> Option<String> {
    let general = match key {
        "not" => Some(format!("Must not match the JSON Schema {value}")),
        "if" => condition(value, node),
        "anyOf" => Some(format!("Must match at least one of the JSON Schemas {value}")),
        "oneOf" => Some(format!("Must match exactly one of the JSON Schemas {value}")),
        "allOf" => Some(format!("Must also match the JSON Schema {value}")),
        "examples" => listed(value).map(|list| format!("For example: {list}")),
        _ => None,
    };
    general.or_else(|| match name {
        "number" | "integer" => of_number(key, value),
        "string" => of_string(key, value),
        "array" => of_array(key, value, node),
        "object" => of_object(key, value),
        _ => None,
    })
}

/// What `enum` or `const` demands, where its values cannot travel as they are.
pub(super) fn one_of(values: &[&Value]) -> String {
    match values {
        [only] => format!("Must be exactly {only}"),
        _ => format!("Must be one of: {}", joined(values.iter().map(ToString::to_string))),
    }
}

/// The description with the sentences added to it, each ended by a period.
pub(super) fn description(own: Option<&str>, sentences: &[String]) -> String {
    let mut text = own.unwrap_or_default().trim_end().to_owned();
    for sentence in sentences {
        if !text.is_empty() {
            text.push_str(if text.ends_with(['.', '!', '?', ':']) { " " } else { ". " });
        }
        text.push_str(sentence);
    }
    if !sentences.is_empty() {
        text.push('.');
    }
    text
}

fn of_number(key: &str, value: &Value) -> Option<String> {
    let words = match key {
        "minimum" => "at least",
        "maximum" => "at most",
        "exclusiveMinimum" => "greater than",
        "exclusiveMaximum" => "less than",
        "multipleOf" => "a multiple of",
        _ => return None,
    };
    value.is_number().then(|| format!("Must be {words} {value}"))
}

fn of_string(key: &str, value: &Value) -> Option<String> {
    match key {
        "minLength" => bound("at least", value, "character", "characters"),
        "maxLength" => bound("at most", value, "character", "characters"),
        "pattern" => Some(format!("Must match the regular expression `{}`", value.as_str()?)),
        "format" => Some(format!("Must have the format `{}`", value.as_str()?)),
        "contentEncoding" => Some(format!("Must be encoded as `{}`", value.as_str()?)),
        "contentMediaType" => Some(format!("Must hold `{}`", value.as_str()?)),
        _ => None,
    }
}

fn of_array(key: &str, value: &Value, node: &Node) -> Option<String> {
    match key {
        "minItems" => bound("at least", value, "item", "items"),
        "maxItems" => bound("at most", value, "item", "items"),
        "uniqueItems" => (*value == Value::Bool(true)).then(|| "No two items may be equal".to_owned()),
        "contains" => {
            let least = node.get("minContains").and_then(Value::as_u64).unwrap_or(1);
            let most = node.get("maxContains").map(|most| format!(" and at most {most}")).unwrap_or_default();
            Some(format!("Must have at least {least}{most} items that match the JSON Schema {value}"))
        }
        _ => None,
    }
}

fn of_object(key: &str, value: &Value) -> Option<String> {
    match key {
        "minProperties" => bound("at least", value, "property", "properties"),
        "maxProperties" => bound("at most", value, "property", "properties"),
        "propertyNames" => Some(format!("Each property's name must match the JSON Schema {value}")),
        "patternProperties" => each(value, |pattern, schema| {
            Some(format!("Properties whose names match `{pattern}` must match the JSON Schema {schema}"))
        }),
        "dependentRequired" | "dependentSchemas" | "dependencies" => each(value, depends),
        _ => None,
    }
}

fn depends(name: &str, demand: &Value) -> Option<String> {
    if demand.is_array() {
        return listed(demand).map(|names| format!("With the property `{name}` there must also be: {names}"));
    }
    Some(format!("With the property `{name}` the whole must match the JSON Schema {demand}"))
}

fn each(value: &Value, sentence: impl Fn(&str, &Value) -> Option<String>) -> Option<String> {
    let sentences: Vec<String> = value.as_object()?.iter().filter_map(|(key, value)| sentence(key, value)).collect();
    (!sentences.is_empty()).then(|| sentences.join(". "))
}

fn condition(test: &Value, node: &Node) -> Option<String> {
    let then = node.get("then").map(|schema| format!("it must match {schema}"));
    let otherwise = node.get("else").map(|schema| format!("it must match {schema}"));
    match (then, otherwise) {
        (Some(then), Some(otherwise)) => {
            Some(format!("When it matches the JSON Schema {test}, {then}, else {otherwise}"))
        }
        (Some(then), None) => Some(format!("When it matches the JSON Schema {test}, {then}")),
        (None, Some(otherwise)) => Some(format!("Unless it matches the JSON Schema {test}, {otherwise}")),
        (None, None) => None,
    }
}

/// What a tuple demands: a schema for each position, and one for what comes after.
pub(super) fn by_position(schemas: &[Value], rest: Option<&Value>) -> Option<String> {
    let items = schemas.iter().enumerate().map(|(index, schema)| format!("item {} {schema}", index + 1));
    let further = match rest {
        Some(Value::Bool(false)) => Some("no further items".to_owned()),
        Some(schema @ Value::Object(_)) => Some(format!("further items {schema}")),
        _ => None,
    };
    let all = joined(items.chain(further));
    (!all.is_empty()).then(|| format!("The items match, by position: {all}"))
}

fn bound(words: &str, value: &Value, one: &str, many: &str) -> Option<String> {
    let unit = if value.as_u64() == Some(1) { one } else { many };
    value.is_number().then(|| format!("Must have {words} {value} {unit}"))
}

fn listed(value: &Value) -> Option<String> {
    let values = value.as_array().filter(|values| !values.is_empty())?;
    Some(joined(values.iter().map(ToString::to_string)))
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
