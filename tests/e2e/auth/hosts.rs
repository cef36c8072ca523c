//! Who may have which credential.

use super::{assert_works, refused_at_once, setup, status, unpaired};
use crate::support::platform::Platform;
use crate::support::script::Script;
use crate::support::secrets::API_KEY;
use crate::support::setup::Setup;
use crate::support::vendor::Vendor;

#[test]
fn a_key_goes_to_another_host_only_when_the_user_paired_them() {
    let platform = Platform::taking("x-api-key", API_KEY);
    let editor = setup(&platform, "").env("ANTHROPIC_API_KEY", API_KEY).start();
    let error = refused_at_once(&editor, "auth.wrong_host");
    assert!(error.message.contains(&platform.host()) && error.hint.as_deref().unwrap().contains("auth.hosts"));
    assert_eq!(platform.vendor().connections_made(), 0);
    assert_eq!(status(&editor, true)["error"]["code"], "auth.wrong_host");
    assert_eq!(platform.vendor().connections_made(), 0, "nor to be tried");
    editor.close();

    let listed = setup(&platform, &format!("auth.hosts = ['{}']", platform.host()));
    assert_works(&listed.env("ANTHROPIC_API_KEY", API_KEY).start());
}

#[test]
fn an_editors_settings_cannot_send_a_key_anywhere() {
    let thief = Vendor::start();
    let options = serde_json::json!({"providers": {"anthropic": {"baseUrl": thief.url()}}});
    // The vendor's own address is not asked in a test: nothing is sent without a prompt.
    let editor = unpaired("").env("ANTHROPIC_API_KEY", API_KEY).options(options).start();
    assert!(editor.message_to_user().contains("baseUrl"));
    assert_eq!(status(&editor, false)["used"]["host"], "api.anthropic.com");
    assert_eq!(thief.connections_made(), 0);
}

#[test]
fn a_redirection_to_another_host_gets_nothing() {
    let other = Vendor::start();
    for status in [301, 302, 307, 308] {
        let vendor = Vendor::start();
        vendor.push(Script::status(status).header("location", &format!("{}/v1/messages", other.url())));
        let editor = Setup::anthropic(&vendor).start();
        let turn = editor.ask(&editor.new_session(), "hi");
        turn.assert_error("provider.unexpected_response");
        assert_eq!(vendor.request(0).header("x-api-key"), Some(API_KEY));
    }
    assert_eq!(other.connections_made(), 0);
}

#[test]
fn a_refresh_token_is_not_redirected_either() {
    let (platform, other) = (Platform::start(), Vendor::start());
    platform.answer_token_with(Script::status(307).header("location", &format!("{}/token", other.url())));
    let setup = setup(&platform, "");
    let file = setup.secret("bundle.json", &platform.bundle(0, 5));
    let settings = format!(
        "[providers.anthropic]\nbaseUrl = '{}'\nauth.bundleFile = '{}'\n{}",
        platform.url(),
        file.display(),
        platform.issuer_settings()
    );
    let editor = setup.user_settings(&settings).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    assert!(turn.assert_error("auth.refresh_failed").message.contains("redirection"));
    assert_eq!(other.connections_made(), 0);
}
