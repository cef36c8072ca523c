//! Oracle's gateway: Chat Completions behind a signature.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::{Asked, chat, dialects, json_script, need};
use crate::support::script::Script;
use crate::support::vendor::Request;

/// The fingerprint of the test's key.
pub const FINGERPRINT: &str = "96:16:03:94:e4:75:9f:d1:09:05:32:7e:61:66:d1:da";
/// The compartment of the test's tenancy.
pub const COMPARTMENT: &str = "ocid1.compartment.test";

const KEY: &str = include_str!("../../fixtures/oci/pkcs8.pem");
const PUBLIC: &str = include_str!("../../fixtures/oci/public.pem");

/// Writes `~/.oci` with the profile `DEFAULT`, which has an API key, and `SESSION`, which has a session token.
pub fn write_home(home: &Path, token: &str) {
    let folder = home.join(".oci");
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "[DEFAULT]\nuser=ocid1.user\nfingerprint={FINGERPRINT}\ntenancy=ocid1.tenancy\nregion=us-chicago-1\n\
         key_file=~/.oci/key.pem\n[SESSION]\nsecurity_token_file=~/.oci/token\n"
    );
    std::fs::write(folder.join("config"), config).unwrap();
    std::fs::write(folder.join("key.pem"), KEY).unwrap();
    std::fs::write(folder.join("token"), token).unwrap();
}

/// A session token that ends so many seconds from now; `name` makes it another one.
pub fn token(name: &str, seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let claims = format!(r#"{{"exp":{},"jti":"{name}"}}"#, now + seconds);
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

/// An error as the gateway words it.
pub fn error(status: u16, code: &str, message: &str) -> Script {
    json_script(status, &serde_json::json!({"code": code, "message": message})).header("opc-request-id", "opc_1")
}

/// Reads a request as the gateway would, signed by the key that it knows as `key_id`.
///
/// # Errors
/// What would be refused, and why.
pub fn decode(key_id: &str, request: &Request) -> Result<Asked, String> {
    super::post(request, "/openai/v1/chat/completions")?;
    verify(key_id, request)?;
    need(request.header("opc-compartment-id") == Some(COMPARTMENT), "the compartment is named")?;
    chat::read(dialects::dialect("oci"), request)
}

/// Reads a request as the gateway would, with a key of the service.
///
/// # Errors
/// What would be refused, and why.
pub fn decode_bearer(key: &str, request: &Request) -> Result<Asked, String> {
    super::post(request, "/openai/v1/chat/completions")?;
    super::bearer(request, key)?;
    need(request.header("opc-compartment-id").is_none(), "the key knows its compartment")?;
    chat::read(dialects::dialect("oci"), request)
}

/// Checks the signature with the public half of the test's key.
fn verify(key_id: &str, request: &Request) -> Result<(), String> {
    let said = request.header("authorization").ok_or("there is no signature")?;
    let fields = said.strip_prefix("Signature ").ok_or("it is no signature")?;
    let field = |name: &str| {
        let start = fields.find(&format!("{name}=\"")).map(|at| at + name.len() + 2)?;
        Some(&fields[start..start + fields[start..].find('"')?])
    };
    need(field("version") == Some("1") && field("algorithm") == Some("rsa-sha256"), "version and algorithm")?;
    if field("keyId") != Some(key_id) {
        return Err(format!("the key is {key_id}, not {:?}", field("keyId")));
    }
    let names = field("headers").unwrap_or_default();
    need(
        names == "date (request-target) host content-length content-type x-content-sha256",
        "these headers are signed, in this order",
    )?;
    let hash = STANDARD.encode(digest(&SHA256, &request.raw));
    need(request.header("x-content-sha256") == Some(&hash), "the body is the one that was signed")?;
    let line = |name: &str| {
        let value = match name {
            "(request-target)" => format!("{} {}", request.method.to_lowercase(), request.path),
            name => request.header(name).unwrap_or_default().to_owned(),
        };
        format!("{name}: {value}")
    };
    let text = names.split(' ').map(line).collect::<Vec<_>>().join("\n");
    let signature = STANDARD.decode(field("signature").unwrap_or_default()).map_err(|error| error.to_string())?;
    let body: String = PUBLIC.lines().filter(|line| !line.starts_with("-----")).collect();
    let info = STANDARD.decode(body).map_err(|error| error.to_string())?;
    // What stands before the key itself in the form that `openssl` writes.
    let key = &info[24..];
    let verified = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(text.as_bytes(), &signature);
    verified.map_err(|_| "the signature is wrong".to_owned())
}
