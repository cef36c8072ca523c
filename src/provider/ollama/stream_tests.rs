use super::*;
use futures_util::{FutureExt, StreamExt, stream};

fn ids(seed: &str, line: &str) -> Vec<String> {
    let (mut mapper, mut out) = (Mapper::new("m", seed, 4096), VecDeque::new());
    mapper.map(line, &mut out).unwrap();
    let id = |event| match event {
        CompletionEvent::BlockStarted { block: BlockStart::ToolCall { id, .. }, .. } => Some(id),
        _ => None,
    };
    out.into_iter().filter_map(id).collect()
}

#[test]
fn calls_without_ids_are_named_apart_in_an_answer_and_between_answers() {
    let call = r#"{"function":{"name":"f","arguments":{}}}"#;
    let line = format!(r#"{{"message":{{"tool_calls":[{call},{call}]}},"done":false}}"#);
    let mut all = ids("one", &line);
    all.extend(ids("two", &line));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn the_user_is_warned_from_nine_tenths_of_the_window_on() {
    let warned = |prompt: u64| {
        let (mut mapper, mut out) = (Mapper::new("m", "s", 1000), VecDeque::new());
        let line = format!(r#"{{"done":true,"done_reason":"stop","prompt_eval_count":{prompt}}}"#);
        mapper.map(&line, &mut out).unwrap();
        out.iter().any(|event| matches!(event, CompletionEvent::Notice { code, .. } if code == "context.nearly_full"))
    };
    assert_eq!((warned(899), warned(900), warned(1000)), (false, true, true));
}

#[test]
fn an_error_names_the_model_that_was_asked_for() {
    let (mut mapper, mut out) = (Mapper::new("qwen3:8b", "s", 1000), VecDeque::new());
    let error = mapper.map(r#"{"error":"model \"qwen3:8b\" not found, try pulling it first"}"#, &mut out).unwrap_err();
    assert_eq!(error.category, Category::ModelNotFound);
    assert!(error.hint.unwrap().contains("ollama pull qwen3:8b"));
}

#[test]
fn the_stream_gives_what_arrived_before_an_error_and_ends() {
    let body =
        stream::iter(vec![Ok(Bytes::from("{\"message\":{\"content\":\"a\"}}\n{\"error\":\"boom\"}\n{\"done\":true}"))]);
    let items: Vec<_> = events(body, Mapper::new("m", "s", 1000)).collect::<Vec<_>>().now_or_never().unwrap();
    assert_eq!(items.len(), 4);
    assert!(items[..3].iter().all(Result::is_ok));
    assert_eq!(items[3].as_ref().unwrap_err().message, "boom");
}
