//! From the text of a file to a tree of values with their lines.

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::read::{Node, NodeValue, Problem};

/// The line of a byte offset, counted from 1.
fn line(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + memchr::memchr_iter(b'\n', before).count() as u32
}

/// Reads TOML. What cannot be read is told, and the rest counts.
pub fn toml(name: &str, text: &str) -> (Node, Vec<Problem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let problems = errors.into_iter().map(|error| Problem {
        at: error.span().map_or_else(|| name.to_owned(), |span| format!("{name}:{}", line(text, span.start))),
        key: String::new(),
        message: format!("not valid TOML: {}", error.message().replace('\n', ", ")),
        hint: None,
    });
    (node_of_table(text, table.get_ref(), 1), problems.collect())
}

fn node_of_table(text: &str, table: &DeTable<'_>, at: u32) -> Node {
    let mut entries: Vec<(usize, String, Node)> = table
        .iter()
        .map(|(name, value)| {
            let start = name.span().start;
            (start, name.get_ref().to_string(), node(text, value.get_ref(), line(text, start)))
        })
        .collect();
    entries.sort_by_key(|(start, ..)| *start);
    let entries = entries.into_iter().map(|(_, name, node)| (name, node)).collect();
    Node { value: NodeValue::Table(entries), line: Some(at) }
}

fn node(text: &str, value: &DeValue<'_>, at: u32) -> Node {
    match value {
        DeValue::Table(table) => node_of_table(text, table, at),
        other => Node { value: NodeValue::Leaf(leaf(other)), line: Some(at) },
    }
}

fn leaf(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        // Numbers are kept as they are written: with underscores, in base 16, with an exponent.
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map_or(Value::String(digits), Value::from)
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            digits.parse::<f64>().map_or(Value::String(digits), Value::from)
        }
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(values) => values.iter().map(|value| leaf(value.get_ref())).collect(),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(name, value)| (name.get_ref().to_string(), leaf(value.get_ref())));
            Value::Object(entries.collect())
        }
    }
}

/// Reads JSON, as `config show --json` writes it.
pub fn json(name: &str, text: &str) -> (Node, Vec<Problem>) {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => (value.into(), Vec::new()),
        Err(error) => {
            let problem = Problem {
                at: format!("{name}:{}", error.line()),
                key: String::new(),
                message: format!("not valid JSON: {error}"),
                hint: None,
            };
            (Node { value: NodeValue::Table(Vec::new()), line: None }, vec![problem])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_value_knows_its_line() {
        let (tree, problems) =
            toml("f", "\u{feff}# a comment\nb = 0x1_0\r\n[t]\n\"x y\" = [1, {z = 2.5}]\nd = 1979-05-27\n");
        assert_eq!(problems, []);
        let NodeValue::Table(entries) = &tree.value else { panic!("{tree:?}") };
        let lines: Vec<_> = entries.iter().map(|(name, node)| (name.as_str(), node.line)).collect();
        assert_eq!(lines, [("b", Some(2)), ("t", Some(3))]);
        assert_eq!(entries[0].1.value, NodeValue::Leaf(Value::from(16)));
        let NodeValue::Table(inner) = &entries[1].1.value else { panic!("{entries:?}") };
        assert_eq!(inner[0].1.line, Some(4));
        assert_eq!(inner[0].1.value, NodeValue::Leaf(serde_json::json!([1, {"z": 2.5}])));
        assert_eq!(inner[1].1.value, NodeValue::Leaf(Value::from("1979-05-27")));
    }

    #[test]
    fn a_broken_line_is_told_and_the_rest_counts() {
        let (tree, problems) = toml("f", "a = 1\nb = \nc = 3\n");
        assert!(problems.iter().all(|problem| problem.at == "f:2"), "{problems:?}");
        assert!(!problems.is_empty());
        let NodeValue::Table(entries) = &tree.value else { panic!("{tree:?}") };
        assert!(entries.iter().any(|(name, _)| name == "a") && entries.iter().any(|(name, _)| name == "c"));
        let (_, problems) = json("f", "{\n\"a\": }");
        assert_eq!(problems[0].at, "f:2");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z\\[\\]\\.=\"'{}\n#0-9_,é-]{0,60}") {
            let _ = toml("f", &text);
        }
    }
}
