//! How large files and functions may grow.

use crate::lexer::{closing, words};
use crate::{Source, hold};

/// The most lines a file of `src/` has.
const FILE_LINES: usize = 500;

/// The most lines of code the body of a function has.
const FUNCTION_LINES: usize = 70;

/// Files that are nothing but tables of data.
const DATA_TABLES: &[&str] = &[];

#[test]
fn no_file_is_longer_than_500_lines() {
    hold(long_file);
    let sources = crate::sources();
    let known = |path: &str| sources.iter().any(|source| source.path == path);
    assert!(DATA_TABLES.iter().all(|path| known(path)), "an exempt file is gone: {DATA_TABLES:?}");
}

#[test]
fn no_function_is_longer_than_70_lines() {
    hold(long_functions);
}

fn long_file(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines <= FILE_LINES || DATA_TABLES.contains(&source.path.as_str()) {
        return Vec::new();
    }
    vec![format!("src/{}: {lines} lines, {FILE_LINES} at most: split it by topic", source.path)]
}

/// Functions whose body has too many lines that are neither blank nor a comment.
fn long_functions(source: &Source) -> Vec<String> {
    let all: Vec<_> = words(&source.code).collect();
    let mut wrong = Vec::new();
    for pair in all.windows(2) {
        let (offset, name) = pair[1];
        // Not the type of a function pointer, which goes on with a parenthesis.
        if pair[0].1 != "fn" || !source.code[pair[0].0 + "fn".len()..offset].trim().is_empty() {
            continue;
        }
        let Some(open) = body(&source.code, offset) else { continue };
        let end = closing(&source.code, open).unwrap_or(source.code.len());
        let lines = source.code[open + 1..end].lines().filter(|line| !line.trim().is_empty()).count();
        if lines > FUNCTION_LINES {
            let at = source.line(offset);
            wrong.push(format!("src/{}:{at}: `{name}` has {lines} lines, {FUNCTION_LINES} at most", source.path));
        }
    }
    wrong
}

/// Where the body of the function whose name is at `offset` opens; nothing for a declaration without one.
fn body(code: &str, offset: usize) -> Option<usize> {
    let mut depth = 0i32;
    for (at, c) in code[offset..].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(offset + at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn a_long_file_is_found() {
    let find = |lines: usize| long_file(&Source::new("chat/a.rs", &"// x\n".repeat(lines))).len();
    assert_eq!((find(FILE_LINES), find(FILE_LINES + 1)), (0, 1));
}

#[test]
fn a_long_function_is_found() {
    let find = |text: &str| long_functions(&Source::new("chat/a.rs", text));
    let function = |lines: usize| {
        let body = "    let x = '{';\n\n    // A comment.\n".repeat(lines);
        format!(
            "trait T {{\n  fn declared(x: [u8; 2]);\n}}\nfn f<T>(g: fn(u8) -> u8)\nwhere\n    T: X,\n{{\n{body}}}\n"
        )
    };
    assert_eq!(find(&function(FUNCTION_LINES)), [""; 0]);
    let wrong = find(&function(FUNCTION_LINES + 1));
    assert_eq!(wrong, ["src/chat/a.rs:4: `f` has 71 lines, 70 at most"]);
}
