//! What is Oracle's own: who signs, what is refused before anything is sent, and tokens that are renewed on disk.

use serde_json::json;
use souffleur::chat::TurnStopReason;

use crate::support::setup::Setup;
use crate::support::vendor::Vendor;
use crate::support::vendors::{chat, demand, dialects, oci};

const MODEL: &str = "oci:openai.gpt-oss-120b";

fn settings(vendor: &Vendor, more: &str) -> String {
    format!("[providers.oci]\nbaseUrl = \"{}/openai/v1\"\n{more}", vendor.url())
}

fn session_settings(vendor: &Vendor) -> String {
    settings(vendor, &format!("profile = \"SESSION\"\ncompartmentId = \"{}\"\n", oci::COMPARTMENT))
}

fn says(text: &str) -> crate::support::script::Script {
    chat::answer(dialects::dialect("oci"), &crate::support::vendors::Said { text, ..Default::default() })
}

#[test]
fn a_session_token_is_read_again_once_when_it_is_refused() {
    let vendor = Vendor::start();
    let setup = Setup::of_model(MODEL, &session_settings(&vendor));
    let (old, new) = (oci::token("old", 3600), oci::token("new", 3600));
    oci::write_home(&setup.home(), &old);
    let home = setup.home();
    let editor = setup.start();
    let session = editor.new_session();
    vendor.push(says("first"));
    assert_eq!(editor.ask(&session, "hi").text(), "first");
    // OCI's own tools renewed it: the old one is refused, and the new one is found.
    oci::write_home(&home, &new);
    vendor.push(oci::error(401, "NotAuthenticated", "The token expired"));
    vendor.push(says("second"));
    assert_eq!(editor.ask(&session, "hi").text(), "second");
    for (number, token) in [(0, &old), (1, &old), (2, &new)] {
        oci::decode(&format!("ST${token}"), &vendor.request(number)).unwrap();
    }
    // Refused again and not renewed: it is told, and not sent again.
    vendor.push(oci::error(401, "NotAuthenticated", "The token expired"));
    let turn = editor.ask(&session, "hi");
    let error = turn.assert_error("auth.rejected");
    assert!(error.hint.as_ref().unwrap().contains("clock"), "{error:?}");
    assert_eq!(error.request_id.as_deref(), Some("opc_1"));
    assert_eq!(vendor.request_count(), 4);
}

#[test]
fn an_expired_token_is_told_before_anything_is_sent() {
    let vendor = Vendor::start();
    let setup = Setup::of_model(MODEL, &session_settings(&vendor));
    oci::write_home(&setup.home(), &oci::token("old", -5));
    let editor = setup.start();
    let turn = editor.ask(&editor.new_session(), "hi");
    let error = turn.assert_error("auth.expired");
    assert!(error.hint.as_ref().unwrap().contains("oci session authenticate"), "{error:?}");
    assert_eq!(vendor.connections_made(), 0);
}

#[test]
fn a_refused_signature_of_an_api_key_is_not_sent_again() {
    let vendor = Vendor::start();
    let more = format!("profile = \"DEFAULT\"\ncompartmentId = \"{}\"\n", oci::COMPARTMENT);
    let setup = Setup::of_model(MODEL, &settings(&vendor, &more)).env("SOUFFLEUR_MAX_RETRIES", "2");
    oci::write_home(&setup.home(), "");
    vendor.push(oci::error(401, "NotAuthenticated", "The required information was not provided"));
    vendor.push(oci::error(404, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found"));
    vendor.push(oci::error(429, "TooManyRequests", "slow").header("retry-after", "0"));
    vendor.push(says("at last"));
    let editor = setup.env("SOUFFLEUR_RETRY_BASE_DELAY_MS", "1").start();
    let session = editor.new_session();
    editor.ask(&session, "hi").assert_error("auth.rejected");
    assert_eq!(vendor.request_count(), 1);
    let turn = editor.ask(&session, "hi");
    let hint = turn.end().error.as_ref().and_then(|error| error.hint.clone()).unwrap();
    assert!(hint.contains("policy") && hint.contains("compartment") && hint.contains("region"), "{hint}");
    assert_eq!(editor.ask(&session, "hi").text(), "at last");
    let key = format!("ocid1.tenancy/ocid1.user/{}", oci::FINGERPRINT);
    // Each sending is signed anew.
    for number in 0..4 {
        oci::decode(&key, &vendor.request(number)).unwrap();
    }
}

#[test]
fn what_oracle_does_not_serve_this_way_is_refused_before_it_is_sent() {
    let vendor = Vendor::start();
    let setup = Setup::of_model("oci:cohere.command-r-plus-08-2024", &settings(&vendor, "apiKey = \"key\"\n"));
    let editor = setup.start();
    let turn = editor.ask(&editor.new_session(), "hi");
    let error = turn.assert_error("provider.bad_request");
    assert!(error.message.contains("cohere.command-r-plus-08-2024"), "{error:?}");
    assert!(error.hint.as_ref().unwrap().contains("another model"), "{error:?}");
    assert_eq!(vendor.connections_made(), 0);
}

#[test]
fn exactly_one_credential_is_named() {
    let vendor = Vendor::start();
    let rows = [
        ("profile = \"DEFAULT\"\nauthType = \"resource_principal\"\ncompartmentId = \"c\"\n", "both are set"),
        ("authType = \"security_token\"\ncompartmentId = \"c\"\n", "is no authType"),
        ("authType = \"resource_principal\"\n", "compartment"),
    ];
    for (more, said) in rows {
        let editor = Setup::of_model(MODEL, &settings(&vendor, more)).start();
        let error = editor.call_err("souffleur/session/new", json!({})).assert_code("config.invalid");
        assert!(error.message.contains(said) && error.hint.is_some(), "{error:?}");
    }
    // Neither a credential nor a profile: the key of the service is missed, and the other ways are named.
    let editor = Setup::of_model(MODEL, &settings(&vendor, "")).start();
    let session = editor.new_session();
    let params =
        json!({"sessionId": session, "streamToken": editor.token(), "content": [{"type": "text", "text": "hi"}]});
    let hint = editor.call_err("souffleur/session/prompt", params).assert_code("auth.missing_key").hint.unwrap();
    assert!(hint.contains("OCI_GENAI_API_KEY") && hint.contains("profile"), "{hint}");
    assert_eq!(vendor.connections_made(), 0);
}

#[test]
fn the_environment_names_profile_and_compartment_and_a_key_of_the_service_is_enough() {
    let vendor = Vendor::start();
    let key = format!("ocid1.tenancy/ocid1.user/{}", oci::FINGERPRINT);
    demand(&vendor, move |request| oci::decode(&key, request));
    vendor.push(says("signed"));
    let setup = Setup::of_model(MODEL, &settings(&vendor, ""));
    oci::write_home(&setup.home(), "");
    let editor = setup.env("OCI_PROFILE", "DEFAULT").env("OCI_COMPARTMENT", oci::COMPARTMENT).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    assert_eq!(turn.text(), "signed", "{:?}", turn.end());
    turn.assert_stop(TurnStopReason::EndTurn);
}
