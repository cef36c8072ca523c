use std::sync::Arc;

use serde_json::Map;

use super::*;
use crate::chat::{
    CacheTtl, CompletionEvent, ContentBlock, Effort, MediaSource, Message as Said, MessageBlock, Sampling, Thinking,
    ToolCall, ToolChoice, ToolResult,
};
use crate::provider::openai::chat::plan;
use crate::provider::{ParallelTools, RequestOptions};

fn profile(name: &str) -> Profile {
    Profile::builtin(name).unwrap()
}

fn request(model: &str, messages: Vec<Said>, options: RequestOptions) -> CompletionRequest {
    CompletionRequest {
        model: model.parse().unwrap(),
        system: Arc::from(["You help".to_owned(), "Be brief".to_owned()]),
        tools: Arc::from([ToolSpec {
            name: "look".into(),
            description: "Looks".into(),
            input_schema: json!({"type": "object", "$defs": {"p": {"type": "string", "title": "P"}},
                "properties": {"path": {"$ref": "#/$defs/p"}}}),
            ..ToolSpec::default()
        }]),
        messages: messages.into_iter().map(Arc::new).collect(),
        max_output_tokens: 32_000,
        options: Arc::new(options),
    }
}

fn text(text: &str) -> MessageBlock {
    MessageBlock::Text { text: text.into() }
}

fn user(said: &str) -> Said {
    Said::user(vec![text(said)])
}

fn call(id: &str, input: &str) -> MessageBlock {
    MessageBlock::ToolCall(ToolCall { id: id.into(), name: "look".into(), input: input.into() })
}

fn image() -> ContentBlock {
    ContentBlock::Image { source: MediaSource::Base64 { media_type: "image/png".into(), data: Arc::from("AAAA") } }
}

/// Three turns: one with a call and its result, which has an image; one of a foreign model; one to be answered.
fn conversation(author: &str) -> Vec<Said> {
    let details = r#"[{"type":"reasoning.text","text":"hm","index":0,"signature":"s"}]"#;
    let extra = r#"{"type":"tool_call_extra","callId":"call_1","extra_content":{"google":{"thought_signature":"g"}}}"#;
    vec![
        Said::user(vec![text("what is this?"), MessageBlock::Attachment { content: image() }]),
        Said::assistant(
            vec![
                MessageBlock::Thinking { text: "hm".into(), signature: details.into() },
                text("I look."),
                call("call_1", "{\"path\": \"a\"}"),
                MessageBlock::Other { json: extra.into() },
            ],
            Arc::from(author),
        ),
        Said::user(vec![MessageBlock::ToolResult(ToolResult {
            call_id: "call_1".into(),
            content: vec![ContentBlock::text("a file"), image()],
            is_error: false,
        })]),
        Said::assistant(
            vec![MessageBlock::Thinking { text: "foreign".into(), signature: "x".into() }, call("call_2", "{\"pa")],
            Arc::from("anthropic:claude"),
        ),
        Said::user(vec![MessageBlock::ToolResult(ToolResult::error("call_2", "the input is not JSON"))]),
        Said::assistant(
            vec![MessageBlock::Thinking { text: "so".into(), signature: String::new() }, text("A picture.")],
            Arc::from(author),
        ),
        user("thanks, and now?"),
        Said::assistant(
            vec![MessageBlock::Thinking { text: "now".into(), signature: String::new() }, call("call_3", "")],
            Arc::from(author),
        ),
        Said::user(vec![MessageBlock::ToolResult(ToolResult {
            call_id: "call_3".into(),
            content: vec![],
            is_error: false,
        })]),
    ]
}

