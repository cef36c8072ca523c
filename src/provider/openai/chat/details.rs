//! `OpenRouter`'s `reasoning_details`: the pieces of a model's thinking, which go back whole.

use serde_json::{Map, Value};

/// Fields that stream in pieces; all others are told once.
const STREAMED: [&str; 3] = ["text", "summary", "data"];

/// Adds `piece` to `details`: to the one with the same index and kind, or as a new one.
pub(super) fn merge(details: &mut Vec<Value>, piece: Value) {
    let Value::Object(piece) = piece else { return };
    let same = |known: &Value| {
        piece.contains_key("index") && known["index"] == piece["index"] && known["type"] == piece["type"]
    };
    // Two that are encrypted and whole are two, whatever their index.
    let whole = |known: &Value| {
        let other_id =
            matches!((known.get("id"), piece.get("id")), (Some(Value::String(a)), Some(Value::String(b))) if a != b);
        other_id && piece.contains_key("data")
    };
    match details.iter_mut().find(|known| same(known) && !whole(known)) {
        Some(Value::Object(known)) => add(known, piece),
        _ => details.push(Value::Object(piece)),
    }
}

fn add(known: &mut Map<String, Value>, piece: Map<String, Value>) {
    for (key, value) in piece {
        match (known.get_mut(&key), value) {
            (_, Value::Null) => {}
            (Some(Value::String(text)), Value::String(more)) if STREAMED.contains(&key.as_str()) => {
                text.push_str(&more);
            }
            (_, value) => {
                known.insert(key, value);
            }
        }
    }
}

/// The text of a piece that people may read.
pub(super) fn text(piece: &Value) -> Option<&str> {
    piece.get("text").or_else(|| piece.get("summary")).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The details that were kept in the signatures of a message's thinking blocks, together.
pub(super) fn kept<'a>(signatures: impl Iterator<Item = &'a str>) -> Vec<Value> {
    let mut details = Vec::new();
    for signature in signatures {
        let Ok(pieces) = serde_json::from_str::<Vec<Value>>(signature) else { continue };
        for piece in pieces {
            merge(&mut details, piece);
        }
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pieces_of_one_index_become_one() {
        let mut details = Vec::new();
        for piece in [
            json!({"type": "reasoning.text", "text": "a", "index": 0, "format": "f", "signature": null}),
            json!({"type": "reasoning.text", "text": "b", "index": 0}),
            json!({"type": "reasoning.text", "signature": "sig", "index": 0}),
            json!({"type": "reasoning.encrypted", "data": "x", "id": "1", "index": 0}),
            json!({"type": "reasoning.encrypted", "data": "y", "id": "2", "index": 0}),
            json!({"type": "reasoning.summary", "summary": "s"}),
            json!({"type": "reasoning.summary", "summary": "t"}),
            json!("noise"),
        ] {
            merge(&mut details, piece);
        }
        assert_eq!(
            json!(details),
            json!([
                {"type": "reasoning.text", "text": "ab", "index": 0, "format": "f", "signature": "sig"},
                {"type": "reasoning.encrypted", "data": "x", "id": "1", "index": 0},
                {"type": "reasoning.encrypted", "data": "y", "id": "2", "index": 0},
                {"type": "reasoning.summary", "summary": "s"},
                {"type": "reasoning.summary", "summary": "t"}
            ])
        );
    }

    #[test]
    fn what_several_blocks_kept_is_put_together() {
        let signatures = [r#"[{"index":0,"type":"t","text":"a"}]"#, "", r#"[{"index":0,"type":"t","signature":"s"}]"#];
        assert_eq!(
            json!(kept(signatures.into_iter())),
            json!([{"index": 0, "type": "t", "text": "a", "signature": "s"}])
        );
    }
}
