//! Profiles of the official command line (`ant auth login`), and workload identities. The order, the files and what is
//! refused are those of the vendor's own libraries (reference of 2026-11).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use url::Url;

use super::workload;
use crate::auth::files::{self, Privacy};
use crate::auth::found::{Found, Look, Material, Outcome, Surroundings};
use crate::auth::host::{Binding, authority};
use crate::auth::oauth::{Grant, TokenSource, Workload};
use crate::auth::options::TokenFormat;
use crate::auth::token::{Shape, TimeForm, TokenFile, object};
use crate::error::{ErrorCode, UserError};
use crate::protocol::{AuthMode, AuthStep, CredentialKind};

/// The API of profiles that name none.
const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

pub fn look(at: &Surroundings<'_>) -> Vec<Look> {
    let folder = folder(at);
    let named = at.options.profile.as_deref().or_else(|| at.environment.get("ANTHROPIC_PROFILE")).map(str::trim);
    if let Some(name) = named {
        let by = if at.options.profile.is_some() { "the setting `auth.profile`" } else { "ANTHROPIC_PROFILE" };
        return vec![named_profile(at, &folder, name, by)];
    }
    let workload = workload::look(at);
    if workload.explicit {
        return vec![workload];
    }
    vec![workload, active(at, &folder)]
}

/// Where profiles are.
fn folder(at: &Surroundings<'_>) -> PathBuf {
    if let Some(folder) = at.environment.get("ANTHROPIC_CONFIG_DIR") {
        return PathBuf::from(folder);
    }
    match at.environment.get("APPDATA").filter(|_| cfg!(windows)) {
        Some(folder) => PathBuf::from(folder).join("Anthropic"),
        None => at.places.home.join(".config").join("anthropic"),
    }
}

/// The profile that is active on this machine.
fn active(at: &Surroundings<'_>, folder: &Path) -> Look {
    let pointer = folder.join("active_config");
    at.watch(&pointer);
    let asked = at.environment.get("ANTHROPIC_CONFIG_DIR").is_some() || at.options.mode == AuthMode::Profile;
    match files::read(&pointer, Privacy::Config) {
        Ok(Some(name)) => named_profile(at, folder, name.trim(), "active_config"),
        Ok(None) => profile(at, folder, "default", "the default").asked(asked),
        Err(error) => Look::new(AuthStep::Profile, "the active profile", Outcome::Invalid(error)).asked(true),
    }
}

/// A profile that somebody named: without it there is nothing to fall back to.
fn named_profile(at: &Surroundings<'_>, folder: &Path, name: &str, by: &str) -> Look {
    let mut look = profile(at, folder, name, by).asked(true);
    if matches!(look.outcome, Outcome::Absent) {
        let message = format!("there is no profile `{name}` in {}, which {by} names", folder.display());
        let error = UserError::new(ErrorCode::AuthInvalid, message).with_hint("run `ant auth login`, or name another");
        look.outcome = Outcome::Invalid(error);
    }
    look
}

fn profile(at: &Surroundings<'_>, folder: &Path, name: &str, by: &str) -> Look {
    let place = format!("the profile `{name}` ({by}) in {}", folder.display());
    let is_name = !name.is_empty() && !name.contains(['/', '\\', ':']) && !name.starts_with('.');
    let read = if is_name {
        read(at, folder, name, &place)
    } else {
        Err(UserError::new(ErrorCode::AuthInvalid, format!("`{name}` is no name of a profile")))
    };
    Look::new(AuthStep::Profile, place, Outcome::of(read))
}

