//! `souffleur/auth/*`: status, keys, logins.

use serde_json::{Value, json};

use super::{assert_works, refused_at_once, setup, status};
use crate::support::GUARD;
use crate::support::editor::Editor;
use crate::support::platform::{Platform, field, visit};
use crate::support::secrets::{API_KEY, CODE, OTHER_KEY, PLAIN_KEY, access_token};
use crate::support::setup::Setup;

fn set(editor: &Editor, key: &str) -> Value {
    editor.call_ok("souffleur/auth/set", json!({"provider": "anthropic", "key": key}))
}

fn logout(editor: &Editor) -> Vec<String> {
    let result = editor.call_ok("souffleur/auth/logout", json!({"provider": "anthropic"}));
    serde_json::from_value(result["removed"].clone()).unwrap()
}

fn with_issuer(platform: &Platform) -> Setup {
    setup(platform, &platform.issuer_settings())
}

/// The address that a login without `window/showDocument` tells the user.
fn told_address(editor: &Editor) -> String {
    let told = editor.message_to_user();
    told[told.find("http").unwrap()..].to_owned()
}

/// Where the browser ends when the user said yes.
fn redirected(address: &str) -> String {
    format!("{}?code={CODE}&state={}", field(address, "redirect_uri"), field(address, "state"))
}

/// Takes away the client's capability to open a browser.
fn without_browser(setup: Setup) -> Editor {
    let mut params = setup.initialize_params();
    params["capabilities"]["window"].as_object_mut().unwrap().remove("showDocument");
    setup.recorded(params).start()
}

#[test]
#[cfg_attr(any(target_os = "macos", windows), ignore = "it would write to the keychain of whoever runs it")]
fn a_key_is_stored_for_its_host_used_and_removed() {
    let platform = Platform::taking("x-api-key", API_KEY);
    let setup = setup(&platform, "");
    let stored = setup.home().join("data/souffleur/keys.json");
    let editor = setup.start();
    assert_eq!(status(&editor, false)["error"]["code"], "auth.missing_key");
    // A wrong one first: it is replaced.
    set(&editor, OTHER_KEY);
    editor.ask(&editor.new_session(), "hi").assert_error("auth.rejected");
    let result = set(&editor, &format!(" {API_KEY}\n"));
    assert_eq!(result["host"], platform.host());
    assert_works(&editor);
    let known = status(&editor, true);
    assert_eq!((&known["used"]["kind"], &known["used"]["check"]["ok"]), (&json!("apiKey"), &json!(true)), "{known}");
    assert!(result["stored"].as_str().unwrap().contains("keys.json"));
    assert!(std::fs::read_to_string(&stored).unwrap().contains(API_KEY), "the check of secrets looks at real ones");
    assert_eq!(logout(&editor).len(), 1);
    assert!(!std::fs::read_to_string(&stored).unwrap().contains(API_KEY));
    assert!(logout(&editor).is_empty(), "there is nothing more");
    assert_eq!(status(&editor, false)["error"]["code"], "auth.missing_key");
    refused_at_once(&editor, "auth.missing_key");
}

#[test]
#[cfg_attr(any(target_os = "macos", windows), ignore = "it would write to the keychain of whoever runs it")]
fn a_stored_key_does_not_follow_the_base_url() {
    let (platform, other) = (Platform::taking("x-api-key", API_KEY), Platform::start());
    let setup = setup(&platform, "");
    let file = setup.user_file();
    let editor = setup.start();
    set(&editor, API_KEY);
    assert_works(&editor);
    std::fs::write(&file, format!("[providers.anthropic]\nbaseUrl = '{}'\n", other.url())).unwrap();
    refused_at_once(&editor, "auth.wrong_host");
    assert_eq!(other.vendor().connections_made(), 0);
}

#[test]
fn what_is_no_key_and_who_takes_none_is_told() {
    let editor = Setup::sim().start();
    for (params, code) in [
        (json!({"provider": "anthropic", "key": " "}), "auth.invalid"),
        (json!({"provider": "anthropic", "key": format!("{PLAIN_KEY} and more")}), "auth.invalid"),
        (json!({"provider": "sim", "key": PLAIN_KEY}), "auth.invalid"),
        (json!({"provider": "antropic", "key": PLAIN_KEY}), "provider.unknown"),
        (json!({"provider": "anthropic", "key": 5}), "protocol.invalid_params"),
        (json!({"provider": "anthropic"}), "protocol.invalid_params"),
    ] {
        editor.call_err("souffleur/auth/set", params).assert_code(code);
    }
    let unknown = json!({"provider": "nobody"});
    for method in ["souffleur/auth/status", "souffleur/auth/login", "souffleur/auth/logout"] {
        editor.call_err(method, unknown.clone()).assert_code("provider.unknown");
    }
}

