//! As much of Rust's lexical structure as the rules need.

/// `text` with comments and the insides of string and character literals replaced by blanks. Newlines stay.
pub fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            // Everything else that is not ASCII (there are no such names here) becomes one byte, so that offsets
            // are both bytes and characters.
            out.push(if chars[at].is_ascii() { chars[at] } else { ' ' });
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn skipped(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let after_word = at > 0 && is_word(chars[at - 1]);
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => at + block_comment(rest),
        ['"', ..] => at + string(rest),
        ['r' | 'b' | 'c', ..] if !after_word => at + prefixed(rest),
        ['\'', '\\', ..] => at + 3 + rest.iter().skip(3).position(|&c| c == '\'').map_or(0, |end| end + 1),
        ['\'', _, '\'', ..] => at + 3,
        _ => at,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A literal with a prefix, as `b"…"` or `r#"…"#`; 0 if it is none.
fn prefixed(rest: &[char]) -> usize {
    let letters = rest.iter().take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
    let raw = rest[..letters].contains(&'r');
    let hashes = rest[letters..].iter().take_while(|&&c| c == '#').count();
    if letters > 2 || rest.get(letters + hashes) != Some(&'"') || (hashes > 0 && !raw) {
        return 0;
    }
    if !raw {
        return letters + string(&rest[letters..]);
    }
    let open = letters + hashes + 1;
    let closes =
        |tail: &[char]| tail[0] == '"' && tail[1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
    (open..rest.len()).find(|&at| closes(&rest[at..])).map_or(rest.len(), |at| at + 1 + hashes)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The words of blanked code, each with its offset.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_word)?;
        at = start + code[start..].find(|c| !is_word(c)).unwrap_or(code.len() - start);
        Some((start, &code[start..at]))
    })
}

/// The offset of the brace that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(open + at);
        }
    }
    None
}

#[test]
fn comments_and_literals_are_blanked_and_nothing_else() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("a\"b", 'c', '\'', b'\\', x)"#, "f(      ,    ,     , b    , x)"),
        (r##"r#"a"b"# + br"x\" + r"y""##, "         +        +     "),
        ("fn f<'a>(x: &'a str) -> char { 'b' }", "fn f<'a>(x: &'a str) -> char {     }"),
        ("for_r\"x\"", "for_r   "),
        ("\"ä\"é", "    "),
    ];
    for (text, expected) in cases {
        assert_eq!(blanked(text), expected, "{text}");
    }
}

#[test]
fn words_and_braces_are_found() {
    assert_eq!(words("use a_1::{b}").collect::<Vec<_>>(), [(0, "use"), (4, "a_1"), (10, "b")]);
    assert_eq!(closing("x { { } } }", 2), Some(8));
    assert_eq!(closing("{ {", 0), None);
}
