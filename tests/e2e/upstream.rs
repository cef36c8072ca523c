//! A vendor that fails in each way that vendors fail. What arrived is kept, the error says what happened, and the
//! session takes the next prompt.

use serde_json::json;
use souffleur::chat::{Item, ItemContent, ItemStatus, TurnStopReason};

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::script::{Framing, Gate, Script, Step};
use crate::support::secrets;
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendor::Vendor;

fn messages(items: &[Item]) -> Vec<(String, ItemStatus)> {
    let of = |item: &Item| match &item.content {
        ItemContent::Message { text } => Some((text.clone(), item.status)),
        _ => None,
    };
    items.iter().filter_map(of).collect()
}

/// The turn failed with `code`, and what had arrived is kept: in the stream and in the session.
fn assert_kept(editor: &Editor, session: &str, turn: &Turn, code: &str) {
    turn.assert_error(code);
    assert_eq!(turn.text(), "so far");
    let kept = [("so far".to_owned(), ItemStatus::Failed)];
    assert_eq!(messages(turn.items()), kept);
    assert_eq!(messages(&editor.load(session).items), kept);
}

/// The session goes on, with a history that the API accepts.
fn assert_goes_on(editor: &Editor, vendor: &Vendor, session: &str) {
    vendor.push(Answer::says("back again"));
    let before = vendor.request_count();
    assert_eq!(editor.ask(session, "still there?").text(), "back again");
    let request = vendor.request(before);
    let messages = request.body["messages"].as_array().unwrap();
    assert_eq!(messages[0]["role"], "user");
    assert_eq!(messages.last().unwrap()["role"], "user");
    assert!(request.last_text().contains("still there?"));
    assert!(messages.iter().all(|message| message["content"] != json!([]) && message["content"] != ""));
}

fn so_far() -> Answer {
    Answer::new().open_text().deltas(&["so ", "far"])
}

#[test]
fn a_stream_that_ends_without_its_last_word_is_an_error() {
    let whole_body_no_stop = so_far().script();
    let cut_in_the_body = so_far().step(Step::Close).script();
    let cut_in_an_event = so_far().step(Step::Bytes(b"event: content_block_delta\ndata: {\"ty".to_vec())).script();
    let length_too_long =
        so_far().step(Step::Close).step(Step::Bytes(vec![b'x'; 1000])).script().framing(Framing::Length);
    let after_block = Answer::new().text(&["so ", "far"]).script();
    let only_closed = so_far().script().framing(Framing::UntilClose);
    let scripts = [whole_body_no_stop, cut_in_the_body, cut_in_an_event, length_too_long, only_closed, after_block];
    let count = scripts.len();
    for (number, script) in scripts.into_iter().enumerate() {
        let vendor = Vendor::start();
        vendor.push(script);
        let editor = Setup::anthropic(&vendor).start();
        let session = editor.new_session();
        let turn = editor.ask(&session, "hi");
        let error = turn.assert_error("provider.stream_broken");
        assert!(error.retryable);
        assert_eq!(error.provider.as_deref(), Some("anthropic"));
        // A block that was closed before the stream broke may have completed; one that was open has failed.
        if number + 1 < count {
            assert_kept(&editor, &session, &turn, "provider.stream_broken");
        }
        assert_eq!(turn.text(), "so far", "script {number}");
        assert_eq!(vendor.request_count(), 1, "an answer that was shown is not asked for again");
        assert_goes_on(&editor, &vendor, &session);
        assert!(vendor.request(1).messages().join(" ").contains("so far"), "what arrived stays in the history");
    }
}

#[test]
fn a_stop_reason_alone_is_not_the_end() {
    let vendor = Vendor::start();
    let delta = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}});
    let event = format!("event: message_delta\ndata: {delta}\n\n").into_bytes();
    vendor.push(Answer::new().text(&["so far"]).step(Step::Bytes(event)).script());
    let editor = Setup::anthropic(&vendor).start();
    editor.ask(&editor.new_session(), "hi").assert_error("provider.stream_broken");
}

#[test]
fn a_connection_reset_is_an_error() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    vendor.push(so_far().gate(&gate).step(Step::Reset).script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "hi");
    editor.wait_text(&mut turn, "so far");
    gate.open();
    editor.finish(&mut turn);
    assert_kept(&editor, &session, &turn, "provider.stream_broken");
    assert_goes_on(&editor, &vendor, &session);
}

