//! The whole way, from files and environment to signed requests.

use std::path::Path;
use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::{Method, Url};
use ring::digest::{SHA256, digest};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::auth::oci::{Options, PrivateKey, resolve};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/oci/", $name))
    };
}

const FINGERPRINT: &str = "96:16:03:94:e4:75:9f:d1:09:05:32:7e:61:66:d1:da";
const URL: &str =
    "https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/openai/v1/chat/completions?a=b%20c";

/// A home directory with a configuration file of two profiles, and the key of both.
fn home() -> TempDir {
    let home = TempDir::new().unwrap();
    let config = format!(
        "[DEFAULT]\nuser=ocid1.user\nfingerprint={FINGERPRINT}\ntenancy=ocid1.tenancy\nregion=fra\nkey_file=~/.oci/key.pem\n\
         [SESSION]\nsecurity_token_file=~/.oci/token\nfingerprint=of:another\n"
    );
    write(&home, "config", &config);
    write(&home, "key.pem", fixture!("pkcs8.pem"));
    home
}

fn write(home: &TempDir, name: &str, text: &str) {
    let folder = home.path().join(".oci");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

/// A session token that expires `after` now; `name` makes it another one.
fn token(name: &str, after: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let payload = format!(r#"{{"exp":{},"jti":"{name}","res_compartment":"ocid1.compartment"}}"#, now + after);
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
}

fn authorizer(home: &Path, options: &Options, environment: Environment) -> OciAuthorizer {
    let resolved = resolve(options, &environment, home).unwrap();
    OciAuthorizer::new(resolved, environment, home.to_owned())
}

fn of_profile(home: &TempDir, name: &str) -> OciAuthorizer {
    let options = Options { profile: Some(name.to_owned()), ..Options::default() };
    authorizer(home.path(), &options, Environment::default())
}

fn post() -> Request {
    let mut request = Request::new(Method::POST, URL.parse::<Url>().unwrap());
    *request.body_mut() = Some(Body::from(r#"{"a":"ü"}"#));
    request
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers().get(name).unwrap_or_else(|| panic!("there is no {name}")).to_str().unwrap()
}

/// One value of the `authorization` header.
fn part<'a>(request: &'a Request, name: &str) -> &'a str {
    let (_, rest) = header(request, "authorization").split_once(&format!("{name}=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

/// Checks the signature as the service does: over what the request says now, with the public key.
fn verify(request: &Request) {
    let value = |name: &str| match name {
        "(request-target)" => {
            let query = request.url().query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method().as_str().to_lowercase(), request.url().path())
        }
        "host" => request.url().host_str().unwrap().to_owned(),
        name => header(request, name).to_owned(),
    };
    let names = part(request, "headers").split(' ');
    let text: Vec<String> = names.map(|name| format!("{name}: {}", value(name))).collect();
    verify_text(&text.join("\n"), &STANDARD.decode(part(request, "signature")).unwrap());
}

fn verify_text(text: &str, signature: &[u8]) {
    let pem: String = fixture!("public.pem").lines().filter(|line| !line.starts_with('-')).collect();
    // ring wants the key without the 24 bytes that say which kind it is.
    let public = STANDARD.decode(pem).unwrap().split_off(24);
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(text.as_bytes(), signature).unwrap_or_else(|_| panic!("the signature does not fit:\n{text}"));
}

#[tokio::test]
async fn nothing_is_read_before_the_first_request_and_then_it_is_signed() {
    let empty = TempDir::new().unwrap();
    let authorizer = of_profile(&empty, "DEFAULT");
    let error = authorizer.authorize(post()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthMissingKey);
    assert!(error.hint.unwrap().contains(".oraclebmc"));

    // What was missing is found once it is there.
    let home = home();
    std::fs::rename(home.path().join(".oci"), empty.path().join(".oci")).unwrap();
    let mut request = post();
    for name in ["authorization", "x-api-key", "x-goog-api-key"] {
        request.headers_mut().insert(name, HeaderValue::from_static("old"));
    }
    let authorized = authorizer.authorize(request).await.unwrap();
    let request = authorized.request;
    verify(&request);
    assert_eq!(part(&request, "keyId"), format!("ocid1.tenancy/ocid1.user/{FINGERPRINT}"));
    assert_eq!(header(&request, "x-content-sha256"), STANDARD.encode(digest(&SHA256, "{\"a\":\"ü\"}".as_bytes())));
    assert_eq!((header(&request, "content-length"), header(&request, "content-type")), ("10", "application/json"));
    assert_eq!(header(&request, "opc-compartment-id"), "ocid1.tenancy");
    assert!(!request.headers().contains_key("x-api-key") && !request.headers().contains_key("x-goog-api-key"));
    let age = SystemTime::now().duration_since(httpdate::parse_http_date(header(&request, "date")).unwrap()).unwrap();
    assert!(age < Duration::from_secs(60), "{age:?}");
    assert!(!format!("{request:?} {authorizer:?}").contains(part(&request, "signature")));

    let endpoint = authorizer.endpoint().await.unwrap();
    assert_eq!(endpoint.base_url, "https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/openai/v1");
    assert!(!authorizer.refused(authorized.generation).await.unwrap(), "an API key does not change");
}

/// The first request that arrives: its first line and its headers. It gets an empty answer.
async fn received(listener: TcpListener) -> (String, Vec<(String, String)>) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the request has a body");
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let mut head = text.split("\r\n\r\n").next().unwrap().lines();
    let first = head.next().unwrap().to_owned();
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())).unwrap();
    (first, head.map(pair).collect())
}

#[tokio::test]
async fn what_is_signed_is_what_goes_over_the_wire() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut request = post();
    *request.url_mut() = format!("http://{address}/openai/v1/chat/completions?a=b%20c").parse().unwrap();
    let home = home();
    let request = of_profile(&home, "DEFAULT").authorize(request).await.unwrap().request;
    let signed: Vec<String> = part(&request, "headers").split(' ').map(str::to_owned).collect();
    let signature = STANDARD.decode(part(&request, "signature")).unwrap();

    let client = crate::net::Http::default().client().await.unwrap();
    let (response, (first, headers)) = tokio::join!(client.execute(request), received(listener));
    response.unwrap();
    let value = |name: &str| {
        if name == "(request-target)" {
            let (method, rest) = first.split_once(' ').unwrap();
            return format!("{} {}", method.to_lowercase(), rest.strip_suffix(" HTTP/1.1").unwrap());
        }
        let all: Vec<&str> =
            headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        assert_eq!(all.len(), 1, "{name}: {all:?}");
        all[0].to_owned()
    };
    assert_eq!(value("host"), address.to_string());
    let text: Vec<String> = signed.iter().map(|name| format!("{name}: {}", value(name))).collect();
    verify_text(&text.join("\n"), &signature);
}

