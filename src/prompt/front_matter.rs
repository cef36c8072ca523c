//! The lines between `---` at the head of a Markdown file. Pure.
//!
//! It is the part of YAML that people write there: `key: value`, lists in brackets or on lines of their own, quoted
//! texts, texts over several lines after `|` or `>`. A line that is none of these is told as a problem.

/// The head of a file, and what comes after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontMatter<'a> {
    fields: Vec<(String, Value)>,
    /// What comes after the head.
    pub body: &'a str,
    /// Lines that were not understood, each with its number.
    pub problems: Vec<String>,
    /// Whether the file has a head at all.
    pub is_there: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    List(Vec<String>),
}

impl<'a> FrontMatter<'a> {
    /// Takes `text` apart. A head that is not closed is no head.
    pub fn parse(text: &'a str) -> Self {
        let none = Self { body: text, ..Self::default() };
        let Some((first, rest)) = text.split_once('\n') else { return none };
        if first.trim_end() != "---" {
            return none;
        }
        let mut length = 0;
        for line in rest.split_inclusive('\n') {
            if line.trim_end() == "---" {
                let mut matter = Self { body: &rest[length + line.len()..], is_there: true, ..Self::default() };
                matter.read(&rest[..length]);
                return matter;
            }
            length += line.len();
        }
        none
    }

    /// The text of `key`; a list is joined with commas.
    pub fn text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::List(list) => Some(list.join(", ")).filter(|text| !text.is_empty()),
        }
    }

    /// The list of `key`; a text is split at commas.
    pub fn list(&self, key: &str) -> Option<Vec<String>> {
        match self.get(key)? {
            Value::List(list) => Some(list.clone()),
            Value::Text(text) => Some(split(text)),
        }
    }

    /// Whether `key` says yes or no.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.text(key)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.fields.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }

    fn read(&mut self, head: &str) {
        let mut lines = head.lines().enumerate().peekable();
        while let Some((at, line)) = lines.next() {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let key = line.split_once(':').filter(|(key, _)| {
                !line.starts_with(char::is_whitespace) && !key.trim().is_empty() && !key.contains(['"', '[', '{'])
            });
            let Some((key, value)) = key else {
                self.problems.push(format!("line {} of its head is not understood: {}", at + 2, line.trim()));
                continue;
            };
            let value = without_comment(value.trim());
            let is_block = matches!(value, "" | "|" | ">" | "|-" | ">-");
            let mut block = Vec::new();
            let belongs = |line: &str| line.starts_with([' ', '\t']) || line.trim().is_empty();
            let item = |line: &str| value.is_empty() && line.trim_start().starts_with("- ");
            while let Some((_, line)) = lines.next_if(|(_, line)| is_block && (belongs(line) || item(line))) {
                block.push(line.trim());
            }
            self.fields.push((key.trim().to_owned(), self::value(value, &block)));
        }
    }
}

fn value(value: &str, block: &[&str]) -> Value {
    if value.is_empty() && block.iter().any(|line| line.starts_with('-')) {
        let items = block.iter().filter_map(|line| line.strip_prefix('-'));
        return Value::List(
            items.map(|item| unquoted(without_comment(item.trim()))).filter(|item| !item.is_empty()).collect(),
        );
    }
    if !block.is_empty() {
        let between = if value.starts_with('|') { "\n" } else { " " };
        return Value::Text(block.join(between).trim().to_owned());
    }
    match value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => Value::List(split(inner)),
        None => Value::Text(unquoted(value)),
    }
}

/// The parts between commas that stand neither in quotes nor in braces, as in `*.{ts,tsx}`.
fn split(text: &str) -> Vec<String> {
    let (mut quote, mut depth, mut parts, mut part) = (None, 0usize, Vec::new(), String::new());
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    parts.iter().map(|part| unquoted(part.trim())).filter(|part| !part.is_empty()).collect()
}

/// `value` without ` # …`, unless it is quoted.
fn without_comment(value: &str) -> &str {
    if value.starts_with(['"', '\'']) {
        return value;
    }
    value.split(" #").next().unwrap_or(value).trim_end()
}

fn unquoted(value: &str) -> String {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = inside('"') {
        return inner.replace("\\\"", "\"").replace("\\\\", "\\");
    }
    inside('\'').map_or_else(|| value.to_owned(), |inner| inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_write_is_read() {
        let text = "---\r\nname: review # mine\ndescription: \"a: \\\"b\\\" # c\"\nglobs: *.{ts,tsx}, src/**\ntools: [read_file, 'a, b']\nlist:\n  - one\n- two\nalwaysApply: true\nlong: >\n  one\n  two\nempty:\n???\n---\nbody\n---\n";
        let matter = FrontMatter::parse(text);
        assert_eq!(matter.text("Name").as_deref(), Some("review"));
        assert_eq!(matter.text("description").as_deref(), Some("a: \"b\" # c"));
        assert_eq!(matter.list("globs").unwrap(), ["*.{ts,tsx}", "src/**"]);
        assert_eq!(matter.list("tools").unwrap(), ["read_file", "a, b"]);
        assert_eq!(matter.list("list").unwrap(), ["one", "two"]);
        assert_eq!((matter.flag("alwaysapply"), matter.flag("name"), matter.flag("none")), (Some(true), None, None));
        assert_eq!(matter.text("long").as_deref(), Some("one two"));
        assert_eq!(matter.text("empty"), None);
        assert_eq!(matter.problems, ["line 14 of its head is not understood: ???"]);
        assert_eq!(matter.body, "body\n---\n");
    }

    #[test]
    fn a_head_that_is_none_is_body() {
        for text in ["", "text", "---\nname: x\nno end", "----\na: b\n---\n", " ---\n---\n"] {
            let matter = FrontMatter::parse(text);
            assert_eq!((matter.body, matter.is_there), (text, false));
        }
        assert!(FrontMatter::parse("---\n---").is_there);
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "(---\n|[a-z]{1,3}: |- |\\[|\\]|\"|'|\\||>|,|#|\n| |é|\\{|\\}){0,40}") {
            prop_assert!(text.ends_with(FrontMatter::parse(&text).body));
        }
    }
}