fn read(at: &Surroundings<'_>, folder: &Path, name: &str, place: &str) -> Result<Option<Found>, UserError> {
    let path = folder.join("configs").join(format!("{name}.json"));
    at.watch(&path);
    let Some(text) = files::read(&path, Privacy::Config)? else { return Ok(None) };
    let config = object(&path, &text)?;
    let wrong = |what: &str| files::invalid(&path, what);
    let empty = Map::new();
    let authentication = config.get("authentication").and_then(Value::as_object).unwrap_or(&empty);
    let base_url = Url::parse(text_of(&config, "base_url").unwrap_or(DEFAULT_BASE_URL));
    let base_url = base_url.map_err(|_| wrong("has a `base_url` that is no URL"))?;
    let credentials = match text_of(authentication, "credentials_path") {
        Some(path) => folder.join(path),
        None => folder.join("credentials").join(format!("{name}.json")),
    };
    let file = TokenFile { path: credentials, shape: Shape::Bundle, time_form: TimeForm::Seconds };
    let (kind, grant) = match text_of(authentication, "type") {
        Some("user_oauth") => (CredentialKind::Oauth, user_grant(at, &base_url, authentication)?),
        Some("oidc_federation") => {
            let workload = workload_of(at, &config, authentication).map_err(wrong)?;
            (CredentialKind::WorkloadIdentity, workload::grant(at, &base_url, workload)?)
        }
        _ => return Err(wrong("has an `authentication.type` that is not known")),
    };
    if kind == CredentialKind::Oauth {
        at.watch_existence(&file.path);
        check_login(at, &file, &grant, name)?;
    }
    let source = TokenSource { file: Some(file), grant, clock: at.clock.clone() };
    let binding = Binding::Host(authority(&base_url));
    Ok(Some(Found { kind, source: place.to_owned(), binding, material: Material::renewed(source) }))
}

/// Without a client id the file is kept fresh by someone else, and only read.
fn user_grant(at: &Surroundings<'_>, base_url: &Url, authentication: &Map<String, Value>) -> Result<Grant, UserError> {
    Ok(match text_of(authentication, "client_id") {
        Some(client_id) => Grant::Refresh {
            issuer: at.issuer(token_url(base_url)?),
            client_id: client_id.to_owned(),
            format: TokenFormat::Json,
            advice: "run `ant auth login`".to_owned(),
        },
        None => Grant::None("whoever keeps the profile's credentials fresh has not done so".to_owned()),
    })
}

/// What is wrong with the login of a profile, as far as its file tells.
fn check_login(at: &Surroundings<'_>, file: &TokenFile, grant: &Grant, name: &str) -> Result<(), UserError> {
    let Some(loaded) = file.load()? else {
        let what = format!("with the login of the profile `{name}` is not there");
        return Err(files::invalid(&file.path, &what).with_hint("run `ant auth login`"));
    };
    let can_renew = matches!(grant, Grant::Refresh { .. }) && loaded.token.refresh.is_some();
    if !can_renew && loaded.token.expires_at.is_some_and(|expires| expires <= at.clock.now()) {
        let message = format!("the login of the profile `{name}` has expired");
        return Err(UserError::new(ErrorCode::AuthExpired, message).with_hint("run `ant auth login`"));
    }
    Ok(())
}

fn workload_of(
    at: &Surroundings<'_>,
    config: &Map<String, Value>,
    authentication: &Map<String, Value>,
) -> Result<Workload, &'static str> {
    let (assertion, assertion_file) = match authentication.get("identity_token") {
        None | Some(Value::Null) => workload::identity_token(at),
        Some(token) => {
            let text = |name: &str| token.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            if text("source") != Some("file") {
                return Err("has an `identity_token` from a source that is not known; only `file` is");
            }
            let path = text("path").ok_or("has an `identity_token` without a `path`")?;
            (None, Some(PathBuf::from(path)))
        }
    };
    let owned = |fields: &Map<String, Value>, name: &str| text_of(fields, name).map(str::to_owned);
    Ok(Workload {
        assertion,
        assertion_file,
        federation_rule_id: owned(authentication, "federation_rule_id").ok_or("has no `federation_rule_id`")?,
        organization_id: owned(config, "organization_id").ok_or("has no `organization_id`")?,
        service_account_id: owned(authentication, "service_account_id"),
        workspace_id: owned(config, "workspace_id"),
    })
}

/// Where the API at `base_url` gives tokens.
///
/// # Errors
/// `auth.invalid`: there is no such URL.
pub fn token_url(base_url: &Url) -> Result<Url, UserError> {
    let base = base_url.as_str().trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    Url::parse(&format!("{base}/v1/oauth/token"))
        .map_err(|error| UserError::new(ErrorCode::AuthInvalid, format!("no URL for tokens: {error}")))
}

fn text_of<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}
