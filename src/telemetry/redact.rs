//! Masks secrets, wherever text leaves the program that it did not write itself: those that were used, and texts that look
//! like one.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// What keys and tokens of well-known services begin with.
const PREFIXES: [&str; 9] = ["sk-", "sk_", "ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "AKIA", "Bearer "];
/// Shorter ones are words, not secrets.
const SHORTEST: usize = 12;
/// What stands for a secret.
const MASK: &str = "[secret]";

/// So many of the secrets that were used last are known. There is one for each account, and one more with each renewal.
const MOST_REMEMBERED: usize = 64;

/// The secrets that were used, the latest last: a vendor may repeat them in its errors, in whatever shape they are.
static USED: Mutex<Vec<SecretString>> = Mutex::new(Vec::new());

/// Remembers a secret that goes over the wire, so that [`redact`] masks it wherever it comes back.
pub fn remember_secret(secret: &SecretString) {
    if secret.expose_secret().len() < SHORTEST {
        return;
    }
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    // The usual case: the one that was used before.
    if used.last().is_some_and(|last| last.expose_secret() == secret.expose_secret()) {
        return;
    }
    used.retain(|known| known.expose_secret() != secret.expose_secret());
    if used.len() == MOST_REMEMBERED {
        used.remove(0);
    }
    used.push(secret.clone());
}

/// `text` with the secrets that were used, and everything that looks like a key or a token, masked.
pub fn redact(text: &str) -> String {
    let mut text = Cow::Borrowed(text);
    for secret in USED.lock().unwrap_or_else(PoisonError::into_inner).iter().map(ExposeSecret::expose_secret) {
        if text.contains(secret) {
            text = Cow::Owned(text.replace(secret, MASK));
        }
    }
    redact_lookalikes(&text)
}

fn redact_lookalikes(text: &str) -> String {
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
    fn a_secret_that_was_used_is_masked_in_whatever_shape() {
        let secret = SecretString::from("0f3a.of-no.known/shape");
        assert!(redact("wrong key 0f3a.of-no.known/shape!").contains("0f3a"), "nothing tells it from other text");
        remember_secret(&secret);
        remember_secret(&secret);
        remember_secret(&SecretString::from("short"));
        assert_eq!(redact("wrong key 0f3a.of-no.known/shape! short"), "wrong key [secret]! short");
    }

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
