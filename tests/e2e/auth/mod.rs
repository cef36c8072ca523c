//! Credentials, end to end: each way in, renewal, who may have which, and what is wrong with them.

use serde_json::{Value, json};
use souffleur::error::UserError;

use crate::support::editor::Editor;
use crate::support::platform::{Platform, SAID};
use crate::support::setup::Setup;

mod bad;
mod hosts;
mod methods;
mod modes;
mod renewal;

/// A server whose user has these settings for Anthropic, and this platform as its base URL. What follows after a blank
/// line is of other tables.
fn setup(platform: &Platform, settings: &str) -> Setup {
    let url = platform.url();
    unpaired(&format!("baseUrl = '{url}'\n{settings}"))
}

/// The same with the base URL in the environment.
fn setup_by_environment(platform: &Platform, settings: &str) -> Setup {
    unpaired(settings).env("ANTHROPIC_BASE_URL", &platform.url())
}

fn unpaired(settings: &str) -> Setup {
    Setup::bare()
        .env("SOUFFLEUR_MODEL", "anthropic:claude-sonnet-5-5")
        .env("SOUFFLEUR_MAX_RETRIES", "0")
        .user_settings(&format!("[providers.anthropic]\n{settings}\n"))
}

/// Asks, and is answered.
fn assert_works(editor: &Editor) {
    let turn = editor.ask(&editor.new_session(), "hi");
    assert!(turn.end().error.is_none(), "{:?}", turn.end());
    assert_eq!(turn.text(), SAID);
}

/// Prompts, and is refused at once: what is wrong can be told without asking anybody.
fn refused_at_once(editor: &Editor, code: &str) -> UserError {
    let content = json!([{"type": "text", "text": "hi"}]);
    let params = json!({"sessionId": editor.new_session(), "content": content, "streamToken": "refused"});
    let error = editor.call_err("souffleur/session/prompt", params).assert_code(code);
    assert_eq!(error.provider.as_deref(), Some("anthropic"), "{error:?}");
    error
}

/// The entry of a provider's status.
fn status(editor: &Editor, online: bool) -> Value {
    let params = json!({"provider": "anthropic", "online": online});
    editor.call_ok("souffleur/auth/status", params)["providers"][0].clone()
}
