use super::*;
use crate::chat::{BlockDelta, BlockStart, Item, ItemDelta, Refusal, Role, UsagePatch};
use crate::provider::Validator;
use crate::session::turn::{ANSWER_TOOL, Told};
use proptest::prelude::*;

fn setup(max_requests: u32) -> TurnSetup {
    let price = Price::per_million("1", "2", "0.1").unwrap();
    TurnSetup {
        turn_id: TurnId::from("t"),
        author: Arc::from("sim:x"),
        max_requests,
        price: Some(price),
        output: None,
        instructions: None,
    }
}

fn begin(max_requests: u32) -> (TurnMachine, Vec<Effect>) {
    let mut out = Vec::new();
    let turn = TurnMachine::begin(setup(max_requests), vec![ContentBlock::text("hi")], &mut out);
    (turn, out)
}

fn text_block(index: usize, text: &str) -> Vec<CompletionEvent> {
    vec![
        CompletionEvent::BlockStarted { index, block: BlockStart::Text { text: String::new() } },
        CompletionEvent::Delta { index, delta: BlockDelta::Text { text: text.into() } },
        CompletionEvent::BlockCompleted { index },
    ]
}

fn call_block(index: usize, id: &str, input: &str) -> Vec<CompletionEvent> {
    vec![
        CompletionEvent::BlockStarted { index, block: BlockStart::ToolCall { id: id.into(), name: "read".into() } },
        CompletionEvent::Delta { index, delta: BlockDelta::Input { json: input.into() } },
        CompletionEvent::BlockCompleted { index },
    ]
}

fn stopped(reason: StopReason) -> Vec<CompletionEvent> {
    vec![CompletionEvent::Stopped { reason, refusal: None }, CompletionEvent::Completed]
}

fn feed(turn: &mut TurnMachine, events: impl IntoIterator<Item = CompletionEvent>) -> Vec<Effect> {
    let mut out = Vec::new();
    for event in events {
        turn.event(event, &mut out);
    }
    out
}

fn ends(effects: &[Effect]) -> Vec<&TurnEnd> {
    effects.iter().filter_map(|effect| if let Effect::End(end) = effect { Some(end) } else { None }).collect()
}

fn appended(effects: &[Effect]) -> Vec<&Message> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Append(message) = effect { Some(message) } else { None })
        .collect()
}

fn completed(effects: &[Effect]) -> Vec<&Item> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Emit(SessionUpdate::ItemCompleted { item }) => Some(item),
            _ => None,
        })
        .collect()
}

#[test]
fn a_prompt_is_in_the_history_before_the_model_is_asked() {
    let (_, out) = begin(1);
    let append = out.iter().position(|effect| matches!(effect, Effect::Append(_))).unwrap();
    let request = out.iter().position(|effect| matches!(effect, Effect::Request)).unwrap();
    assert!(append < request);
    assert_eq!(completed(&out).len(), 1);
}

#[test]
fn text_is_streamed_and_ends_the_turn() {
    let (mut turn, _) = begin(1);
    let usage = UsagePatch { input_tokens: Some(10), output_tokens: Some(5), ..UsagePatch::default() };
    let mut events = text_block(0, "hello");
    events.push(CompletionEvent::Usage { usage });
    events.extend(stopped(StopReason::EndTurn));
    let out = feed(&mut turn, events);
    let expected = ItemDelta::Text { text: "hello".into() };
    assert!(
        out.iter().any(|e| matches!(e, Effect::Emit(SessionUpdate::ItemDelta { delta, .. }) if *delta == expected))
    );
    assert_eq!(appended(&out)[0].author.as_deref(), Some("sim:x"));
    let end = ends(&out)[0];
    assert_eq!((end.stop_reason, end.usage.output_tokens), (TurnStopReason::EndTurn, 5));
    assert_eq!(end.cost, Some(Cost { micro_usd: 20, saved_micro_usd: 0 }));
    assert!(turn.is_over());
}