fn wishes() -> RequestOptions {
    RequestOptions {
        effort: Some(Effort::High),
        tool_choice: ToolChoice::Auto,
        parallel_tools: ParallelTools::Forbidden,
        output_schema: Some(Arc::new(json!({"type": "object", "properties": {"a": {"type": "string"}}}))),
        stop_sequences: vec!["END".into()],
        sampling: Sampling { temperature: Some(0.5), top_p: Some(0.9), top_k: Some(40) },
        cache: Some(CacheTtl::FiveMinutes),
        ..RequestOptions::default()
    }
}

fn sent(request: &CompletionRequest, profile: &Profile) -> (Value, Vec<String>) {
    let plan = plan(request, profile).unwrap();
    let code = |event: &CompletionEvent| match event {
        CompletionEvent::Notice { code, .. } => code.clone(),
        other => panic!("{other:?}"),
    };
    let bytes = body(request, profile, &plan).unwrap();
    assert_eq!(bytes, body(request, profile, &plan).unwrap(), "the same bytes each time");
    (serde_json::from_slice(&bytes).unwrap(), plan.notices.iter().map(code).collect())
}

fn with(profile_name: &str, model: &str, options: RequestOptions) -> (Value, Vec<String>) {
    let profile = profile(profile_name);
    sent(&request(&format!("{profile_name}:{model}"), vec![user("hi")], options), &profile)
}

/// What each server is sent for the same wishes and the same three turns: read the difference when this changes.
#[test]
fn every_profile_is_asked_in_its_own_way() {
    let models = [
        ("openai", "gpt-5.1"),
        ("azure", "gpt-4o"),
        ("vllm", "qwen3-32b"),
        ("llamacpp", "local"),
        ("lmstudio", "local"),
        ("ollama-openai", "qwen3"),
        ("openrouter", "anthropic/claude-sonnet-5"),
        ("groq", "openai/gpt-oss-120b"),
        ("mistral", "magistral-medium-latest"),
        ("deepseek", "deepseek-v4-flash"),
        ("gemini", "gemini-3-pro"),
        ("xai", "grok-4.1"),
        ("together", "m"),
        ("fireworks", "m"),
        ("cerebras", "m"),
        ("moonshot", "kimi-k2-thinking"),
        ("perplexity", "sonar"),
        ("nvidia", "m"),
        ("litellm", "gpt-5"),
        ("oci", "meta.llama-3.3-70b-instruct"),
        ("openai-compatible", "m"),
    ];
    assert_eq!(models.len(), Profile::names().count(), "every built-in profile is asked");
    for (name, model) in models {
        let model = format!("{name}:{model}");
        let (body, notices) = sent(&request(&model, conversation(&model), wishes()), &profile(name));
        insta::assert_json_snapshot!(format!("profile_{name}"), json!({"body": body, "notices": notices}));
    }
}

#[test]
fn nothing_is_sent_that_no_one_asked_for() {
    let mut request = request("openai-compatible:m", vec![user("hi")], RequestOptions::default());
    request.tools = Arc::from([]);
    let (body, notices) = sent(&request, &profile("openai-compatible"));
    assert_eq!(
        body,
        json!({"model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 32000,
            "messages": [{"role": "system", "content": "You help\n\nBe brief"}, {"role": "user", "content": "hi"}]})
    );
    assert!(notices.is_empty());
}

#[test]
fn families_have_their_own_fields_wherever_they_are_served() {
    let (body, notices) = with("openai-compatible", "openai/gpt-5", wishes());
    assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&json!(32000), None));
    assert_eq!((body.get("temperature"), body.get("stop"), body.get("top_k")), (None, None, None));
    assert_eq!(notices, ["sampling.ignored", "stop_sequences.ignored"]);
    let (body, _) = with("openai", "o3", RequestOptions::default());
    assert_eq!(body["messages"][0]["role"], "developer");
    let (body, _) = with("openai", "gpt-5.2-chat-latest", RequestOptions::default());
    assert_eq!((&body["messages"][0]["role"], &body["max_completion_tokens"]), (&json!("system"), &json!(32000)));
    let (body, _) = with("openai", "gpt-4o-search-preview", wishes());
    assert_eq!((&body["max_tokens"], body.get("temperature")), (&json!(32000), None));
}

