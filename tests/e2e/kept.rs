//! Sessions last: across servers, crashes and editors.

use serde_json::{Value, json};
use souffleur::chat::TurnStopReason;

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::script::Step;
use crate::support::setup::Setup;
use crate::support::vendor::Vendor;

fn ids(editor: &Editor, params: Value) -> Vec<String> {
    let list = editor.call_ok("souffleur/session/list", params);
    let sessions = list["sessions"].as_array().unwrap();
    sessions.iter().map(|session| session["sessionId"].as_str().unwrap().to_owned()).collect()
}

fn texts(editor: &Editor, session: &str) -> Vec<String> {
    let load = editor.call_ok("souffleur/session/load", json!({"sessionId": session}));
    let items = load["items"].as_array().unwrap();
    let text = |item: &Value| Some(item["text"].as_str().or(item["content"][0]["text"].as_str())?.to_owned());
    items.iter().filter_map(text).collect()
}

#[test]
fn a_session_goes_on_in_the_next_server_with_the_same_bytes() {
    let vendor = Vendor::start();
    vendor.answer_with(|request| Answer::says(&format!("answer {}", request.messages().len())));
    let setup = Setup::anthropic(&vendor);
    let first = setup.clone().start();
    let session = first.new_session();
    first.ask(&session, "one");
    first.ask(&session, "two");
    let seen = texts(&first, &session);
    let used = first.call_ok("souffleur/session/usage", json!({"sessionId": session}));
    first.close();

    let second = setup.start();
    assert_eq!(ids(&second, json!({})), std::slice::from_ref(&session));
    assert_eq!(texts(&second, &session), seen);
    assert_eq!(second.call_ok("souffleur/session/usage", json!({"sessionId": session})), used);
    second.ask(&session, "three");
    let (before, after) = (vendor.request(1).body, vendor.request(2).body);
    assert_eq!(before["system"], after["system"]);
    assert_eq!(before["tools"], after["tools"]);
    let sent = |body: &Value| body["messages"].as_array().unwrap().clone();
    // The breakpoint moves with the end; everything else is as it was.
    let plain = |mut messages: Vec<Value>| {
        for message in &mut messages {
            for block in message["content"].as_array_mut().unwrap() {
                block.as_object_mut().unwrap().remove("cache_control");
            }
        }
        messages
    };
    let (before, after) = (plain(sent(&before)), plain(sent(&after)));
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after.len(), before.len() + 2);
}

#[test]
fn a_prompt_is_on_the_disk_before_its_request_leaves() {
    let vendor = Vendor::start();
    vendor.push(Answer::new().step(Step::Hang).script());
    let setup = Setup::anthropic(&vendor);
    let mut editor = setup.clone().start();
    let session = editor.new_session();
    let turn = editor.prompt(&session, "do not lose me");
    editor.ignore_stream(&turn);
    vendor.wait_busy(1);
    editor.kill_now();
    let next = setup.start();
    assert_eq!(texts(&next, &session), ["do not lose me"]);
}

#[test]
fn what_streamed_before_a_crash_is_there_and_the_session_goes_on() {
    let vendor = Vendor::start();
    vendor.push(Answer::new().open_text().deltas(&["so ", "far"]).step(Step::Hang).script());
    vendor.push(Answer::says("and on"));
    let setup = Setup::anthropic(&vendor);
    let mut editor = setup.clone().start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "hi");
    editor.wait_text(&mut turn, "so far");
    editor.ignore_stream(&turn);
    // What grows is kept at least every second; another server reads it as soon as it is.
    let other = setup.clone().start();
    let began = std::time::Instant::now();
    while !texts(&other, &session).contains(&"so far".to_owned()) {
        assert!(began.elapsed().as_secs() < 30, "what grows is never kept");
    }
    other.close();
    editor.kill_now();
    let next = setup.start();
    assert_eq!(texts(&next, &session), ["hi", "so far"]);
    let turn = next.ask(&session, "go on");
    assert_eq!((turn.text().as_str(), turn.end().stop_reason), ("and on", TurnStopReason::EndTurn));
    let messages = vendor.request(1).messages();
    assert_eq!(messages.len(), 3, "{messages:?}");
}

