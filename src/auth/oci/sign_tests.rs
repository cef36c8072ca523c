//! Signatures against vectors that were not made by this program.

use std::io::Write;
use std::path::Path;

use secrecy::SecretString;
use serde_json::Value;

use super::*;

const KEY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/oci/pkcs8.pem"));
const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/oci/vectors.json"));

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn join(lines: &[(&str, String)]) -> String {
    lines.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn our_vectors_come_out_byte_for_byte() {
    let key = PrivateKey::from_pem(KEY, None).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.len() >= 11, "only {} vectors", vectors.len());
    for vector in &vectors {
        let name = text(vector, "name");
        let extra: Vec<(String, String)> = serde_json::from_value(vector["extra"].clone()).unwrap();
        let extra: Vec<(&str, &str)> = extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = ToSign {
            method: text(vector, "method"),
            url: &text(vector, "url").parse().unwrap(),
            date: text(vector, "date"),
            content_type: text(vector, "content_type"),
            body: text(vector, "body").as_bytes(),
            extra: &extra,
            with_host: vector["with_host"] == true,
        };
        let signed = sign(&request, text(vector, "key_id"), &key).unwrap();
        assert_eq!(join(&lines(&request, signed.body.as_ref())), text(vector, "signing_string"), "{name}");
        assert_eq!(signed.authorization, text(vector, "authorization"), "{name}");
    }
}

/// The key that a vector of the official SDK was made with.
fn key_of(all: &Value, vector: &Value) -> PrivateKey {
    let keys = &all["keys"];
    let passphrase = SecretString::from(text(keys, "passphrase"));
    let pem = match text(vector, "name") {
        "api_key_console_label_key" => text(keys, "private_key_pem_console_style"),
        "api_key_container_pkcs1" => text(keys, "private_key_pkcs1_pem"),
        "api_key_container_pkcs8_encrypted" => text(keys, "private_key_pkcs8_encrypted_pem"),
        "api_key_container_pkcs1_legacy_encrypted" => text(keys, "private_key_pkcs1_legacy_encrypted_pem"),
        "x509_federation_request" => text(&vector["material"], "leaf_private_key_pem"),
        _ => text(keys, "private_key_pem"),
    };
    PrivateKey::from_pem(pem, Some(&passphrase)).unwrap()
}

/// The vectors of the official SDK, where they are at hand.
#[test]
fn the_vectors_of_the_official_sdk_come_out_byte_for_byte() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/oci-vectors.json");
    let Ok(content) = std::fs::read(&path) else {
        // Not by `println`, which a passing test does not show.
        let _ = writeln!(std::io::stderr(), "skipped: the vectors of OCI's SDK are not at hand");
        return;
    };
    let all: Value = serde_json::from_slice(&content).unwrap();
    let vectors = all["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 16);
    for vector in vectors {
        let name = text(vector, "name");
        let (request, expected) = (&vector["request"], &vector["expected"]);
        let headers = &request["headers_sent"];
        let key_id = text(expected, "authorization").split("keyId=\"").nth(1).unwrap().split('"').next().unwrap();
        let extra: Vec<_> =
            headers["opc-obo-token"].as_str().map(|token| ("opc-obo-token", token)).into_iter().collect();
        let to_sign = ToSign {
            method: text(request, "method"),
            url: &text(request, "url").parse().unwrap(),
            date: text(headers, "date"),
            content_type: text(headers, "content-type"),
            body: text(request, "body_utf8").as_bytes(),
            extra: &extra,
            with_host: name != "x509_federation_request",
        };
        let signed = sign(&to_sign, key_id, &key_of(&all, vector)).unwrap();
        assert_eq!(join(&lines(&to_sign, signed.body.as_ref())), text(vector, "signing_string"), "{name}");
        assert_eq!(signed.authorization, text(expected, "authorization"), "{name}");
        assert_eq!(signed.body.map(|body| body.sha256).as_deref(), expected["x-content-sha256"].as_str(), "{name}");
    }
}

#[test]
fn what_is_changed_after_signing_no_longer_fits() {
    let key = PrivateKey::from_pem(KEY, None).unwrap();
    let url: Url = "https://example.com/a?b=c".parse().unwrap();
    let request = ToSign {
        method: "POST",
        url: &url,
        date: "Tue, 03 Mar 2026 07:08:09 GMT",
        content_type: "application/json",
        body: b"{}",
        extra: &[("opc-obo-token", "t")],
        with_host: true,
    };
    let signed = sign(&request, "id", &key).unwrap();
    let other: Url = "https://example.org/a?b=c".parse().unwrap();
    for changed in [
        ToSign { method: "PUT", ..request },
        ToSign { url: &other, ..request },
        ToSign { date: "Tue, 03 Mar 2026 07:08:10 GMT", ..request },
        ToSign { content_type: "text/plain", ..request },
        ToSign { body: b"{ }", ..request },
        ToSign { extra: &[("opc-obo-token", "u")], ..request },
    ] {
        assert_ne!(sign(&changed, "id", &key).unwrap().authorization, signed.authorization, "{changed:?}");
    }
}
