//! Slash prompts: `/name rest` stands for a text that someone wrote once. Pure.

use super::fence::fence;
use super::front_matter::FrontMatter;
use super::mode::{file_stem, is_name};
use super::source::{Origin, Problem};
use super::text::clean;

/// A prompt with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlashPrompt {
    /// Its name, without the slash.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// What may follow the name, for people: `[file]`.
    pub argument_hint: Option<String>,
    /// The text, with `$ARGUMENTS` and `$1` to `$9`.
    pub body: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Its file.
    pub path: Option<String>,
}

/// What was typed: `/name rest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashCall<'a> {
    /// The name, without the slash.
    pub name: &'a str,
    /// What follows it.
    pub arguments: &'a str,
}

/// Takes `typed` apart. A path such as `/usr/bin` is no call, nor is a text that only has a slash in it somewhere.
pub fn parse_slash(typed: &str) -> Option<SlashCall<'_>> {
    let rest = typed.trim_start().strip_prefix('/')?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (name, arguments) = rest.split_at(end);
    is_name(name).then(|| SlashCall { name, arguments: arguments.trim() })
}

impl SlashPrompt {
    /// `explain`, `fix`, `tests`, `docs`, `review` and `commit`.
    pub fn built_in() -> Vec<Self> {
        let files = [
            ("explain.md", include_str!("templates/slash/explain.md")),
            ("fix.md", include_str!("templates/slash/fix.md")),
            ("tests.md", include_str!("templates/slash/tests.md")),
            ("docs.md", include_str!("templates/slash/docs.md")),
            ("review.md", include_str!("templates/slash/review.md")),
            ("commit.md", include_str!("templates/slash/commit.md")),
        ];
        let mut problems = Vec::new();
        let parsed = files.iter().filter_map(|(name, text)| Self::parse(name, text, Origin::BuiltIn, &mut problems));
        parsed.map(|prompt| Self { path: None, ..prompt }).collect()
    }

    /// The prompt in the file at `path`, whose name is the prompt's. What is not understood is told in `problems`.
    pub fn parse(path: &str, text: &str, origin: Origin, problems: &mut Vec<Problem>) -> Option<Self> {
        let text = clean(text);
        let matter = FrontMatter::parse(&text);
        let mut problem = |message: String| problems.push(Problem { path: path.to_owned(), message });
        matter.problems.iter().for_each(|message| problem(message.clone()));
        let name = file_stem(path).to_ascii_lowercase();
        if !is_name(&name) {
            problem(format!("`{name}` is no name for a prompt: use letters, digits, `-` and `_`"));
            return None;
        }
        let body = matter.body.trim().to_owned();
        if body.is_empty() {
            problem("the prompt has no text".to_owned());
            return None;
        }
        let first_line =
            || body.lines().next().unwrap_or("").trim_start_matches(['#', ' ']).chars().take(100).collect();
        let description = matter.text("description").unwrap_or_else(first_line);
        let argument_hint = matter.text("argument-hint");
        Some(Self { name, description, argument_hint, body, origin, path: Some(path.to_owned()) })
    }

    /// What the model is told behind what the user typed: what the call stands for.
    pub fn words(&self, arguments: &str) -> String {
        let text = fence("prompt", &[("name", &self.name)], &self.expand(arguments));
        format!("`/{}` stands for these words of the user's:\n{text}", self.name)
    }

