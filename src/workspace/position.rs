//! Places in a text, in the units that the editor counts in.

use ropey::Rope;

/// What a `character` of a position counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PositionEncoding {
    /// Bytes of UTF-8.
    Utf8,
    /// Code units of UTF-16; what LSP means when nothing was agreed.
    #[default]
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

/// A place in a text: line and character, both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character within the line, in the agreed encoding.
    pub character: u32,
}

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextChange {
    /// What is replaced; `None` for the whole text.
    pub range: Option<(Position, Position)>,
    /// By what.
    pub text: String,
}

impl Position {
    /// The char index of this place in `text`. As LSP demands, a character behind the end of its line means the end of
    /// the line; a line behind the last means the end of the text. A place inside a character means its start.
    pub fn to_char(self, text: &Rope, encoding: PositionEncoding) -> usize {
        let line = self.line as usize;
        if line >= text.len_lines() {
            return text.len_chars();
        }
        let start = text.line_to_char(line);
        let slice = text.line(line);
        let end = slice.len_chars() - line_break(slice);
        let wanted = self.character as usize;
        let within = match encoding {
            PositionEncoding::Utf32 => wanted.min(end),
            PositionEncoding::Utf8 => slice.byte_to_char(wanted.min(slice.char_to_byte(end))),
            PositionEncoding::Utf16 => slice.utf16_cu_to_char(wanted.min(slice.char_to_utf16_cu(end))),
        };
        start + within
    }
}

/// How many chars of a line are its line break.
fn line_break(line: ropey::RopeSlice<'_>) -> usize {
    let chars = line.len_chars();
    let at = |back: usize| (chars >= back).then(|| line.char(chars - back));
    match (at(2), at(1)) {
        (Some('\r'), Some('\n')) => 2,
        (_, Some('\n' | '\r')) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_in_the_agreed_unit() {
        let text = Rope::from_str("aé😀b\r\nx");
        let at = |character, encoding| Position { line: 0, character }.to_char(&text, encoding);
        assert_eq!(at(7, PositionEncoding::Utf8), 3);
        assert_eq!(at(4, PositionEncoding::Utf16), 3);
        assert_eq!(at(3, PositionEncoding::Utf32), 3);
        for encoding in [PositionEncoding::Utf8, PositionEncoding::Utf16, PositionEncoding::Utf32] {
            assert_eq!(at(99, encoding), 4, "behind the line is its end, before the break");
        }
        assert_eq!(at(3, PositionEncoding::Utf16), 2, "inside a surrogate pair is its start");
        assert_eq!(Position { line: 9, character: 0 }.to_char(&text, PositionEncoding::Utf16), 7);
    }
}
