//! From the bytes of a message to what it is. Whatever they are, there is an answer to give.

use serde_json::Value;
use tower_lsp::jsonrpc::{Error, ErrorCode as RpcCode, Id, Request, Response};

use super::errors::to_rpc;
use crate::error::{ErrorCode, UserError};

/// A message from the editor.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A request or a notification.
    Call(Request),
    /// The answer to a request of ours.
    Reply(Response),
    /// Something that is neither, and what to answer.
    Invalid(Response),
}

/// A message, or several at once.
#[derive(Debug)]
pub(super) enum Parsed {
    /// One.
    One(Incoming),
    /// A JSON-RPC batch.
    Batch(Vec<Incoming>),
}

/// Understands a message.
///
/// Two things that editors do send and a strict parser refuses are repaired: bytes that are not UTF-8, and escapes of
/// half a surrogate pair (a text that was cut inside an emoji). Both become U+FFFD.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let value = match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => value,
        Err(error) => match serde_json::from_str::<Value>(&repair(bytes)) {
            Ok(value) => value,
            Err(_) => return Parsed::One(Incoming::Invalid(parse_error(&error))),
        },
    };
    match value {
        Value::Array(messages) if !messages.is_empty() => Parsed::Batch(messages.into_iter().map(classify).collect()),
        value => Parsed::One(classify(value)),
    }
}

fn classify(value: Value) -> Incoming {
    let Value::Object(mut message) = value else { return invalid(Id::Null, "the message is not an object") };
    let id = match message.remove("id") {
        None => None,
        Some(id) => match serde_json::from_value::<Id>(id) {
            Ok(id) => Some(id),
            Err(_) => return invalid(Id::Null, "id is neither a number nor a string"),
        },
    };
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return invalid(id.unwrap_or_default(), "the member jsonrpc is not \"2.0\"");
    }
    match message.remove("method") {
        Some(Value::String(method)) => {
            let mut request = Request::build(method);
            // JSON-RPC knows no null params; some editors send them for none.
            if let Some(params) = message.remove("params").filter(|params| !params.is_null()) {
                request = request.params(params);
            }
            if let Some(id) = id {
                request = request.id(id);
            }
            Incoming::Call(request.finish())
        }
        Some(_) => invalid(id.unwrap_or_default(), "method is not a string"),
        None => reply(id, message),
    }
}

fn reply(id: Option<Id>, mut message: serde_json::Map<String, Value>) -> Incoming {
    let Some(id) = id else { return invalid(Id::Null, "the message has neither a method nor an id") };
    let body = match (message.remove("error"), message.remove("result")) {
        (Some(error), _) if !error.is_null() => Err(serde_json::from_value(error).unwrap_or_else(|_| {
            let mut error = Error::new(RpcCode::InternalError);
            error.message = "the client answered with an error that cannot be read".into();
            error
        })),
        (_, Some(result)) => Ok(result),
        // An answer of nothing is an answer: a request must not wait for ever.
        (_, None) => Ok(Value::Null),
    };
    Incoming::Reply(Response::from_parts(id, body))
}

fn invalid(id: Id, message: &str) -> Incoming {
    let error = UserError::new(ErrorCode::ProtocolInvalidMessage, message)
        .with_hint("send JSON-RPC 2.0 messages as the Language Server Protocol defines them");
    Incoming::Invalid(Response::from_error(id, Error { code: RpcCode::InvalidRequest, ..to_rpc(error) }))
}

fn parse_error(error: &serde_json::Error) -> Response {
    let error = UserError::new(ErrorCode::ProtocolInvalidMessage, format!("the message is not JSON: {error}"));
    Response::from_error(Id::Null, Error { code: RpcCode::ParseError, ..to_rpc(error) })
}

/// The answer to bytes that were no message at all.
pub(super) fn bad_header() -> Response {
    let error = UserError::new(ErrorCode::ProtocolInvalidMessage, "a message header without Content-Length came in");
    Response::from_error(Id::Null, Error { code: RpcCode::ParseError, ..to_rpc(error) })
}

/// The answer to a message of `length` bytes.
pub(super) fn too_large(length: usize) -> Response {
    let limit = super::frame::MAX_MESSAGE_BYTES;
    let message = format!("a message of {length} bytes was skipped; the limit is {limit}");
    let error = UserError::new(ErrorCode::ProtocolFrameTooLarge, message).with_hint("send less at once");
    Response::from_error(Id::Null, Error { code: RpcCode::InvalidRequest, ..to_rpc(error) })
}

