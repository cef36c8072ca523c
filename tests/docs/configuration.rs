//! `docs/configuration.md` has the settings, variables and options that the program has.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use souffleur::config::{
    Environment, GENERAL, OPTIONS, PROVIDER, ProviderSettings, Reach, Settings, Source, VARIABLES, Variable,
};
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
    command
        .env_remove("ANTHROPIC_API_KEY")
        .env("SOUFFLEUR_CONFIG", "/nonexistent/config.toml")
        .args(arguments)
        .envs(variables.iter().copied());
    command.output().unwrap()
}

/// One row of a table of settings.
fn row(setting: &str, doc: &str, expects: &str, default: &serde_json::Value, reach: Reach) -> String {
    let name_in = |names: &[Variable]| {
        let names =
            names.iter().filter(|name| name.setting == setting || name.setting.ends_with(&format!(".{setting}")));
        let names: Vec<String> = names.map(|variable| format!("`{}`", variable.name)).collect();
        if names.is_empty() { "–".to_owned() } else { names.join(", ") }
    };
    let default = match default {
        serde_json::Value::Null => "–".to_owned(),
        serde_json::Value::Array(values) if values.is_empty() => "–".to_owned(),
        serde_json::Value::Object(values) if values.is_empty() => "–".to_owned(),
        serde_json::Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    let may = |source| if reach.admits(source) { "yes" } else { "no" };
    let workspace = if reach == Reach::Lower { "to lower it" } else { may(Source::Workspace) };
    format!(
        "| `{setting}` | {} | {expects} | {default} | {workspace} | {} | {} | {} |",
        doc.trim().replace("\n ", " ").replace('\n', " "),
        may(Source::Editor),
        name_in(VARIABLES),
        name_in(OPTIONS),
    )
}

/// The table of settings below `heading` is what the program's own table says. `UPDATE_DOCS=1` writes it anew.
fn holds_table(heading: &str, expected: &[String]) {
    let document = read(DOCUMENT);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let start = document.find(&format!("# {heading}\n")).unwrap();
        let table = start + document[start..].find("\n| ").unwrap() + 1;
        let rows = table + document[table..].match_indices('\n').nth(1).unwrap().0 + 1;
        let end = rows + document[rows..].find("\n\n").unwrap() + 1;
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
        let text = format!("{}{}\n{}", &document[..rows], expected.join("\n"), &document[end..]);
        std::fs::write(path, text).unwrap();
    }
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let lines = section(&sections, heading).lines.iter().filter(|line| line.starts_with("| `"));
    assert_eq!(lines.copied().collect::<Vec<_>>(), expected, "run with UPDATE_DOCS=1 and read the difference");
}

#[test]
fn the_settings_are_those_of_the_program() {
    let defaults = Settings::default();
    let general =
        GENERAL.iter().map(|key| row(key.name, key.doc, key.expects, &(key.get)(&defaults.general).value, key.reach));
    holds_table("General settings", &general.collect::<Vec<_>>());
    let nothing = ProviderSettings::from_layers(&[]);
    let provider =
        PROVIDER.iter().map(|key| row(key.name, key.doc, key.expects, &(key.get)(&nothing).value, key.reach));
    holds_table("Settings of providers", &provider.collect::<Vec<_>>());
}

/// The keys of a schema's objects, in dotted form. A provider's name is written `*`.
fn keys(schema: &serde_json::Value, node: &serde_json::Value, prefix: &str, found: &mut BTreeSet<String>) {
    let pointer =
        node["$ref"].as_str().or_else(|| node["anyOf"].as_array()?.iter().find_map(|one| one["$ref"].as_str()));
    let node = pointer.map_or(node, |pointer| schema.pointer(pointer.trim_start_matches('#')).unwrap());
    let join = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    if node["additionalProperties"].is_object() {
        return keys(schema, &node["additionalProperties"], &join("*"), found);
    }
    match node["properties"].as_object() {
        Some(properties) => properties.iter().for_each(|(name, node)| keys(schema, node, &join(name), found)),
        None => drop(found.insert(prefix.to_owned())),
    }
}

#[test]
fn an_editor_can_send_what_an_editor_can_set() {
    let schema = schemars::schema_for!(EditorSettings).to_value();
    let mut sent = BTreeSet::new();
    keys(&schema, &schema, "", &mut sent);
    sent.retain(|key| !key.starts_with("capabilities."));
    let general = GENERAL.iter().filter(|key| key.reach.admits(Source::Editor)).map(|key| key.name.to_owned());
    let provider = PROVIDER.iter().filter(|key| key.reach.admits(Source::Editor));
    let provider = provider.map(|key| format!("providers.*.{}", key.name));
    assert_eq!(sent, general.chain(provider).collect());
}

#[test]
fn the_examples_of_settings_are_read_without_a_problem() {
    let document = read(DOCUMENT);
    let mut seen = Vec::new();
    for fence in sections(&document).into_iter().flat_map(|section| section.fences) {
        let source = match fence.tag.as_str() {
            "json settings" => Source::Editor,
            "toml user" => Source::User,
            "toml workspace" => Source::Workspace,
            _ => continue,
        };
        let suffix = if source == Source::Editor { ".json" } else { ".toml" };
        let file = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
        std::fs::write(file.path(), &fence.text).unwrap();
        let environment = Environment::from([("MY_KEY", "k"), ("GATEWAY", "gateway.example")]);
        let (layer, problems) = souffleur::config::check_file(file.path(), source, &environment).unwrap();
        assert_eq!(problems, [], "line {}", fence.line);
        assert_ne!(layer, souffleur::config::Layer::default(), "line {}", fence.line);
        seen.push(source);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, [Source::User, Source::Workspace, Source::Editor]);
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
    let known = |help: &str| -> BTreeSet<String> {
        flags(help).into_iter().filter(|flag| !["--help", "--version"].contains(&flag.as_str())).collect()
    };
    let mut all = known(&help);
    assert!(all.len() >= 4, "{all:?}");
    let said = flags(&document);
    assert!(all.is_subset(&said), "{all:?} are not all among {said:?}");
    for command in [&["config", "show"][..], &["trust"], &["ask"], &["models"], &["login"], &["logout"], &["doctor"]] {
        let help = souffleur(&[command, &["--help"]].concat(), &[]);
        all.extend(known(&String::from_utf8(help.stdout).unwrap()));
    }
    assert!(said.is_subset(&all), "{said:?} are not all among {all:?}");
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