#[test]
fn tools_beside_reasoning_are_asked_for_as_openai_takes_them() {
    let effort = |model: &str, options: RequestOptions| with("openai", model, options);
    let high = RequestOptions { effort: Some(Effort::High), ..RequestOptions::default() };
    let (body, notices) = effort("gpt-5.6-sol", RequestOptions::default());
    assert_eq!((&body["reasoning_effort"], notices.len()), (&json!("none"), 0));
    let (body, notices) = effort("gpt-6-sol", high.clone());
    assert_eq!((&body["reasoning_effort"], notices), (&json!("none"), vec!["effort.not_supported".to_owned()]));
    let (body, notices) = effort("gpt-5.4", high.clone());
    assert_eq!((body.get("reasoning_effort"), notices.len()), (None, 1));
    let (body, _) = effort("gpt-5.1", high.clone());
    assert_eq!(body["reasoning_effort"], "high");
    let astra = request("openai:gpt-6-astra", vec![user("hi")], high.clone());
    let error = plan(&astra, &profile("openai")).unwrap_err();
    assert!(error.category == Category::BadRequest && error.hint.unwrap().contains("responses"));
    let toolless = CompletionRequest { tools: Arc::from([]), ..astra };
    assert_eq!(sent(&toolless, &profile("openai")).0["reasoning_effort"], "high");
}

#[test]
fn an_effort_that_there_is_not_becomes_the_next_lower_one() {
    let effort = |name: &str, model: &str, effort| {
        let (body, notices) = with(name, model, RequestOptions { effort: Some(effort), ..RequestOptions::default() });
        (body["reasoning_effort"].as_str().map(str::to_owned), notices.len())
    };
    assert_eq!(effort("openai", "o3", Effort::Max), (Some("high".into()), 1));
    assert_eq!(effort("vllm", "m", Effort::Max), (Some("max".into()), 0));
    assert_eq!(effort("mistral", "m", Effort::Low), (None, 1));
    assert_eq!(effort("openai", "gpt-4o", Effort::High), (None, 1));
}

#[test]
fn thinking_is_switched_off_in_each_servers_words() {
    let off = |name: &str, model: &str| {
        with(name, model, RequestOptions { thinking: Thinking::Disabled, ..RequestOptions::default() })
    };
    assert_eq!(off("openai", "gpt-5.1").0["reasoning_effort"], "none");
    assert_eq!(off("deepseek", "deepseek-v4-pro").0["thinking"], json!({"type": "disabled"}));
    assert_eq!(off("vllm", "qwen3").0["chat_template_kwargs"], json!({"enable_thinking": false}));
    assert_eq!(off("openrouter", "a/b").0["reasoning"], json!({"effort": "none"}));
    assert_eq!(off("openai", "gpt-5").1, ["thinking.not_supported"]);
    assert_eq!(off("openai", "gpt-4o").1, [] as [&str; 0]);
    let budget = RequestOptions { thinking: Thinking::Enabled { budget_tokens: 2048 }, ..RequestOptions::default() };
    assert_eq!(with("openrouter", "a/b", budget.clone()).0["reasoning"], json!({"max_tokens": 2048}));
    assert_eq!(with("groq", "m", budget).1, ["thinking.not_supported"]);
}

