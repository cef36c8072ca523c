use futures_util::{FutureExt, StreamExt, stream};
use serde_json::json;

use super::*;
use crate::chat::{Finished, MessageAccumulator, ToolCall};

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    json!({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).to_string()
}

fn mapped(options: MapperOptions, lines: &[String]) -> Result<Finished, Error> {
    let (mut mapper, mut out) = (Mapper::new(options), VecDeque::new());
    for line in lines {
        mapper.map("message", line, &mut out)?;
    }
    mapper.frame(Frame::End, &mut out)?;
    let mut accumulator = MessageAccumulator::default();
    for event in &out {
        accumulator.push(event);
    }
    Ok(accumulator.finish())
}

/// The calls that these deltas of `tool_calls` make.
fn calls(pieces: &[Value]) -> Vec<ToolCall> {
    let options = MapperOptions { seed: "s".into(), taken: vec!["old".into()], ..MapperOptions::default() };
    let mut lines: Vec<_> = pieces.iter().map(|piece| chunk(&json!({"tool_calls": piece}), None)).collect();
    lines.push(chunk(&json!({}), Some("stop")));
    let finished = mapped(options, &lines).unwrap();
    assert_eq!(finished.stop, Some(StopReason::ToolUse), "whatever the server calls it");
    let call = |block| match block {
        MessageBlock::ToolCall(call) => Some(call),
        _ => None,
    };
    finished.content.into_iter().filter_map(call).collect()
}

fn call(id: &str, name: &str, input: &str) -> ToolCall {
    ToolCall { id: id.into(), name: name.into(), input: input.into() }
}

fn piece(value: &Value) -> Value {
    json!([value])
}

#[test]
fn pieces_are_put_together_by_index_or_by_id_or_by_order() {
    let by_index = [
        piece(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}})),
        piece(&json!({"index": 1, "id": "b", "function": {"name": "g", "arguments": "{\"y\""}})),
        piece(&json!({"index": 0, "function": {"arguments": "{}"}})),
        piece(&json!({"index": 1, "function": {"arguments": ":1}"}})),
    ];
    assert_eq!(calls(&by_index), [call("a", "f", "{}"), call("b", "g", "{\"y\":1}")]);
    let by_id = [
        piece(&json!({"id": "a", "function": {"name": "f", "arguments": "{"}})),
        piece(&json!({"id": "b", "function": {"name": "g", "arguments": "{"}})),
        piece(&json!({"id": "a", "function": {"arguments": "}"}})),
        piece(&json!({"id": "b", "function": {"arguments": "}"}})),
    ];
    assert_eq!(calls(&by_id), [call("a", "f", "{}"), call("b", "g", "{}")]);
    let by_order = [
        piece(&json!({"id": "a", "function": {"name": "f", "arguments": "{"}})),
        piece(&json!({"function": {"arguments": "}"}})),
    ];
    assert_eq!(calls(&by_order), [call("a", "f", "{}")]);
}

#[test]
fn index_0_for_all_and_an_id_for_each_piece_are_told_apart_by_the_name() {
    let all_zero = [
        piece(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}})),
        piece(&json!({"index": 0, "id": "b", "function": {"name": "f", "arguments": "{"}})),
        piece(&json!({"index": 0, "function": {"arguments": "}"}})),
    ];
    assert_eq!(calls(&all_zero), [call("a", "f", "{}"), call("b", "f", "{}")]);
    let fresh_ids = [
        piece(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}})),
        piece(&json!({"index": 0, "id": "b", "function": {"name": null, "arguments": "}"}})),
    ];
    assert_eq!(calls(&fresh_ids), [call("a", "f", "{}")]);
}

#[test]
fn a_call_begins_when_its_name_is_known_and_keeps_its_first() {
    let late = [
        piece(&json!({"index": 0, "id": "a", "function": {"arguments": "{\"x\":"}})),
        piece(&json!({"index": 0, "id": "", "function": {"name": "f", "arguments": "1"}})),
        piece(&json!({"index": 0, "function": {"name": "", "arguments": "}"}})),
    ];
    assert_eq!(calls(&late), [call("a", "f", "{\"x\":1}")]);
    let nameless = [chunk(&json!({"tool_calls": [{"index": 0, "id": "a"}]}), Some("tool_calls"))];
    assert_eq!(mapped(MapperOptions::default(), &nameless).unwrap_err().category, Category::StreamBroken);
}

