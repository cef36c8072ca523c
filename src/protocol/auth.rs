//! Words about credentials that settings and requests share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which kind of credential is used for Anthropic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    /// The first that is found, in an order that is documented and can be set.
    #[default]
    Auto,
    /// An API key.
    Static,
    /// The token in `ANTHROPIC_AUTH_TOKEN`.
    Bearer,
    /// A token that lasts a year, made by the vendor's own program.
    SetupToken,
    /// A file with an access token and a refresh token.
    OauthBundle,
    /// A profile of the vendor's own program, or a workload's identity.
    Profile,
}

/// What `auto` looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthStep {
    /// A key that the settings name: as text, file, command or variable.
    Settings,
    /// `ANTHROPIC_API_KEY`.
    EnvironmentKey,
    /// `ANTHROPIC_AUTH_TOKEN`.
    EnvironmentBearer,
    /// A profile of the vendor's own program, or a workload's identity.
    Profile,
    /// The file of an OAuth bundle.
    OauthBundle,
    /// The login of the Claude Code program; only if the user allows it.
    ClaudeCode,
    /// The file of a setup token.
    SetupToken,
    /// The key that `souffleur login` stored.
    StoredKey,
}

/// The header that carries an API key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum KeyHeader {
    /// `x-api-key: KEY`.
    #[default]
    #[serde(rename = "x-api-key")]
    XApiKey,
    /// `authorization: Bearer KEY`.
    #[serde(rename = "authorization")]
    Authorization,
}
