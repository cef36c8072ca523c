//! Each rule of a stream is broken once here, and noticed.

use serde_json::{Value, json};

use crate::support::turn::Stream;

fn begin() -> Value {
    json!({"kind": "begin", "seq": 0, "title": "t", "cancellable": true, "sessionId": "s", "turnId": "t1",
        "model": "sim:default", "simulated": true})
}

fn message(status: &str, text: &str) -> Value {
    json!({"id": "i", "turnId": "t1", "status": status, "type": "message", "text": text})
}

fn started(seq: u64) -> Value {
    json!({"kind": "report", "seq": seq, "update": {"type": "itemStarted", "item": message("running", "")}})
}

fn delta(seq: u64, text: &str) -> Value {
    let delta = json!({"type": "text", "text": text});
    json!({"kind": "report", "seq": seq, "update": {"type": "itemDelta", "itemId": "i", "delta": delta}})
}

fn completed(seq: u64, text: &str) -> Value {
    json!({"kind": "report", "seq": seq, "update": {"type": "itemCompleted", "item": message("completed", text)}})
}

fn end(seq: u64, reason: &str) -> Value {
    json!({"kind": "end", "seq": seq, "stopReason": reason, "usage": {}})
}

fn run(values: Vec<Value>) -> Result<(), String> {
    let mut stream = Stream::default();
    values.into_iter().try_for_each(|value| stream.accept(serde_json::from_value(value).unwrap()))
}

#[test]
fn a_good_stream_passes() {
    let values = vec![begin(), started(1), delta(2, "he"), delta(3, "llo"), completed(4, "hello"), end(5, "end_turn")];
    assert_eq!(run(values), Ok(()));
}

#[test]
fn each_broken_rule_is_noticed() {
    let mut other_turn = started(1);
    other_turn["update"]["item"]["turnId"] = json!("t2");
    let mut thinking = delta(2, "x");
    thinking["update"]["delta"]["type"] = json!("thinking");
    let mut still_running = completed(2, "");
    still_running["update"]["item"]["status"] = json!("running");
    let mut other_kind = completed(2, "");
    other_kind["update"]["item"]["type"] = json!("thinking");
    let cases = [
        ("no begin", vec![started(0)]),
        (
            "begin twice",
            vec![begin(), {
                let mut again = begin();
                again["seq"] = json!(1);
                again
            }],
        ),
        ("a gap", vec![begin(), started(2)]),
        ("a number twice", vec![begin(), started(1), delta(1, "x")]),
        ("a delta of nothing", vec![begin(), delta(1, "x")]),
        ("started twice", vec![begin(), started(1), started(2)]),
        ("started again", vec![begin(), started(1), completed(2, ""), started(3)]),
        ("completed twice", vec![begin(), started(1), completed(2, ""), completed(3, "")]),
        ("a lost delta", vec![begin(), started(1), delta(2, "he"), completed(3, "hello")]),
        ("a delta of another kind", vec![begin(), started(1), thinking]),
        ("completed and running", vec![begin(), started(1), still_running]),
        ("another kind", vec![begin(), started(1), other_kind]),
        ("another turn", vec![begin(), other_turn]),
        ("an item left open", vec![begin(), started(1), end(2, "end_turn")]),
        ("two ends", vec![begin(), end(1, "end_turn"), end(2, "end_turn")]),
        ("a word after the end", vec![begin(), end(1, "end_turn"), started(2)]),
        ("an error without an error", vec![begin(), end(1, "error")]),
    ];
    for (what, values) in cases {
        assert!(run(values).is_err(), "{what} passed");
    }
}

#[test]
fn a_stream_may_go_on_from_a_snapshot() {
    let item = serde_json::from_value(message("running", "he")).unwrap();
    let mut stream = Stream::from_snapshot(&[item]);
    for value in [begin(), delta(1, "llo"), completed(2, "hello"), end(3, "end_turn")] {
        stream.accept(serde_json::from_value(value).unwrap()).unwrap();
    }
}
