//! A token made with `claude setup-token`: from the settings, from a file, and from the environment variable of Claude
//! Code where the user asked for this kind of credential.

use secrecy::{ExposeSecret, SecretString};

use crate::auth::files::{self, Privacy};
use crate::auth::found::{Found, Look, Material, Outcome, Surroundings};
use crate::auth::headers::{Placement, TOKEN_PREFIX};
use crate::auth::host::Binding;
use crate::auth::options::ANTHROPIC_HOST;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{AuthMode, AuthStep, CredentialKind};

/// Shorter ones were cut when they were copied. The vendor documents no length.
const SHORTEST: usize = 80;
/// Where Claude Code takes one from.
const VARIABLE: &str = "CLAUDE_CODE_OAUTH_TOKEN";

pub fn look(at: &Surroundings<'_>) -> Vec<Look> {
    let options = at.options;
    let (place, read) = if let Some(token) = &options.setup_token {
        let place = "the setting `setup_token`".to_owned();
        let read = token_of(token.expose_secret(), &place).map(Some);
        (place, read)
    } else if let Some(path) = &options.setup_token_file {
        at.watch(path);
        let place = format!("the file {}", path.display());
        let missing = || files::invalid(path, "is not there").with_hint("`auth.setupTokenFile` names it");
        let text = files::read(path, Privacy::Secret).and_then(|text| text.ok_or_else(missing));
        let read = text.and_then(|text| token_of(&text, &place)).map(Some);
        (place, read)
    } else if options.mode == AuthMode::SetupToken {
        let place = format!("the environment variable {VARIABLE}");
        let read = at.environment.get(VARIABLE).map(|text| token_of(text, &place)).transpose();
        (place, read)
    } else {
        return vec![Look::new(AuthStep::SetupToken, "the setting `auth.setupTokenFile`", Outcome::Absent)];
    };
    let found = read.map(|token| {
        token.map(|token| Found {
            kind: CredentialKind::SetupToken,
            source: place.clone(),
            binding: Binding::Host(ANTHROPIC_HOST.to_owned()),
            material: Material::Fixed(token, Placement::OauthBearer),
        })
    });
    vec![Look::new(AuthStep::SetupToken, place, Outcome::of(found)).asked(true)]
}

fn token_of(text: &str, place: &str) -> Result<SecretString, UserError> {
    let text = text.trim();
    let invalid = |what: String| UserError::new(ErrorCode::AuthInvalid, format!("the token in {place} {what}"));
    let hint = "copy all of what `claude setup-token` prints";
    if !text.starts_with(TOKEN_PREFIX) || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(
            invalid(format!("is no setup token: those begin with {TOKEN_PREFIX} and are one word")).with_hint(hint)
        );
    }
    if text.len() < SHORTEST {
        let what = format!("has {} characters and should have {SHORTEST} at least", text.len());
        return Err(invalid(what).with_hint(hint));
    }
    Ok(SecretString::from(text))
}
