use super::*;

use serde_json::json;
use tempfile::tempdir;

use crate::auth::testing::time as at;

fn file(folder: &Path, shape: Shape, text: &str) -> TokenFile {
    let path = folder.join("token.json");
    files::write(&path, text).unwrap();
    TokenFile { path, shape, time_form: TimeForm::Rfc3339 }
}

fn token(access: &str, refresh: Option<&str>, expires_at: u64) -> Token {
    Token {
        access: SecretString::from(access),
        refresh: refresh.map(SecretString::from),
        expires_at: Some(at(expires_at)),
        lifetime: None,
    }
}

#[test]
fn times_are_read_however_they_are_written() {
    for (value, seconds, form) in [
        (json!("2026-11-20T12:00:00Z"), 1_795_176_000, TimeForm::Rfc3339),
        (json!("2026-11-20T14:00:00+02:00"), 1_795_176_000, TimeForm::Rfc3339),
        (json!("2026-11-20T07:30:00.000-04:30"), 1_795_176_000, TimeForm::Rfc3339),
        (json!(1_795_176_000), 1_795_176_000, TimeForm::Seconds),
        (json!(1_795_176_000.0), 1_795_176_000, TimeForm::Seconds),
        (json!("1795176000"), 1_795_176_000, TimeForm::Seconds),
        (json!(1_795_176_000_000_u64), 1_795_176_000, TimeForm::Milliseconds),
        (json!(0), 0, TimeForm::Seconds),
    ] {
        assert_eq!(time(&value), Some((at(seconds), form)), "{value}");
    }
    for value in [json!("soon"), json!(-1), json!(1e300), json!([]), json!("2026-11-20"), json!("é+02:00"), json!("")]
    {
        assert_eq!(time(&value), None, "{value}");
    }
}

#[test]
fn a_renewed_token_is_written_as_the_file_was_and_the_rest_stays() {
    let folder = tempdir().unwrap();
    for (expires, expected) in [
        (json!("2026-01-01T00:00:00Z"), json!("2026-11-20T12:00:00Z")),
        (json!(1_700_000_000), json!(1_795_176_000)),
        (json!(1_700_000_000_000_u64), json!(1_795_176_000_000_u64)),
        (Value::Null, json!("2026-11-20T12:00:00Z")),
    ] {
        let before = json!({"access_token": "a", "expires_at": expires, "refresh_token": "r", "mine": {"x": [1]}});
        let file = file(folder.path(), Shape::Bundle, &before.to_string());
        file.save(&token("b", Some("s"), 1_795_176_000), None).unwrap();
        let after: Value = serde_json::from_str(&std::fs::read_to_string(&file.path).unwrap()).unwrap();
        let wanted = json!({"access_token": "b", "expires_at": expected, "refresh_token": "s", "mine": {"x": [1]}});
        assert_eq!(after, wanted);
        let loaded = file.load().unwrap().unwrap().token;
        assert_eq!(loaded.expires_at, Some(at(1_795_176_000)));
        assert_eq!(loaded.refresh.unwrap().expose_secret(), "s");
    }
}

#[test]
fn the_host_of_a_login_is_kept_with_it() {
    let folder = tempdir().unwrap();
    let file = TokenFile::bundle(folder.path().join("new/bundle.json"));
    assert!(file.load().unwrap().is_none());
    file.save(&token("a", None, 1_795_176_000), Some("gateway.example")).unwrap();
    file.save(&token("b", None, 1_795_176_000), None).unwrap();
    assert_eq!(file.load().unwrap().unwrap().host.as_deref(), Some("gateway.example"));
}

#[test]
fn both_shapes_of_claude_code_are_read_and_neither_is_written() {
    let folder = tempdir().unwrap();
    let login = json!({"accessToken": "hidden", "refreshToken": "r", "expiresAt": 1_795_176_000_000_u64});
    let mcp = json!({"mcpOAuth": {"x": {"accessToken": "other"}}});
    for (text, found) in [(json!({"claudeAiOauth": login, "mcpOAuth": {}}), true), (login, true), (mcp, false)] {
        let file = file(folder.path(), Shape::ClaudeCode, &text.to_string());
        let loaded = file.load().unwrap();
        assert_eq!(loaded.is_some(), found);
        if let Some(loaded) = loaded {
            assert_eq!(loaded.token.access.expose_secret(), "hidden");
            assert_eq!(loaded.token.expires_at, Some(at(1_795_176_000)));
        }
        assert!(file.save(&token("b", None, 0), None).is_err());
        assert_eq!(std::fs::read_to_string(&file.path).unwrap(), text.to_string());
    }
}

#[test]
fn broken_files_are_told_apart_and_never_quoted() {
    let folder = tempdir().unwrap();
    for (text, word) in [
        ("{\"access_token\": \"hidden", "middle"),
        ("", "middle"),
        ("hidden", "not JSON (line 1"),
        ("<html>hidden</html>", "not JSON"),
        ("\"hidden\"", "not a JSON object"),
        ("[\"hidden\"]", "not a JSON object"),
        ("{\"accessToken\": \"hidden\"}", "no text `access_token`"),
        ("{\"access_token\": 5, \"x\": \"hidden\"}", "no text `access_token`"),
        ("{\"access_token\": \"hidden\", \"expires_at\": \"hidden\"}", "no time"),
    ] {
        let error = file(folder.path(), Shape::Bundle, text).load().unwrap_err();
        assert_eq!(error.code, ErrorCode::AuthInvalid);
        assert!(error.message.contains(word), "{text}: {}", error.message);
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
    }
    assert!(!format!("{:?}", token("hidden", Some("hidden"), 1)).contains("hidden"));
}
