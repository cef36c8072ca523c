//! Modes: what the model is to do, and with which tools. Pure.

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;

use super::front_matter::FrontMatter;
use super::source::{Origin, Problem};
use super::text::clean;
use crate::chat::Effort;

/// How far a tool reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It reads, and changes nothing.
    #[default]
    Read,
    /// It changes files of the workspace.
    Edit,
    /// It may do anything: it runs programs or talks to others.
    Run,
}

/// Which tools a mode has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolRule {
    /// Those that reach no farther.
    Within(Reach),
    /// Those with one of these names. A `*` at the end stands for any rest.
    Named(Vec<String>),
}

impl Default for ToolRule {
    fn default() -> Self {
        Self::Within(Reach::Read)
    }
}

/// A way of working together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// Its name: lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// The tools.
    pub tools: ToolRule,
    /// The model, if it wants one: `provider:model`.
    pub model: Option<String>,
    /// How hard the model tries, if it says so.
    pub effort: Option<Effort>,
    /// What the model is told.
    pub instructions: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Its file.
    pub path: Option<String>,
}

impl Mode {
    /// `ask`, `edit` and `agent`.
    pub fn built_in() -> Vec<Self> {
        let mode = |name: &str, description: &str, reach, instructions: &str| Self {
            name: name.to_owned(),
            description: description.to_owned(),
            tools: ToolRule::Within(reach),
            instructions: instructions.trim_end().to_owned(),
            ..Self::default()
        };
        vec![
            mode("ask", "Answers questions and changes nothing", Reach::Read, include_str!("templates/ask.md")),
            mode("edit", "Changes code, and runs nothing", Reach::Edit, include_str!("templates/edit.md")),
            mode("agent", "Carries a task through with all tools", Reach::Run, include_str!("templates/agent.md")),
        ]
    }

    /// The mode that the file at `path` describes. What is not understood is told in `problems`; nothing is given back
    /// when there is no mode in it.
    pub fn parse(path: &str, text: &str, origin: Origin, problems: &mut Vec<Problem>) -> Option<Self> {
        let text = clean(text);
        let matter = FrontMatter::parse(&text);
        let mut problem = |message: String| problems.push(Problem { path: path.to_owned(), message });
        matter.problems.iter().for_each(|message| problem(message.clone()));
        let file_name = file_stem(path);
        let name = matter.text("name").unwrap_or_else(|| file_name.to_owned()).to_ascii_lowercase();
        if !is_name(&name) {
            problem(format!("`{name}` is no name for a mode: use letters, digits, `-` and `_`"));
            return None;
        }
        let body = matter.body.trim();
        if body.is_empty() {
            problem("the mode has no instructions".to_owned());
            return None;
        }
        let effort = matter.text("effort").and_then(|word| {
            let effort = effort(&word);
            if effort.is_none() {
                problem(format!("`{word}` is no effort: use low, medium, high, xhigh or max"));
            }
            effort
        });
        let model = matter.text("model").filter(|model| {
            let fits = model.split_once(':').is_some_and(|(provider, model)| !provider.is_empty() && !model.is_empty());
            if !fits {
                problem(format!("`{model}` is no model: write `provider:model`"));
            }
            fits
        });
        // Who names no tools gets those that change nothing: a forgotten line must not give more than was meant.
        let tools = matter.list("tools").map_or_else(ToolRule::default, ToolRule::parse);
        Some(Self {
            description: matter.text("description").unwrap_or_default(),
            tools,
            model,
            effort,
            instructions: format!("# Mode: {name}\n{body}"),
            origin,
            path: Some(path.to_owned()),
            name,
        })
    }

    /// Whether a tool of this name, which reaches so far, is part of the mode.
    pub fn allows(&self, tool: &str, reach: Reach) -> bool {
        match &self.tools {
            ToolRule::Within(limit) => reach <= *limit,
            ToolRule::Named(names) => names.iter().any(|name| match name.strip_suffix('*') {
                Some(start) => tool.starts_with(start),
                None => tool == name,
            }),
        }
    }
}

impl ToolRule {
    /// A list of names. One of the words `read`, `edit` and `all` alone means tools by how far they reach.
    fn parse(names: Vec<String>) -> Self {
        match names.as_slice() {
            [one] if one == "read" => Self::Within(Reach::Read),
            [one] if one == "edit" => Self::Within(Reach::Edit),
            [one] if one == "all" || one == "*" => Self::Within(Reach::Run),
            _ => Self::Named(names),
        }
    }
}

/// Whether `name` can be a mode's or a prompt's.
pub(super) fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    !name.is_empty() && name.len() <= 64 && name.chars().all(is_part)
}

/// The name of a file without its folder and its ending.
pub(super) fn file_stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn effort(word: &str) -> Option<Effort> {
    let word: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = word.into_deserializer();
    Effort::deserialize(word).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_modes_reach_as_far_as_they_say() {
        let modes = Mode::built_in();
        let allowed = |reach| modes.iter().map(|mode| mode.allows("x", reach)).collect::<Vec<_>>();
        assert_eq!(allowed(Reach::Read), [true, true, true]);
        assert_eq!(allowed(Reach::Edit), [false, true, true]);
        assert_eq!(allowed(Reach::Run), [false, false, true]);
    }

    #[test]
    fn a_users_mode_is_read() {
        let text = "\u{feff}---\r\nname: Reviewer\r\ndescription: Finds faults\r\ntools: [read_file, mcp_*]\r\nmodel: sim:echo\r\neffort: high\r\n---\r\nLook closely.\r\n";
        let mut problems = Vec::new();
        let mode = Mode::parse("/u/modes/x.md", text, Origin::User, &mut problems).unwrap();
        assert_eq!((mode.name.as_str(), mode.description.as_str()), ("reviewer", "Finds faults"));
        assert_eq!((mode.model.as_deref(), mode.effort), (Some("sim:echo"), Some(Effort::High)));
        assert_eq!(mode.instructions, "# Mode: reviewer\nLook closely.");
        assert!(mode.allows("mcp_x", Reach::Run) && mode.allows("read_file", Reach::Read));
        assert!(!mode.allows("read_files", Reach::Read) && problems.is_empty());
    }

    #[test]
    fn what_is_wrong_is_told() {
        let parse = |path: &str, text: &str| {
            let mut problems = Vec::new();
            let mode = Mode::parse(path, text, Origin::Workspace, &mut problems);
            (mode, problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>())
        };
        let (mode, problems) = parse("a/plan.md", "---\neffort: huge\nmodel: x\nwhat\n---\nPlan.");
        let mode = mode.unwrap();
        assert_eq!((mode.name.as_str(), mode.effort, mode.model.as_deref()), ("plan", None, None));
        assert!(!mode.allows("edit_file", Reach::Edit), "no tools named: none that change anything");
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(parse("a/two words.md", "x").0, None);
        assert_eq!(parse("a/x.md", "---\nname: x\n---\n").1, ["the mode has no instructions"]);
    }
}