#[test]
fn arguments_come_in_every_form() {
    let with = |arguments: Value| {
        let piece = piece(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": arguments}}));
        calls(&[piece]).remove(0).input
    };
    assert_eq!(with(json!({"x": 1})), "{\"x\":1}");
    assert_eq!(with(Value::Null), "");
    assert_eq!(with(json!("")), "");
    assert_eq!(with(json!("\"{\\\"x\\\": 1}\"")), "{\"x\": 1}", "encoded twice");
    assert_eq!(with(json!("\"words\"")), "\"words\"", "a text that holds no object stays");
    assert_eq!(with(json!("{\"x\": ")), "{\"x\": ", "what is no JSON stays, for the model to see");
    let quoted = [
        piece(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": " \"{"}})),
        piece(&json!({"index": 0, "function": {"arguments": "}\""}})),
    ];
    assert_eq!(calls(&quoted)[0].input, "{}");
}

#[test]
fn ids_are_made_where_there_is_none_and_are_never_twice_the_same() {
    let none = [
        piece(&json!({"function": {"name": "f", "arguments": "{}"}})),
        piece(&json!({"function": {"name": "f", "arguments": "{}"}})),
    ];
    assert_eq!(calls(&none), [call("call_s_0", "f", "{}"), call("call_s_1", "f", "{}")]);
    let twice = [
        piece(&json!({"index": 0, "id": "a", "function": {"name": "f"}})),
        piece(&json!({"index": 1, "id": "a", "function": {"name": "f"}})),
        piece(&json!({"index": 2, "id": "old", "function": {"name": "f"}})),
    ];
    let repeated = [
        piece(&json!({"index": 0, "id": "old", "function": {"name": "f", "arguments": "{"}})),
        piece(&json!({"index": 0, "id": "old", "function": {"name": "f", "arguments": "}"}})),
    ];
    assert_eq!(calls(&repeated), [call("call_s_0", "f", "{}")], "the server goes on with its own id");
    let ids: Vec<_> = calls(&twice).into_iter().map(|call| call.id).collect();
    assert_eq!(ids, ["a", "call_s_0", "call_s_1"]);
}

#[test]
fn what_belongs_to_a_call_is_kept_beside_it() {
    let extra = json!({"google": {"thought_signature": "sig"}});
    let lines = [chunk(
        &json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}, "extra_content": extra}]}),
        Some("stop"),
    )];
    let finished = mapped(MapperOptions::default(), &lines).unwrap();
    let MessageBlock::Other { json } = &finished.content[1] else { panic!("{:?}", finished.content) };
    let kept: Value = serde_json::from_str(json).unwrap();
    assert_eq!(kept, json!({"type": "tool_call_extra", "callId": "a", "extra_content": extra}));
}

#[test]
fn blocks_follow_each_other_and_empty_texts_begin_none() {
    let lines = [
        chunk(&json!({"role": "assistant", "content": "", "reasoning_content": "hm"}), None),
        chunk(&json!({"content": "", "reasoning": "m", "reasoning_content": null}), None),
        chunk(&json!({"content": "a", "reasoning_content": "", "tool_calls": []}), None),
        chunk(&json!({"tool_calls": [{"index": 0, "id": "i", "function": {"name": "f"}}]}), None),
        chunk(&json!({"content": "b"}), None),
        chunk(&json!({"content": "c"}), Some("tool_calls")),
    ];
    let finished = mapped(MapperOptions::default(), &lines).unwrap();
    assert_eq!(
        finished.content,
        [
            MessageBlock::Thinking { text: "hmm".into(), signature: String::new() },
            MessageBlock::Text { text: "a".into() },
            MessageBlock::ToolCall(call("i", "f", "")),
            MessageBlock::Text { text: "bc".into() },
        ]
    );
}