#[test]
fn a_tool_is_demanded_in_each_servers_words() {
    let choice = |name: &str, tool_choice: ToolChoice| {
        let request = request(
            &format!("{name}:m"),
            vec![user("hi")],
            RequestOptions { tool_choice, ..RequestOptions::default() },
        );
        plan(&request, &profile(name)).map(|plan| plan.tool_choice.unwrap_or_default())
    };
    let named = || ToolChoice::Tool { name: "look".into() };
    assert_eq!(choice("groq", ToolChoice::Auto), Ok(Value::Null));
    assert_eq!(choice("groq", ToolChoice::None), Ok(json!("none")));
    assert_eq!(choice("groq", ToolChoice::Any), Ok(json!("required")));
    assert_eq!(choice("groq", named()), Ok(json!({"type": "function", "function": {"name": "look"}})));
    assert_eq!(choice("mistral", ToolChoice::Any), Ok(json!("any")));
    assert_eq!(choice("llamacpp", named()), Ok(json!("required")));
    assert_eq!(choice("moonshot", ToolChoice::Any).unwrap_err().category, Category::BadRequest);
}

#[test]
fn thinking_of_r1_goes_back_within_its_turn_and_that_of_v4_always() {
    let reasoning = |model: &str| {
        let model = format!("deepseek:{model}");
        let (body, _) = sent(&request(&model, conversation(&model), RequestOptions::default()), &profile("deepseek"));
        let messages = body["messages"].as_array().unwrap().clone();
        let assistant = messages.iter().filter(|message| message["role"] == "assistant");
        assistant.map(|message| message.get("reasoning_content").cloned()).collect::<Vec<_>>()
    };
    assert_eq!(reasoning("deepseek-reasoner"), [None, None, None, Some(json!("now"))]);
    let all = ["hm", "", "so", "now"].map(|text| Some(json!(text)));
    assert_eq!(reasoning("deepseek-v4-flash"), all);
}

#[test]
fn what_another_model_thought_stays_away() {
    for name in ["openrouter", "gemini", "deepseek", "moonshot"] {
        let messages = conversation("anthropic:claude");
        let (body, _) = sent(&request(&format!("{name}:m"), messages, RequestOptions::default()), &profile(name));
        let text = body.to_string();
        for kept in ["thought_signature", "reasoning_details", "foreign", "\"hm\""] {
            assert!(!text.contains(kept), "{name}: {kept}");
        }
    }
}

#[test]
fn a_signature_that_gemini_3_misses_is_stood_in_for() {
    let body = |model: &str| {
        let messages = conversation("anthropic:claude");
        sent(&request(&format!("gemini:{model}"), messages, RequestOptions::default()), &profile("gemini")).0
    };
    let calls = |body: &Value| body.to_string().matches("skip_thought_signature_validator").count();
    assert_eq!((calls(&body("gemini-3-pro")), calls(&body("gemini-2.5-pro"))), (3, 0));
}

#[test]
fn arguments_go_back_byte_for_byte_or_as_an_object() {
    let (body, _) = sent(&request("vllm:m", conversation("vllm:m"), RequestOptions::default()), &profile("vllm"));
    let arguments: Vec<_> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|message| message.pointer("/tool_calls/0/function/arguments")?.as_str())
        .collect();
    assert_eq!(arguments, ["{\"path\": \"a\"}", "{}", "{}"]);
}

