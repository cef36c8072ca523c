//! Params and results of `souffleur/auth/*`, and the words of their settings. No result carries a secret.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::UserError;

/// Where the credential for Anthropic is taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    /// From the first of several places that has one, in a documented order.
    #[default]
    Auto,
    /// An API key: from the settings, the environment, or the store of keys.
    Static,
    /// The bearer token in `ANTHROPIC_AUTH_TOKEN`.
    Bearer,
    /// A token made with `claude setup-token`.
    SetupToken,
    /// A JSON file with an access token, a refresh token and a time of expiry.
    OauthBundle,
    /// A profile of the official command line, or a workload identity.
    Profile,
}

/// A step of the order in which a credential is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthStep {
    /// A key that the settings give: as text, file, command or name of an environment variable.
    Setting,
    /// The provider's own environment variable for a key.
    EnvironmentKey,
    /// The provider's own environment variable for a bearer token.
    EnvironmentBearer,
    /// A profile of the official command line, or a workload identity.
    Profile,
    /// A JSON file with an access token, a refresh token and a time of expiry.
    OauthBundle,
    /// The login of the program Claude Code; only when its import is switched on.
    ClaudeCode,
    /// A token made with `claude setup-token`, from its file.
    SetupToken,
    /// A key that was stored with `souffleur/auth/set`.
    StoredKey,
}

/// The header that carries an API key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum KeyHeader {
    /// `x-api-key: …`
    #[default]
    #[serde(rename = "x-api-key")]
    XApiKey,
    /// `authorization: Bearer …`
    #[serde(rename = "authorization")]
    Authorization,
}

/// Params of `souffleur/auth/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthStatusParams {
    /// Only this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Whether each credential is tried with one cheap request. Without it nothing goes over the network, and no command
    /// is run.
    #[serde(default)]
    pub online: bool,
}

/// Result of `souffleur/auth/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthStatusResult {
    /// What is known of each provider's credential.
    pub providers: Vec<ProviderAuth>,
}

/// What is known of a provider's credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderAuth {
    /// The provider.
    pub provider: String,
    /// The credential that is used; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<CredentialInfo>,
    /// Where it was looked for, in this order.
    pub looked: Vec<Looked>,
    /// Why a request would fail before it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<UserError>,
}

/// One place where a credential was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Looked {
    /// The step of the order.
    pub step: AuthStep,
    /// What came of it.
    pub outcome: LookedOutcome,
    /// The place, and what is to be said about it; for people.
    pub detail: String,
}

/// What came of a place where a credential was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LookedOutcome {
    /// Its credential is used.
    Used,
    /// It has a credential, but an earlier step's is used.
    Found,
    /// It was passed over.
    Skipped,
    /// It has none.
    Absent,
    /// It has one that cannot be used.
    Invalid,
}

/// A credential, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialInfo {
    /// What it is.
    pub kind: CredentialKind,
    /// Where it was found; for people.
    pub source: String,
    /// When it expires, in milliseconds since 1970; absent when it does not or when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// The host that it is sent to.
    pub host: String,
    /// What a request with it showed; only when one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CredentialCheck>,
}

/// What a request with a credential showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialCheck {
    /// Whether the provider accepted it.
    pub ok: bool,
    /// The answer, for people.
    pub detail: String,
}

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CredentialKind {
    /// An API key.
    ApiKey,
    /// A bearer token of unknown making.
    Bearer,
    /// An access token of an OAuth login.
    Oauth,
    /// A token made with `claude setup-token`.
    SetupToken,
    /// A token given in exchange for a workload's identity.
    WorkloadIdentity,
    /// A key that signs requests to Oracle's cloud.
    Oci,
    /// No credential, and none is needed.
    None,
}

/// Params of `souffleur/auth/login`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginParams {
    /// The provider.
    pub provider: String,
    /// How the code of the login comes back.
    #[serde(default)]
    pub method: LoginMethod,
    /// With the method `paste`: what the user pasted, which completes the login that the request without it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pasted: Option<String>,
}

/// Without the code.
impl fmt::Debug for LoginParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("LoginParams");
        shown.field("provider", &self.provider).field("method", &self.method).field("pasted", &self.pasted.is_some());
        shown.finish()
    }
}

/// How the code of a login comes back from the browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LoginMethod {
    /// The browser is sent to a port of this machine.
    #[default]
    Browser,
    /// The browser shows it, and the user pastes it.
    Paste,
}

/// Result of `souffleur/auth/login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum LoginResult {
    /// The login is complete.
    LoggedIn(LoggedIn),
    /// The login was begun; a second request with what the user pasted completes it.
    Begun(LoginBegun),
}

/// A login that is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoggedIn {
    /// The credential that the login gave.
    pub credential: CredentialInfo,
    /// Where it was written to; for people.
    pub stored: String,
}

/// A login that waits for what the user pastes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginBegun {
    /// The page to open in a browser.
    pub url: String,
}

/// Params of `souffleur/auth/logout`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogoutParams {
    /// The provider.
    pub provider: String,
}

/// Result of `souffleur/auth/logout`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogoutResult {
    /// What was removed; for people. Empty when nothing was stored.
    pub removed: Vec<String>,
}

/// Params of `souffleur/auth/set`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetParams {
    /// The provider.
    pub provider: String,
    /// The key to store.
    pub key: String,
}

/// Without the key.
impl fmt::Debug for SetParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetParams").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Result of `souffleur/auth/set`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetResult {
    /// Where the key was stored; for people.
    pub stored: String,
    /// The host that it is bound to.
    pub host: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_settings() {
        let word = |value: serde_json::Value| value.as_str().map(str::to_owned).unwrap();
        assert_eq!(word(serde_json::to_value(AuthMode::OauthBundle).unwrap()), "oauth_bundle");
        assert_eq!(word(serde_json::to_value(AuthStep::ClaudeCode).unwrap()), "claude_code");
        assert_eq!(word(serde_json::to_value(KeyHeader::XApiKey).unwrap()), "x-api-key");
        assert_eq!(word(serde_json::to_value(CredentialKind::ApiKey).unwrap()), "apiKey");
    }

    #[test]
    fn a_key_to_store_is_not_printed() {
        let params: SetParams = serde_json::from_str(r#"{"provider":"anthropic","key":"hidden"}"#).unwrap();
        assert_eq!(params.key, "hidden");
        assert!(!format!("{params:?}").contains("hidden"));
        let params: LoginParams = serde_json::from_str(r#"{"provider":"anthropic","pasted":"hidden#s"}"#).unwrap();
        assert_eq!(params.pasted.as_deref(), Some("hidden#s"));
        assert!(!format!("{params:?}").contains("hidden"));
    }
}