#[test]
fn tool_results_go_back_in_the_order_of_the_calls_and_the_model_is_asked_again() {
    let (mut turn, _) = begin(2);
    let mut events = call_block(0, "a", "{\"p\":1}");
    events.extend(call_block(1, "b", ""));
    events.extend(stopped(StopReason::ToolUse));
    let out = feed(&mut turn, events);
    assert_eq!(out.iter().filter(|effect| matches!(effect, Effect::RunTool { .. })).count(), 2);
    assert_eq!(turn.running_items().len(), 2);
    let mut out = Vec::new();
    turn.tool_finished(1, ToolResult::ok("b", "second"), &mut out);
    assert!(!out.contains(&Effect::Request));
    turn.tool_finished(1, ToolResult::ok("b", "twice"), &mut out);
    turn.tool_finished(0, ToolResult::error("a", "first"), &mut out);
    let ids: Vec<_> = appended(&out)[0]
        .content
        .iter()
        .map(|block| if let MessageBlock::ToolResult(result) = block { result.call_id.as_str() } else { "" })
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(out.last(), Some(&Effect::Request));
    let statuses: Vec<_> = completed(&out).iter().map(|item| item.status).collect();
    assert_eq!(statuses, [ItemStatus::Completed, ItemStatus::Failed]);
}

#[test]
fn a_turn_makes_no_more_requests_than_it_may() {
    let (mut turn, _) = begin(1);
    let mut events = call_block(0, "a", "{}");
    events.extend(stopped(StopReason::ToolUse));
    feed(&mut turn, events);
    let mut out = Vec::new();
    turn.tool_finished(0, ToolResult::ok("a", "x"), &mut out);
    assert_eq!(ends(&out)[0].stop_reason, TurnStopReason::MaxTurnRequests);
    assert!(!out.contains(&Effect::Request));
}

#[test]
fn a_cut_answer_runs_no_tool() {
    let (mut turn, _) = begin(5);
    let mut events = text_block(0, "so");
    events.extend(call_block(1, "a", "{\"path\":\"/"));
    events.extend(stopped(StopReason::MaxTokens));
    let out = feed(&mut turn, events);
    assert!(!out.iter().any(|effect| matches!(effect, Effect::RunTool { .. })));
    assert_eq!(ends(&out)[0].stop_reason, TurnStopReason::MaxTokens);
    assert_eq!(appended(&out).len(), 2);
    assert_eq!(completed(&out).last().unwrap().status, ItemStatus::Failed);
}

#[test]
fn a_refusal_discards_what_was_said() {
    let (mut turn, _) = begin(1);
    let refusal = Some(Refusal { category: Some("cyber".into()), explanation: Some("No.".into()) });
    let mut events = text_block(0, "partial");
    events.extend([CompletionEvent::Stopped { reason: StopReason::Refusal, refusal }, CompletionEvent::Completed]);
    let out = feed(&mut turn, events);
    assert!(appended(&out).is_empty());
    let error = ends(&out)[0].error.clone().unwrap();
    assert_eq!((error.code, error.message.as_str()), (ErrorCode::ProviderRefused, "No (cyber)"));
}

#[test]
fn a_paused_answer_goes_on() {
    let (mut turn, _) = begin(2);
    let mut events = text_block(0, "searching");
    events.extend(stopped(StopReason::PauseTurn));
    let out = feed(&mut turn, events);
    assert_eq!(out.last(), Some(&Effect::Request));
    assert_eq!(appended(&out).len(), 1);
}

#[test]
fn a_broken_stream_keeps_what_arrived() {
    let (mut turn, _) = begin(1);
    let mut events = text_block(0, "whole");
    events.extend(text_block(1, "half").into_iter().take(2));
    feed(&mut turn, events);
    assert_eq!(turn.running_items().len(), 1);
    let mut out = Vec::new();
    turn.failed(UserError::new(ErrorCode::ProviderStreamBroken, "x"), &mut out);
    assert_eq!(out[0], Effect::Abort);
    let ItemContent::Message { text } = &completed(&out)[0].content else { panic!("not a message") };
    assert_eq!((text.as_str(), completed(&out)[0].status), ("half", ItemStatus::Failed));
    assert_eq!(appended(&out)[0].content.len(), 2);
    assert_eq!(ends(&out)[0].stop_reason, TurnStopReason::Error);
}

