//! `@path` in instructions: which files they want to include. Pure.

/// The paths that `text` includes, in its order, each once. What stands in code is left alone, and so is what is no path:
/// `@name` without a `/` or an ending, an e-mail address.
pub fn references(text: &str) -> Vec<&str> {
    let (mut found, mut fence) = (Vec::new(), None);
    for line in text.lines() {
        let code = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| code.starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            (None, None) => in_line(line, &mut found),
            _ => {}
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(*path));
    found
}

fn in_line<'a>(line: &'a str, found: &mut Vec<&'a str>) {
    // Every other part between backticks is code.
    for text in line.split('`').step_by(2) {
        for (at, _) in text.match_indices('@') {
            if text[..at].ends_with(|c: char| !c.is_whitespace() && !matches!(c, '(' | '[' | '"' | '\'' | '*' | '_')) {
                continue;
            }
            let rest = &text[at + 1..];
            let end =
                rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '|' | ')' | ']' | '@'));
            let path = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ',', ';', ':', '!', '?', '*']);
            if is_path(path) {
                found.push(path);
            }
        }
    }
}

fn is_path(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or("");
    let has_ending = name.rsplit_once('.').is_some_and(|(_, ending)| !ending.is_empty());
    !name.is_empty() && (has_ending || path.contains('/')) && path.len() < 500
}

/// Whether `path` was meant as a path for sure, so that the user wants to know when there is no such file.
pub fn is_surely_path(path: &str) -> bool {
    path.starts_with(['.', '/', '~']) || [".md", ".mdc", ".txt"].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_and_nothing_else() {
        let text = "See @docs/style.md, (@./a.md) and @~/mine.md.\n@README.md\n`@code.md` a@b.de @user @scope/pkg\n```\n@no.md\n```\n~~~\n```\n@no.md\n~~~\n@docs/style.md @last.md";
        let expected = ["docs/style.md", "./a.md", "~/mine.md", "README.md", "scope/pkg", "last.md"];
        assert_eq!(references(text), expected);
        assert!(is_surely_path("a.md") && is_surely_path("../x") && !is_surely_path("scope/pkg"));
    }
}
