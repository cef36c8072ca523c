//! The login of Claude Code, another program: only when the user switched its import on. The file is read and never
//! written, and nothing is renewed: a used refresh token would log that program out.

use std::path::PathBuf;

use crate::auth::found::{Found, Look, Material, Outcome, Surroundings};
use crate::auth::host::Binding;
use crate::auth::oauth::{Grant, TokenSource};
use crate::auth::options::ANTHROPIC_HOST;
use crate::auth::token::{Shape, TimeForm, TokenFile};
use crate::error::{ErrorCode, UserError};
use crate::protocol::{AuthStep, CredentialKind};

/// What the user does about an expired login.
const ADVICE: &str = "run `claude` once: it renews its own login";

pub fn look(at: &Surroundings<'_>) -> Vec<Look> {
    let folder = at.environment.get("CLAUDE_CONFIG_DIR").map(PathBuf::from);
    let path = folder.unwrap_or_else(|| at.places.home.join(".claude")).join(".credentials.json");
    let place = format!("the login of Claude Code in {}", path.display());
    if !at.options.import_claude_code {
        let outcome = Outcome::Skipped("its import is switched off".to_owned());
        return vec![Look::new(AuthStep::ClaudeCode, place, outcome)];
    }
    at.watch_existence(&path);
    let outcome = match read(at, path, &place) {
        Ok(None) if cfg!(target_os = "macos") => {
            Outcome::Skipped("on macOS Claude Code keeps it in the Keychain, which is not read".to_owned())
        }
        read => Outcome::of(read),
    };
    vec![Look::new(AuthStep::ClaudeCode, place, outcome).asked(true)]
}

fn read(at: &Surroundings<'_>, path: PathBuf, place: &str) -> Result<Option<Found>, UserError> {
    let file = TokenFile { path, shape: Shape::ClaudeCode, time_form: TimeForm::Milliseconds };
    let Some(loaded) = file.load()? else { return Ok(None) };
    if loaded.token.expires_at.is_some_and(|expires| expires <= at.clock.now()) {
        return Err(UserError::new(ErrorCode::AuthExpired, format!("{place} has expired")).with_hint(ADVICE));
    }
    let grant = Grant::None(ADVICE.to_owned());
    Ok(Some(Found {
        kind: CredentialKind::Oauth,
        source: place.to_owned(),
        binding: Binding::Host(ANTHROPIC_HOST.to_owned()),
        material: Material::renewed(TokenSource { file: Some(file), grant, clock: at.clock.clone() }),
    }))
}
