use serde_json::json;

use super::*;

fn failure(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Failure { status, headers, body: body.to_owned() }
}

fn of(status: u16, body: &str) -> Error {
    classify(&failure(status, &[], body))
}

#[test]
fn each_status_and_code_has_its_class() {
    let rows = [
        (400, "context_length_exceeded", Category::ContextTooLong),
        (400, "unsupported_parameter", Category::BadRequest),
        (400, "invalid_prompt", Category::BadRequest),
        (401, "invalid_api_key", Category::Auth),
        (403, "unsupported_country_region_territory", Category::Permission),
        (404, "model_not_found", Category::ModelNotFound),
        (404, "DeploymentNotFound", Category::ModelNotFound),
        (408, "", Category::Timeout),
        (409, "", Category::Conflict),
        (413, "", Category::PayloadTooLarge),
        (422, "", Category::BadRequest),
        (429, "rate_limit_exceeded", Category::RateLimit),
        (429, "slow_down", Category::RateLimit),
        (429, "insufficient_quota", Category::Billing),
        (429, "credit_balance_exhausted", Category::Billing),
        (429, "project_spend_limit_reached", Category::Billing),
        (402, "", Category::Billing),
        (500, "", Category::Server),
        (502, "", Category::Server),
        (503, "server_is_overloaded", Category::Overloaded),
        (503, "", Category::Overloaded),
        (504, "", Category::Timeout),
    ];
    for (status, code, expected) in rows {
        let body = format!(r#"{{"error":{{"message":"m","type":"t","param":null,"code":"{code}"}}}}"#);
        assert_eq!(of(status, &body).category, expected, "{status} {code}");
    }
}

#[test]
fn every_shape_of_body_is_read() {
    let rows = [
        (r#"{"error":{"message":"said","type":"invalid_request_error"}}"#, "said"),
        (r#"{"error":"said"}"#, "said"),
        (r#"{"message":"said","type":"x","code":3001}"#, "said"),
        (
            r#"{"object":"error","message":{"detail":[{"loc":["body","n"],"msg":"not permitted"}]}}"#,
            "body.n: not permitted",
        ),
        (r#"{"detail":"said"}"#, "said"),
        (r#"{"detail":[{"loc":["body","messages",0],"msg":"wrong"},{"msg":"too"}]}"#, "body.messages.0: wrong; too"),
        (r#"[{"error":{"code":400,"message":"said","status":"INVALID_ARGUMENT"}}]"#, "said"),
        (r#"{"code":"InvalidParameter","message":"said"}"#, "said"),
        (
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"said"}}}"#,
            "Provider returned error: said",
        ),
        ("plain words", "the provider answered with HTTP 400: plain words"),
        ("<html>secret</html>", "the provider answered with HTTP 400"),
        ("", "the provider answered with HTTP 400"),
    ];
    for (body, message) in rows {
        let error = of(400, body);
        assert_eq!((error.message.as_str(), error.category), (message, Category::BadRequest), "{body}");
    }
    let long = of(500, &"ä".repeat(1_000)).message;
    assert_eq!(long.chars().filter(|c| *c == 'ä').count(), 500);
}

#[test]
fn a_conversation_that_is_too_long_is_known_by_its_words() {
    for message in [
        "This model's maximum context length is 8192 tokens",
        "the request exceeds the available context size, try increasing it",
        "Input exceeds the context window of this model",
        "Too many tokens in the prompt",
    ] {
        let body = serde_json::json!({"error": {"message": message, "code": 400}}).to_string();
        assert_eq!(of(400, &body).category, Category::ContextTooLong, "{message}");
        assert_eq!(of(429, &body).category, Category::RateLimit, "{message}: too many in a minute");
    }
}

#[test]
fn the_parameter_is_named_once() {
    let body = |message: &str| {
        format!(r#"{{"error":{{"message":"{message}","param":"temperature","code":"unsupported_value"}}}}"#)
    };
    assert_eq!(of(400, &body("Not this.")).message, "Not this (parameter temperature)");
    assert_eq!(of(400, &body("No temperature.")).message, "No temperature.");
}

#[test]
fn oracles_errors_carry_its_id_and_what_to_check() {
    let id = [("opc-request-id", "opc-1")];
    let error = classify(&failure(404, &id, r#"{"code":"NotAuthorizedOrNotFound","message":"Authorization failed"}"#));
    assert_eq!((error.category, error.request_id.as_deref()), (Category::Permission, Some("opc-1")));
    assert!(error.hint.unwrap().contains("compartment"));
    let error = classify(&failure(401, &id, r#"{"code":"NotAuthenticated","message":"no"}"#));
    assert!(error.category == Category::Auth && error.hint.unwrap().contains("clock"));
    assert_eq!(of(429, r#"{"code":"TooManyRequests","message":"no"}"#).category, Category::RateLimit);
}

#[test]
fn a_missing_path_is_not_a_missing_model() {
    for body in [r#"{"detail":"Not Found"}"#, "404 page not found", ""] {
        let error = of(404, body);
        assert!(error.category == Category::UnexpectedResponse && error.hint.unwrap().contains("/v1"), "{body}");
    }
    assert_eq!(of(404, r#"{"error":"model 'x' not found"}"#).category, Category::ModelNotFound);
}

#[test]
fn what_the_headers_say_about_waiting_counts() {
    let waits = |name: &str, value: &str| {
        let error = classify(&failure(429, &[(name, value)], ""));
        (error.retry_after, error.should_retry)
    };
    assert_eq!(waits("retry-after", "1.5"), (Some(Duration::from_millis(1_500)), None));
    assert_eq!(waits("retry-after-ms", "20"), (Some(Duration::from_millis(20)), None));
    assert_eq!(waits("retry-after", "120"), (Some(Duration::from_secs(120)), None));
    assert_eq!(waits("retry-after", "121"), (Some(Duration::from_secs(121)), Some(false)));
    assert_eq!(waits("retry-after", "0"), (None, None));
    assert_eq!(waits("retry-after", "-1"), (None, None));
    assert_eq!(waits("x-should-retry", "false"), (None, Some(false)));
    let both = [("retry-after-ms", "5"), ("retry-after", "7"), ("x-should-retry", "true")];
    let error = classify(&failure(400, &both, ""));
    assert_eq!((error.retry_after, error.should_retry), (Some(Duration::from_millis(5)), Some(true)));
}

#[test]
fn no_header_makes_an_empty_account_be_asked_again() {
    let body = r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let error = classify(&failure(429, &[("x-should-retry", "true")], body));
    assert_eq!((error.category, error.should_retry), (Category::Billing, Some(false)));
}

#[test]
fn errors_of_a_stream_are_classed_by_code_or_by_the_status_in_it() {
    let stream = |json: &str| stream_error(&serde_json::from_str(json).unwrap());
    let error = stream(r#"{"error":{"code":502,"message":"upstream"}}"#);
    assert_eq!((error.category, error.status, error.vendor_type.as_deref()), (Category::Server, None, Some("502")));
    assert_eq!(stream(r#"{"code":429,"message":"slow"}"#).category, Category::RateLimit);
    assert_eq!(stream(r#"{"error":{"code":"server_error","message":"m"}}"#).category, Category::Server);
    let failed = stream(
        r#"{"error":{"message":"m","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"x"}}"#,
    );
    assert_eq!((failed.category, failed.should_retry), (Category::BadRequest, Some(true)));
    assert_eq!(stream(r#"{"error":"out of memory"}"#).message, "out of memory");
    assert_eq!(stream("{}").category, Category::Server);
}

#[test]
fn a_loading_server_and_tools_beside_reasoning_are_told_what_to_do() {
    let error = of(503, r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#);
    assert!(error.category == Category::Overloaded && error.hint.unwrap().contains("loading"));
    let message =
        "Function tools with reasoning_effort are not supported for m in /v1/chat/completions. Use /v1/responses";
    let error = of(400, &serde_json::json!({"error": {"message": message, "param": "reasoning_effort"}}).to_string());
    assert!(error.hint.unwrap().contains("api"));
}

#[test]
fn each_form_of_an_event_of_responses_is_read_and_classed() {
    let rows = [
        (
            json!({"type":"error","error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"m"}}),
            Category::ContextTooLong,
        ),
        (json!({"type":"error","code":"rate_limit_exceeded","message":"m","param":null}), Category::RateLimit),
        (
            json!({"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"m"}}),
            Category::Billing,
        ),
        (
            json!({"type":"response.failed","response":{"error":{"code":"server_error","message":"m"}}}),
            Category::Server,
        ),
        (
            json!({"type":"response.failed","response":{"error":{"code":"server_is_overloaded","message":"m"}}}),
            Category::Overloaded,
        ),
        (
            json!({"type":"response.failed","response":{"error":{"code":"image_too_large","message":"m"}}}),
            Category::BadRequest,
        ),
        (
            json!({"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"m"}}}),
            Category::BadRequest,
        ),
        (json!({"error":{"code":429,"message":"m"}}), Category::RateLimit),
        (json!({"error":"the maximum context length is 5"}), Category::ContextTooLong),
        (json!({"type":"response.failed","response":{"error":null}}), Category::Server),
    ];
    for (event, expected) in rows {
        let error = stream_error(&event);
        assert_eq!(error.category, expected, "{event}");
        assert!(!error.message.is_empty());
    }
}

#[test]
fn of_an_event_the_code_is_kept_and_its_type_is_none() {
    let error = stream_error(&json!({"type":"error","code":null,"message":"boom","request_id":"req_1"}));
    assert_eq!((error.vendor_type, error.message, error.request_id), (None, "boom".into(), Some("req_1".into())));
    let error = stream_error(&json!({"type":"error","error":{"type":"server_error","code":null,"message":"m"}}));
    assert_eq!(error.vendor_type.as_deref(), Some("server_error"));
}
