//! Credentials: where they are looked for, and in which order.
//!
//! *For*: the secret that a provider's request carries, and a clear word when there is none.
//! *Owns*: the sources of credentials and their order, logins and their renewal, stored keys, and the rule which host may
//! have which credential. A secret lives in a type that does not print itself. `docs/credentials.md` has it for users.
//! *Must not know*: sessions, LSP, request bodies.

mod authorizer;
mod chain;
mod clock;
mod command;
mod credentials;
mod files;
mod found;
mod headers;
mod host;
mod keychain;
mod oauth;
mod options;
mod order;
mod sources;
mod store;
#[cfg(test)]
mod testing;
mod token;

pub mod oci;

pub use authorizer::{Authorized, Authorizer};
pub use chain::Chain;
pub use credentials::{Credentials, PendingLogin};
pub use options::{ANTHROPIC_HOST, AuthOptions, Check, KeyOptions, OauthOptions, Origin, Places, Target, TokenFormat};

use secrecy::{ExposeSecret, SecretString};

use crate::config::Environment;
use crate::error::{ErrorCode, UserError};

/// A secret for one provider.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The secret itself.
    pub secret: SecretString,
    /// Where it was found, for people.
    pub source: &'static str,
}

/// The credential for Anthropic's API: the key in `ANTHROPIC_API_KEY`. A blank value counts as unset.
///
/// # Errors
/// `auth.missing_key`, with a hint that says what was looked for and how to get one.
pub fn anthropic(environment: &Environment) -> Result<Credential, UserError> {
    match environment.get("ANTHROPIC_API_KEY") {
        Some(key) => Ok(Credential {
            secret: SecretString::from(key.trim().to_owned()),
            source: "the environment variable ANTHROPIC_API_KEY",
        }),
        None => Err(UserError::new(ErrorCode::AuthMissingKey, "no credential for Anthropic was found")
            .from_provider("anthropic")
            .with_hint(
                "looked for the environment variable ANTHROPIC_API_KEY; make a key at platform.claude.com under \
                 API keys and set it there, or use the model sim:default (--model sim:default), which needs none",
            )),
    }
}

/// The key in the environment, on each request.
#[derive(Debug)]
pub struct EnvironmentKey(pub std::sync::Arc<Environment>);

impl Authorizer for EnvironmentKey {
    fn authorize(
        &self,
        mut request: reqwest::Request,
    ) -> futures_util::future::BoxFuture<'_, Result<Authorized, UserError>> {
        let authorized = anthropic(&self.0).and_then(|credential| {
            let mut value =
                reqwest::header::HeaderValue::from_str(credential.secret.expose_secret()).map_err(|_| {
                    let message = format!("the key in {} has characters no key has", credential.source);
                    UserError::new(ErrorCode::AuthRejected, message)
                })?;
            value.set_sensitive(true);
            request.headers_mut().insert("x-api-key", value);
            Ok(Authorized { request, generation: 0 })
        });
        Box::pin(std::future::ready(authorized))
    }

    fn ready(&self) -> Result<(), UserError> {
        anthropic(&self.0).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_trimmed_and_never_printed() {
        let credential = anthropic(&Environment::from([("ANTHROPIC_API_KEY", " sk-test \n")])).unwrap();
        assert_eq!(credential.secret.expose_secret(), "sk-test");
        assert!(!format!("{credential:?}").contains("sk-test"));
    }

    #[test]
    fn without_a_key_the_hint_names_what_was_looked_for_and_sim() {
        let error = anthropic(&Environment::from([("ANTHROPIC_API_KEY", "")])).unwrap_err();
        assert_eq!(error.code, ErrorCode::AuthMissingKey);
        let hint = error.hint.unwrap();
        assert!(hint.contains("ANTHROPIC_API_KEY") && hint.contains("sim:default"));
    }
}
