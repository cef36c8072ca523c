//! What a source file declares, found by the look of its lines. Pure.
//!
//! It is an outline for a model, not a parser: what stands in a string or a macro may be taken for a declaration.

use super::language::SymbolKind::{Function, Implementation, Macro, Module, Type, Value};
use super::language::{Language, SymbolKind, Syntax, syntax};

/// How many symbols of one file are given.
const MAX_SYMBOLS: usize = 400;
/// Longer lines are no declarations that people wrote.
const MAX_LINE: usize = 400;

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// What is declared.
    pub kind: SymbolKind,
    /// The word before the name, as the language has it: `fn`, `class`. Empty where there is none.
    pub word: &'static str,
    /// The name.
    pub name: String,
    /// The line, counted from 1.
    pub line: usize,
    /// How far it is set in, in columns; a tab counts four.
    pub indent: usize,
}

/// What `text` declares, in its order.
pub fn symbols(language: Language, text: &str) -> Vec<Symbol> {
    let syntax = syntax(language);
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let indent = line[..line.len() - code.len()].chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
        if line.len() > MAX_LINE
            || indent > syntax.max_indent
            || syntax.comment.iter().any(|mark| code.starts_with(mark))
        {
            continue;
        }
        let symbol = by_word(language, syntax, code, indent).or_else(|| without_word(language, code, indent));
        if let Some((kind, word, name)) = symbol {
            found.push(Symbol { kind, word, name, line: at + 1, indent });
        }
        if found.len() == MAX_SYMBOLS {
            break;
        }
    }
    found
}

type Found = (SymbolKind, &'static str, String);

fn by_word(language: Language, syntax: &Syntax, code: &str, indent: usize) -> Option<Found> {
    let code = without_words_before(syntax.before, code);
    let after = |word: &str| code.strip_prefix(word).filter(|rest| rest.starts_with([' ', '\t', '<', '(']));
    let (word, kind, rest) =
        syntax.words.iter().find_map(|(word, kind)| Some((*word, *kind, after(word)?.trim_start())))?;
    if kind == Implementation {
        return Some((kind, word, headline(rest)));
    }
    let rest = match (language, word) {
        // A method's receiver stands before its name.
        (Language::Go, "func") if rest.starts_with('(') => return method_of_go(rest),
        (Language::Rust, "const" | "static") => rest.strip_prefix("mut ").unwrap_or(rest),
        (Language::Ruby, "def") => rest.strip_prefix("self.").unwrap_or(rest),
        _ => rest,
    };
    let dots: &[char] = match language {
        Language::Lua => &['.', ':'],
        Language::Go => &[],
        Language::Php => &['\\'],
        Language::Ruby => &['?', '!', ':'],
        _ => &['$'],
    };
    let name = name(rest, dots)?;
    let rest = rest[name.len()..].trim_start();
    let fits = match (language, kind) {
        (Language::Python, _) => rest.starts_with(['(', ':', '[']),
        // A variable of that type, or a declaration alone, says nothing.
        (Language::C, Type) => !rest.contains(';') && !rest.contains('(') && !rest.starts_with(['*', '&']),
        (Language::C, Macro) => rest.starts_with('('),
        (Language::JavaScript, Value) => rest.starts_with(['=', ':']),
        (Language::Zig, Value) => ["struct", "enum", "union"].iter().any(|word| rest.contains(word)),
        (Language::Rust | Language::Go, Value) => indent == 0,
        (Language::Rust, Module) => !rest.starts_with(';'),
        _ => true,
    };
    let kind =
        if language == Language::JavaScript && kind == Value && is_function_value(rest) { Function } else { kind };
    fits.then(|| (kind, word, name.to_owned()))
}

/// What is left when words like `pub`, `pub(crate)` and `export` are taken away.
fn without_words_before<'a>(words: &[&str], mut code: &'a str) -> &'a str {
    'next: loop {
        for word in words {
            // `const` alone is a declaration; before `fn` it is not.
            let (word, follow) = word.split_once(' ').unwrap_or((word, ""));
            let Some(rest) = code.strip_prefix(word) else { continue };
            let rest = match (word, rest.strip_prefix('(').and_then(|inner| inner.split_once(')'))) {
                ("pub", Some((_, rest))) => rest,
                _ => rest,
            };
            let trimmed = rest.trim_start();
            if trimmed.len() < rest.len() && trimmed.starts_with(follow) {
                code = trimmed;
                continue 'next;
            }
        }
        return code;
    }
}