    /// The text with its arguments: `$ARGUMENTS` is all of them, `$1` to `$9` are the words, quoted ones whole; a `\`
    /// before `$` keeps it. Arguments that a text has no place for come after it. What is put in is not looked into.
    pub fn expand(&self, arguments: &str) -> String {
        let words = words(arguments);
        let (mut text, mut has_place, mut rest) = (String::new(), false, self.body.as_str());
        while let Some(at) = rest.find('$') {
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            if let Some(kept) = before.strip_suffix('\\') {
                text.push_str(kept);
                text.push('$');
                rest = after;
                continue;
            }
            text.push_str(before);
            let digit = after.chars().next().and_then(|c| c.to_digit(10)).filter(|digit| *digit > 0);
            let is_longer = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if let Some(left) = after.strip_prefix("ARGUMENTS").filter(|left| !is_longer(left)) {
                text.push_str(arguments);
                (has_place, rest) = (true, left);
            } else if let Some(digit) = digit.filter(|_| !is_longer(&after[1..])) {
                text.push_str(words.get(digit as usize - 1).map_or("", String::as_str));
                (has_place, rest) = (true, &after[1..]);
            } else {
                text.push('$');
                rest = after;
            }
        }
        text.push_str(rest);
        if !has_place && !arguments.is_empty() {
            text.push_str("\n\n");
            text.push_str(arguments);
        }
        text.trim_end().to_owned()
    }
}

/// The words of `text`; what stands in quotes is one. A quote that is not closed goes to the end.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            // Within a word it is an apostrophe.
            (None, '"' | '\'') if word.is_none() => {
                quote = Some(c);
                word = Some(String::new());
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prompt(body: &str) -> SlashPrompt {
        SlashPrompt { body: body.into(), ..SlashPrompt::default() }
    }

    #[test]
    fn calls_are_told_from_paths() {
        assert_eq!(parse_slash(" /fix  the bug\n"), Some(SlashCall { name: "fix", arguments: "the bug" }));
        assert_eq!(parse_slash("/my-own_2"), Some(SlashCall { name: "my-own_2", arguments: "" }));
        for typed in ["/usr/bin is", "fix /it", "/", "/ x", "//", "/Ä"] {
            assert_eq!(parse_slash(typed), None, "{typed}");
        }
    }

    #[test]
    fn arguments_go_to_their_places() {
        let body = "$1, $2 and $3; all: $ARGUMENTS. $10 \\$1 $x $ARGUMENTSX $";
        let expected = "a b, it's and ; all: \"a b\" it's. $10 $1 $x $ARGUMENTSX $";
        assert_eq!(prompt(body).expand("\"a b\" it's"), expected);
        assert_eq!(prompt("Do it.").expand("now"), "Do it.\n\nnow");
        assert_eq!(prompt("Do it.").expand(""), "Do it.");
        assert_eq!(prompt("$ARGUMENTS").expand("$1 \\$2 $ARGUMENTS"), "$1 \\$2 $ARGUMENTS");
    }

    #[test]
    fn built_in_prompts_are_whole() {
        let prompts = SlashPrompt::built_in();
        let names: Vec<_> = prompts.iter().map(|prompt| prompt.name.as_str()).collect();
        assert_eq!(names, ["explain", "fix", "tests", "docs", "review", "commit"]);
        for prompt in &prompts {
            assert!(!prompt.description.is_empty() && prompt.argument_hint.is_some(), "{}", prompt.name);
            assert!(prompt.expand("something named").contains("something named"), "{}", prompt.name);
        }
    }

    #[test]
    fn a_file_is_a_prompt_or_a_problem() {
        let mut problems = Vec::new();
        let prompt = SlashPrompt::parse("p/Tidy.md", "# Tidy up\nx", Origin::User, &mut problems).unwrap();
        assert_eq!((prompt.name.as_str(), prompt.description.as_str()), ("tidy", "Tidy up"));
        assert!(problems.is_empty());
        assert_eq!(SlashPrompt::parse("p/a b.md", "x", Origin::User, &mut problems), None);
        assert_eq!(SlashPrompt::parse("p/c.md", "---\na: b\n---\n", Origin::User, &mut problems), None);
        assert_eq!(problems.len(), 2);
    }

    proptest! {
        #[test]
        fn what_is_put_in_is_not_looked_into(arguments in "[$1A\\\\ '\"é]{0,20}") {
            let text = prompt("<$ARGUMENTS>").expand(&arguments);
            prop_assert_eq!(text, format!("<{arguments}>"));
        }
    }
}
