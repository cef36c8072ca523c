//! Masks texts that look like secrets, wherever text leaves the program that it did not write itself.

/// What keys and tokens of well-known services begin with.
const PREFIXES: [&str; 9] = ["sk-", "sk_", "ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "AKIA", "Bearer "];
/// Shorter ones are words, not secrets.
const SHORTEST: usize = 12;
/// What stands for a secret.
const MASK: &str = "[secret]";

/// `text` with everything that looks like a key or a token masked.
pub fn redact(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, prefix)) = next_prefix(rest) {
        let after = &rest[at + prefix.len()..];
        let length = after.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.=+/".contains(c))).unwrap_or(after.len());
        let in_word = rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        clean.push_str(&rest[..at]);
        if length >= SHORTEST && !in_word {
            clean.push_str(MASK);
        } else {
            clean.push_str(&rest[at..at + prefix.len() + length]);
        }
        rest = &after[length..];
    }
    clean.push_str(rest);
    clean
}

fn next_prefix(text: &str) -> Option<(usize, &'static str)> {
    PREFIXES.iter().filter_map(|prefix| Some((text.find(prefix)?, *prefix))).min_by_key(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_words_are_not() {
        for (text, clean) in [
            ("key sk-ant-api03-abcdef_012345.", "key [secret]"),
            ("(sk-proj-0123456789abcdef) and (Bearer eyJhbGciOi.x.y0123)", "([secret]) and ([secret])"),
            ("\"AKIAIOSFODNN7EXAMPLE\"", "\"[secret]\""),
            ("a task-force-of-thirty risk-free", "a task-force-of-thirty risk-free"),
            ("sk-short ghp_ Bearer of news", "sk-short ghp_ Bearer of news"),
            ("plain ünï text", "plain ünï text"),
        ] {
            assert_eq!(redact(text), clean);
        }
    }
}
