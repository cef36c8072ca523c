use std::sync::Arc;

use super::*;
use crate::chat::{
    BlockStart, CompletionEvent, Finished, Message, MessageAccumulator, MessageBlock, StopReason, ToolResult, ToolSpec,
};

fn request(messages: Vec<Message>) -> CompletionRequest {
    let tool = ToolSpec { name: "read_file".into(), ..ToolSpec::default() };
    CompletionRequest {
        model: "sim:default".parse().unwrap(),
        system: Arc::from([]),
        tools: Arc::from([tool]),
        messages: messages.into_iter().map(Arc::new).collect(),
        max_output_tokens: 1_000,
        options: Arc::default(),
    }
}

fn prompt(text: &str) -> Message {
    Message::user(vec![MessageBlock::Text { text: text.into() }])
}

async fn answer(messages: Vec<Message>) -> Result<Finished, Error> {
    let mut accumulator = MessageAccumulator::default();
    let mut stream = Sim::new(None).complete(request(messages));
    while let Some(event) = stream.next().await {
        accumulator.push(&event?);
    }
    Ok(accumulator.finish())
}

fn text(finished: &Finished) -> String {
    let texts = finished.content.iter().filter_map(|block| match block {
        MessageBlock::Text { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

#[tokio::test]
async fn a_plain_prompt_is_answered_and_the_answer_says_what_it_is() {
    let finished = answer(vec![prompt("hello there")]).await.unwrap();
    assert!(text(&finished).contains("simulated provider"));
    assert!(text(&finished).contains("hello there"));
    assert!(matches!(&finished.content[0], MessageBlock::Thinking { signature, .. } if !signature.is_empty()));
    assert_eq!(finished.stop, Some(StopReason::EndTurn));
    assert!(finished.usage.output_tokens > finished.usage.thinking_tokens);
}

#[tokio::test]
async fn a_named_file_is_read_and_the_result_answered() {
    let finished = answer(vec![prompt("What does README.md say?")]).await.unwrap();
    let Some(MessageBlock::ToolCall(call)) = finished.content.last() else { panic!("no tool call") };
    assert_eq!(call.parsed_input().unwrap(), serde_json::json!({"path": "README.md"}));
    assert_eq!(finished.stop, Some(StopReason::ToolUse));
    let result = MessageBlock::ToolResult(ToolResult::ok(call.id.clone(), "# Title\ntext"));
    let history = vec![
        prompt("What does README.md say?"),
        Message::assistant(finished.content.clone(), Arc::from("sim:default")),
        Message::user(vec![result]),
    ];
    assert!(text(&answer(history).await.unwrap()).contains("# Title"));
}

#[tokio::test]
async fn a_prompt_can_give_the_steps() {
    let steps = "sim> think hm\nsim> stream 3\nsim> stop max_tokens";
    let finished = answer(vec![prompt(steps)]).await.unwrap();
    assert_eq!(text(&finished), "0 1 2 ");
    assert_eq!(finished.stop, Some(StopReason::MaxTokens));
    let refused = answer(vec![prompt("sim> refuse cyber")]).await.unwrap();
    assert_eq!(refused.stop, Some(StopReason::Refusal));
}

#[tokio::test]
async fn failures_come_as_the_real_ones_do() {
    let category = |text: &'static str| async move { answer(vec![prompt(text)]).await.unwrap_err().category };
    assert_eq!(category("sim> status 529").await, Category::Overloaded);
    assert_eq!(category("sim> text a\nsim> error overloaded_error").await, Category::Overloaded);
    assert_eq!(category("sim> html").await, Category::UnexpectedResponse);
    assert_eq!(category("sim> text a\nsim> cut").await, Category::StreamBroken);
    assert_eq!(category("sim> dance").await, Category::Config);
}

#[tokio::test]
async fn answers_of_a_script_file_follow_one_another() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "# first\ntext one\n---\ntool t {\"a\": 1}\n").unwrap();
    let sim = Sim::new(Some(file.path().to_owned()));
    let mut history = vec![prompt("x")];
    let events: Vec<_> = sim.complete(request(history.clone())).collect().await;
    assert!(events.iter().all(Result::is_ok));
    history.push(Message::assistant(vec![MessageBlock::Text { text: "one".into() }], Arc::from("sim:default")));
    let events: Vec<_> = sim.complete(request(history)).map(Result::unwrap).collect().await;
    let is_call = |event: &CompletionEvent| matches!(event, CompletionEvent::BlockStarted { block: BlockStart::ToolCall { name, .. }, .. } if name == "t");
    assert!(events.iter().any(is_call));
}