/// Replaces bytes that are not UTF-8, and escapes of lone surrogates, by U+FFFD.
fn repair(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        repaired.push_str(&rest[..at]);
        rest = &rest[at..];
        let (keep, length) = match surrogate(rest) {
            Some(0xd800..=0xdbff) if matches!(rest.get(6..).and_then(surrogate), Some(0xdc00..=0xdfff)) => (true, 12),
            Some(_) => (false, 6),
            // Any other escape: the character after the backslash belongs to it.
            None => (true, 1 + rest[1..].chars().next().map_or(0, char::len_utf8)),
        };
        repaired.push_str(if keep { &rest[..length] } else { "\\ufffd" });
        rest = &rest[length..];
    }
    repaired.push_str(rest);
    repaired
}

/// The surrogate that `text` begins with, written as an escape.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Incoming {
        match parse(text.as_bytes()) {
            Parsed::One(incoming) => incoming,
            Parsed::Batch(_) => panic!("a batch"),
        }
    }

    #[test]
    fn half_a_pair_is_repaired_and_a_whole_one_kept() {
        assert_eq!(repair(br#""a\ud83d""#), r#""a\ufffd""#);
        assert_eq!(repair(br#""\udE00x\ud83d\ude00""#), r#""\ufffdx\ud83d\ude00""#);
        assert_eq!(repair(br#""\\ud83d \" \\\ud83d""#), r#""\\ud83d \" \\\ufffd""#);
        assert_eq!(repair(b"\"\xff\""), "\"\u{fffd}\"");
        assert_eq!(repair(b"\\"), "\\");
        assert_eq!(repair(br"\ud83d\ud83d"), r"\ufffd\ufffd");
        assert_eq!(repair("\\ué".as_bytes()), "\\ué");
    }

    #[test]
    fn messages_are_told_apart() {
        assert!(matches!(one(r#"{"jsonrpc":"2.0","method":"m"}"#), Incoming::Call(call) if call.id().is_none()));
        assert!(matches!(one(r#"{"jsonrpc":"2.0","id":1,"method":"m","params":null}"#),
            Incoming::Call(call) if call.params().is_none() && call.id().is_some()));
        assert!(matches!(one(r#"{"jsonrpc":"2.0","id":1}"#), Incoming::Reply(reply) if reply.is_ok()));
        assert!(matches!(one(r#"{"jsonrpc":"2.0","id":1,"error":5}"#), Incoming::Reply(reply) if reply.is_error()));
    }

    #[test]
    fn whatever_is_no_message_is_answered() {
        let answered = |text: &str, id: Id, code: RpcCode| match one(text) {
            Incoming::Invalid(response) => {
                assert_eq!(*response.id(), id, "{text}");
                assert_eq!(response.error().unwrap().code, code, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        };
        answered("{", Id::Null, RpcCode::ParseError);
        answered("[]", Id::Null, RpcCode::InvalidRequest);
        answered("7", Id::Null, RpcCode::InvalidRequest);
        answered(r#"{"id":3,"method":"m"}"#, Id::Number(3), RpcCode::InvalidRequest);
        answered(r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, Id::Null, RpcCode::InvalidRequest);
        answered(r#"{"jsonrpc":"2.0","method":7,"id":"a"}"#, Id::String("a".into()), RpcCode::InvalidRequest);
        answered(&"[".repeat(500), Id::Null, RpcCode::ParseError);
    }

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_comes_in_is_understood_or_answered(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            parse(&bytes);
        }

        /// A text with escapes of surrogates anywhere in it is a text.
        #[test]
        fn every_text_with_escapes_is_repaired(pieces in proptest::collection::vec(prop_oneof![
            Just("\\ud83d".to_owned()), Just("\\ude00".to_owned()), Just("\\n".to_owned()), Just("\\\\".to_owned()),
            "[a-zé😀]{0,3}"], 0..12)) {
            let json = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[\"{}\"]}}", pieces.concat());
            let call = matches!(parse(json.as_bytes()), Parsed::One(Incoming::Call(_)));
            prop_assert!(call, "{}", json);
        }
    }
}
