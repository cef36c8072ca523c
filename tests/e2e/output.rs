//! Answers that are values of a schema, told to the model the best way it has.

use serde_json::{Value, json};
use souffleur::chat::TurnStopReason;

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::script::Script;
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendor::Vendor;

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"severity": {"enum": ["low", "high"]}, "score": {"type": "integer", "minimum": 1}},
        "required": ["severity", "score"]
    })
}

fn ask(editor: &Editor, schema: &Value) -> Turn {
    let (session, token) = (editor.new_session(), editor.token());
    let result = editor.call_ok(
        "souffleur/session/prompt",
        json!({"sessionId": session, "streamToken": token, "content": [{"type": "text", "text": "How bad is it?"}],
            "options": {"outputSchema": schema}}),
    );
    let mut turn = editor.turn_of(token, result["turnId"].as_str().unwrap());
    editor.finish(&mut turn);
    turn
}

#[test]
fn a_model_that_takes_a_schema_gets_it_reduced_and_its_answer_is_held_to_the_original() {
    let vendor = Vendor::start();
    vendor.push(Answer::says(r#"{"severity": "HIGH", "score": 7}"#));
    vendor.push(Answer::says(r#"{"severity": "high", "score": 0}"#));
    let editor = Setup::anthropic(&vendor).start();
    let turn = ask(&editor, &schema());
    assert_eq!(turn.end().output, Some(json!({"severity": "high", "score": 7})), "spelled as the schema does");
    let format = &vendor.request(0).body["output_config"]["format"];
    assert_eq!((&format["type"], &format["schema"]["additionalProperties"]), (&json!("json_schema"), &json!(false)));
    assert_eq!(format["schema"]["properties"]["score"].get("minimum"), None);
    let wrong = ask(&editor, &schema());
    let error = wrong.assert_error("output.mismatch");
    assert!(error.message.contains("/score"), "{}", error.message);
    assert_eq!((wrong.end().output.clone(), wrong.text().is_empty()), (None, false));
}

#[test]
fn a_model_that_takes_none_is_made_to_call_a_tool() {
    let vendor = Vendor::start();
    let call = Answer::new().tool_use("toolu_1", "answer", &["{\"severity\": \"low\",", " \"score\": 2}"]);
    vendor.push(call.end("tool_use").script());
    let editor = Setup::anthropic(&vendor).env("SOUFFLEUR_MODEL", "anthropic:claude-3-haiku-20240307").start();
    let turn = ask(&editor, &schema());
    turn.assert_stop(TurnStopReason::EndTurn);
    assert_eq!(turn.end().output, Some(json!({"severity": "low", "score": 2})));
    let body = vendor.request(0).body;
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "answer"}));
    assert_eq!((body["tools"].as_array().unwrap().len(), &body["tools"][0]["input_schema"]), (1, &schema()));
}

#[test]
fn what_no_provider_can_hold_to_is_asked_for_in_words_and_mended() {
    let free_form = json!({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1});
    let vendor = Vendor::start();
    vendor.push(Answer::says("I would say five."));
    vendor.push(Answer::says("{\"a\": \"five\"}"));
    vendor.push(Answer::says("```json\n{\"a\": 5}\n```"));
    let editor = Setup::anthropic(&vendor).start();
    let turn = ask(&editor, &free_form);
    assert_eq!(turn.end().output, Some(json!({"a": 5})));
    assert_eq!(vendor.request(0).body.get("output_config"), None);
    assert!(vendor.request(0).last_text().contains("minProperties"), "{}", vendor.request(0).last_text());
    assert!(vendor.request(2).last_text().contains("/a"), "{}", vendor.request(2).last_text());
    vendor.answer_with(|_| Answer::says("no"));
    let before = vendor.request_count();
    ask(&editor, &free_form).assert_error("output.mismatch");
    assert_eq!(vendor.request_count() - before, 3, "two repairs at the most");
}

#[test]
fn refused_cut_off_and_no_schema_are_errors_of_their_own() {
    let vendor = Vendor::start();
    let cut: Script = Answer::new().text(&["{\"severity\": "]).end("max_tokens").script();
    vendor.push(cut);
    vendor.push(Answer::new().text(&["{"]).end("refusal").script());
    let editor = Setup::anthropic(&vendor).start();
    let end = ask(&editor, &schema()).end().clone();
    let code = end.error.unwrap().code.as_str();
    assert_eq!((end.stop_reason, code), (TurnStopReason::MaxTokens, "output.cut_off"));
    let end = ask(&editor, &schema()).end().clone();
    assert_eq!((end.stop_reason, end.error.unwrap().code.as_str()), (TurnStopReason::Refusal, "provider.refused"));
    let session = editor.new_session();
    let params = json!({"sessionId": session, "streamToken": editor.token(),
        "content": [{"type": "text", "text": "x"}], "options": {"outputSchema": {"type": "lizard"}}});
    let error = editor.call_err("souffleur/session/prompt", params);
    assert!(error.assert_code("protocol.invalid_params").message.contains("outputSchema"));
}
