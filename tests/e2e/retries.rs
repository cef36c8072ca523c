//! What fails and may pass is tried again, as long as nothing was shown; each wait is told and can be cancelled.

use serde_json::json;
use souffleur::chat::{SessionUpdate, TurnStopReason, WaitReason};

use crate::support::answer::Answer;
use crate::support::script::{Script, Step};
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendor::Vendor;

fn patient(vendor: &Vendor) -> Setup {
    Setup::anthropic(vendor).env("SOUFFLEUR_MAX_RETRIES", "5").env("SOUFFLEUR_RETRY_BASE_DELAY_MS", "4")
}

/// The attempts and error codes of the waits before retries.
fn waits(turn: &Turn) -> Vec<(u32, String)> {
    let wait = |update: &SessionUpdate| match update {
        SessionUpdate::Waiting { reason: WaitReason::Retry, attempt, error: Some(error), .. } => {
            Some((*attempt, error.code.to_string()))
        }
        _ => None,
    };
    turn.asides().iter().filter_map(wait).collect()
}

#[test]
fn a_storm_is_sat_out() {
    let vendor = Vendor::start();
    for (status, kind) in [(529, "overloaded_error"), (429, "rate_limit_error"), (500, "api_error"), (408, "timeout")] {
        vendor.push(Script::error(status, kind, "not now"));
    }
    vendor.push(Answer::says("at last"));
    let editor = patient(&vendor).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    assert_eq!(turn.text(), "at last");
    let codes = ["provider.overloaded", "provider.rate_limited", "provider.server_error", "provider.timeout"];
    let expected: Vec<_> = (1..).zip(codes.map(str::to_owned)).collect();
    assert_eq!(waits(&turn), expected);
    assert_eq!(vendor.request_count(), 5);
    assert_eq!(vendor.request(0).raw, vendor.request(4).raw, "the same request is sent each time");
}

#[test]
fn a_storm_that_does_not_pass_ends_with_its_error() {
    let vendor = Vendor::start();
    vendor.answer_with(|_| Script::error(529, "overloaded_error", "Overloaded").header("request-id", "req_9"));
    let editor = patient(&vendor).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    let error = turn.assert_error("provider.overloaded");
    assert_eq!(error.request_id.as_deref(), Some("req_9"));
    assert_eq!((waits(&turn).len(), vendor.request_count()), (5, 6));
}

#[test]
fn what_will_not_pass_is_not_tried_again() {
    let spend_cap = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "limits",
        "details": {"error_code": "enforced_spend_limit_reached"}}});
    let rows = [
        (Script::error(400, "invalid_request_error", "no"), "provider.bad_request"),
        (Script::error(401, "authentication_error", "no"), "auth.rejected"),
        (Script::error(402, "billing_error", "no"), "provider.billing"),
        (
            Script::status(429).header("content-type", "application/json").body(spend_cap.to_string()),
            "provider.billing",
        ),
        (Script::error(529, "overloaded_error", "no").header("x-should-retry", "false"), "provider.overloaded"),
    ];
    for (script, code) in rows {
        let vendor = Vendor::start();
        vendor.push(script);
        let editor = patient(&vendor).start();
        let turn = editor.ask(&editor.new_session(), "hi");
        turn.assert_error(code);
        assert_eq!(vendor.request_count(), 1, "{code}");
    }
}

#[test]
fn the_vendor_says_how_long_to_wait_and_whether() {
    let vendor = Vendor::start();
    vendor.push(Script::error(400, "invalid_request_error", "odd").header("x-should-retry", "true"));
    vendor
        .push(Script::error(429, "rate_limit_error", "slow").header("retry-after-ms", "37").header("retry-after", "9"));
    vendor.push(Answer::says("fine"));
    let editor = patient(&vendor).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    assert_eq!(turn.text(), "fine");
    let told: Vec<_> = turn
        .asides()
        .iter()
        .filter_map(|update| if let SessionUpdate::Waiting { wait_ms, .. } = update { Some(*wait_ms) } else { None })
        .collect();
    assert_eq!(told[1], 37);
}

#[test]
fn a_wait_can_be_cancelled() {
    let vendor = Vendor::start();
    vendor.push(Script::error(429, "rate_limit_error", "much later").header("retry-after", "3600"));
    let editor = patient(&vendor).start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "hi");
    while turn.asides().is_empty() {
        editor.advance(&mut turn);
    }
    assert!(matches!(turn.asides()[0], SessionUpdate::Waiting { wait_ms: 3_600_000, .. }));
    editor.call_ok("souffleur/session/cancel", json!({"sessionId": session}));
    editor.finish(&mut turn);
    turn.assert_stop(TurnStopReason::Cancelled);
    assert_eq!(vendor.request_count(), 1);
}

#[test]
fn a_stream_that_dies_before_its_first_block_is_begun_again_and_none_after_it() {
    let vendor = Vendor::start();
    let head = Answer::says("x").body_bytes();
    let first_event = head.windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
    vendor.push(Script::stream(vec![Step::Bytes(head[..first_event].to_vec()), Step::Reset]));
    vendor.push(Script::hang_up());
    vendor.push(Script::hang_up());
    vendor.push(Answer::says("whole"));
    let editor = patient(&vendor).start();
    let session = editor.new_session();
    let turn = editor.ask(&session, "hi");
    turn.assert_stop(TurnStopReason::EndTurn);
    assert_eq!(turn.text(), "whole");
    let shown = head.windows(10).position(|bytes| bytes == b"text_delta").unwrap();
    let end = shown + head[shown..].windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
    let before = vendor.request_count();
    vendor.push(Script::stream(vec![Step::Bytes(head[..end].to_vec()), Step::Close]));
    let turn = editor.ask(&session, "again");
    turn.assert_error("provider.stream_broken");
    assert_eq!(vendor.request_count(), before + 1, "what was shown is not asked for again");
}

#[test]
fn thinking_that_the_vendor_refuses_is_dropped_once_and_told() {
    let message = "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.";
    let vendor = Vendor::start();
    vendor.push(Script::error(400, "invalid_request_error", message));
    vendor.push(Answer::says("without it"));
    let editor = Setup::anthropic(&vendor).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    assert_eq!((turn.text().as_str(), turn.notices()), ("without it", vec!["thinking.dropped"]));
    assert_eq!(vendor.request(0).header("anthropic-beta"), None);
    let second = vendor.request(1);
    assert_eq!(second.header("anthropic-beta"), Some("thinking-binding-controls-2026-08-01"));
    assert_eq!(second.body["thinking"]["block_binding"], json!({"prefix_mismatch_behavior": "drop_block"}));
    assert_eq!(second.body["messages"], vendor.request(0).body["messages"]);
}

#[test]
fn requests_keep_to_the_configured_rate() {
    let vendor = Vendor::start();
    vendor.answer_with(|_| Answer::says("ok"));
    let editor =
        Setup::anthropic(&vendor).options(json!({"providers": {"anthropic": {"requestsPerSecond": 2}}})).start();
    let session = editor.new_session();
    let turns: Vec<_> = (0..2).map(|_| editor.ask(&session, "hi")).collect();
    let waited = turns.iter().flat_map(Turn::asides).filter(|update| {
        matches!(update, SessionUpdate::Waiting { reason: WaitReason::RateLimit, wait_ms: 1..=500, .. })
    });
    assert!(waited.count() >= 1, "a turn that follows at once has to wait");
}
