//! The provider's own environment variables.

use secrecy::SecretString;

use crate::auth::found::{Found, Look, Material, Outcome, Surroundings};
use crate::auth::headers::Placement;
use crate::auth::host::Binding;
use crate::auth::options::Origin;
use crate::protocol::{AuthStep, CredentialKind};

/// The vendor's variable for a bearer token.
const BEARER: &str = "ANTHROPIC_AUTH_TOKEN";

/// The variables with a key, e.g. `ANTHROPIC_API_KEY`.
pub fn key(at: &Surroundings<'_>) -> Vec<Look> {
    let one = |name: &String| {
        let found = at.environment.get(name).map(|text| {
            super::key(at, SecretString::from(text.trim()), place(name), Binding::SetAt(Origin::Environment))
        });
        Look::new(AuthStep::EnvironmentKey, place(name), Outcome::of(Ok(found)))
    };
    at.options.key.environment.iter().map(one).collect()
}

/// `ANTHROPIC_AUTH_TOKEN`.
pub fn bearer(at: &Surroundings<'_>) -> Vec<Look> {
    let found = at.environment.get(BEARER).map(|text| {
        let secret = SecretString::from(text.trim());
        let placement = Placement::of_token(&secret);
        Found {
            kind: CredentialKind::Bearer,
            source: place(BEARER),
            binding: Binding::SetAt(Origin::Environment),
            material: Material::Fixed(secret, placement),
        }
    });
    vec![Look::new(AuthStep::EnvironmentBearer, place(BEARER), Outcome::of(Ok(found)))]
}

fn place(name: &str) -> String {
    format!("the environment variable {name}")
}
