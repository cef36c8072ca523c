//! Which regular expressions native structured output understands.

/// Whether a pattern has none of: look-around and other special groups, back-references, word boundaries, Unicode
/// classes.
pub(super) fn is_simple(pattern: &str) -> bool {
    let mut in_class = false;
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('1'..='9' | 'b' | 'B' | 'k' | 'p' | 'P' | 'A' | 'z' | 'Z' | 'G') | None => return false,
                Some(_) => {}
            },
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class && rest.peek() == Some(&'?') => {
                rest.next();
                if rest.peek() != Some(&':') {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_simple;

    #[test]
    fn plain_patterns_are_kept() {
        for pattern in ["", "^[A-Z]{2}\\d+$", "(a|b)*", "(?:ab)+", "a\\\\b", "[(?=]", "\\(\\?", "\\w+@\\w+"] {
            assert!(is_simple(pattern), "{pattern}");
        }
    }

    #[test]
    fn special_ones_are_not() {
        for pattern in [
            "(?=a)b",
            "(?!a)",
            "(?<=a)b",
            "(?<!a)b",
            "(?<n>a)\\k<n>",
            "(?i)a",
            "(a)\\1",
            "\\bword\\b",
            "\\B",
            "\\p{L}",
            "a\\",
        ] {
            assert!(!is_simple(pattern), "{pattern}");
        }
    }
}
