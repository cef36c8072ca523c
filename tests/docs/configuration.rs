//! `docs/configuration.md` has the settings, variables and options that the program has.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use souffleur::config::{Settings, VARIABLES};
use souffleur::protocol::EditorSettings;

use crate::markdown::{Section, code, rows, sections};
use crate::read;

const DOCUMENT: &str = "docs/configuration.md";

fn section<'a>(sections: &'a [Section<'a>], heading: &str) -> &'a Section<'a> {
    sections.iter().find(|section| section.heading == heading).unwrap_or_else(|| panic!("no section {heading}"))
}

/// Runs the program without any of the environment's settings.
fn souffleur(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_souffleur"));
    for variable in VARIABLES {
        command.env_remove(variable.name);
    }
    command.env_remove("ANTHROPIC_API_KEY").args(arguments).envs(variables.iter().copied());
    command.output().unwrap()
}

/// The code in a column of the table of settings, by the setting's name.
fn column(at: usize) -> Vec<(String, String)> {
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let rows = rows(&section(&sections, "Settings").lines);
    assert!(rows.len() >= 4, "the table was found");
    let cell = |row: &Vec<&str>| Some((code(row[0])[0].to_owned(), (*code(row[at]).first()?).to_owned()));
    rows.iter().filter_map(cell).collect()
}

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    values.into_iter().collect()
}

#[test]
fn the_variables_are_those_of_the_program() {
    let known = VARIABLES.iter().map(|variable| (variable.setting.to_owned(), variable.name.to_owned()));
    assert_eq!(sorted(column(4)), sorted(known));
}

#[test]
fn the_editors_settings_are_those_of_the_program() {
    let groups = ["promptCache", "retry", "anthropic", "sampling"];
    let schema = schemars::schema_for!(EditorSettings).to_value();
    let properties = |schema: &serde_json::Value| -> Vec<String> {
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let mut known = BTreeSet::new();
    for name in properties(&schema).into_iter().filter(|name| name != "capabilities") {
        if !groups.contains(&name.as_str()) {
            known.insert(name);
            continue;
        }
        let alternatives = schema["properties"][&name]["anyOf"].as_array().unwrap();
        let pointer = alternatives.iter().find_map(|option| option["$ref"].as_str()).unwrap();
        let group = schema.pointer(pointer.trim_start_matches('#')).unwrap();
        known.extend(properties(group).into_iter().map(|key| format!("{name}.{key}")));
    }
    assert_eq!(sorted(column(3).into_iter().map(|(_, name)| name)), known);
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let example = section(&sections, "Settings").fences.iter().find(|fence| fence.tag == "json settings").unwrap();
    let settings: EditorSettings = serde_json::from_str(&example.text).unwrap();
    assert_eq!(
        serde_json::to_value(&settings).unwrap(),
        serde_json::from_str::<serde_json::Value>(&example.text).unwrap()
    );
}

#[test]
fn the_options_are_those_of_the_program() {
    let help = String::from_utf8(souffleur(&["--help"], &[]).stdout).unwrap();
    let document = read(DOCUMENT);
    let flag = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-').to_owned();
    let flags = |text: &str| -> BTreeSet<String> {
        text.split_whitespace()
            .map(flag)
            .filter(|word| word.strip_prefix("--").is_some_and(|name| name.starts_with(char::is_alphabetic)))
            .collect()
    };
    let general = ["--help", "--version"].map(str::to_owned);
    let known: BTreeSet<String> = flags(&help).into_iter().filter(|flag| !general.contains(flag)).collect();
    assert!(known.len() >= 4, "{known:?}");
    assert_eq!(flags(&document), known);
}

#[test]
fn the_defaults_are_those_of_the_program() {
    let defaults = Settings::default();
    let found =
        sorted(rows(&section(&sections(&read(DOCUMENT)), "Settings").lines).iter().map(|row| row[2].to_owned()));
    for default in [defaults.max_output_tokens.value.to_string(), format!("`{}`", defaults.anthropic_base_url.value)] {
        assert!(found.contains(&default), "{default} is not among {found:?}");
    }
}

#[test]
fn every_step_of_the_simulated_provider_is_one() {
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let section = section(&sections, "The simulated provider");
    let rows = rows(&section.lines);
    assert!(rows.len() >= 11, "the table was found");
    for row in rows {
        let step = code(row[0])[0].replace(['[', ']'], "");
        let values = [
            ("TEXT", "hello"),
            ("COUNT", "2"),
            ("DURATION", "200us"),
            ("NAME JSON", "nothing {}"),
            ("REASON", "max_tokens"),
            ("CATEGORY", "cyber"),
            ("TYPE", "overloaded_error"),
            ("CODE", "529"),
        ];
        let step = values.iter().fold(step, |step, (name, value)| step.replace(name, value));
        let output = souffleur(&["ask", &format!("sim> {step}"), "--model", "sim:default", "--json"], &[]);
        let stream = String::from_utf8(output.stdout).unwrap();
        assert!(stream.contains(r#""kind":"end""#), "{step}: {stream}");
        assert!(!stream.contains("config.invalid"), "{step}: {stream}");
    }
    let wrong = souffleur(&["ask", "sim> dance", "--model", "sim:default", "--json"], &[]);
    assert!(String::from_utf8(wrong.stdout).unwrap().contains("config.invalid"), "the check can fail");
}

#[test]
fn the_example_of_a_script_plays() {
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let section = section(&sections, "The simulated provider");
    let example = section.fences.iter().find(|fence| fence.tag == "sim").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &example.text).unwrap();
    let variables = [("SOUFFLEUR_SIM_SCRIPT", file.path().to_str().unwrap())];
    let output = souffleur(&["ask", "x", "--model", "sim:default"], &variables);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "It is a language server.\n");
}
