//! What the user sees is what the model reads: open buffers lie over the files. Seen through the tool `read_file`,
//! which the scripted vendor calls.

use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::frames::frame;
use crate::support::setup::{Client, Setup};
use crate::support::vendor::Vendor;

/// Lets the model read a file and gives what it was told, with whether that was an error.
fn read_file(editor: &Editor, vendor: &Vendor, path: &str) -> (String, bool) {
    let input = json!({"path": path}).to_string();
    let (head, tail) = input.split_at(input.len() / 2);
    vendor.push(Answer::new().tool_use("toolu_read", "read_file", &[head, tail]).end("tool_use").script());
    vendor.push(Answer::says("I have read it."));
    let before = vendor.request_count();
    let session = editor.new_session();
    let turn = editor.ask(&session, "read it");
    assert_eq!(turn.text(), "I have read it.");
    let results = vendor.request(before + 1).tool_results();
    let [(id, text, is_error)] = &results[..] else { panic!("one result, not {results:?}") };
    assert_eq!(id, "toolu_read");
    (text.clone(), *is_error)
}

fn open(editor: &Editor, path: &str, text: &str) {
    let document = json!({"uri": editor.uri(path), "languageId": "plaintext", "version": 1, "text": text});
    editor.notify("textDocument/didOpen", json!({"textDocument": document}));
}

fn change(editor: &Editor, path: &str, version: i64, changes: &Value) {
    let document = json!({"uri": editor.uri(path), "version": version});
    editor.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
}

/// The length of a text in the units of a position encoding.
fn units(text: &str, encoding: &str) -> usize {
    match encoding {
        "utf-8" => text.len(),
        "utf-16" => text.encode_utf16().count(),
        "utf-32" => text.chars().count(),
        other => panic!("no such encoding: {other}"),
    }
}

fn assert_lines(text: &str, lines: &[&str]) {
    let mut rest = text;
    for line in lines {
        let Some(place) = rest.find(line) else { panic!("{line:?} is not in order in {text:?}") };
        rest = &rest[place + line.len()..];
    }
}

#[test]
fn an_unsaved_buffer_lies_over_its_file_until_it_is_closed() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).file("notes.txt", "on disk\n").start();
    assert!(read_file(&editor, &vendor, "notes.txt").0.contains("on disk"));
    open(&editor, "notes.txt", "in the buffer\n");
    let (text, is_error) = read_file(&editor, &vendor, "notes.txt");
    assert!(text.contains("in the buffer") && !text.contains("on disk") && !is_error, "{text:?}");
    change(&editor, "notes.txt", 2, &json!([{"text": "changed as a whole\n"}]));
    let (text, _) = read_file(&editor, &vendor, "notes.txt");
    assert!(text.contains("changed as a whole") && !text.contains("in the buffer"), "{text:?}");
    editor.notify("textDocument/didSave", json!({"textDocument": {"uri": editor.uri("notes.txt")}}));
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": editor.uri("notes.txt")}}));
    let (text, _) = read_file(&editor, &vendor, "notes.txt");
    assert!(text.contains("on disk") && !text.contains("changed"), "{text:?}");
}

#[test]
fn a_buffer_without_a_file_can_be_read_and_a_missing_file_is_an_error_for_the_model() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let (text, is_error) = read_file(&editor, &vendor, "never/saved.txt");
    assert!(is_error && text.contains("saved.txt"), "{text:?}");
    open(&editor, "never/saved.txt", "only in memory\n");
    let (text, is_error) = read_file(&editor, &vendor, "never/saved.txt");
    assert!(text.contains("only in memory") && !is_error, "{text:?}");
}

#[test]
fn positions_count_in_the_units_that_were_agreed_on() {
    for client in [Client::VsCode, Client::Neovim, Client::Eglot, Client::Kakoune] {
        let vendor = Vendor::start();
        let editor = Setup::anthropic(&vendor).client(client).start();
        let encoding = editor.position_encoding().to_owned();
        let at = |line: usize, before: &str| json!({"line": line, "character": units(before, &encoding)});
        open(&editor, "poem.txt", "a😀b\r\nzweite 𝄞 Zeile\r\nende");
        change(
            &editor,
            "poem.txt",
            2,
            &json!([
                {"range": {"start": at(0, "a😀"), "end": at(0, "a😀b")}, "text": "ß"},
                {"range": {"start": at(1, "zweite "), "end": at(1, "zweite 𝄞")}, "text": "é🎭"},
                {"range": {"start": at(1, "zweite é🎭 "), "end": at(1, "zweite é🎭 Zeile")}, "text": "line"},
            ]),
        );
        // Inserting at the end, then joining the first two lines by removing the CR LF between them.
        change(
            &editor,
            "poem.txt",
            3,
            &json!([{"range": {"start": at(2, "ende"), "end": at(2, "ende")}, "text": "!\r\nneu"}]),
        );
        change(&editor, "poem.txt", 4, &json!([{"range": {"start": at(0, "a😀ß"), "end": at(1, "")}, "text": "+"}]));
        let (text, _) = read_file(&editor, &vendor, "poem.txt");
        assert_lines(&text, &["a😀ß+zweite é🎭 line", "ende!", "neu"]);
        for gone in ["b", "𝄞", "Zeile"] {
            assert!(!text.contains(gone), "{client:?}, {encoding}: {gone} is still in {text:?}");
        }
    }
}

