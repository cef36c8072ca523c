//! The settings of a provider.

use std::collections::BTreeMap;

use super::key::settings;
use super::secret::Secret;
use super::settings::Layer;
use super::source::{Reach, Source};
use crate::protocol::{AuthMode, AuthStep, KeyHeader};

/// The address of Anthropic's API.
const ANTHROPIC_URL: &str = "https://api.anthropic.com";
/// The newest version of Anthropic's API that requests can be written for.
const ANTHROPIC_VERSION: &str = "2026-10-21";

settings! {
    /// One layer's say on a provider. What is `None` is left to the layers below.
    layer ProviderLayer;
    /// The settings of a provider, resolved.
    settings ProviderSettings;
    /// The settings that a provider can have, by the part of their names behind the provider's.
    table PROVIDER;

    /// The address that requests go to, together with the key.
    "baseUrl", User, "URL", base_url: Option<String> = None;
    /// At most so many requests a second, for all sessions together.
    "requestsPerSecond", Editor, "number", requests_per_second: Option<f64> = None;
    /// The key: better a reference such as `${MY_KEY}` than the key itself.
    "apiKey", User, "text", api_key: Option<Secret> = None;
    /// A file that holds the key and nothing else.
    "apiKeyFile", User, "path of a file", api_key_file: Option<String> = None;
    /// A program and its arguments; it prints the key. It runs without a shell when the key is first needed.
    "apiKeyCommand", User, "list of texts", api_key_command: Option<Vec<String>> = None;
    /// The environment variable that holds the key.
    "apiKeyEnv", User, "name of a variable", api_key_env: Option<String> = None;
    /// For your own providers: the built-in one whose ways the server has. For `oci`: the profile of its configuration file.
    "profile", User, "name", profile: Option<String> = None;
    /// Which of OpenAI's interfaces the server speaks.
    "api", User, "`responses`, `chat`", api: Option<String> = None;
    /// The models to list.
    "models", User, "list of texts", models: Option<Vec<String>> = None;
    /// For servers that speak OpenAI's API: headers that each request carries.
    "headers", User, "object of texts", headers: BTreeMap<String, String> = BTreeMap::new();
    /// For servers that speak OpenAI's API: fields that each request's body carries.
    "body", User, "object", body: Option<serde_json::Map<String, serde_json::Value>> = None;
    /// For servers that speak OpenAI's API: single ways in which one differs from its profile.
    "quirks", User, "object", quirks: Option<serde_json::Map<String, serde_json::Value>> = None;
    /// OpenAI's organization.
    "organization", User, "text", organization: Option<String> = None;
    /// OpenAI's or OCI's project.
    "project", User, "text", project: Option<String> = None;
    /// Anthropic: the API's version.
    "version", Editor, "`2026-10-21`, `2023-06-01`", version: Option<String> = None;
    /// Anthropic: names of beta features.
    "betas", Editor, "list of texts", betas: Vec<String> = Vec::new();
    /// Anthropic: the service tier.
    "serviceTier", Editor, "`auto`, `standard_only`", service_tier: Option<String> = None;
    /// Anthropic: an opaque name of the user.
    "userId", Editor, "text", user_id: Option<String> = None;
    /// Anthropic: which kind of credential is used.
    "auth.mode", User, "`auto`, `static`, `bearer`, `setup_token`, `oauth_bundle`, `profile`", auth_mode: AuthMode = AuthMode::Auto;
    /// Anthropic: what `auto` looks for, in this order.
    "auth.order", User, "list of steps, see below", auth_order: Option<Vec<AuthStep>> = None;
    /// Anthropic: the header that carries the key.
    "auth.header", User, "`x-api-key`, `authorization`", auth_header: KeyHeader = KeyHeader::XApiKey;
    /// Further hosts that credentials found for the provider's own host may be sent to.
    "auth.hosts", User, "list of hosts", auth_hosts: Vec<String> = Vec::new();
    /// Anthropic: the official profile to use.
    "auth.profile", User, "name", auth_profile: Option<String> = None;
    /// Anthropic: the file of an OAuth bundle.
    "auth.bundleFile", User, "path of a file", auth_bundle_file: Option<String> = None;
    /// Anthropic: the file of a setup token.
    "auth.setupTokenFile", User, "path of a file", auth_setup_token_file: Option<String> = None;
    /// Anthropic: a setup token: better a reference than the token itself.
    "auth.setupToken", User, "text", auth_setup_token: Option<Secret> = None;
    /// Anthropic: whether `auto` may read the login of the Claude Code program.
    "auth.importClaudeCode", User, "true or false", auth_import_claude_code: bool = false;
    /// Anthropic: where a login in the browser begins.
    "auth.oauth.authorizeUrl", User, "URL", oauth_authorize_url: Option<String> = None;
    /// Anthropic: where codes and refresh tokens are exchanged.
    "auth.oauth.tokenUrl", User, "URL", oauth_token_url: Option<String> = None;
    /// Anthropic: the client's id.
    "auth.oauth.clientId", User, "text", oauth_client_id: Option<String> = None;
    /// Anthropic: what is asked for.
    "auth.oauth.scopes", User, "list of texts", oauth_scopes: Vec<String> = Vec::new();
    /// Anthropic: the port on this machine that the browser comes back to; without one, any that is free.
    "auth.oauth.redirectPort", User, "whole number", oauth_redirect_port: Option<u16> = None;
    /// Anthropic: the page that shows the code of a login for pasting; without one the browser comes back to this machine.
    "auth.oauth.pasteRedirectUrl", User, "URL", oauth_paste_redirect_url: Option<String> = None;
    /// Ollama: the tokens that input and output may have together, at most the model's own.
    "numCtx", Editor, "whole number of tokens", num_ctx: Option<u32> = None;
    /// Ollama: how long a model stays loaded: a duration such as `5m`, or a number of seconds.
    "keepAlive", Editor, "text", keep_alive: Option<String> = None;
    /// Ollama: whether a running server may be looked for when no model is configured.
    "discover", User, "true or false", discover: bool = false;
    /// OCI: `instance_principal` or `resource_principal`, in place of a profile.
    "authType", User, "`instance_principal`, `resource_principal`", auth_type: Option<String> = None;
    /// OCI: the compartment's OCID.
    "compartmentId", User, "text", compartment_id: Option<String> = None;
    /// OCI: the region.
    "region", User, "text", region: Option<String> = None;
    /// OCI: its configuration file.
    "configFile", User, "path of a file", config_file: Option<String> = None;
}

impl Layer {
    /// What is built in about single providers.
    pub(super) fn built_in() -> Self {
        let anthropic = ProviderLayer {
            base_url: Some(Some(ANTHROPIC_URL.to_owned())),
            version: Some(Some(ANTHROPIC_VERSION.to_owned())),
            ..ProviderLayer::default()
        };
        Self { providers: BTreeMap::from([("anthropic".to_owned(), anthropic)]), ..Self::default() }
    }
}

/// The settings that are secrets: they are looked up when they are used, and not shown.
pub(super) const SECRETS: [&str; 2] = ["apiKey", "auth.setupToken"];

/// The settings whose parts go into requests as they are: some of these parts may be secrets.
pub(super) const FREE_FORM: [&str; 3] = ["headers", "body", "quirks"];

/// Whether what a request carries under this name is most likely a secret: `Authorization`, `x-api-key`, `access_token`.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let ends = ["authorization", "cookie", "key", "token", "secret", "password", "credential"];
    ends.iter().any(|end| name.ends_with(end)) && !name.ends_with("cache_key")
}

/// Whether `name` can be a provider's: lower-case letters, digits, `-` and `_`, a letter first.
pub fn is_provider_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}
