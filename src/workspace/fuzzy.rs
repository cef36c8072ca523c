//! How well a path fits what was typed. Pure.

/// For each character that fits.
const HIT: i32 = 16;
/// For a character right after the one before it.
const NEXT: i32 = 12;
/// For the first character of a word: after `/`, `_`, `-`, `.` or a space, or a capital after a small letter.
const WORD: i32 = 10;
/// For a word that is the first of the file's name.
const NAME: i32 = 14;
/// For a character of the same case.
const CASE: i32 = 1;
/// When all of it is in the file's name.
const IN_NAME: i32 = 24;
/// When it is the file's name, with or without its ending.
const IS_NAME: i32 = 60;
/// The most that is taken off for what lies between.
const MAX_GAPS: i32 = 40;

/// What was typed, made ready: parts between spaces, each of which has to fit.
#[derive(Clone, Debug)]
pub struct Query {
    parts: Vec<Vec<u8>>,
    mask: u64,
}

impl Query {
    /// `typed`, split at spaces. `\` counts as `/`.
    pub fn new(typed: &str) -> Self {
        let parts: Vec<Vec<u8>> = typed.split_whitespace().map(|part| part.replace('\\', "/").into_bytes()).collect();
        let mask = parts.iter().fold(0, |mask, part| mask | letters(part));
        Self { parts, mask }
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a path with these [`letters`] may fit at all.
    pub fn may_fit(&self, letters: u64) -> bool {
        self.mask & !letters == 0
    }

    /// How well `path` fits; nothing when a character is missing. More is better.
    pub fn score(&self, path: &[u8]) -> Option<i32> {
        let mut sum = 0;
        for part in &self.parts {
            sum += score(part, path)?;
        }
        Some(sum)
    }
}

/// Which letters and digits there are, case aside: a bit for each, so that most paths are told apart at one glance.
pub fn letters(text: &[u8]) -> u64 {
    text.iter().fold(0, |mask, byte| {
        mask | match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => 1 << (letter - b'a'),
            digit @ b'0'..=b'9' => 1 << (26 + digit - b'0'),
            b'_' => 1 << 36,
            b'-' => 1 << 37,
            b'.' => 1 << 38,
            b'/' => 1 << 39,
            _ => 0,
        }
    })
}

fn score(part: &[u8], path: &[u8]) -> Option<i32> {
    let name = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let whole = window(part, path).map(|(from, to)| rate(part, path, from, to, name));
    let in_name = window(part, &path[name..]).map(|(from, to)| {
        let same = path[name..].eq_ignore_ascii_case(part);
        let stem = path[name..].iter().position(|byte| *byte == b'.').filter(|at| *at > 0);
        let stem = stem.is_some_and(|end| path[name..name + end].eq_ignore_ascii_case(part));
        let words = by_words(part, path, name).unwrap_or(i32::MIN);
        rate(part, path, name + from, name + to, name).max(words) + IN_NAME + if same || stem { IS_NAME } else { 0 }
    });
    let best = whole.max(in_name)?;
    // Of two that fit alike the shorter one is meant.
    Some(best - i32::try_from(path.len() / 8).unwrap_or(i32::MAX).min(MAX_GAPS))
}

/// The shortest stretch that ends where `part` is first complete.
fn window(part: &[u8], text: &[u8]) -> Option<(usize, usize)> {
    let mut wanted = part.iter();
    let mut next = wanted.next()?;
    let mut end = None;
    for (at, byte) in text.iter().enumerate() {
        if byte.eq_ignore_ascii_case(next) {
            let Some(more) = wanted.next() else {
                end = Some(at + 1);
                break;
            };
            next = more;
        }
    }
    let end = end?;
    let mut left = part.len();
    for at in (0..end).rev() {
        if left > 0 && text[at].eq_ignore_ascii_case(&part[left - 1]) {
            left -= 1;
            if left == 0 {
                return Some((at, end));
            }
        }
    }
    None
}

fn rate(part: &[u8], path: &[u8], from: usize, to: usize, name: usize) -> i32 {
    let (mut sum, mut gaps, mut at_part) = (0, 0, 0);
    let mut last = None;
    for at in from..to {
        let Some(wanted) = part.get(at_part).filter(|wanted| wanted.eq_ignore_ascii_case(&path[at])) else {
            gaps += 1;
            continue;
        };
        sum += gain(*wanted, path, at, last, name);
        last = Some(at);
        at_part += 1;
    }
    sum - gaps.min(MAX_GAPS)
}

/// As [`rate`], with each character either right after the one before it or at the beginning of a word.
fn by_words(part: &[u8], path: &[u8], name: usize) -> Option<i32> {
    let (mut sum, mut gaps, mut last) = (0, 0, None::<usize>);
    for wanted in part {
        let next = last.map_or(name, |last| last + 1);
        let fits = |at: &usize| wanted.eq_ignore_ascii_case(&path[*at]) && (*at == next || begins_word(path, *at));
        let at = (next..path.len()).find(fits)?;
        sum += gain(*wanted, path, at, last, name);
        gaps += i32::try_from(at - next).unwrap_or(i32::MAX).min(MAX_GAPS);
        last = Some(at);
    }
    // What lies between two words is read over.
    Some(sum - (gaps / 4).min(MAX_GAPS))
}

fn gain(wanted: u8, path: &[u8], at: usize, last: Option<usize>, name: usize) -> i32 {
    let follows = last.is_some_and(|last| last + 1 == at);
    HIT + if wanted == path[at] { CASE } else { 0 }
        + if follows { NEXT } else { 0 }
        + if begins_word(path, at) { WORD } else { 0 }
        + if at == name { NAME } else { 0 }
}

fn begins_word(path: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| path[before]) else { return true };
    matches!(before, b'/' | b'_' | b'-' | b'.' | b' ') || (before.is_ascii_lowercase() && path[at].is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn best<'a>(typed: &str, paths: &[&'a str]) -> &'a str {
        let query = Query::new(typed);
        paths.iter().max_by_key(|path| query.score(path.as_bytes())).unwrap()
    }

    #[test]
    fn what_people_mean_comes_first() {
        assert_eq!(best("main", &["src/domain/x.rs", "src/main.rs", "main/other/file.rs"]), "src/main.rs");
        assert_eq!(best("sm", &["src/some.rs", "src/session_manager.rs"]), "src/session_manager.rs");
        assert_eq!(best("sess/man", &["src/session/manager.rs", "src/session_man.rs"]), "src/session/manager.rs");
        assert_eq!(best("FC", &["src/fancy.rs", "src/FileCache.java"]), "src/FileCache.java");
        assert_eq!(best("mod prov", &["src/tools/mod.rs", "src/provider/mod.rs"]), "src/provider/mod.rs");
        assert_eq!(best("lib", &["vendor/lib/a.rs", "lib.rs"]), "lib.rs");
        assert_eq!(Query::new("xyz").score(b"src/main.rs"), None);
    }

    proptest! {
        /// A path fits exactly when the characters are in it in their order, and the glance never loses one.
        #[test]
        fn it_fits_when_it_is_a_subsequence(typed in "[a-cA-C/._é-]{1,5}", path in "[a-cA-C/._é-]{0,24}") {
            let mut rest = path.bytes().map(|byte| byte.to_ascii_lowercase());
            let inside = typed.bytes().all(|wanted| rest.any(|byte| byte == wanted.to_ascii_lowercase()));
            let query = Query::new(&typed);
            prop_assert_eq!(query.score(path.as_bytes()).is_some(), inside);
            prop_assert!(!inside || query.may_fit(letters(path.as_bytes())));
        }
    }
}
