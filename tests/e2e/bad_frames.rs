//! Bytes that are not what LSP says they should be. The server answers where it can, repairs what it may, and lives on.

use serde_json::{Value, json};

use crate::support::editor::Editor;
use crate::support::frames::frame;
use crate::support::process::peak_resident_kib;
use crate::support::setup::Setup;

/// The server still answers, and the session of before is still there.
fn assert_alive(editor: &Editor, session: &str) {
    let listed = editor.call_ok("souffleur/session/list", json!({}));
    assert_eq!(listed["sessions"][0]["sessionId"], session);
}

fn start() -> (Editor, String) {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    (editor, session)
}

#[test]
fn a_hundred_megabytes_are_refused_and_not_held() {
    const SIZE: usize = 100 * 1024 * 1024;
    let (editor, session) = start();
    editor.send_raw(format!("Content-Length: {SIZE}\r\n\r\n"));
    let part = vec![b'a'; 1024 * 1024];
    for _ in 0..SIZE / part.len() {
        editor.send_raw(part.clone());
    }
    editor.error_without_id("the refusal of the frame").assert_code("protocol.frame_too_large");
    assert_alive(&editor, &session);
    if let Some(peak) = peak_resident_kib(editor.pid()) {
        assert!(peak < 80 * 1024, "{peak} KiB were held");
    }
}

#[test]
fn malformed_json_is_answered() {
    let (editor, session) = start();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["{\"jsonrpc\":\"2.0\",", "", "hello", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}}", &deep] {
        editor.send_raw(frame(body.as_bytes()));
        let error = editor.error_without_id("the answer to malformed JSON");
        assert_eq!(error.code, -32700, "{error:?}");
        error.assert_code("protocol.invalid_message");
        assert_alive(&editor, &session);
    }
}

#[test]
fn json_that_is_no_message_is_answered() {
    let (editor, session) = start();
    for body in [json!(7), json!("hello"), json!(null), json!({}), json!({"jsonrpc": "2.0"})] {
        editor.send(&body);
        let error = editor.error_without_id("the answer to a non-message");
        assert_eq!(error.code, -32600, "{body}: {error:?}");
        assert_alive(&editor, &session);
    }
}

#[test]
fn a_request_without_a_version_is_answered() {
    let (editor, session) = start();
    for body in [
        json!({"id": "no-version", "method": "souffleur/session/list"}),
        json!({"jsonrpc": "1.0", "id": "no-version", "method": "souffleur/session/list"}),
    ] {
        editor.send(&body);
        let reply = editor.wait_for("the answer to a message of no version", |message| {
            message.is_response() && (message.body["id"].is_null() || message.body["id"] == "no-version")
        });
        assert_eq!(reply.body["error"]["code"], -32600, "{}", reply.body);
        assert_alive(&editor, &session);
    }
}

#[test]
fn a_response_to_nothing_is_ignored() {
    let (editor, session) = start();
    editor.send(&json!({"jsonrpc": "2.0", "id": 12345, "result": null}));
    editor.send(&json!({"jsonrpc": "2.0", "id": "never asked", "error": {"code": 1, "message": "no"}}));
    assert_alive(&editor, &session);
}

#[test]
fn a_batch_is_answered_message_by_message() {
    let (editor, session) = start();
    editor.send(&json!([
        {"jsonrpc": "2.0", "id": "b1", "method": "souffleur/session/list", "params": {}},
        {"jsonrpc": "2.0", "method": "$/setTrace", "params": {"value": "off"}},
        {"jsonrpc": "2.0", "id": "b2", "method": "souffleur/session/load", "params": {"sessionId": session}},
    ]));
    let (_, listed) = editor.response(&json!("b1"));
    assert_eq!(listed.unwrap()["sessions"][0]["sessionId"], session);
    let (_, loaded) = editor.response(&json!("b2"));
    assert_eq!(loaded.unwrap()["session"]["sessionId"], session);
    editor.send(&json!([]));
    assert_eq!(editor.error_without_id("the answer to an empty batch").code, -32600);
    assert_alive(&editor, &session);
}

#[test]
fn headers_may_be_written_in_any_case_and_order() {
    let (editor, _session) = start();
    for (number, header) in [
        "content-length: {}\r\n\r\n",
        "CONTENT-LENGTH:{}\r\n\r\n",
        "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        "Content-Length: {}\r\nContent-Type: application/vscode-jsonrpc; charset=utf8\r\n\r\n",
        "X-Unknown: yes\r\nContent-Length:   {}  \r\n\r\n",
    ]
    .iter()
    .enumerate()
    {
        let id = json!(format!("header-{number}"));
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "souffleur/session/list", "params": {}}).to_string();
        editor.send_raw(header.replace("{}", &body.len().to_string()) + &body);
        assert!(editor.response(&id).1.is_ok(), "{header:?}");
    }
}

#[test]
fn frames_may_arrive_byte_by_byte_or_all_at_once() {
    let (editor, _session) = start();
    let request = |id: &str| {
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "souffleur/session/list", "params": {}});
        frame(body.to_string().as_bytes())
    };
    for byte in request("slow") {
        editor.send_raw([byte]);
    }
    assert!(editor.response(&json!("slow")).1.is_ok());
    editor.send_raw((0..50).flat_map(|number| request(&format!("fast-{number}"))).collect::<Vec<u8>>());
    for number in 0..50 {
        assert!(editor.response(&json!(format!("fast-{number}"))).1.is_ok());
    }
}

#[test]
fn ids_come_back_as_they_were() {
    let (editor, _session) = start();
    for id in [json!(0), json!(-5), json!(9_007_199_254_740_991_i64), json!("0"), json!("größe"), json!("")] {
        editor.send(&json!({"jsonrpc": "2.0", "id": id, "method": "souffleur/session/list", "params": {}}));
        assert!(editor.response(&id).1.is_ok(), "{id}");
    }
}

/// A lone surrogate is what a JavaScript editor sends when it cuts a text inside an emoji; serde calls it an error.
#[test]
fn a_lone_surrogate_in_a_request_is_repaired() {
    let (editor, _session) = start();
    for (number, title) in [r"a\ud83d", r"\ude00b", r"\ud83d\ud83d\ude00", r"\\ud83d \ud83dx"].iter().enumerate() {
        let id = json!(format!("surrogate-{number}"));
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"souffleur/session/new","params":{{"title":"{title}"}}}}"#);
        editor.send_raw(frame(body.as_bytes()));
        let session = editor.response(&id).1.unwrap_or_else(|error| panic!("{title}: {error:?}"));
        let expected = ["a\u{fffd}", "\u{fffd}b", "\u{fffd}😀", "\\ud83d \u{fffd}x"][number];
        assert_eq!(session["session"]["title"], expected);
    }
}

#[test]
fn invalid_utf8_in_a_request_is_repaired() {
    let (editor, _session) = start();
    let mut body = br#"{"jsonrpc":"2.0","id":"bytes","method":"souffleur/session/new","params":{"title":"a"#.to_vec();
    body.extend_from_slice(&[0xff, 0xfe, 0xf0, 0x9f, 0x98]);
    body.extend_from_slice(br#"b"}}"#);
    editor.send_raw(frame(&body));
    let session: Value = editor.response(&json!("bytes")).1.unwrap();
    let title = session["session"]["title"].as_str().unwrap();
    assert!(title.starts_with("a\u{fffd}") && title.ends_with("\u{fffd}b"), "{title:?}");
}