#[tokio::test]
async fn a_request_without_body_signs_none_and_keeps_the_callers_compartment() {
    let home = home();
    let mut request = Request::new(Method::GET, URL.parse().unwrap());
    request.headers_mut().insert("opc-compartment-id", HeaderValue::from_static("own"));
    let request = of_profile(&home, "DEFAULT").authorize(request).await.unwrap().request;
    verify(&request);
    assert_eq!(part(&request, "headers"), "date (request-target) host");
    assert_eq!(header(&request, "opc-compartment-id"), "own");
    assert!(!request.headers().contains_key("x-content-sha256"));
}

#[tokio::test]
async fn a_streamed_body_is_refused() {
    let home = home();
    let mut request = post();
    *request.body_mut() = Some(Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("x")])));
    assert_eq!(of_profile(&home, "DEFAULT").authorize(request).await.unwrap_err().code, ErrorCode::ServerInternal);
}

#[tokio::test]
async fn a_refused_session_is_read_again_once_for_all_who_were_refused() {
    let home = home();
    write(&home, "token", &format!("{}\n", token("first", 3600)));
    let authorizer = of_profile(&home, "SESSION");
    let first = authorizer.authorize(post()).await.unwrap();
    verify(&first.request);
    assert_eq!(part(&first.request, "keyId").strip_prefix("ST$"), Some(token("first", 3600).as_str()));
    assert!(!authorizer.refused(first.generation).await.unwrap(), "the token in the file is the refused one");

    let second = token("second", 3600);
    write(&home, "token", &second);
    let before = authorizer.plan.reads.load(Ordering::SeqCst);
    let all = futures_util::future::join_all((0..50).map(|_| authorizer.refused(first.generation))).await;
    assert!(all.into_iter().all(|again| again.unwrap()));
    assert_eq!(authorizer.plan.reads.load(Ordering::SeqCst) - before, 1);
    let next = authorizer.authorize(post()).await.unwrap();
    assert_eq!(part(&next.request, "keyId"), format!("ST${second}"));
    assert!(next.generation > first.generation);
    assert!(!format!("{authorizer:?}").contains(&second));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_read_again_when_it_is_ten_minutes_old() {
    let home = home();
    write(&home, "token", &token("first", 7200));
    let authorizer = of_profile(&home, "SESSION");
    let first = authorizer.authorize(post()).await.unwrap().generation;
    write(&home, "token", &token("second", 7200));
    tokio::time::advance(Duration::from_secs(599)).await;
    assert_eq!(authorizer.authorize(post()).await.unwrap().generation, first);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(authorizer.authorize(post()).await.unwrap().generation, first + 1);

    // When that fails the old one is used on, and the next try is ten minutes later.
    std::fs::remove_file(home.path().join(".oci/token")).unwrap();
    tokio::time::advance(RENEW_AFTER).await;
    for _ in 0..3 {
        assert_eq!(authorizer.authorize(post()).await.unwrap().generation, first + 1);
    }
    assert_eq!(authorizer.plan.reads.load(Ordering::SeqCst), 3);
    assert!(!authorizer.refused(first + 1).await.unwrap());
    let warnings = authorizer.facts().await.unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("could not be renewed")), "{warnings:?}");
}

