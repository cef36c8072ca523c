//! The scripted vendor does what its scripts say.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::support::GUARD;
use crate::support::answer::{Answer, Style};
use crate::support::script::{Framing, Gate, Script, Step};
use crate::support::vendor::{Outcome, Vendor};

fn connect(vendor: &Vendor) -> TcpStream {
    let stream = TcpStream::connect(vendor.address()).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream
}

fn post(stream: &mut TcpStream, body: &str) {
    let head =
        format!("POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: k\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
}

/// Reads until the bytes so far end with `end`.
fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(end.as_bytes()) {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn requests_are_recorded_and_answered_on_one_connection() {
    let vendor = Vendor::start();
    vendor.push(Script::status(200).body("abcdef").chunk(4));
    vendor.push(Script::status(418).header("x-a", "b").body("abc").framing(Framing::Length));
    let mut stream = connect(&vendor);
    post(
        &mut stream,
        r#"{"messages":[{"role":"user","content":"hi"},  {"role" : "user","content":[{"text":"a"},{"text":"b"}]}]}"#,
    );
    let answer = read_to(&mut stream, "0\r\n\r\n");
    assert!(answer.ends_with("transfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n"), "{answer}");
    post(&mut stream, "not json");
    let answer = read_to(&mut stream, "abc");
    assert_eq!(answer, "HTTP/1.1 418 Scripted\r\nx-a: b\r\ncontent-length: 3\r\n\r\nabc");
    let first = vendor.request(0);
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/v1/messages"));
    assert_eq!(first.header("x-api-key"), Some("k"));
    assert_eq!(first.header("authorization"), None);
    assert_eq!(first.messages()[1], r#"{"role" : "user","content":[{"text":"a"},{"text":"b"}]}"#);
    assert_eq!(first.last_text(), "a\nb");
    assert_eq!(vendor.request(1).raw, b"not json");
    assert_eq!((vendor.outcome(0), vendor.outcome(1)), (Outcome::Finished, Outcome::Finished));
    assert_eq!((vendor.request_count(), vendor.open_connections()), (2, 1));
    vendor.wait_no_connections();
    assert_eq!(read_all(&mut stream), "", "the idle connection was hung up");
}

#[test]
fn a_gate_holds_the_answer_and_a_client_that_leaves_is_noticed() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    vendor.push(Script::status(200).body("a").then(Step::Gate(gate.clone())).body("b"));
    let mut stream = connect(&vendor);
    post(&mut stream, "{}");
    read_to(&mut stream, "1\r\na\r\n");
    vendor.wait_busy(1);
    gate.open();
    read_to(&mut stream, "1\r\nb\r\n0\r\n\r\n");
    assert_eq!(vendor.outcome(0), Outcome::Finished);
    for script in [Script::status(200).then(Step::Hang), Script::status(200).head_after(&Gate::new())] {
        vendor.push(script);
        let mut stream = connect(&vendor);
        post(&mut stream, "{}");
        vendor.wait_busy(1);
        drop(stream);
        vendor.wait_busy(0);
    }
    assert_eq!((vendor.outcome(1), vendor.outcome(2)), (Outcome::ClientGone, Outcome::ClientGone));
    drop(stream);
    vendor.wait_no_connections();
}

#[test]
fn a_permit_lets_one_step_through() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    vendor.push(Script::status(200).then(Step::Gate(gate.clone())).body("a").then(Step::Gate(gate.clone())).body("b"));
    let mut stream = connect(&vendor);
    post(&mut stream, "{}");
    gate.pass(1);
    read_to(&mut stream, "1\r\na\r\n");
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    gate.pass(1);
    read_to(&mut stream, "1\r\nb\r\n0\r\n\r\n");
}

#[test]
fn an_answer_can_break_off_in_three_ways() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    vendor.push(Script::status(200).body("abc").then(Step::Close).body("never"));
    vendor.push(Script::status(200).body("abc").framing(Framing::UntilClose));
    vendor.push(Script::status(200).body("abc").then(Step::Gate(gate.clone())).then(Step::Reset));
    let mut stream = connect(&vendor);
    post(&mut stream, "{}");
    assert!(read_all(&mut stream).ends_with("\r\n\r\n3\r\nabc\r\n"), "no terminating chunk");
    drop(stream);
    assert_eq!(vendor.outcome(0), Outcome::Finished);
    let mut stream = connect(&vendor);
    post(&mut stream, "{}");
    assert!(read_all(&mut stream).ends_with("Scripted\r\n\r\nabc"));
    drop(stream);
    assert_eq!(vendor.outcome(1), Outcome::Finished);
    let mut stream = connect(&vendor);
    post(&mut stream, "{}");
    read_to(&mut stream, "abc\r\n");
    gate.open();
    assert_eq!(stream.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    vendor.wait_no_connections();
}

#[test]
fn a_closing_answer_ends_when_the_client_has_read_it() {
    let vendor = Vendor::start();
    vendor.push(Script::status(200).body("abc").last_on_connection());
    let mut stream = connect(&vendor);
    post(&mut stream, "{}");
    assert!(read_all(&mut stream).ends_with("abc\r\n0\r\n\r\n"));
    vendor.wait_busy(1);
    drop(stream);
    assert_eq!(vendor.outcome(0), Outcome::Finished);
}

#[test]
fn a_closure_answers_what_no_script_is_queued_for() {
    let vendor = Vendor::start();
    vendor.answer_with(|request| Script::status(200).body(request.last_text()));
    let mut stream = connect(&vendor);
    post(&mut stream, r#"{"messages":[{"role":"user","content":"echo"}]}"#);
    assert!(read_to(&mut stream, "0\r\n\r\n").contains("\r\necho\r\n"));
}

#[test]
#[should_panic(expected = "scripts were left")]
fn a_script_that_nobody_came_for_fails_the_test() {
    let vendor = Vendor::start();
    vendor.push(Script::status(200));
}

#[test]
fn every_style_says_the_same_events() {
    let events = |style| {
        let answer = Answer::styled(style).ping().thinking(&["a"], "s").text(&["b", "c"]);
        let answer = answer.tool_use("t", "read_file", &["{}"]).end("tool_use");
        let parse = |step| {
            let Step::Bytes(bytes) = step else { panic!("bytes only") };
            let text = String::from_utf8(bytes).unwrap();
            let data = text.lines().find_map(|line| line.strip_prefix("data: ").map(str::to_owned)).unwrap();
            serde_json::from_str::<serde_json::Value>(&data).unwrap()
        };
        answer.steps().into_iter().map(parse).collect::<Vec<_>>()
    };
    let plain = events(Style::Plain);
    assert_eq!(plain.len(), 16);
    for style in [Style::Padded, Style::Sorted, Style::CrLf] {
        assert_eq!(events(style), plain, "{style:?}");
    }
}
