//! The places where a credential may be, a file each. They read small files at most: nothing is run, and nothing goes
//! over the network.

mod bundle;
mod claude_code;
mod environment;
mod profile;
mod setting;
mod setup_token;
mod stored;
mod workload;

use secrecy::{ExposeSecret, SecretString};

use super::found::{Found, Look, Material, Surroundings};
use super::headers::{Placement, TOKEN_PREFIX};
use super::host::Binding;
use crate::protocol::{AuthStep, CredentialKind};

/// Looks at the places of `step`. A place that the user asked for may be one of several.
pub fn look(step: AuthStep, at: &Surroundings<'_>) -> Vec<Look> {
    match step {
        AuthStep::Setting => setting::look(at),
        AuthStep::EnvironmentKey => environment::key(at),
        AuthStep::EnvironmentBearer => environment::bearer(at),
        AuthStep::Profile => profile::look(at),
        AuthStep::OauthBundle => bundle::look(at),
        AuthStep::ClaudeCode => claude_code::look(at),
        AuthStep::SetupToken => setup_token::look(at),
        AuthStep::StoredKey => stored::look(at),
    }
}

/// A key, placed as the settings say. A token of Anthropic's in the place of a key is sent as what it is.
fn key(at: &Surroundings<'_>, secret: SecretString, source: String, binding: Binding) -> Found {
    let is_token = at.options.key.provider == "anthropic" && secret.expose_secret().starts_with(TOKEN_PREFIX);
    let (kind, placement) = if is_token {
        (CredentialKind::Bearer, Placement::OauthBearer)
    } else {
        (CredentialKind::ApiKey, Placement::of_key(at.options.key.header))
    };
    Found { kind, source, binding, material: Material::Fixed(secret, placement) }
}
