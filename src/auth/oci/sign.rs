//! Signatures over requests, as OCI wants them (draft-cavage-http-signatures-08).
//!
//! Pure: the date is given, nothing is sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use url::{Position, Url};

use super::key::{KeyError, PrivateKey};

/// What of a request is signed.
#[derive(Clone, Copy, Debug)]
pub struct ToSign<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The URL as it goes over the wire.
    pub url: &'a Url,
    /// The `date` header.
    pub date: &'a str,
    /// The `content-type` header. Signed only where the method has a body.
    pub content_type: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// Further headers, signed directly after the host.
    pub extra: &'a [(&'a str, &'a str)],
    /// Whether the host is signed: always, but for the exchange of an instance's certificate.
    pub with_host: bool,
}

/// Headers of a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `authorization`. It may hold a session token.
    pub authorization: String,
    /// `x-content-sha256` and `content-length`, where the method has a body.
    pub body: Option<SignedBody>,
}

/// Headers over the body of a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBody {
    /// `x-content-sha256`.
    pub sha256: String,
    /// `content-length`, in bytes.
    pub length: usize,
}

/// Signs a request with `key`, which the service knows as `key_id`.
///
/// # Errors
/// When the key cannot sign.
pub fn sign(request: &ToSign<'_>, key_id: &str, key: &PrivateKey) -> Result<Signed, KeyError> {
    let body = has_body(request.method)
        .then(|| SignedBody { sha256: STANDARD.encode(digest(&SHA256, request.body)), length: request.body.len() });
    let lines = lines(request, body.as_ref());
    let text: Vec<String> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let signature = STANDARD.encode(key.sign(text.join("\n").as_bytes())?);
    let authorization = format!(
        "Signature algorithm=\"rsa-sha256\",headers=\"{}\",keyId=\"{key_id}\",signature=\"{signature}\",version=\"1\"",
        names.join(" ")
    );
    Ok(Signed { authorization, body })
}

/// Whether OCI wants the body of such a request signed.
pub fn has_body(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

/// What is signed, in order.
fn lines<'a>(request: &ToSign<'a>, body: Option<&SignedBody>) -> Vec<(&'a str, String)> {
    let target = &request.url[Position::BeforePath..Position::AfterQuery];
    let mut lines = vec![
        ("date", request.date.to_owned()),
        ("(request-target)", format!("{} {target}", request.method.to_ascii_lowercase())),
    ];
    if request.with_host {
        // The port is here exactly where the `host` header has it too: not when it is the scheme's own.
        lines.push(("host", request.url[Position::BeforeHost..Position::AfterPort].to_owned()));
    }
    lines.extend(request.extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
    if let Some(body) = body {
        lines.push(("content-length", body.length.to_string()));
        lines.push(("content-type", request.content_type.to_owned()));
        lines.push(("x-content-sha256", body.sha256.clone()));
    }
    lines
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