#[test]
fn the_status_of_all_providers_has_each_and_touches_no_network() {
    let platform = Platform::start();
    let editor = setup(&platform, "").env("OPENAI_API_KEY", PLAIN_KEY).start();
    let result = editor.call_ok("souffleur/auth/status", json!({}));
    let of = |name: &str| {
        let all = result["providers"].as_array().unwrap();
        all.iter().find(|entry| entry["provider"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(of("sim")["used"]["kind"], "none");
    assert_eq!(of("ollama")["used"]["kind"], "none");
    assert_eq!(of("openai")["used"]["source"], "the environment variable OPENAI_API_KEY");
    assert_eq!(of("anthropic")["error"]["code"], "auth.missing_key");
    assert!(of("oci").get("error").is_some() && of("azure").get("error").is_some());
    assert_eq!(platform.vendor().connections_made(), 0);
}

#[test]
fn a_login_in_the_browser_that_the_editor_opens() {
    let platform = Platform::start();
    platform.revoke();
    let editor = with_issuer(&platform).start();
    let login = editor.request("souffleur/auth/login", json!({"provider": "anthropic"}));
    let asked = editor.wait_for("the browser", |message| message.method() == Some("window/showDocument"));
    assert_eq!(asked.body["params"]["external"], true);
    let address = asked.body["params"]["uri"].as_str().unwrap().to_owned();
    editor.send(&json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": {"success": true}}));
    assert!(address.starts_with(&format!("{}/authorize?", platform.url())), "{address}");
    assert_eq!(field(&address, "code_challenge_method"), "S256");

    // Whoever comes with another state, or to another path, changes nothing.
    let callback = field(&address, "redirect_uri");
    assert_eq!(visit(&format!("{callback}?code=stolen&state=guessed")), 400);
    assert_eq!(visit(&callback.replace("/callback", "/")), 404);
    assert_eq!(visit(&redirected(&address)), 200);
    let result = editor.response(&login).1.unwrap();
    assert_eq!((&result["type"], &result["credential"]["kind"]), (&json!("loggedIn"), &json!("oauth")), "{result}");
    assert_eq!(result["credential"]["host"], platform.host());

    let asked = platform.asked();
    assert_eq!((asked.len(), &asked[0]["code"]), (1, &json!(CODE)));
    assert_eq!(challenge(asked[0]["code_verifier"].as_str().unwrap()), field(&address, "code_challenge"));
    assert_works(&editor);
    assert_eq!(status(&editor, true)["used"]["check"]["ok"], true);
    assert_eq!(logout(&editor).len(), 1);
    assert_eq!(status(&editor, false)["error"]["code"], "auth.missing_key");
}

/// The challenge of a verifier (RFC 7636, S256).
fn challenge(verifier: &str) -> String {
    use base64::Engine;
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}

#[test]
fn an_editor_that_does_not_open_the_browser_has_the_address_told() {
    let platform = Platform::start();
    for answer in [
        json!({"result": {"success": false}}),
        json!({"result": null}),
        json!({"error": {"code": -32601, "message": "no"}}),
    ] {
        let editor = with_issuer(&platform).start();
        let login = editor.request("souffleur/auth/login", json!({"provider": "anthropic"}));
        let asked = editor.wait_for("the browser", |message| message.method() == Some("window/showDocument"));
        let mut reply = answer.clone();
        reply["jsonrpc"] = json!("2.0");
        reply["id"] = asked.body["id"].clone();
        editor.send(&reply);
        assert_eq!(visit(&redirected(&told_address(&editor))), 200, "{answer}");
        assert_eq!(editor.response(&login).1.unwrap()["type"], "loggedIn");
    }
}

#[test]
fn a_login_that_the_user_refuses_or_the_issuer() {
    let platform = Platform::start();
    let editor = without_browser(with_issuer(&platform));
    let login = editor.request("souffleur/auth/login", json!({"provider": "anthropic"}));
    let address = told_address(&editor);
    let said = format!("{}?error=access_denied&state={}", field(&address, "redirect_uri"), field(&address, "state"));
    assert_eq!(visit(&said), 200);
    let error = editor.response(&login).1.unwrap_err().assert_code("auth.login_failed");
    assert!(error.message.contains("access_denied") && error.provider.as_deref() == Some("anthropic"));

    let body = json!({"error": "invalid_grant", "error_description": format!("the code {CODE} is old")}).to_string();
    let refusal = crate::support::script::Script::status(400).header("content-type", "application/json").body(body);
    platform.answer_token_with(refusal);
    let login = editor.request("souffleur/auth/login", json!({"provider": "anthropic"}));
    assert_eq!(visit(&redirected(&told_address(&editor))), 200);
    let error = editor.response(&login).1.unwrap_err().assert_code("auth.login_failed");
    assert!(error.message.contains("invalid_grant") || error.message.contains("is old"), "{}", error.message);
}

#[test]
fn a_login_ends_when_the_request_is_cancelled_and_when_the_server_shuts_down() {
    let platform = Platform::start();
    let editor = without_browser(with_issuer(&platform));
    let login = editor.request("souffleur/auth/login", json!({"provider": "anthropic"}));
    let address = told_address(&editor);
    editor.notify("$/cancelRequest", json!({"id": login}));
    assert_eq!(editor.response(&login).1.unwrap_err().code, -32800);
    let callback = url::Url::parse(&field(&address, "redirect_uri")).unwrap();
    let port = ("127.0.0.1", callback.port().unwrap());
    let deadline = std::time::Instant::now() + GUARD;
    while std::net::TcpStream::connect(port).is_ok() {
        assert!(std::time::Instant::now() < deadline, "the port stays open");
    }

    let login = editor.request("souffleur/auth/login", json!({"provider": "anthropic"}));
    told_address(&editor);
    let shutdown = editor.request("shutdown", Value::Null);
    let error = editor.response(&login).1.unwrap_err().assert_code("auth.login_failed");
    assert!(error.message.contains("cancelled"));
    assert_eq!(editor.response(&shutdown).1.unwrap(), Value::Null);
    editor.notify("exit", json!({}));
    let mut editor = editor;
    assert_eq!(editor.wait_exit().code(), Some(0));
}

#[test]
fn a_login_by_pasting() {
    let platform = Platform::start();
    platform.revoke();
    let editor = with_issuer(&platform).start();
    let paste = |pasted: Option<String>| {
        let mut params = json!({"provider": "anthropic", "method": "paste"});
        if let Some(pasted) = pasted {
            params["pasted"] = json!(pasted);
        }
        editor.call("souffleur/auth/login", params)
    };
    let nothing = paste(Some(format!("{CODE}#state"))).unwrap_err().assert_code("auth.login_failed");
    assert!(nothing.message.contains("no login waits"));
    let begin = || {
        let begun = paste(None).unwrap();
        assert_eq!(begun["type"], "begun");
        begun["url"].as_str().unwrap().to_owned()
    };
    begin();
    paste(Some(format!("{CODE}#of-another-login"))).unwrap_err().assert_code("auth.login_failed");
    begin();
    paste(Some(CODE.to_owned())).unwrap_err().assert_code("auth.login_failed");
    assert!(platform.asked().is_empty());

    // A new one takes the place of the one that was begun before.
    begin();
    let state = field(&begin(), "state");
    let done = paste(Some(format!("{CODE}#{state}\n"))).unwrap();
    assert_eq!(done["type"], "loggedIn");
    assert_works(&editor);
    let address = begin();
    assert_eq!(paste(Some(redirected(&address))).unwrap()["type"], "loggedIn", "the whole address does, too");
    let bundle = done["stored"].as_str().unwrap().trim_start_matches("the file ").to_owned();
    assert!(std::fs::read_to_string(bundle).unwrap().contains(&access_token(2)));
}

#[test]
fn without_an_issuer_there_is_no_login() {
    let editor = Setup::sim().start();
    let error = editor.call_err("souffleur/auth/login", json!({"provider": "anthropic"}));
    let error = error.assert_code("auth.login_failed");
    assert!(error.hint.unwrap().contains("ant auth login"));
    for provider in ["openai", "ollama"] {
        let error = editor.call_err("souffleur/auth/login", json!({"provider": provider}));
        error.assert_code("auth.login_failed");
    }
    editor.call_err("souffleur/auth/login", json!({"provider": "sim"})).assert_code("auth.invalid");
}
