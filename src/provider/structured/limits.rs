//! How large a schema may be: the vendor counts its optional and its union-typed parameters and refuses more.

use serde_json::Value;

use super::SchemaError;

/// The most properties that may be left out of an answer (Anthropic's documentation of structured outputs, August
/// 2026; the count is over all strict schemas of a request, and the schema of the answer is the only one here).
const MAX_OPTIONAL: usize = 24;
/// The most properties that may be of several types.
const MAX_UNIONS: usize = 16;

/// Checks a reduced schema.
///
/// # Errors
/// Which limit it passes.
pub(super) fn check(schema: &Value) -> Result<(), SchemaError> {
    let (optional, unions) = count(schema);
    if optional > MAX_OPTIONAL {
        return Err(SchemaError::new("", format!("{optional} properties are optional; the limit is {MAX_OPTIONAL}")));
    }
    if unions > MAX_UNIONS {
        return Err(SchemaError::new("", format!("{unions} properties have several types; the limit is {MAX_UNIONS}")));
    }
    Ok(())
}

/// The optional and the union-typed properties in it, at any depth.
fn count(schema: &Value) -> (usize, usize) {
    let add = |(a, b): (usize, usize), (c, d): (usize, usize)| (a + c, b + d);
    match schema {
        Value::Array(items) => items.iter().map(count).fold((0, 0), add),
        Value::Object(node) => {
            let required = node.get("required").and_then(Value::as_array);
            let is_required = |name: &String| required.is_some_and(|names| names.iter().any(|known| known == name));
            let is_union = |property: &Value| property.get("anyOf").is_some() || property["type"].is_array();
            let properties = node.get("properties").and_then(Value::as_object);
            let own = properties.map_or((0, 0), |properties| {
                let optional = properties.keys().filter(|name| !is_required(name)).count();
                (optional, properties.values().filter(|property| is_union(property)).count())
            });
            // Values that happen to look like schemas (an enum's, a default) hold no properties worth a mistake.
            node.iter()
                .filter(|(key, _)| *key != "enum" && *key != "const")
                .map(|(_, value)| count(value))
                .fold(own, add)
        }
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn schema(optional: usize, unions: usize) -> Value {
        let property =
            |at: usize| if at < unions { json!({"type": ["string", "null"]}) } else { json!({"type": "string"}) };
        let properties: Map<String, Value> = (0..30).map(|at| (format!("p{at}"), property(at))).collect();
        let required: Vec<String> = (optional..30).map(|at| format!("p{at}")).collect();
        json!({"type": "object", "properties": {"inner": {"type": "object", "properties": properties, "required": required}},
            "required": ["inner"]})
    }

    #[test]
    fn the_limits_count_at_any_depth() {
        assert_eq!(check(&schema(24, 16)), Ok(()));
        assert!(check(&schema(25, 0)).unwrap_err().message.contains("25 properties are optional"));
        assert!(check(&schema(0, 17)).unwrap_err().message.contains("17 properties have several types"));
    }
}
