//! Small helpers for texts that go to a model. Pure.

use std::borrow::Cow;
use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

/// How many tokens `text` has, by and large: a quarter of its bytes. For budgets alone; what was used is what the
/// provider says.
pub fn estimate_tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

/// The SHA-256 of `text`, in hexadecimal digits.
pub fn hash(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a text does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// `text` with line breaks alike, without a byte order mark, blank lines at its ends, and characters that no text has.
/// So an editor that writes other line breaks changes nothing that a model sees.
pub fn clean(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text =
        if text.contains('\r') { Cow::from(text.replace("\r\n", "\n").replace('\r', "\n")) } else { text.into() };
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let blank = |line: &str| line.trim().is_empty();
    let start = text.split_inclusive('\n').take_while(|line| blank(line)).map(str::len).sum::<usize>();
    text[start..].trim_end().to_owned()
}

/// The longest beginning of `text` that has at most `bytes`, whole lines if it has any.
pub fn head(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let cut = &text[..end];
    cut.rfind('\n').map_or(cut, |line| &cut[..line])
}

/// As [`head`], with a mark that says that and how much was cut off.
pub fn cut(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return text.into();
    }
    let head = head(text, bytes);
    format!("{head}\n[cut here: {} of {} bytes are shown]", head.len(), text.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_cleaned() {
        assert_eq!(clean("\u{feff}\r\n \r\n  a\r\nb\rc\u{0}\u{1b}[31m\t\n\n"), "  a\nb\nc[31m");
        assert_eq!(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(cut("one\ntwo\nthree", 9), "one\ntwo\n[cut here: 7 of 13 bytes are shown]");
        assert_eq!(cut("one", 3), "one");
    }

    proptest! {
        #[test]
        fn heads_keep_to_their_limit_and_cleaning_twice_is_cleaning_once(text in "[a-zé😀\r\n \t]{0,40}", bytes in 0usize..50) {
            prop_assert!(head(&text, bytes).len() <= bytes && text.starts_with(head(&text, bytes)));
            prop_assert_eq!(clean(&clean(&text)), clean(&text));
        }
    }
}
