//! What is said once, in `initialize`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of this contract. It grows by one when something that worked before would no longer work.
pub const PROTOCOL_VERSION: u32 = 1;

/// What a client can do beyond LSP: `capabilities.experimental.souffleur` of `initialize`, or `capabilities` in its
/// `initializationOptions` where an editor's configuration cannot reach the former.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientCapabilities {
    /// The client handles the notification `souffleur/session/update`.
    pub session_update: bool,
}

/// Settings as an editor sends them: as `initializationOptions`, and as `settings.souffleur` of
/// `workspace/didChangeConfiguration`. A key that is absent leaves the setting to the layers below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EditorSettings {
    /// The model of new sessions, as `provider:model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The most tokens one answer may have, thinking included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// See [`ClientCapabilities`]. Read in `initializationOptions` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<ClientCapabilities>,
}

/// What the server tells about itself: `capabilities.experimental.souffleur` of the result of `initialize`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerExperimental {
    /// See [`PROTOCOL_VERSION`].
    pub protocol_version: u32,
    /// The names of all custom methods that the server answers or sends.
    pub methods: Vec<String>,
    /// The providers whose models can be used, as the part before the colon of a model's name.
    pub providers: Vec<String>,
}