#[test]
fn a_session_is_written_by_one_server_and_read_by_all() {
    let setup = Setup::sim();
    let (one, two) = (setup.clone().start(), setup.start());
    let session = one.new_session();
    one.ask(&session, "sim> text from one");
    assert_eq!(texts(&two, &session).last().unwrap(), "from one");
    let content = json!([{"type": "text", "text": "hi"}]);
    let params = json!({"sessionId": session, "content": content, "streamToken": "t"});
    two.call_err("souffleur/session/prompt", params).assert_code("session.in_use");
    one.call_ok("souffleur/session/close", json!({"sessionId": session}));
    two.ask(&session, "sim> text from two");
    assert_eq!(texts(&two, &session).last().unwrap(), "from two");
}

#[test]
fn sessions_are_found_renamed_forked_exported_and_deleted() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    editor.ask(&session, "where is the aardvark?\nsim> text In the garden.");
    editor.ask(&session, "and the zebra?\nsim> text In the zoo.");
    let found = |text: &str| {
        let result = editor.call_ok("souffleur/session/search", json!({"text": text}));
        let hits = result["hits"].as_array().unwrap();
        hits.iter().map(|hit| hit["session"]["sessionId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(found("aardv").contains(&session) && found("zoo").contains(&session));
    assert!(found("giraffe").is_empty());
    assert_eq!(ids(&editor, json!({"text": "zebra"})), std::slice::from_ref(&session));

    let renamed = editor.call_ok("souffleur/session/rename", json!({"sessionId": session, "title": "Animals"}));
    assert_eq!(renamed["session"]["title"], "Animals");
    let load = editor.call_ok("souffleur/session/load", json!({"sessionId": session}));
    assert_eq!(load["session"]["title"], "Animals");

    let first_turn = load["items"][0]["turnId"].clone();
    let fork = editor.call_ok("souffleur/session/fork", json!({"sessionId": session, "turnId": first_turn}));
    let copy = fork["session"]["sessionId"].as_str().unwrap().to_owned();
    assert_eq!(texts(&editor, &copy).len(), 2);
    editor.ask(&copy, "sim> text another way");
    assert_eq!(texts(&editor, &copy).len(), 4);
    assert_eq!(texts(&editor, &session).len(), 4, "the source is as it was");

    let export = |format: &str| {
        let params = json!({"sessionId": session, "format": format});
        editor.call_ok("souffleur/session/export", params)["text"].as_str().unwrap().to_owned()
    };
    assert!(export("markdown").contains("aardvark") && export("markdown").contains("In the zoo."));
    let import = editor.call_ok("souffleur/session/import", json!({"text": export("json")}));
    let imported = import["session"]["sessionId"].as_str().unwrap().to_owned();
    assert_ne!(imported, session);
    assert_eq!(texts(&editor, &imported), texts(&editor, &session));
    editor.call_err("souffleur/session/import", json!({"text": "{}"})).assert_code("protocol.invalid_params");

    editor.call_ok("souffleur/session/delete", json!({"sessionId": session}));
    editor.call_err("souffleur/session/load", json!({"sessionId": session})).assert_code("session.not_found");
    assert!(!ids(&editor, json!({})).contains(&session));
    assert!(ids(&editor, json!({})).contains(&imported));
}

#[test]
fn sessions_that_are_not_to_be_kept_are_not() {
    let setup = Setup::sim().env("SOUFFLEUR_KEEP_SESSIONS", "false");
    let editor = setup.clone().start();
    let session = editor.new_session();
    editor.ask(&session, "sim> text hi");
    assert_eq!(ids(&editor, json!({})), [session]);
    editor.close();
    let next = setup.start();
    assert!(ids(&next, json!({})).is_empty());
}

#[test]
fn where_nothing_can_be_kept_the_user_is_told_and_works_on() {
    let setup = Setup::sim();
    // A file stands where the directory would be.
    let data = setup.project().parent().unwrap().join("home/data/souffleur");
    std::fs::write(&data, "").unwrap();
    let editor = setup.start();
    let session = editor.new_session();
    assert_eq!(editor.ask(&session, "sim> text hi").text(), "hi");
    assert!(editor.message_to_user().contains("not kept"));
}