#[test]
fn an_error_in_the_stream_is_the_end_of_the_turn() {
    for (kind, code) in [
        ("overloaded_error", "provider.overloaded"),
        ("rate_limit_error", "provider.rate_limited"),
        ("api_error", "provider.server_error"),
    ] {
        let vendor = Vendor::start();
        vendor.push(so_far().error(kind, "The vendor's own words").script());
        let editor = Setup::anthropic(&vendor).start();
        let session = editor.new_session();
        let turn = editor.ask(&session, "hi");
        assert_kept(&editor, &session, &turn, code);
        let error = turn.assert_error(code);
        assert_eq!(error.request_id.as_deref(), Some("req_test_stream"), "{kind}");
        let said = format!("{} {}", error.message, error.hint.clone().unwrap_or_default());
        assert!(said.contains("The vendor's own words"), "{kind}: {said}");
        assert_goes_on(&editor, &vendor, &session);
    }
}

#[test]
fn an_error_status_is_told_by_its_code() {
    for (status, kind, code) in [
        (400, "invalid_request_error", "provider.bad_request"),
        (401, "authentication_error", "auth.rejected"),
        (402, "billing_error", "provider.billing"),
        (403, "permission_error", "provider.permission"),
        (404, "not_found_error", "model.not_found"),
        (413, "request_too_large", "provider.payload_too_large"),
        (429, "rate_limit_error", "provider.rate_limited"),
        (500, "api_error", "provider.server_error"),
        (504, "timeout_error", "provider.timeout"),
        (529, "overloaded_error", "provider.overloaded"),
    ] {
        let vendor = Vendor::start();
        // Each time it is asked: whether the server tries again by itself is not this test's matter.
        vendor.answer_with(move |_| {
            Script::error(status, kind, "The vendor's own words")
                .header("request-id", "req_test_1")
                .header("retry-after", "0")
        });
        let editor = Setup::anthropic(&vendor).start();
        let session = editor.new_session();
        let turn = editor.ask(&session, "hi");
        let error = turn.assert_error(code);
        assert_eq!(error.request_id.as_deref(), Some("req_test_1"), "{status}");
        assert_eq!(error.provider.as_deref(), Some("anthropic"), "{status}");
        let said = format!("{} {}", error.message, error.hint.clone().unwrap_or_default());
        assert!(said.contains("The vendor's own words"), "{status}: {said}");
        assert!(!said.contains(secrets::API_KEY), "{status}: the key is not shown");
        assert_goes_on(&editor, &vendor, &session);
    }
}

#[test]
fn an_error_status_without_json_is_told_too() {
    for (status, code) in
        [(413, "provider.payload_too_large"), (502, "provider.server_error"), (529, "provider.overloaded")]
    {
        let vendor = Vendor::start();
        let page = "<html><body><h1>Gateway</h1></body></html>";
        vendor.answer_with(move |_| Script::status(status).header("content-type", "text/html").body(page));
        let editor = Setup::anthropic(&vendor).start();
        let turn = editor.ask(&editor.new_session(), "hi");
        let error = turn.assert_error(code);
        assert!(!error.message.contains("<html>"), "{status}: a page is no message: {}", error.message);
    }
}