#[test]
fn cancelling_closes_open_tool_calls() {
    let (mut turn, _) = begin(2);
    let mut events = call_block(0, "a", "{}");
    events.extend(call_block(1, "b", "{}"));
    events.extend(stopped(StopReason::ToolUse));
    feed(&mut turn, events);
    let mut out = Vec::new();
    turn.tool_finished(0, ToolResult::ok("a", "done"), &mut out);
    turn.cancel(&mut out);
    let results = &appended(&out)[0].content;
    let errors: Vec<_> = results.iter().map(|b| matches!(b, MessageBlock::ToolResult(r) if r.is_error)).collect();
    assert_eq!(errors, [false, true]);
    assert_eq!(ends(&out)[0].stop_reason, TurnStopReason::Cancelled);
    let before = out.len();
    turn.cancel(&mut out);
    turn.tool_finished(1, ToolResult::ok("b", "late"), &mut out);
    turn.event(CompletionEvent::Completed, &mut out);
    // A second cancel of a turn that is over must be kept away by its owner; late results change nothing.
    assert_eq!(out.len() - before, 1);
}

fn judged(told: Told, answers: &[Vec<CompletionEvent>]) -> Vec<Effect> {
    let schema = serde_json::json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let output = OutputPlan { validator: Arc::new(Validator::new(&schema).unwrap()), told };
    let setup = TurnSetup { output: Some(output), instructions: Some("as JSON".into()), ..setup(9) };
    let mut out = Vec::new();
    let mut turn = TurnMachine::begin(setup, vec![ContentBlock::text("hi")], &mut out);
    for answer in answers {
        for event in answer {
            turn.event(event.clone(), &mut out);
        }
    }
    assert!(turn.is_over());
    out
}

fn says(text: &str, stop: StopReason) -> Vec<CompletionEvent> {
    text_block(0, text).into_iter().chain(stopped(stop)).collect()
}

#[test]
fn an_answer_becomes_the_value_it_is() {
    let out = judged(Told::Natively, &[says("{\"n\": 5}", StopReason::EndTurn)]);
    assert_eq!(ends(&out)[0].output, Some(serde_json::json!({"n": 5})));
    assert_eq!(appended(&out)[0].content.len(), 2, "our words follow the user's");
    let mut by_tool = call_block(0, "c", "{\"n\": 6}");
    if let CompletionEvent::BlockStarted { block: BlockStart::ToolCall { name, .. }, .. } = &mut by_tool[0] {
        ANSWER_TOOL.clone_into(name);
    }
    by_tool.extend(stopped(StopReason::ToolUse));
    let out = judged(Told::ByTool, &[by_tool]);
    assert_eq!(ends(&out)[0].output, Some(serde_json::json!({"n": 6})));
    check(&out).unwrap();
}

#[test]
fn an_answer_that_does_not_fit_is_mended_twice_at_the_most_and_only_when_told_in_words() {
    let bad = || says("{\"n\": \"five\"}", StopReason::EndTurn);
    let out =
        judged(Told::InWords, &[says("five", StopReason::EndTurn), bad(), says("{\"n\":5}", StopReason::EndTurn)]);
    assert_eq!(ends(&out)[0].output, Some(serde_json::json!({"n": 5})));
    let out = judged(Told::InWords, &[bad(), bad(), bad()]);
    assert_eq!(ends(&out)[0].error.as_ref().unwrap().code, ErrorCode::OutputMismatch);
    let out = judged(Told::Natively, &[bad()]);
    assert!(ends(&out)[0].error.as_ref().unwrap().message.contains("schema"));
}

#[test]
fn cut_off_and_refused_are_other_errors_than_not_fitting() {
    let out = judged(Told::Natively, &[says("{\"n\":", StopReason::MaxTokens)]);
    let end = ends(&out)[0];
    assert_eq!(
        (end.stop_reason, end.error.as_ref().unwrap().code),
        (TurnStopReason::MaxTokens, ErrorCode::OutputCutOff)
    );
    let out = judged(Told::Natively, &[says("{", StopReason::Refusal)]);
    assert_eq!(ends(&out)[0].error.as_ref().unwrap().code, ErrorCode::ProviderRefused);
}

