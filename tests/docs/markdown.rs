//! As much of Markdown as the checks need.

/// A part of a document: a heading and what follows it until the next heading of any depth.
#[derive(Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// The heading's text.
    pub heading: &'a str,
    /// The lines below it, fenced blocks left out.
    pub lines: Vec<&'a str>,
    /// The fenced blocks.
    pub fences: Vec<Fence>,
}

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub struct Fence {
    /// What stands behind the opening fence, as `json params`.
    pub tag: String,
    /// What it holds.
    pub text: String,
    /// The number of its opening line, counted from 1.
    pub line: usize,
}

/// The sections of a document; the first has no heading.
pub fn sections(document: &str) -> Vec<Section<'_>> {
    let empty = |heading| Section { heading, lines: Vec::new(), fences: Vec::new() };
    let mut sections = vec![empty("")];
    let mut open: Option<Fence> = None;
    for (number, line) in document.lines().enumerate() {
        let section = sections.last_mut().unwrap();
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => section.fences.extend(open.take()),
            (Some(fence), None) => fence.text.extend([line, "\n"]),
            (None, Some(tag)) => {
                open = Some(Fence { tag: tag.trim().to_owned(), text: String::new(), line: number + 1 });
            }
            (None, None) => match line.strip_prefix('#') {
                Some(rest) if rest.trim_start_matches('#').starts_with(' ') => {
                    sections.push(empty(rest.trim_start_matches('#').trim()));
                }
                _ => section.lines.push(line),
            },
        }
    }
    assert!(open.is_none(), "a fence is never closed: {open:?}");
    sections
}

/// The cells of the rows of all tables, without headings and rules.
pub fn rows<'a>(lines: &[&'a str]) -> Vec<Vec<&'a str>> {
    let is_row = |line: &&str| line.starts_with('|');
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let is_rule = |line: &str| is_row(&line) && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    let mut rows = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let heads = lines.get(number + 1).is_some_and(|next| is_rule(next));
        if is_row(line) && !heads && !is_rule(line) {
            rows.push(cells(line));
        }
    }
    rows
}

/// The texts within backticks.
pub fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn a_document_is_taken_apart() {
    let document =
        "intro\n# A `b`\n\ntext\n```json params\n# no heading\n```\n## C\n| x | y |\n|---|---|\n| `1` | 2 |\n";
    let found = sections(document);
    assert_eq!(found.iter().map(|section| section.heading).collect::<Vec<_>>(), ["", "A `b`", "C"]);
    assert_eq!(found[1].lines, ["", "text"]);
    assert_eq!(found[1].fences, [Fence { tag: "json params".into(), text: "# no heading\n".into(), line: 5 }]);
    assert_eq!(rows(&found[2].lines), [["`1`", "2"]]);
    assert_eq!(code("a `b` c `d`"), ["b", "d"]);
}