#[test]
fn something_that_is_no_event_stream_is_unexpected() {
    let html = || Script::status(200).header("content-type", "text/html").body("<!doctype html><p>Please log in</p>");
    let json = || Script::status(200).header("content-type", "application/json").body(r#"{"hello":"world"}"#);
    let nothing = || Script::status(204);
    for script in [html, json, nothing] {
        let vendor = Vendor::start();
        vendor.answer_with(move |_| script());
        let editor = Setup::anthropic(&vendor).start();
        let session = editor.new_session();
        let turn = editor.ask(&session, "hi");
        let error = turn.assert_error("provider.unexpected_response");
        let said = format!("{} {}", error.message, error.hint.clone().unwrap_or_default());
        assert!(said.contains(&vendor.url()) || said.contains("ANTHROPIC_BASE_URL"), "it says where it asked: {said}");
        assert_goes_on(&editor, &vendor, &session);
    }
}

#[test]
fn nobody_there_is_unreachable() {
    // Nothing listens on port 1.
    let editor = Setup::bare()
        .env("ANTHROPIC_API_KEY", secrets::API_KEY)
        .env("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
        .env("SOUFFLEUR_MODEL", "anthropic:claude-sonnet-5-5")
        .start();
    let session = editor.new_session();
    editor.ask(&session, "hi").assert_error("provider.unreachable");
    assert_eq!(editor.load(&session).session.turns, 1, "the prompt is kept");
}

#[test]
fn a_failed_turn_leaves_no_connection_in_use() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    for script in
        [so_far().error("overloaded_error", "x").step(Step::Hang).script(), so_far().step(Step::Close).script()]
    {
        vendor.push(script);
        editor.ask(&session, "hi").assert_stop(TurnStopReason::Error);
    }
    vendor.wait_no_connections();
}

#[test]
fn turns_share_one_connection() {
    let vendor = Vendor::start();
    // The end of the body comes a moment after the last event, as it does over a network.
    let late_end = Gate::new();
    vendor.push(Answer::says("one").then(Step::Gate(late_end.clone())));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    editor.ask(&session, "hi").assert_stop(TurnStopReason::EndTurn);
    late_end.open();
    vendor.outcome(0);
    for turn in 1..20 {
        vendor.push(Answer::says("more"));
        editor.ask(&session, "hi").assert_stop(TurnStopReason::EndTurn);
        vendor.outcome(turn);
    }
    // The pool learns of a free connection a moment after the vendor: now and then a second one is made.
    assert!(vendor.connections_made() <= 3, "{} connections for 20 turns", vendor.connections_made());
}

#[test]
fn a_kept_connection_that_was_just_closed_is_no_failure() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    vendor.push(Answer::says("one"));
    editor.ask(&session, "hi").assert_stop(TurnStopReason::EndTurn);
    vendor.push(Script::hang_up());
    vendor.push(Answer::says("two"));
    let turn = editor.ask(&session, "again");
    turn.assert_stop(TurnStopReason::EndTurn);
    assert_eq!((turn.text().as_str(), vendor.request_count()), ("two", 3));
}

#[test]
fn a_reset_at_every_event_boundary_keeps_what_came_before_it() {
    let whole = Answer::new().thinking(&["a", "b"], "c2ln").text(&["Hello ", "there"]).tool_use("t1", "x", &["{}"]);
    let body = whole.end("tool_use").script().body_bytes();
    let boundaries: Vec<usize> =
        body.windows(2).enumerate().filter(|(_, pair)| *pair == b"\n\n").map(|(at, _)| at + 2).collect();
    assert!(boundaries.len() > 10, "{boundaries:?}");
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    // The last boundary is the end of a whole answer.
    for at in &boundaries[..boundaries.len() - 1] {
        vendor.push(Script::stream(vec![Step::Bytes(body[..*at].to_vec()), Step::Reset]));
        let turn = editor.ask(&session, "hi");
        turn.assert_error("provider.stream_broken");
        let before = String::from_utf8_lossy(&body[..*at]).into_owned();
        assert!(["Hello ", "there"].iter().all(|text| before.contains(text) == turn.text().contains(text)), "{at}");
    }
    assert_goes_on(&editor, &vendor, &session);
}

#[test]
fn slow_headers_long_lines_and_compressed_bodies_are_read() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let gate = Gate::new();
    vendor.push(Answer::says("after a while").head_after(&gate));
    let mut turn = editor.prompt(&session, "hi");
    vendor.request(0);
    gate.open();
    editor.finish(&mut turn);
    assert_eq!(turn.text(), "after a while");
    let long = "long ".repeat(256 * 1024 / 5);
    vendor.push(Answer::says(&long).chunk(1_400));
    assert_eq!(editor.ask(&session, "long").text(), long);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &Answer::says("small").body_bytes()).unwrap();
    let compressed = Script::stream(vec![Step::Bytes(encoder.finish().unwrap())]).header("content-encoding", "gzip");
    vendor.push(compressed);
    assert_eq!(editor.ask(&session, "gzip").text(), "small");
}