/// Whatever comes in whatever order: one end, last; each item started once and completed once; each tool call in the
/// history followed by its result.
fn check(effects: &[Effect]) -> Result<(), TestCaseError> {
    prop_assert_eq!(ends(effects).len(), 1);
    prop_assert!(matches!(effects.last(), Some(Effect::End(_))));
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    for effect in effects {
        match effect {
            Effect::Emit(SessionUpdate::ItemStarted { item }) => {
                prop_assert!(!seen.contains(&item.id));
                seen.push(item.id.clone());
                open.push(item.id.clone());
            }
            Effect::Emit(SessionUpdate::ItemDelta { item_id, .. }) => prop_assert!(open.contains(item_id)),
            Effect::Emit(SessionUpdate::ItemCompleted { item }) => {
                prop_assert!(open.contains(&item.id));
                open.retain(|id| *id != item.id);
            }
            _ => {}
        }
    }
    prop_assert!(open.is_empty(), "still open: {:?}", open);
    let mut expected: Vec<String> = Vec::new();
    for message in appended(effects) {
        let results: Vec<String> = message
            .content
            .iter()
            .filter_map(|b| if let MessageBlock::ToolResult(r) = b { Some(r.call_id.clone()) } else { None })
            .collect();
        prop_assert_eq!(&results, &expected);
        expected = match message.role {
            Role::Assistant => calls(&message.content).into_iter().map(|call| call.id).collect(),
            Role::User => Vec::new(),
        };
    }
    prop_assert!(expected.is_empty());
    Ok(())
}

#[derive(Clone, Debug)]
enum Input {
    Event(CompletionEvent),
    Tool(usize),
    Fail,
    Cancel,
}

fn input() -> impl Strategy<Value = Input> {
    let start = prop_oneof![
        Just(BlockStart::Text { text: String::new() }),
        Just(BlockStart::Thinking { text: String::new(), signature: String::new() }),
        "[ab]".prop_map(|id| BlockStart::ToolCall { id, name: "t".into() }),
        Just(BlockStart::Other { json: "{}".into() }),
    ];
    let reason = prop_oneof![
        Just(StopReason::EndTurn),
        Just(StopReason::ToolUse),
        Just(StopReason::MaxTokens),
        Just(StopReason::Refusal),
        Just(StopReason::PauseTurn),
    ];
    prop_oneof![
        6 => (0usize..4, start).prop_map(|(index, block)| Input::Event(CompletionEvent::BlockStarted { index, block })),
        6 => (0usize..4, "[a-z]{0,2}").prop_map(|(index, text)| {
            Input::Event(CompletionEvent::Delta { index, delta: BlockDelta::Text { text } })
        }),
        4 => (0usize..4).prop_map(|index| Input::Event(CompletionEvent::BlockCompleted { index })),
        3 => reason.prop_map(|reason| Input::Event(CompletionEvent::Stopped { reason, refusal: None })),
        3 => Just(Input::Event(CompletionEvent::Completed)),
        6 => (0usize..4).prop_map(Input::Tool),
        1 => Just(Input::Fail),
        1 => Just(Input::Cancel),
    ]
}

proptest! {
    #[test]
    fn any_sequence_of_inputs_keeps_the_promises(inputs in proptest::collection::vec(input(), 0..80)) {
        let (mut turn, mut out) = begin(3);
        let mut next = 0;
        for input in inputs {
            if turn.is_over() {
                break;
            }
            match input {
                // The mapper numbers blocks itself: a block never begins twice.
                Input::Event(CompletionEvent::BlockStarted { block, .. }) => {
                    turn.event(CompletionEvent::BlockStarted { index: next, block }, &mut out);
                    next += 1;
                }
                Input::Event(event) => {
                    turn.event(event, &mut out);
                }
                Input::Tool(index) => turn.tool_finished(index, ToolResult::ok("ignored", "x"), &mut out),
                Input::Fail => turn.failed(UserError::new(ErrorCode::ServerInternal, "x"), &mut out),
                Input::Cancel => turn.cancel(&mut out),
            }
            if out.last() == Some(&Effect::Request) {
                next = 0;
            }
        }
        if !turn.is_over() {
            turn.cancel(&mut out);
        }
        check(&out)?;
    }
}
