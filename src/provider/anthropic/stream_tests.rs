use super::*;
use futures_util::{FutureExt, StreamExt, stream};

fn map(lines: &[&str]) -> (Vec<CompletionEvent>, Result<(), Error>) {
    let (mut mapper, mut out) = (Mapper::default(), VecDeque::new());
    let result = lines.iter().try_for_each(|line| mapper.map(line, &mut out)).and_then(|()| mapper.finish());
    (out.into(), result)
}

fn kinds(events: &[CompletionEvent]) -> Vec<String> {
    events.iter().map(|event| serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned()).collect()
}

const START: &str = r#"{"type":"message_start","message":{"id":"m","model":"claude","usage":{"input_tokens":3}}}"#;
const TEXT: &str = r#"{"index":0,"content_block":{"type":"text","text":""},"type":"content_block_start"}"#;
const STOP: &str = r#"{"type":"message_stop"   }"#;

#[test]
fn an_empty_tool_input_and_padding_and_any_key_order_are_fine() {
    let (events, result) = map(&[
        START,
        r#"{"type": "ping"}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}"#,
        r#"{"index":1,"delta":{"partial_json":"","type":"input_json_delta"},"type":"content_block_delta"}"#,
        r#"{"type":"content_block_stop","index":1       }"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":4}}"#,
        STOP,
    ]);
    assert_eq!(result, Ok(()));
    assert_eq!(
        kinds(&events),
        ["started", "usage", "blockStarted", "delta", "blockCompleted", "usage", "stopped", "completed"]
    );
}

#[test]
fn unknown_events_deltas_and_gateway_noise_are_skipped() {
    let (events, result) = map(&[
        r#"{"type":"weather","delta":5,"index":"x"}"#,
        START,
        TEXT,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"smell_delta","text":{"a":1}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"smell_delta"}}"#,
        "[DONE]",
        START,
        r#"{"type":"content_block_stop","index":0}"#,
        TEXT,
        r#"{"type":"content_block_stop","index":0}"#,
        STOP,
        r#"{"type":"error","error":{"type":"api_error","message":"after the end"}}"#,
    ]);
    assert_eq!(result, Ok(()));
    let starts: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            CompletionEvent::BlockStarted { index, .. } => Some(*index),
            _ => None,
        })
        .collect();
    assert_eq!(starts, [0, 1], "a second message goes on after the first");
    assert_eq!(kinds(&events).iter().filter(|kind| *kind == "started").count(), 1);
}

#[test]
fn a_block_without_a_word_for_it_is_kept_whole() {
    let (events, _) = map(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"query\":"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\"x\"}"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        STOP,
    ]);
    let json = r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"x"}}"#;
    assert!(
        events.contains(&CompletionEvent::BlockStarted { index: 0, block: BlockStart::Other { json: json.into() } })
    );
}

#[test]
fn a_malformed_known_event_and_a_missing_stop_are_errors() {
    for line in ["{\"type\":", r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":7}}"#] {
        assert_eq!(map(&[START, TEXT, line, STOP]).1.unwrap_err().category, Category::StreamBroken, "{line}");
    }
    assert_eq!(map(&[START, TEXT]).1.unwrap_err().category, Category::StreamBroken);
    assert_eq!(map(&[]).1.unwrap_err().message, "the answer was empty");
}

#[test]
fn an_error_event_is_classed_by_its_type() {
    let line = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}"#;
    let error = map(&[START, line]).1.unwrap_err();
    assert_eq!((error.category, error.request_id.as_deref()), (Category::Overloaded, Some("r")));
}

#[test]
fn a_refusal_carries_its_details() {
    let line = r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"cyber","explanation":null}},"usage":{"output_tokens":0}}"#;
    let (events, _) = map(&[START, line, STOP]);
    let refusal = Some(Refusal { category: Some("cyber".into()), explanation: None });
    assert!(events.contains(&CompletionEvent::Stopped { reason: StopReason::Refusal, refusal }));
}

#[test]
fn the_stream_gives_what_arrived_before_an_error() {
    let body = format!("data: {START}\n\ndata: {TEXT}\n\n");
    let chunks = stream::iter(vec![Ok(Bytes::from(body))]);
    let items: Vec<_> = events(chunks).collect::<Vec<_>>().now_or_never().unwrap();
    assert_eq!(items.len(), 4);
    assert!(items[..3].iter().all(Result::is_ok));
    assert_eq!(items[3].as_ref().unwrap_err().category, Category::StreamBroken);
}