#[test]
fn of_two_fields_of_thinking_the_servers_own_counts() {
    let lines = [chunk(&json!({"reasoning": "r", "reasoning_content": "c"}), Some("stop"))];
    let text = |reasoning_in: Vec<ReasoningField>| {
        let finished = mapped(MapperOptions { reasoning_in, ..MapperOptions::default() }, &lines).unwrap();
        match finished.content.into_iter().next() {
            Some(MessageBlock::Thinking { text, .. }) => text,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(text(vec![]), "c");
    assert_eq!(text(vec![ReasoningField::Reasoning]), "r");
}

#[test]
fn usage_is_counted_as_we_count() {
    let patch = |value: Value| wire::usage(&value);
    let openai = patch(json!({"prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 20}}));
    let expected = UsagePatch {
        input_tokens: Some(30),
        output_tokens: Some(30),
        cache_read_tokens: Some(60),
        cache_write_tokens: Some(10),
        cache_write_1h_tokens: None,
        thinking_tokens: Some(20),
    };
    assert_eq!(openai, expected);
    let deepseek = patch(json!({"prompt_tokens": 10, "completion_tokens": 1, "prompt_cache_hit_tokens": 8}));
    assert_eq!((deepseek.input_tokens, deepseek.cache_read_tokens), (Some(2), Some(8)));
    let beside = patch(json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 22,
        "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 7}}));
    assert_eq!((beside.output_tokens, beside.thinking_tokens), (Some(12), Some(7)));
    let unsaid = patch(json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 22}));
    assert_eq!((unsaid.output_tokens, unsaid.thinking_tokens), (Some(12), Some(7)));
}

#[test]
fn every_reason_to_stop_has_its_word() {
    let stop = |reason: &str| mapped(MapperOptions::default(), &[chunk(&json!({"content": "x"}), Some(reason))]);
    let rows = [
        ("stop", StopReason::EndTurn),
        ("tool_calls", StopReason::EndTurn),
        ("length", StopReason::MaxTokens),
        ("model_length", StopReason::MaxTokens),
        ("content_filter", StopReason::Refusal),
        ("sleepy", StopReason::Other("sleepy".into())),
    ];
    for (reason, expected) in rows {
        assert_eq!(stop(reason).unwrap().stop, Some(expected), "{reason}");
    }
    assert_eq!(stop("insufficient_system_resource").unwrap_err().category, Category::Overloaded);
    assert_eq!(stop("error").unwrap_err().category, Category::Server);
}

#[test]
fn a_refusal_explains_itself() {
    let lines = [chunk(&json!({"refusal": "I can"}), None), chunk(&json!({"refusal": "not"}), Some("stop"))];
    let finished = mapped(MapperOptions::default(), &lines).unwrap();
    assert_eq!(
        (finished.stop, finished.refusal.unwrap().explanation),
        (Some(StopReason::Refusal), Some("I cannot".into()))
    );
}

#[test]
fn an_answer_is_whole_with_a_reason_and_an_end_only() {
    let text = chunk(&json!({"content": "x"}), None);
    let done = "[DONE]".to_owned();
    for lines in [vec![text.clone()], vec![text.clone(), done.clone()], vec![], vec![done.clone()]] {
        assert_eq!(mapped(MapperOptions::default(), &lines).unwrap_err().category, Category::StreamBroken, "{lines:?}");
    }
    let stop = chunk(&json!({}), Some("stop"));
    for lines in [vec![text.clone(), stop.clone()], vec![text.clone(), stop.clone(), done, "{]".to_owned()]] {
        assert!(mapped(MapperOptions::default(), &lines).unwrap().completed, "{lines:?}");
    }
    let late = json!({"error": {"code": 502, "message": "late"}}).to_string();
    assert_eq!(mapped(MapperOptions::default(), &[text, stop, late]).unwrap_err().message, "late");
}

#[test]
fn data_that_is_no_chunk_is_skipped_only_when_it_says_nothing() {
    let category = |line: &str| {
        mapped(MapperOptions::default(), &[line.to_owned(), chunk(&json!({}), Some("stop"))])
            .map_err(|error| error.category)
            .err()
    };
    for line in ["null", "{}", "[]", "7", r#"{"choices":[]}"#, r#"{"choices":null,"usage":null,"error":null}"#] {
        assert_eq!(category(line), None, "{line}");
    }
    for line in ["{", "words", r#"{"choices":7}"#] {
        assert_eq!(category(line), Some(Category::StreamBroken), "{line}");
    }
    for (line, expected) in [
        (r#"[{"error":{"code":429,"message":"m"}}]"#, Category::RateLimit),
        (r#"{"message":"m","code":"401"}"#, Category::Auth),
        (r#"{"detail":"m"}"#, Category::Server),
        (r#""out of memory""#, Category::Server),
        (r#"{"x_groq":{"error":"over capacity"},"choices":[]}"#, Category::Server),
        (r#"{"choices":[{"delta":{},"error":{"code":502,"message":"m"}}]}"#, Category::Server),
    ] {
        assert_eq!(category(line), Some(expected), "{line}");
    }
}

#[test]
fn a_body_that_is_no_event_stream_says_what_it_is() {
    let read = |body: &'static str| {
        let chunks = body.as_bytes().iter().map(|byte| Ok(Bytes::copy_from_slice(&[*byte]))).collect::<Vec<_>>();
        events(stream::iter(chunks), MapperOptions::default()).collect::<Vec<_>>().now_or_never().unwrap()
    };
    let error = |body| read(body).pop().unwrap().unwrap_err();
    assert_eq!(
        error("{\n  \"error\": {\"code\": \"invalid_api_key\", \"message\": \"no\"}\n}").category,
        Category::Auth
    );
    assert_eq!(error(" <html>").category, Category::UnexpectedResponse);
    assert_eq!(error("Internal Server Error").category, Category::StreamBroken);
    let whole = read(r#"{"id":"c","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#);
    assert_eq!(whole.last(), Some(&Ok(CompletionEvent::Completed)));
}
