//! A JSON file with an access token, a refresh token and a time of expiry: what a login writes, or the user's own.

use crate::auth::found::{Found, Look, Material, Outcome, Surroundings};
use crate::auth::host::Binding;
use crate::auth::oauth::{Grant, TokenSource};
use crate::auth::options::{ANTHROPIC_HOST, TokenFormat};
use crate::auth::token::TokenFile;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{AuthMode, AuthStep, CredentialKind};

pub fn look(at: &Surroundings<'_>) -> Vec<Look> {
    let options = at.options;
    let path = options.bundle_file.clone().unwrap_or_else(|| at.places.bundle());
    at.watch_existence(&path);
    let place = format!("the file {}", path.display());
    let explicit = options.bundle_file.is_some() || options.mode == AuthMode::OauthBundle;
    let outcome = Outcome::of(read(at, TokenFile::bundle(path), &place));
    vec![Look::new(AuthStep::OauthBundle, place, outcome).asked(explicit)]
}

fn read(at: &Surroundings<'_>, file: TokenFile, place: &str) -> Result<Option<Found>, UserError> {
    let Some(loaded) = file.load()? else { return Ok(None) };
    let grant = match &at.options.oauth {
        Some(oauth) => Grant::Refresh {
            issuer: at.issuer(oauth.token_url.clone()),
            client_id: oauth.client_id.clone(),
            format: oauth.token_format.unwrap_or(TokenFormat::Json),
            advice: "log in again".to_owned(),
        },
        None => Grant::None("whoever wrote the file renews it: no issuer of tokens is configured here".to_owned()),
    };
    let can_renew = at.options.oauth.is_some() && loaded.token.refresh.is_some();
    if !can_renew && loaded.token.expires_at.is_some_and(|at_time| at_time <= at.clock.now()) {
        let message = format!("the token in {} has expired", file.path.display());
        return Err(UserError::new(ErrorCode::AuthExpired, message).with_hint("log in again"));
    }
    Ok(Some(Found {
        kind: CredentialKind::Oauth,
        source: place.to_owned(),
        binding: Binding::Host(loaded.host.unwrap_or_else(|| ANTHROPIC_HOST.to_owned())),
        material: Material::renewed(TokenSource { file: Some(file), grant, clock: at.clock.clone() }),
    }))
}
