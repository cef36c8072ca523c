//! Cancelling ends the request to every vendor at once: before its answer begins and in the middle of it, and while a
//! retry is waited for.

use serde_json::json;
use souffleur::chat::TurnStopReason;

use crate::support::script::{Gate, Step};
use crate::support::vendor::Outcome;
use crate::support::vendors::apis::APIS;

#[test]
fn cancelling_closes_the_connection_of_each_interface() {
    for api in APIS {
        let vendor = api.vendor();
        let editor = api.setup(&vendor).start();
        let session = editor.new_session();
        let cancel = || editor.call_ok("souffleur/session/cancel", json!({ "sessionId": session }));

        vendor.push((api.begins)("so far").then(Step::Hang));
        let mut turn = editor.prompt(&session, "hi");
        editor.wait_text(&mut turn, "so far");
        cancel();
        editor.finish(&mut turn);
        turn.assert_stop(TurnStopReason::Cancelled);
        assert_eq!(turn.text(), "so far", "{}", api.provider);
        let asked = vendor.request_count() - 1;
        assert_eq!(vendor.outcome(asked), Outcome::ClientGone, "{}", api.provider);

        vendor.push((api.says)("never").head_after(&Gate::new()));
        let mut turn = editor.prompt(&session, "again");
        vendor.wait_busy(1);
        cancel();
        editor.finish(&mut turn);
        turn.assert_stop(TurnStopReason::Cancelled);
        assert_eq!(vendor.outcome(vendor.request_count() - 1), Outcome::ClientGone, "{}", api.provider);

        vendor.push((api.says)("fine"));
        assert_eq!(editor.ask(&session, "and now?").text(), "fine", "{}", api.provider);
    }
}

#[test]
fn a_wait_for_a_retry_can_be_cancelled() {
    for api in APIS {
        let vendor = api.vendor();
        vendor.push((api.error)(503, "service_unavailable_error", "server_is_overloaded", "server busy"));
        let setup = api.setup(&vendor).env("SOUFFLEUR_MAX_RETRIES", "1");
        let editor = setup.env("SOUFFLEUR_RETRY_BASE_DELAY_MS", "100000").start();
        let session = editor.new_session();
        let mut turn = editor.prompt(&session, "hi");
        while turn.asides().is_empty() {
            editor.advance(&mut turn);
        }
        editor.call_ok("souffleur/session/cancel", json!({ "sessionId": session }));
        editor.finish(&mut turn);
        turn.assert_stop(TurnStopReason::Cancelled);
        assert_eq!(api.asked(&vendor).len(), 1, "{}", api.provider);
    }
}