/// Declarations that no word of their own begins.
fn without_word(language: Language, code: &str, indent: usize) -> Option<Found> {
    match language {
        Language::C if indent == 0 => function_of_c(code),
        Language::Java | Language::CSharp if indent > 0 => method_of_java(code),
        Language::Lua => {
            let (target, value) = code.split_once('=')?;
            let target = target.trim();
            let whole = name(target, &['.']).is_some_and(|name| name.len() == target.len());
            (whole && value.trim_start().starts_with("function")).then(|| (Function, "function", target.to_owned()))
        }
        Language::Shell => {
            let (target, rest) = code.split_once("()")?;
            let whole = name(target, &['-']).is_some_and(|name| name.len() == target.len());
            (whole && matches!(rest.trim(), "" | "{")).then(|| (Function, "", target.to_owned()))
        }
        _ => None,
    }
}

fn method_of_go(rest: &str) -> Option<Found> {
    let (receiver, rest) = rest.strip_prefix('(')?.split_once(')')?;
    let of = receiver.rsplit([' ', '*']).next().unwrap_or("").split('[').next().unwrap_or("");
    Some((Function, "func", format!("{of}.{}", name(rest.trim_start(), &[])?)))
}

/// `type name(…) {` or `type name(…)` at the start of a line, as functions are defined.
fn function_of_c(code: &str) -> Option<Found> {
    let end = code.trim_end();
    if !code.starts_with(|c: char| c.is_alphabetic() || c == '_') || !(end.ends_with('{') || end.ends_with(')')) {
        return None;
    }
    let (head, _) = code.split_once('(')?;
    let start = head.rfind([' ', '*', '&', '\t'])? + 1;
    let named = name(&head[start..], &[':', '~'])?;
    let keyword = ["if", "for", "while", "switch", "return", "else", "sizeof"];
    let first = head.split_whitespace().next().unwrap_or("");
    let fits = start + named.len() == head.trim_end().len() && !keyword.contains(&named) && !keyword.contains(&first);
    (fits && !head.contains('=')).then(|| (Function, "", named.to_owned()))
}

/// `modifiers type name(…) {`, as methods are declared.
fn method_of_java(code: &str) -> Option<Found> {
    let (head, rest) = code.split_once('(')?;
    let start = head.rfind([' ', '\t'])? + 1;
    let named = name(&head[start..], &[])?;
    let first = head.split_whitespace().next().unwrap_or("");
    let keyword =
        ["new", "return", "throw", "else", "if", "for", "while", "switch", "catch", "await", "yield", "using"];
    let declares = rest.trim_end().ends_with(['{', ',']) || rest.contains(") throws");
    let fits =
        declares && named.len() == head.len() - start && !head.contains(['=', '.', '"']) && !keyword.contains(&first);
    (fits && !keyword.contains(&named)).then(|| (Function, "", named.to_owned()))
}

fn is_function_value(rest: &str) -> bool {
    let value = rest.split_once('=').map_or("", |(_, value)| value.trim_start());
    value.starts_with("function") || value.starts_with("async") || rest.contains("=>")
}

/// The name at the start of `text`; `more` characters count as parts of one.
fn name<'a>(text: &'a str, more: &[char]) -> Option<&'a str> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || more.contains(&c))).unwrap_or(text.len());
    let name = text[..end].trim_end_matches(':');
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
}

/// What is implemented, without its body and its conditions.
fn headline(rest: &str) -> String {
    let rest = rest.split('{').next().unwrap_or(rest);
    let rest = rest.split(" where").next().unwrap_or(rest);
    // Parameters right after `impl` say nothing in an outline.
    let mut depth = 0;
    let end = rest.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        (depth == 0).then_some(at + 1)
    });
    let rest = if rest.starts_with('<') { &rest[end.unwrap_or(rest.len())..] } else { rest };
    rest.trim().to_owned()
}

#[cfg(test)]
#[path = "symbols_tests.rs"]
mod tests;
