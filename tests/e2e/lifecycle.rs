//! From the first byte to the last: how the server begins and how it ends.

use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::script::Step;
use crate::support::setup::Setup;
use crate::support::vendor::{Outcome, Vendor};

#[test]
fn shutdown_and_exit_end_with_code_0_while_stdin_stays_open() {
    let mut editor = Setup::sim().start();
    assert_eq!(editor.call_ok("shutdown", Value::Null), Value::Null);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.wait_exit().code(), Some(0));
}

#[test]
fn serve_is_what_no_argument_means() {
    let editor = Setup::sim().args(&["serve"]).start();
    assert!(editor.ask(&editor.new_session(), "hi").begin().simulated);
}

#[test]
fn exit_without_shutdown_ends_with_code_1() {
    for initialized in [true, false] {
        let setup = Setup::sim();
        let mut editor = if initialized { setup.start() } else { setup.spawn() };
        editor.notify("exit", Value::Null);
        assert_eq!(editor.wait_exit().code(), Some(1), "initialized: {initialized}");
    }
}

#[test]
fn the_end_of_stdin_is_the_end() {
    for initialized in [true, false] {
        let setup = Setup::sim();
        let mut editor = if initialized { setup.start() } else { setup.spawn() };
        editor.close_stdin();
        assert!(editor.wait_exit().code().is_some(), "it ended by itself");
    }
}

#[test]
fn the_end_of_stdin_inside_a_frame_is_the_end() {
    let mut editor = Setup::sim().start();
    editor.send_raw("Content-Length: 100\r\n\r\n{\"jsonrpc\"");
    editor.close_stdin();
    assert!(editor.wait_exit().code().is_some(), "it ended by itself");
}

#[test]
fn the_end_of_stdin_ends_a_running_turn_and_its_request() {
    let vendor = Vendor::start();
    vendor.push(Answer::new().open_text().deltas(&["so far"]).step(Step::Hang).script());
    let mut editor = Setup::anthropic(&vendor).start();
    let mut turn = editor.prompt(&editor.new_session(), "hi");
    editor.wait_text(&mut turn, "so far");
    editor.ignore_stream(&turn);
    editor.close_stdin();
    assert!(editor.wait_exit().code().is_some(), "it ended by itself");
    assert_eq!(vendor.outcome(0), Outcome::ClientGone);
    vendor.wait_no_connections();
}

#[test]
fn shutdown_ends_a_running_turn() {
    let vendor = Vendor::start();
    vendor.push(Answer::new().open_text().deltas(&["so far"]).step(Step::Hang).script());
    let mut editor = Setup::anthropic(&vendor).start();
    let mut turn = editor.prompt(&editor.new_session(), "hi");
    editor.wait_text(&mut turn, "so far");
    editor.ignore_stream(&turn);
    editor.call_ok("shutdown", Value::Null);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.wait_exit().code(), Some(0));
    assert_eq!(vendor.outcome(0), Outcome::ClientGone);
}

#[test]
fn the_editor_may_stop_reading_before_the_end() {
    let mut editor = Setup::sim().start();
    let session = editor.new_session();
    let turn = editor.prompt(&session, "sim> stream 100000");
    editor.ignore_stream(&turn);
    editor.stop_reading();
    editor.close_stdin();
    // The end of its output cannot be seen while nobody reads it: the process must end all the same.
    assert!(editor.wait_exit_unread().code().is_some(), "it ended by itself");
}

#[cfg(unix)]
#[test]
fn the_death_of_the_editor_is_the_end() {
    let bystander = crate::support::process::Bystander::start();
    let mut editor = Setup::sim().process_id(bystander.pid()).start();
    editor.ask(&editor.new_session(), "sim> text hi");
    bystander.end();
    assert!(editor.wait_exit().code().is_some(), "it ended by itself");
}

#[test]
fn an_editor_without_a_process_id_is_served() {
    let mut editor = Setup::sim().spawn();
    let mut params = editor.initialize_params();
    params["processId"] = Value::Null;
    editor.initialize_with(params);
    editor.ask(&editor.new_session(), "sim> text hi");
}

#[test]
fn requests_before_initialize_are_refused() {
    let mut editor = Setup::sim().spawn();
    for method in ["souffleur/session/new", "souffleur/session/list", "textDocument/hover"] {
        assert_eq!(editor.call_err(method, json!({})).code, -32002, "{method}");
    }
    editor.notify("textDocument/didOpen", json!({}));
    editor.initialize();
    editor.ask(&editor.new_session(), "sim> text hi");
}

#[test]
fn initialize_may_come_once() {
    let editor = Setup::sim().start();
    let error = editor.call_err("initialize", editor.initialize_params());
    assert_eq!(error.code, -32600, "{error:?}");
    editor.ask(&editor.new_session(), "sim> text hi");
}

#[test]
fn requests_after_shutdown_are_refused() {
    let mut editor = Setup::sim().start();
    let session = editor.new_session();
    editor.call_ok("shutdown", Value::Null);
    for (method, params) in [
        ("souffleur/session/list", json!({})),
        ("souffleur/session/load", json!({"sessionId": session})),
        ("shutdown", Value::Null),
    ] {
        assert_eq!(editor.call_err(method, params).code, -32600, "{method}");
    }
    editor.notify("exit", Value::Null);
    assert_eq!(editor.wait_exit().code(), Some(0));
}

#[test]
fn an_initialize_that_makes_no_sense_can_be_repeated() {
    let mut editor = Setup::sim().spawn();
    assert_eq!(editor.call_err("initialize", json!({"capabilities": 5})).code, -32602);
    editor.initialize();
    editor.ask(&editor.new_session(), "sim> text hi");
}

#[test]
fn settings_come_with_initialize_and_change_later() {
    let editor = Setup::bare().options(json!({"model": "sim:first", "unknown": {"a": 1}})).start();
    assert!(editor.message_to_user().contains("there is no setting unknown"), "what cannot be used is told");
    assert_eq!(editor.new_session_with(json!({})).model, "sim:first");
    let settings = json!({"settings": {"souffleur": {"model": "sim:second"}}});
    editor.notify("workspace/didChangeConfiguration", settings);
    assert_eq!(editor.new_session_with(json!({})).model, "sim:second");
    assert_eq!(editor.new_session_with(json!({"model": "sim:third"})).model, "sim:third");
    editor.notify("workspace/didChangeConfiguration", json!({"settings": null}));
    editor.call_ok("souffleur/session/list", json!({}));
}

#[test]
fn session_updates_are_sent_to_who_asked_for_them() {
    let editor = Setup::sim().experimental(json!({"sessionUpdate": true})).start();
    let session = editor.new_session();
    editor.ask(&session, "sim> text hi");
    let updated = editor.wait_for("an update of the session", |message| {
        message.method() == Some("souffleur/session/update")
            && message.body["params"]["session"]["turns"] == 1
            && message.body["params"]["session"]["status"] == "idle"
    });
    assert_eq!(updated.body["params"]["session"]["sessionId"], session);
    editor.ignore(|message| message.method() == Some("souffleur/session/update"));
}
