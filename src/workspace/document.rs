//! An open buffer.

use ropey::Rope;

use super::position::{PositionEncoding, TextChange};

/// An open buffer at one version. Snapshots share their text, so a clone is cheap.
#[derive(Clone, Debug)]
pub struct Document {
    /// The URI as the editor spells it.
    pub uri: String,
    /// The editor's name of the language.
    pub language_id: String,
    /// The editor's version of the text.
    pub version: i32,
    /// The text.
    pub text: Rope,
}

impl Document {
    /// A buffer that was just opened.
    pub fn new(uri: String, language_id: String, version: i32, text: &str) -> Self {
        Self { uri, language_id, version, text: Rope::from_str(text) }
    }

    /// The buffer after `changes`, which build upon one another in order.
    #[must_use]
    pub fn changed(&self, version: i32, changes: &[TextChange], encoding: PositionEncoding) -> Self {
        let mut text = self.text.clone();
        for change in changes {
            match change.range {
                None => text = Rope::from_str(&change.text),
                Some((start, end)) => {
                    let start = start.to_char(&text, encoding);
                    let end = end.to_char(&text, encoding).max(start);
                    text.remove(start..end);
                    text.insert(start, &change.text);
                }
            }
        }
        Self { text, version, uri: self.uri.clone(), language_id: self.language_id.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::position::Position;
    use super::*;
    use proptest::prelude::*;

    fn change(from: (u32, u32), to: (u32, u32), text: &str) -> TextChange {
        let position = |(line, character)| Position { line, character };
        TextChange { range: Some((position(from), position(to))), text: text.into() }
    }

    #[test]
    fn changes_apply_in_order() {
        let document = Document::new("u".into(), "rust".into(), 1, "fn a() {}\r\n// 😀 x\r\n");
        let changes = [change((1, 6), (1, 7), "y"), change((0, 3), (0, 4), "main"), change((2, 0), (2, 0), "end")];
        let changed = document.changed(2, &changes, PositionEncoding::Utf16);
        assert_eq!(changed.text.to_string(), "fn main() {}\r\n// 😀 y\r\nend");
        assert_eq!((changed.version, document.text.to_string().len() > 5), (2, true));
    }

    #[test]
    fn a_backward_range_removes_nothing() {
        let document = Document::new("u".into(), "t".into(), 1, "abc");
        let changed = document.changed(2, &[change((0, 2), (0, 1), "x")], PositionEncoding::Utf8);
        assert_eq!(changed.text.to_string(), "abxc");
    }

    proptest! {
        /// Random changes against a naive model that counts UTF-16 units in a flat vector.
        #[test]
        fn incremental_changes_agree_with_a_flat_model(
            edits in proptest::collection::vec((0usize..40, 0usize..8, "[a😀\n]{0,4}"), 1..12)) {
            let mut flat: Vec<u16> = "one\ntwo 😀\nthree".encode_utf16().collect();
            let mut document = Document::new("u".into(), "t".into(), 0, &String::from_utf16(&flat).unwrap());
            for (version, (at, length, text)) in edits.into_iter().enumerate() {
                let whole = |at: usize| {
                    let at = at.min(flat.len());
                    if at < flat.len() && (0xdc00..0xe000).contains(&flat[at]) { at - 1 } else { at }
                };
                let (start, end) = (whole(at), whole(at.min(flat.len()) + length));
                let position = |offset: usize| {
                    let before = &flat[..offset];
                    let line = before.iter().filter(|unit| **unit == 10).count() as u32;
                    let from = before.iter().rposition(|unit| *unit == 10).map_or(0, |at| at + 1);
                    (line, (offset - from) as u32)
                };
                let edit = change(position(start), position(end), &text);
                document = document.changed(version as i32, &[edit], PositionEncoding::Utf16);
                flat.splice(start..end, text.encode_utf16());
                prop_assert_eq!(document.text.to_string(), String::from_utf16(&flat).unwrap());
            }
        }
    }
}
