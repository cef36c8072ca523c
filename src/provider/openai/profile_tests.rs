use serde_json::json;

use super::*;

fn fields(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

#[test]
fn every_profile_of_the_table_can_be_used() {
    let names: Vec<_> = Profile::names().collect();
    for wanted in [
        "openai",
        "azure",
        "vllm",
        "llamacpp",
        "lmstudio",
        "ollama-openai",
        "openrouter",
        "groq",
        "mistral",
        "deepseek",
        "gemini",
        "xai",
        "together",
        "fireworks",
        "cerebras",
        "moonshot",
        "perplexity",
        "nvidia",
        "litellm",
        "oci",
        "openai-compatible",
    ] {
        assert!(names.contains(&wanted), "{wanted}");
    }
    for name in &names {
        let profile = Profile::builtin(name).unwrap();
        assert!(!profile.display.is_empty() && !profile.reasoning_in.is_empty(), "{name}");
        let user_says_where = matches!(*name, "azure" | "openai-compatible");
        assert_eq!(profile.endpoint("m").is_err(), user_says_where, "{name}");
        let again: Profile = serde_json::from_value(serde_json::to_value(&profile).unwrap()).unwrap();
        assert_eq!(again, profile, "{name}: what is written can be read");
    }
}

#[test]
fn an_unknown_name_is_told_the_nearest() {
    let error = Profile::builtin("mistal").unwrap_err();
    assert_eq!((error.code, error.hint.as_deref()), (ErrorCode::ConfigInvalid, Some("did you mean mistral?")));
    let error = Profile::builtin("something-else-entirely").unwrap_err();
    assert!(error.hint.unwrap().contains("openai-compatible"));
}

#[test]
fn single_fields_are_overridden_in_both_spellings() {
    let profile = Profile::custom(
        "work",
        "openai-compatible",
        &fields(json!({"baseUrl": "https://llm.example.org/v1/", "token_field": "max_tokens",
            "extraHeaders": {"X-Team": "a"}, "keyEnv": ["WORK_KEY"], "models": null})),
    )
    .unwrap();
    assert_eq!((profile.name.as_str(), profile.token_field), ("work", TokenField::MaxTokens));
    assert_eq!(profile.endpoint("m").unwrap(), "https://llm.example.org/v1/chat/completions");
    assert_eq!((&*profile.key_env[0], &*profile.extra_headers["X-Team"]), ("WORK_KEY", "a"));
    assert_eq!(profile.models_url().unwrap(), None);
    assert!(profile.native_schema, "the rest is as it was");
}

#[test]
fn a_wrong_field_or_value_is_named() {
    let plain = Profile::builtin("vllm").unwrap();
    let error = plain.with_overrides(&fields(json!({"tokenFeld": "max_tokens"}))).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean token_field?"));
    let error = plain.with_overrides(&fields(json!({"api": "messages"}))).unwrap_err();
    assert!(error.message.contains("api") && error.message.contains("responses"), "{}", error.message);
}

#[test]
fn endpoints_are_where_the_server_has_them() {
    let azure = Profile::builtin("azure").unwrap();
    let azure = azure.with_overrides(&fields(json!({"base_url": "https://acme.openai.azure.com/"}))).unwrap();
    assert_eq!(
        azure.endpoint("my gpt-5.4").unwrap(),
        "https://acme.openai.azure.com/openai/deployments/my%20gpt-5.4/chat/completions?api-version=2024-10-21"
    );
    let openai = Profile::builtin("openai").unwrap();
    assert_eq!(openai.endpoint("m").unwrap(), "https://api.openai.com/v1/responses");
    let vllm = Profile::builtin("vllm").unwrap();
    assert_eq!(vllm.health_url().unwrap().as_deref(), Some("http://localhost:8000/health"));
    assert_eq!(vllm.models_url().unwrap().as_deref(), Some("http://localhost:8000/v1/models"));
    let whole = fields(json!({"base_url": "http://h/v1/chat/completions"}));
    assert_eq!(vllm.with_overrides(&whole).unwrap().endpoint("m").unwrap(), "http://h/v1/chat/completions");
}
