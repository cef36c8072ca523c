//! How a credential is put on a request.

use reqwest::Request;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{ErrorCode, UserError};
use crate::protocol::KeyHeader;
use crate::telemetry::remember_secret;

/// What makes Anthropic's API accept an access token (vendor's constant of 2025-04-20).
pub const OAUTH_BETA: &str = "oauth-2025-04-20";
/// What Anthropic's access tokens begin with; it does not tell whose account they are.
pub const TOKEN_PREFIX: &str = "sk-ant-oat";

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const ANTHROPIC_BETA: HeaderName = HeaderName::from_static("anthropic-beta");

/// Which headers carry a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// `x-api-key`.
    XApiKey,
    /// `authorization: Bearer`.
    Bearer,
    /// The same, and the beta feature that Anthropic's access tokens need.
    OauthBearer,
}

impl Placement {
    /// Where an API key goes.
    pub fn of_key(header: KeyHeader) -> Self {
        match header {
            KeyHeader::XApiKey => Self::XApiKey,
            KeyHeader::Authorization => Self::Bearer,
        }
    }

    /// Where a bearer token goes whose making is not known.
    pub fn of_token(token: &SecretString) -> Self {
        if token.expose_secret().starts_with(TOKEN_PREFIX) { Self::OauthBearer } else { Self::Bearer }
    }

    /// Puts `secret` on `request`, in the place of any credential that it had.
    ///
    /// # Errors
    /// `auth.invalid` when a header cannot carry the secret.
    pub fn put(self, secret: &SecretString, request: &mut Request) -> Result<(), UserError> {
        remember_secret(secret);
        let headers = request.headers_mut();
        headers.remove(X_API_KEY);
        headers.remove(AUTHORIZATION);
        match self {
            Self::XApiKey => headers.insert(X_API_KEY, value(secret.expose_secret())?),
            Self::Bearer | Self::OauthBearer => {
                headers.insert(AUTHORIZATION, value(&format!("Bearer {}", secret.expose_secret()))?)
            }
        };
        if self == Self::OauthBearer {
            add_beta(headers);
        }
        Ok(())
    }
}

fn value(text: &str) -> Result<HeaderValue, UserError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        UserError::new(ErrorCode::AuthInvalid, "the credential has characters that no key has")
            .with_hint("it may hold more than the key, as a second line or a quotation mark")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Adds the beta feature of access tokens to those that the request has, all in one header.
fn add_beta(headers: &mut HeaderMap) {
    let mut betas: Vec<String> = Vec::new();
    let had = headers.get_all(&ANTHROPIC_BETA).iter().filter_map(|value| value.to_str().ok());
    for beta in had.flat_map(|list| list.split(',')).chain([OAUTH_BETA]).map(str::trim) {
        if !beta.is_empty() && !betas.iter().any(|known| known == beta) {
            betas.push(beta.to_owned());
        }
    }
    if let Ok(value) = HeaderValue::from_str(&betas.join(",")) {
        headers.insert(ANTHROPIC_BETA, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::Method;
    use url::Url;

    fn request(betas: &[&str]) -> Request {
        let mut request = Request::new(Method::POST, Url::parse("https://api.anthropic.com/v1/messages").unwrap());
        for beta in betas {
            request.headers_mut().append("anthropic-beta", beta.parse().unwrap());
        }
        request
    }

    fn put(placement: Placement, secret: &str, mut request: Request) -> Request {
        placement.put(&SecretString::from(secret), &mut request).unwrap();
        request
    }

    #[test]
    fn exactly_one_header_carries_the_credential_and_it_is_never_printed() {
        let sent = put(Placement::XApiKey, "hidden", request(&[]));
        assert_eq!(sent.headers()["x-api-key"], "hidden");
        let sent = put(Placement::Bearer, "hidden", sent);
        assert!(!sent.headers().contains_key("x-api-key"));
        assert_eq!(sent.headers()["authorization"], "Bearer hidden");
        assert!(!format!("{sent:?}").contains("hidden"));
        assert!(!sent.headers().contains_key("anthropic-beta"));
    }

    #[test]
    fn the_beta_of_tokens_joins_those_that_are_there() {
        let betas = |had: &[&str]| {
            let sent = put(Placement::OauthBearer, "hidden", request(had));
            assert_eq!(sent.headers().get_all("anthropic-beta").iter().count(), 1);
            sent.headers()["anthropic-beta"].to_str().unwrap().to_owned()
        };
        assert_eq!(betas(&[]), "oauth-2025-04-20");
        assert_eq!(betas(&["a-1, b-2", "a-1"]), "a-1,b-2,oauth-2025-04-20");
        assert_eq!(betas(&["oauth-2025-04-20,b-2"]), "oauth-2025-04-20,b-2");
    }

    #[test]
    fn the_prefix_of_a_token_decides_about_the_beta() {
        assert_eq!(Placement::of_token(&SecretString::from("sk-ant-oat01-x")), Placement::OauthBearer);
        assert_eq!(Placement::of_token(&SecretString::from("gateway-token")), Placement::Bearer);
        let two_lines = SecretString::from("hidden\nline");
        let error = Placement::XApiKey.put(&two_lines, &mut request(&[])).unwrap_err();
        assert_eq!(error.code, ErrorCode::AuthInvalid);
        assert!(!format!("{error:?}").contains("hidden"));
    }
}
