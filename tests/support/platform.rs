//! A vendor with accounts: it takes messages with the credential that counts, refuses others with 401, and is the issuer
//! of the tokens that it takes. Real HTTP on loopback.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::answer::Answer;
use super::script::{Gate, Script};
use super::secrets::{access_token, refresh_token};
use super::vendor::{Request, Vendor};

/// What a platform answers to every message that it takes.
pub const SAID: &str = "at your service";

/// The issuer's endpoint for tokens.
pub const TOKEN_PATH: &str = "/v1/oauth/token";

#[derive(Debug, Default)]
struct State {
    /// The header and value that are taken; none: whatever token was issued last.
    taken: Option<(String, String)>,
    /// How many tokens were issued. The last one is the only one that is good.
    issued: usize,
    lifetime: u64,
    /// Whether the last token is refused, until another is issued.
    revoked: bool,
    /// Where answers with tokens wait.
    gate: Option<Gate>,
    /// The fields of each request for a token.
    asked: Vec<Value>,
    /// Whether each message was taken.
    messages: Vec<bool>,
    /// What the endpoint for tokens answers instead, to so many requests.
    instead: Vec<Script>,
    /// What a message that is refused gets instead of the usual words.
    refusal: Option<Script>,
}

/// The platform.
pub struct Platform {
    vendor: Vendor,
    state: Arc<Mutex<State>>,
}

impl Platform {
    /// One that takes the token number 0, and issues tokens that live for an hour.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State { lifetime: 3600, ..State::default() }));
        let vendor = Vendor::start();
        let shared = Arc::clone(&state);
        vendor.answer_with(move |request| shared.lock().unwrap().answer(request));
        Self { vendor, state }
    }

    /// One that takes messages with this header only.
    pub fn taking(header: &str, value: &str) -> Self {
        let platform = Self::start();
        platform.take(header, value);
        platform
    }

    /// From now on messages are taken with this header only.
    pub fn take(&self, header: &str, value: &str) {
        self.state().taken = Some((header.to_owned(), value.to_owned()));
    }

    /// The token that counts until now does so no longer; what renews it still does.
    pub fn revoke(&self) {
        self.state().revoked = true;
    }

    /// Tokens are given out only after the test opened the gate.
    pub fn hold_tokens(&self, gate: &Gate) {
        self.state().gate = Some(gate.clone());
    }

    /// Tokens that are issued from now on live so long, in seconds.
    pub fn lifetime(&self, seconds: u64) {
        self.state().lifetime = seconds;
    }

    /// The next request for a token gets this answer.
    pub fn answer_token_with(&self, script: Script) {
        self.state().instead.push(script);
    }

    /// Messages that are refused get this answer.
    pub fn refuse_with(&self, script: Script) {
        self.state().refusal = Some(script);
    }

    /// The base URL.
    pub fn url(&self) -> String {
        self.vendor.url()
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        self.vendor.address().to_string()
    }

    /// The fields of all requests for tokens.
    pub fn asked(&self) -> Vec<Value> {
        self.state().asked.clone()
    }

    /// Whether each message was taken, in their order.
    pub fn messages(&self) -> Vec<bool> {
        self.state().messages.clone()
    }

    /// The requests themselves.
    pub fn vendor(&self) -> &Vendor {
        &self.vendor
    }

    /// A bundle with the token number `number` of this platform, for this platform, that expires in so many seconds.
    pub fn bundle(&self, number: usize, expires_in: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires_at = i64::try_from(now.as_secs()).expect("a time") + expires_in;
        json!({
            "access_token": access_token(number), "refresh_token": refresh_token(number), "expires_at": expires_at,
            "host": self.host(), "kept": "as it is",
        })
        .to_string()
    }

    /// The settings of this platform as an issuer of logins: lines of the table of the provider.
    pub fn issuer_settings(&self) -> String {
        let url = self.url();
        format!(
            "auth.oauth.authorizeUrl = '{url}/authorize'\nauth.oauth.tokenUrl = '{url}{TOKEN_PATH}'\n\
             auth.oauth.clientId = 'a-client'\nauth.oauth.scopes = ['user:inference']\n"
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Script {
        match request.path.split('?').next().unwrap_or_default() {
            TOKEN_PATH => self.token(request),
            "/v1/messages" => self.message(request),
            "/v1/models" if self.is_taken(request) => {
                Script::status(200).header("content-type", "application/json").body(r#"{"data":[],"has_more":false}"#)
            }
            "/v1/models" => refused(),
            _ => Script::error(404, "not_found_error", "Not found"),
        }
    }

    fn message(&mut self, request: &Request) -> Script {
        let taken = self.is_taken(request);
        self.messages.push(taken);
        if taken { Answer::says(SAID) } else { self.refusal.clone().unwrap_or_else(refused) }
    }

    fn is_taken(&self, request: &Request) -> bool {
        let is_only = |only: &str| {
            let others = ["x-api-key", "authorization"].into_iter().filter(|name| *name != only);
            others.map(|name| request.header(name)).all(|value| value.is_none())
        };
        if let Some((name, value)) = &self.taken {
            return request.header(name) == Some(value.as_str()) && is_only(name);
        }
        let bearer = format!("Bearer {}", access_token(self.issued));
        let has_beta = request.header("anthropic-beta").is_some_and(|betas| betas.contains("oauth-2025-04-20"));
        !self.revoked && request.header("authorization") == Some(&bearer) && is_only("authorization") && has_beta
    }

    /// Gives a new token for the refresh token that counts, for a code, or for an identity; each refresh token once.
    fn token(&mut self, request: &Request) -> Script {
        let fields = if request.body.is_object() {
            request.body.clone()
        } else {
            url::form_urlencoded::parse(&request.raw).map(|(key, value)| (key.into_owned(), json!(value))).collect()
        };
        self.asked.push(fields.clone());
        if !self.instead.is_empty() {
            return self.instead.remove(0);
        }
        if fields["grant_type"] == "refresh_token" && fields["refresh_token"] != refresh_token(self.issued).as_str() {
            let text = json!({"error": "invalid_grant", "error_description": "Refresh token was used before"});
            return Script::status(400).header("content-type", "application/json").body(text.to_string());
        }
        self.issued += 1;
        self.revoked = false;
        let script = token(self.issued, self.lifetime);
        match &self.gate {
            Some(gate) => script.head_after(gate),
            None => script,
        }
    }
}

/// The answer with the token number `number`.
pub fn token(number: usize, lifetime: u64) -> Script {
    let answer = json!({
        "access_token": access_token(number), "refresh_token": refresh_token(number), "expires_in": lifetime,
        "token_type": "Bearer",
    });
    Script::status(200).header("content-type", "application/json").body(answer.to_string())
}

fn refused() -> Script {
    Script::error(401, "authentication_error", "invalid credential")
}

/// Plays the browser: asks for an address and gives the status of the answer.
pub fn visit(url: &str) -> u16 {
    use std::io::{Read, Write};
    let url = url::Url::parse(url).expect("a URL");
    let address = (url.host_str().expect("a host"), url.port_or_known_default().expect("a port"));
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", address.0).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// The value of a field of an address.
pub fn field(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).expect("a URL");
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}
