//! What a project says of itself reaches the model, once, and what changes is told without touching what was said.

use serde_json::json;

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::setup::Setup;
use crate::support::vendor::{Request, Vendor};

fn system(request: &Request) -> String {
    request.body["system"].as_array().unwrap().iter().map(|block| block["text"].as_str().unwrap()).collect()
}

fn vendor() -> Vendor {
    let vendor = Vendor::start();
    vendor.answer_with(|_| Answer::says("ok"));
    vendor
}

fn show(editor: &Editor, session: &str) -> serde_json::Value {
    editor.call_ok("souffleur/prompt/show", json!({"sessionId": session}))
}

#[test]
fn a_projects_own_instructions_and_outline_are_in_the_prompt() {
    let vendor = vendor();
    let editor = Setup::anthropic(&vendor)
        .file("AGENTS.md", "Use tabs. See @docs/style.md\n")
        .file("docs/style.md", "Names are nouns.\n")
        .file("src/main.rs", "pub fn hoist_the_flag() {}\n")
        .file("Cargo.toml", "[package]\nname = \"engine\"\n")
        .file(".env", "TOKEN=do-not-tell\n")
        .user_settings("[prompt]\nown = ['Answer in Latin.']\n")
        .start();
    let session = editor.new_session();
    editor.ask(&session, "hi");
    let system = system(&vendor.request(0));
    for words in ["Use tabs.", "Names are nouns.", "hoist_the_flag", "engine", "Answer in Latin."] {
        assert!(system.contains(words), "{words:?} is not in {system}");
    }
    assert!(!system.contains("do-not-tell"));
    let shown = show(&editor, &session);
    let sections = shown["sections"].as_array().unwrap();
    let texts: String = sections.iter().map(|section| section["text"].as_str().unwrap()).collect();
    assert_eq!(texts, system, "what is shown is what is sent");
    assert!(shown["changed"].as_array().unwrap().is_empty());
}

#[test]
fn a_change_is_told_with_the_next_prompt_and_the_prefix_stays() {
    let vendor = vendor();
    let setup = Setup::anthropic(&vendor).file("AGENTS.md", "Use tabs.\n");
    let file = setup.project().join("AGENTS.md");
    let editor = setup.start();
    let session = editor.new_session();
    editor.ask(&session, "one");
    std::fs::write(&file, "Use spaces.\n").unwrap();
    assert_eq!(show(&editor, &session)["changed"], json!(["AGENTS.md"]));
    let turn = editor.ask(&session, "two");
    assert_eq!(turn.notices(), ["prompt.changed"]);
    editor.ask(&session, "three");
    let (one, two, three) = (vendor.request(0), vendor.request(1), vendor.request(2));
    assert_eq!(system(&one), system(&two));
    assert!(
        !two.messages()[0].contains("Use spaces.") && two.last_text().contains("Use spaces."),
        "{:?}",
        two.messages()
    );
    assert_eq!(three.messages().iter().filter(|message| message.contains("Use spaces.")).count(), 1, "told once");

    let refreshed = editor.call_ok("souffleur/prompt/refresh", json!({"sessionId": session}));
    assert_eq!(refreshed["changed"], true);
    editor.ask(&session, "four");
    assert!(system(&vendor.request(3)).contains("Use spaces."));
}

#[test]
fn sessions_of_a_folder_share_their_prompt_to_the_byte() {
    let vendor = vendor();
    let setup = Setup::anthropic(&vendor).file("AGENTS.md", "Use tabs.\n");
    let new_file = setup.project().join("new.rs");
    let editor = setup.start();
    editor.ask(&editor.new_session(), "one");
    // Not a source of the prompt: the tree may be a little old, the cache stays warm.
    std::fs::write(&new_file, "fn new() {}\n").unwrap();
    editor.ask(&editor.new_session(), "one");
    let (one, two) = (vendor.request(0).body, vendor.request(1).body);
    assert_eq!((&one["system"], &one["tools"]), (&two["system"], &two["tools"]));
}

#[test]
fn a_bare_hi_in_an_empty_project_is_small() {
    let vendor = vendor();
    let editor = Setup::anthropic(&vendor).start();
    editor.ask(&editor.new_session(), "hi");
    let length = vendor.request(0).body.to_string().len();
    assert!(length <= 12 * 1024, "the request has {length} bytes");
}

#[test]
fn a_session_after_a_change_of_the_settings_has_what_they_say_now() {
    let vendor = vendor();
    let setup = Setup::anthropic(&vendor).user_settings("[prompt]\nown = ['Answer in Latin.']\n");
    let file = setup.user_file();
    let editor = setup.start();
    editor.ask(&editor.new_session(), "one");
    std::fs::write(&file, "[prompt]\nown = ['Answer in Greek.']\n").unwrap();
    editor.ask(&editor.new_session(), "one");
    assert!(system(&vendor.request(0)).contains("Latin"));
    assert!(system(&vendor.request(1)).contains("Greek"));
}
