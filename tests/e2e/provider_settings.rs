//! Providers of the user's own, and what settings change of built-in ones; lists of models; and no network before it is
//! needed.

use std::process::Command;

use serde_json::{Value, json};
use souffleur::chat::TurnStopReason;

use crate::support::setup::Setup;
use crate::support::vendor::Vendor;
use crate::support::vendors::apis::APIS;
use crate::support::vendors::{chat, json_script, responses};

#[test]
fn a_provider_of_the_users_own_has_its_profile_its_quirks_its_headers_and_its_body() {
    let vendor = Vendor::start();
    vendor.push(chat::says("hello"));
    let settings = format!(
        r#"
        [providers.acme]
        baseUrl = "{}/v1"
        profile = "vllm"
        apiKeyEnv = "ACME_KEY"
        models = ["big", "small"]
        headers = {{ x-team = "souffleur" }}
        body = {{ priority = 3 }}
        quirks = {{ token_field = "max_completion_tokens", maxOutput = 512, sendUsageOption = false }}
        "#,
        vendor.url()
    );
    let editor = Setup::of_model("acme:big", &settings).env("ACME_KEY", "secret").start();
    let turn = editor.ask(&editor.new_session(), "hi");
    turn.assert_stop(TurnStopReason::EndTurn);
    let request = vendor.request(0);
    assert_eq!(request.path, "/v1/chat/completions");
    assert_eq!(request.header("authorization"), Some("Bearer secret"));
    assert_eq!((request.header("x-team"), &request.body["priority"]), (Some("souffleur"), &json!(3)));
    assert_eq!((&request.body["max_completion_tokens"], request.body.get("max_tokens")), (&json!(512), None));
    assert_eq!(request.body.get("stream_options"), None);
    let list = editor.call_ok("souffleur/model/list", json!({"provider": "acme"}));
    assert_eq!(list["models"].as_array().map(Vec::len), Some(0), "what is listed is asked for with refresh");
}

#[test]
fn a_server_of_ones_own_may_speak_responses_and_needs_no_key() {
    let vendor = Vendor::start();
    vendor.push(responses::says("hello"));
    let settings = format!("[providers.lab]\nbaseUrl = \"{}/v1\"\napi = \"responses\"\n", vendor.url());
    let editor = Setup::of_model("lab:m", &settings).start();
    assert_eq!(editor.ask(&editor.new_session(), "hi").text(), "hello");
    let request = vendor.request(0);
    assert_eq!((request.path.as_str(), request.header("authorization")), ("/v1/responses", None));
    assert_eq!(request.body["store"], false);
    assert_eq!(request.body.get("stream_options"), None, "a field of OpenAI's own");
}

#[test]
fn a_mistyped_quirk_or_profile_is_told_before_anything_is_sent() {
    let vendor = Vendor::start();
    for (more, said) in [
        ("profile = \"vlm\"", "vllm"),
        ("quirks = { token_feild = \"max_tokens\" }", "token_field"),
        ("quirks = { token_field = \"most\" }", "token_field"),
        ("api = \"completions\"", "chat or responses"),
    ] {
        let settings = format!("[providers.lab]\nbaseUrl = \"{}/v1\"\n{more}\n", vendor.url());
        let editor = Setup::of_model("lab:m", &settings).start();
        let error = editor.call_err("souffleur/session/new", json!({})).assert_code("config.invalid");
        assert!(format!("{error:?}").contains(said), "{error:?}");
    }
    assert_eq!(vendor.connections_made(), 0);
}

#[test]
fn azure_is_asked_in_its_own_form() {
    let vendor = Vendor::start();
    vendor.push(chat::says("one"));
    vendor.push(chat::says("two"));
    // The endpoint from its own variable, the key from another.
    let environment = Setup::of_model("azure:our deployment", "").env("AZURE_OPENAI_ENDPOINT", &vendor.url());
    let editor = environment.env("AZURE_OPENAI_API_KEY", "secret").start();
    assert_eq!(editor.ask(&editor.new_session(), "hi").text(), "one");
    let request = vendor.request(0);
    assert_eq!(request.path, "/openai/deployments/our%20deployment/chat/completions?api-version=2024-10-21");
    assert_eq!((request.header("api-key"), request.header("authorization")), (Some("secret"), None));
    let settings = format!(
        "[providers.azure]\nbaseUrl = \"{}/\"\napiKey = \"k\"\nquirks = {{ query = {{ api-version = \"2026-01-01\" }} }}\n",
        vendor.url()
    );
    let editor = Setup::of_model("azure:d", &settings).start();
    assert_eq!(editor.ask(&editor.new_session(), "hi").text(), "two");
    assert_eq!(vendor.request(1).path, "/openai/deployments/d/chat/completions?api-version=2026-01-01");
}

