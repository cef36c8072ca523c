use super::*;
use crate::chat::{BlockStart, MessageAccumulator, MessageBlock};
use futures_util::{FutureExt, StreamExt, stream};

fn map(lines: &[&str]) -> (Vec<CompletionEvent>, Result<(), Error>) {
    let (mut mapper, mut out) = (Mapper::default(), VecDeque::new());
    let result = lines.iter().try_for_each(|line| mapper.map(line, &mut out)).and_then(|()| mapper.finish());
    (out.into(), result)
}

fn message(events: &[CompletionEvent]) -> Vec<MessageBlock> {
    let mut accumulator = MessageAccumulator::default();
    for event in events {
        accumulator.push(event);
    }
    accumulator.finish().content
}

const END: &str = r#"{"type":"response.completed","response":{"id":"r","model":"m","status":"completed","output":[]}}"#;

#[test]
fn the_item_is_kept_as_it_was_sent() {
    let raw = r#"{"type":"reasoning" , "id":"rs","n":1.50,"summary":[],"encrypted_content":"a\/b"}"#;
    let done = format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{raw}}}"#);
    let (events, result) = map(&[&done, END]);
    assert_eq!(result, Ok(()));
    assert_eq!(message(&events), [MessageBlock::Thinking { text: String::new(), signature: raw.into() }]);
}

#[test]
fn items_stand_in_their_order_however_they_end() {
    let (events, _) = map(&[
        r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"c","name":"n","arguments":"{}"}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"m","content":[{"type":"output_text","text":"t"}]}}"#,
        END,
    ]);
    let blocks = message(&events);
    assert!(matches!(blocks[0], MessageBlock::Text { .. }), "{blocks:?}");
    assert!(matches!(blocks[1], MessageBlock::Other { .. }), "directly behind its text");
    assert!(matches!(blocks[2], MessageBlock::ToolCall(_)));
}

#[test]
fn a_call_without_an_id_gets_one_of_its_own() {
    let call = |index: usize| {
        format!(
            r#"{{"type":"response.output_item.done","output_index":{index},"item":{{"type":"function_call","name":"n","arguments":"{{}}"}}}}"#
        )
    };
    let created = r#"{"type":"response.created","response":{"id":"r1","model":"m"}}"#;
    let (events, result) = map(&[created, &call(0), &call(1), END]);
    assert_eq!(result, Ok(()));
    let ids: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            CompletionEvent::BlockStarted { block: BlockStart::ToolCall { id, .. }, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["call_r1_0", "call_r1_2"]);
}

#[test]
fn thinking_is_told_once_when_a_server_sends_both_texts() {
    let (events, _) = map(&[
        r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"short"}"#,
        r#"{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"long"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","summary":[{"text":"short"}],"content":[{"text":"long"}]}}"#,
        END,
    ]);
    assert!(matches!(&message(&events)[0], MessageBlock::Thinking { text, .. } if text == "short"));
}

#[test]
fn a_failure_under_another_name_is_one() {
    for (status, expected) in [("failed", Category::RateLimit), ("cancelled", Category::StreamBroken)] {
        let line = format!(
            r#"{{"type":"response.completed","response":{{"id":"r","status":"{status}","error":{{"code":"rate_limit_exceeded","message":"m"}}}}}}"#
        );
        assert_eq!(map(&[&line]).1.unwrap_err().category, expected, "{status}");
    }
}

#[test]
fn unknown_events_are_counted_and_a_stream_without_an_end_broke() {
    let (mut mapper, mut out) = (Mapper::default(), VecDeque::new());
    mapper.map(r#"{"type":"response.audio.delta","delta":{"a":1},"output_index":"x"}"#, &mut out).unwrap();
    mapper.map(r#"{"type":"response.mcp_call.completed"}"#, &mut out).unwrap();
    assert_eq!((mapper.unknown(), out.len()), (2, 0));
    assert_eq!(mapper.finish().unwrap_err().message, "the answer was empty");
}

#[test]
fn the_stream_gives_what_arrived_before_an_error_and_ends() {
    let line = r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"}"#;
    let body = stream::iter(vec![Ok(Bytes::from(format!("event: lies\ndata: {line}\n\n")))]);
    let items: Vec<_> = events(body).collect::<Vec<_>>().now_or_never().unwrap();
    assert_eq!(items.len(), 3);
    assert!(items[..2].iter().all(Result::is_ok));
    assert_eq!(items[2].as_ref().unwrap_err().category, Category::StreamBroken);
}