#[tokio::test]
async fn an_expired_session_is_said_to_be_so_until_it_is_renewed() {
    let home = home();
    write(&home, "token", &token("old", -5));
    let authorizer = of_profile(&home, "SESSION");
    let error = authorizer.authorize(post()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthExpired);
    assert!(error.hint.unwrap().contains("oci session"));
    let facts = authorizer.facts().await.unwrap();
    assert_eq!(facts.kind, OciKind::SessionToken);
    assert!(facts.expires.unwrap() < SystemTime::now());

    write(&home, "token", &token("new", 3600));
    verify(&authorizer.authorize(post()).await.unwrap().request);
}

#[tokio::test]
async fn what_is_wrong_with_a_profile_is_said() {
    for (file, text, code, message, hint) in [
        ("config", "[A]\nuser=x\n", ErrorCode::ConfigInvalid, "no profile `DEFAULT`", "A"),
        ("config", "[DEFAULT]\nuser=x\nfingerprint=y\n", ErrorCode::AuthInvalid, "lacks tenancy, key_file", "console"),
        (
            "config",
            "[DEFAULT]\nauthentication_type=x\n",
            ErrorCode::AuthInvalid,
            "authentication_type `x`",
            "principal",
        ),
        (
            "config",
            "[DEFAULT]\nauthentication_type=instance_principal\ndelegation_token_file=x\n",
            ErrorCode::AuthInvalid,
            "not part of this build",
            "profile",
        ),
        (
            "config",
            "[DEFAULT]\nuser=x\nfingerprint=y\ntenancy=t\nkey_file=~/none\n",
            ErrorCode::AuthInvalid,
            "cannot be read",
            "",
        ),
        ("key.pem", fixture!("other.pem"), ErrorCode::AuthInvalid, "fingerprint", FINGERPRINT),
        ("key.pem", fixture!("pkcs1-aes256.pem"), ErrorCode::AuthInvalid, "no passphrase", "pass_phrase"),
        ("key.pem", fixture!("public.pem"), ErrorCode::AuthInvalid, "PUBLIC KEY", "private"),
        ("key.pem", "", ErrorCode::AuthInvalid, "no private key", "console"),
    ] {
        let home = home();
        write(&home, file, text);
        let error = of_profile(&home, "DEFAULT").authorize(post()).await.unwrap_err();
        assert_eq!((error.code, error.provider.as_deref()), (code, Some("oci")), "{message}");
        assert!(error.message.contains(message), "{}", error.message);
        assert!(error.hint.unwrap_or_default().contains(hint), "{message}");
    }
    let home = home();
    for (text, message) in
        [(None, "cannot be read"), (Some("a b"), "no session token"), (Some("\n"), "no session token")]
    {
        if let Some(text) = text {
            write(&home, "token", text);
        }
        let error = of_profile(&home, "SESSION").authorize(post()).await.unwrap_err();
        assert!(error.message.contains(message) && error.hint.unwrap().contains("oci session authenticate"));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_that_others_can_read_is_used_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    let key = home.path().join(".oci/key.pem");
    for (mode, warned) in [(0o600, 0), (0o640, 1), (0o604, 1)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let facts = of_profile(&home, "DEFAULT").facts().await.unwrap();
        assert_eq!(facts.warnings.len(), warned, "{mode:o}: {:?}", facts.warnings);
        assert_eq!((facts.kind, facts.fingerprint.as_str()), (OciKind::ApiKey, FINGERPRINT));
    }
}

fn of_resource(variables: &[(&str, &str)]) -> OciAuthorizer {
    let mut pairs = [("", ""); 5];
    pairs[..variables.len()].copy_from_slice(variables);
    let [auth_type, compartment_id] = ["resource_principal", "own"].map(|text| Some(text.to_owned()));
    let options = Options { auth_type, compartment_id, ..Options::default() };
    authorizer(Path::new("/nowhere"), &options, Environment::from(pairs))
}

#[tokio::test]
async fn a_resource_principal_is_read_from_variables_and_from_files() {
    let home = home();
    let token = token("rp", 3600);
    let file = |name: &str, text: &str| {
        write(&home, name, text);
        home.path().join(".oci").join(name).to_string_lossy().into_owned()
    };
    let files = [file("rpst", &token), file("pem", fixture!("pkcs8-encrypted.pem")), file("pass", "open-sesame\n")];
    for [rpst, pem, passphrase] in
        [[&token, fixture!("pkcs8.pem"), ""], [files[0].as_str(), files[1].as_str(), files[2].as_str()]]
    {
        let authorizer = of_resource(&[
            ("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2"),
            ("OCI_RESOURCE_PRINCIPAL_RPST", rpst),
            ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", pem),
            ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE", passphrase),
            ("OCI_RESOURCE_PRINCIPAL_REGION", "ord"),
        ]);
        let request = authorizer.authorize(post()).await.unwrap().request;
        verify(&request);
        assert_eq!(part(&request, "keyId"), format!("ST${token}"));
        assert_eq!(header(&request, "opc-compartment-id"), "own");
        let facts = authorizer.facts().await.unwrap();
        assert_eq!((facts.kind, facts.endpoint.region.as_str()), (OciKind::ResourcePrincipal, "us-chicago-1"));
    }
}

#[tokio::test]
async fn a_resource_principal_that_is_not_there_or_too_new_is_said_to_be_so() {
    let variables = [("OCI_RESOURCE_PRINCIPAL_VERSION", "3.0"), ("OCI_RESOURCE_PRINCIPAL_RPST", "a.b.c")];
    let error = of_resource(&variables).authorize(post()).await.unwrap_err();
    assert!(error.code == ErrorCode::AuthInvalid && error.message.contains("3.0"));
    let error = of_resource(&[]).authorize(post()).await.unwrap_err();
    assert!(error.code == ErrorCode::AuthMissingKey && error.hint.unwrap().contains("OCI_RESOURCE_PRINCIPAL_VERSION"));
    let variables = [("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2"), ("OCI_RESOURCE_PRINCIPAL_RPST", "a.b.c")];
    let error = of_resource(&variables).authorize(post()).await.unwrap_err();
    assert!(error.hint.unwrap().contains("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"));
}

#[test]
fn a_delegation_token_is_signed_after_the_host_and_never_shown() {
    let signer = Signer {
        loaded: Loaded {
            kind: OciKind::SessionToken,
            source: String::new(),
            key: PrivateKey::from_pem(fixture!("pkcs8.pem"), None).unwrap(),
            key_id: "ST$a".into(),
            delegation: Some("obo-hidden".into()),
            region: None,
            tenancy: None,
            expires: None,
            warnings: Vec::new(),
        },
        endpoint: Endpoint {
            region: String::new(),
            region_source: "",
            compartment: None,
            base_url: String::new(),
            management_url: None,
        },
        generation: 0,
    };
    let request = signer.signed(post(), SystemTime::now()).unwrap();
    verify(&request);
    assert!(part(&request, "headers").contains("host opc-obo-token content-length"));
    assert_eq!(header(&request, "opc-obo-token"), "obo-hidden");
    assert!(!format!("{signer:?} {request:?}").contains("obo-hidden"));
}