/// Positions beyond a line mean its end; LSP says so.
#[test]
fn positions_beyond_the_end_are_the_end() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    open(&editor, "short.txt", "one\ntwo\n");
    let far = json!({"start": {"line": 0, "character": 900}, "end": {"line": 0, "character": 900}});
    let beyond = json!({"start": {"line": 70, "character": 3}, "end": {"line": 80, "character": 0}});
    change(&editor, "short.txt", 2, &json!([{"range": far, "text": "-1"}, {"range": beyond, "text": "three"}]));
    assert_lines(&read_file(&editor, &vendor, "short.txt").0, &["one-1", "two", "three"]);
}

#[test]
fn five_hundred_changes_apply_in_their_order_while_requests_run() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    open(&editor, "typed.txt", "<>\n");
    let (mut ids, mut length, mut typed) = (Vec::new(), 1, String::new());
    for number in 0..500 {
        let at = json!({"line": 0, "character": length});
        let word = format!("{number},");
        change(&editor, "typed.txt", number + 2, &json!([{"range": {"start": at, "end": at}, "text": word}]));
        length += word.len();
        typed.push_str(&word);
        ids.push(editor.request("souffleur/config/show", json!({})));
    }
    let numbers: Vec<_> = ids
        .iter()
        .map(|id| {
            let (number, result) = editor.response(id);
            assert!(result.is_ok(), "{result:?}");
            number
        })
        .collect();
    assert!(numbers.is_sorted(), "requests that wait for nothing are answered in order");
    let (text, _) = read_file(&editor, &vendor, "typed.txt");
    assert!(text.contains(&format!("<{typed}>")), "{text}");
}

/// An editor in JavaScript sends half of a surrogate pair when a text is cut there.
#[test]
fn a_lone_surrogate_or_a_bad_byte_in_a_change_is_repaired() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    open(&editor, "cut.txt", "whole\n");
    let changed = |text: &[u8]| {
        let mut body = format!(
            r#"{{"jsonrpc":"2.0","method":"textDocument/didChange","params":{{"textDocument":{{"uri":"{}","version":2}},"contentChanges":[{{"text":""#,
            editor.uri("cut.txt")
        )
        .into_bytes();
        body.extend_from_slice(text);
        body.extend_from_slice(br#""}]}}"#);
        editor.send_raw(frame(&body));
    };
    changed(br"before \ud83d after");
    let (text, _) = read_file(&editor, &vendor, "cut.txt");
    assert!(text.contains("before \u{fffd} after"), "{text:?}");
    changed(b"before \xff after, again");
    let (text, _) = read_file(&editor, &vendor, "cut.txt");
    assert!(text.contains("before \u{fffd} after, again"), "{text:?}");
}

#[test]
fn changes_that_make_no_sense_are_survived() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let backwards = json!({"start": {"line": 1, "character": 2}, "end": {"line": 0, "character": 1}});
    change(&editor, "never-opened.txt", 1, &json!([{"text": "x"}]));
    open(&editor, "open.txt", "one\ntwo\n");
    change(&editor, "open.txt", 2, &json!([{"range": backwards, "text": "x"}]));
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": "untitled:Untitled-1"}}));
    editor.notify("textDocument/didOpen", json!({"textDocument": {"uri": "not a uri"}}));
    editor.notify("textDocument/didChange", json!({"textDocument": 5}));
    editor.call_ok("souffleur/session/list", json!({}));
    open(&editor, "open.txt", "fresh\n");
    assert!(read_file(&editor, &vendor, "open.txt").0.contains("fresh"));
}

#[test]
fn a_file_outside_of_the_workspace_is_not_read() {
    let vendor = Vendor::start();
    let setup = Setup::anthropic(&vendor).file("inside.txt", "inside").file("../home/secret.txt", "the secret");
    let editor = setup.start();
    let absolute = editor.project().parent().unwrap().join("home/secret.txt");
    for path in ["../home/secret.txt", &absolute.to_string_lossy(), "sub/../../home/secret.txt"] {
        let (text, is_error) = read_file(&editor, &vendor, path);
        assert!(is_error && !text.contains("the secret"), "{path}: {text:?}");
    }
    assert!(read_file(&editor, &vendor, "inside.txt").0.contains("inside"));
}

#[test]
fn a_tool_that_is_unknown_or_called_badly_is_an_error_for_the_model() {
    for (name, input) in [("levitate", "{}"), ("read_file", "{\"path\":"), ("read_file", "{}"), ("read_file", "[]")] {
        let vendor = Vendor::start();
        vendor.push(Answer::new().tool_use("toolu_1", name, &[input]).end("tool_use").script());
        vendor.push(Answer::says("I see."));
        let editor = Setup::anthropic(&vendor).start();
        assert_eq!(editor.ask(&editor.new_session(), "go").text(), "I see.", "{name} {input}");
        let results = vendor.request(1).tool_results();
        assert!(matches!(&results[..], [(id, text, true)] if id == "toolu_1" && !text.is_empty()), "{results:?}");
    }
}