#[test]
fn variables_of_the_vendor_name_key_organization_and_project() {
    let vendor = Vendor::start();
    vendor.push(responses::says("hello"));
    let editor = Setup::of_model("openai:gpt-6.1-terra", "")
        .env("OPENAI_BASE_URL", &format!("{}/v1", vendor.url()))
        .env("OPENAI_API_KEY", "secret")
        .env("OPENAI_ORG_ID", "org-1")
        .env("OPENAI_PROJECT_ID", "proj-1")
        .start();
    assert_eq!(editor.ask(&editor.new_session(), "hi").text(), "hello");
    let request = vendor.request(0);
    assert_eq!(request.header("authorization"), Some("Bearer secret"));
    let said = (request.header("openai-organization"), request.header("openai-project"));
    assert_eq!(said, (Some("org-1"), Some("proj-1")));
}

#[test]
fn a_missing_key_is_told_before_anything_is_sent_and_by_its_variable() {
    let vendor = Vendor::start();
    for (provider, variable) in
        [("openai", "OPENAI_API_KEY"), ("groq", "GROQ_API_KEY"), ("openrouter", "OPENROUTER_API_KEY")]
    {
        let settings = format!("[providers.{provider}]\nbaseUrl = \"{}/v1\"\n", vendor.url());
        let editor = Setup::of_model(&format!("{provider}:m"), &settings).start();
        let session = editor.new_session();
        let content = json!([{"type": "text", "text": "hi"}]);
        let params = json!({"sessionId": session, "streamToken": editor.token(), "content": content});
        let error = editor.call_err("souffleur/session/prompt", params).assert_code("auth.missing_key");
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains(variable)), "{error:?}");
    }
    assert_eq!(vendor.connections_made(), 0);
}

#[test]
fn no_provider_connects_before_the_first_prompt() {
    for api in APIS {
        let vendor = api.vendor();
        let editor = api.setup(&vendor).start();
        editor.new_session();
        editor.call_ok("souffleur/model/list", json!({}));
        editor.call_ok("souffleur/auth/status", json!({}));
        assert_eq!(vendor.connections_made(), 0, "{}", api.provider);
        vendor.push((api.says)("hello"));
        assert_eq!(editor.ask(&editor.new_session(), "hi").text(), "hello", "{}", api.provider);
    }
}

fn models(setup: &Setup, arguments: &[&str]) -> (Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_souffleur"));
    let output = setup.command(&mut command).arg("models").args(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    (serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}")), errors)
}

#[test]
fn the_models_of_a_server_are_listed_when_that_is_asked_for() {
    let vendor = Vendor::start();
    vendor.answer_with(|request| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/models") => json_script(
            200,
            &json!({"object": "list", "data": [
                {"id": "qwen3-32b", "object": "model", "owned_by": "vllm", "max_model_len": 40960},
                {"id": "glm-5", "object": "model", "owned_by": "vllm"}]}),
        ),
        _ => chat::error(404, "x", "", "not here"),
    });
    let settings = format!("[providers.vllm]\nbaseUrl = \"{}/v1\"\nmodels = [\"extra\"]\n", vendor.url());
    let setup = || Setup::of_model("vllm:qwen3-32b", &settings);
    let (list, _) = models(&setup(), &["--json"]);
    assert!(!list.to_string().contains("glm-5"), "nothing is asked unless that is wanted");
    assert_eq!(vendor.request_count(), 0);
    let (list, errors) = models(&setup(), &["--refresh", "--json"]);
    let entries = list["models"].as_array().unwrap();
    let of_vllm: Vec<_> = entries.iter().filter(|model| model["provider"] == "vllm").collect();
    let names: Vec<_> = of_vllm.iter().map(|model| model["model"].as_str().unwrap()).collect();
    assert_eq!(names, ["vllm:qwen3-32b", "vllm:glm-5", "vllm:extra"], "{errors}");
    assert_eq!(of_vllm[0]["contextTokens"], 40960);
    assert_eq!(vendor.request(0).header("accept"), Some("application/json"));
}