#[test]
fn mistrals_ids_are_the_same_for_a_call_and_its_result() {
    let messages = vec![
        user("hi"),
        Said::assistant(vec![call("toolu_01ABC", "{}"), call("AbCdEfGh1", "{}")], Arc::from("anthropic:c")),
        Said::user(["toolu_01ABC", "AbCdEfGh1"].map(|id| MessageBlock::ToolResult(ToolResult::ok(id, "ok"))).into()),
    ];
    let (body, _) = sent(&request("mistral:m", messages, RequestOptions::default()), &profile("mistral"));
    let made = body["messages"][2]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(made.len() == 9 && made.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{made}");
    assert_eq!(body["messages"][3]["tool_call_id"], made);
    assert_eq!(body["messages"][2]["tool_calls"][1]["id"], "AbCdEfGh1");
}

#[test]
fn documents_are_text_or_a_file_or_an_error() {
    let attached = |name: &str, source: MediaSource| {
        let content = ContentBlock::Document { source, title: Some("T".into()) };
        let message = Said::user(vec![MessageBlock::Attachment { content }]);
        let (request, profile) =
            (request(&format!("{name}:m"), vec![message], RequestOptions::default()), profile(name));
        let plan = plan(&request, &profile).unwrap();
        let bytes = body(&request, &profile, &plan)?;
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        Ok::<_, Error>(body["messages"][1]["content"].clone())
    };
    let base64 = |kind: &str, data: &str| MediaSource::Base64 { media_type: kind.into(), data: Arc::from(data) };
    assert_eq!(attached("vllm", MediaSource::Text { text: "t".into() }), Ok(json!("T:\n\nt")));
    assert_eq!(attached("vllm", base64("text/plain", "dA==")), Ok(json!("T:\n\nt")));
    let file = json!([{"type": "file", "file": {"filename": "T", "file_data": "data:application/pdf;base64,JVBERi"}}]);
    assert_eq!(attached("openrouter", base64("application/pdf", "JVBERi")), Ok(file));
    let error = attached("vllm", base64("application/pdf", "JVBERi")).unwrap_err();
    assert!(error.category == Category::BadRequest && error.message.contains("vLLM"), "{}", error.message);
}

#[test]
fn fields_of_the_users_own_overwrite_ours_and_refused_ones_are_left_out() {
    let extra: Map<String, Value> =
        serde_json::from_value(json!({"extra_body": {"seed": 7, "max_tokens": 5, "presence_penalty": 0}})).unwrap();
    let xai = profile("xai").with_overrides(&extra).unwrap();
    let (body, notices) = sent(&request("xai:m", vec![user("hi")], RequestOptions::default()), &xai);
    assert_eq!((&body["seed"], &body["max_tokens"], body.get("presence_penalty")), (&json!(7), &json!(5), None));
    assert_eq!(notices, ["field.not_supported"]);
}

#[test]
fn the_cache_key_follows_the_prefix() {
    let cached = || RequestOptions { cache: Some(CacheTtl::FiveMinutes), ..RequestOptions::default() };
    let key = |system: &str, said: &str| {
        let mut request = request("openai:gpt-5.1", vec![user(said)], cached());
        request.system = Arc::from([system.to_owned()]);
        sent(&request, &profile("openai")).0["prompt_cache_key"].as_str().unwrap().to_owned()
    };
    assert_eq!(key("a", "x"), key("a", "y"));
    assert_ne!(key("a", "x"), key("b", "x"));
    assert_eq!(with("groq", "m", cached()).0.get("prompt_cache_key"), None);
}

#[test]
fn a_schema_is_sent_as_the_server_takes_it() {
    let (body, _) = with("openai", "gpt-5.1", wishes());
    assert_eq!(
        body["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": {
            "type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "required": ["a"],
            "additionalProperties": false}}})
    );
    assert_eq!(with("deepseek", "m", wishes()).0.get("response_format"), None);
    let oci =
        |model: &str| with("oci", model, RequestOptions::default()).0["tools"][0]["function"]["parameters"].clone();
    assert_eq!(oci("google.gemini-2.5-pro"), json!({"type": "object", "properties": {"path": {"type": "string"}}}));
    assert_eq!(oci("xai.grok-4")["properties"]["path"], json!({"$ref": "#/$defs/p"}));
}

#[test]
fn llama_behind_oracles_gateway_reads_the_system_prompt_from_the_user() {
    let (body, _) = with("oci", "meta.llama-3.3-70b-instruct", RequestOptions::default());
    assert_eq!(body["messages"], json!([{"role": "user", "content": "You help\n\nBe brief\n\nhi"}]));
    let mut toolless = request("oci:meta.llama-3.3", vec![user("hi")], RequestOptions::default());
    toolless.tools = Arc::from([]);
    assert_eq!(sent(&toolless, &profile("oci")).0["messages"][0]["role"], "system");
}
