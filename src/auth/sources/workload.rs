//! A workload's identity, as environment variables give it to a program in a cloud or a cluster.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::auth::found::{Found, Look, Material, Outcome, Surroundings};
use crate::auth::host::{Binding, is_private};
use crate::auth::oauth::{Grant, TokenSource, Workload};
use crate::auth::options::Origin;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{AuthStep, CredentialKind};

/// Without these there is no exchange.
const RULE: &str = "ANTHROPIC_FEDERATION_RULE_ID";
const ORGANIZATION: &str = "ANTHROPIC_ORGANIZATION_ID";
/// One of these has the identity token.
const TOKEN: &str = "ANTHROPIC_IDENTITY_TOKEN";
const TOKEN_FILE: &str = "ANTHROPIC_IDENTITY_TOKEN_FILE";

pub fn look(at: &Surroundings<'_>) -> Look {
    let place = format!("the workload identity in {RULE} and its kin");
    let get = |name: &str| at.environment.get(name).map(|text| text.trim().to_owned());
    let Some(rule) = get(RULE) else { return Look::new(AuthStep::Profile, place, Outcome::Absent) };
    let (assertion, assertion_file) = identity_token(at);
    let missing =
        [(ORGANIZATION, get(ORGANIZATION).is_none()), (TOKEN_FILE, assertion.is_none() && assertion_file.is_none())];
    if let Some((name, _)) = missing.iter().find(|(_, missing)| *missing) {
        return Look::new(AuthStep::Profile, place, Outcome::Skipped(format!("{name} is not set")));
    }
    let workload = Workload {
        assertion,
        assertion_file,
        federation_rule_id: rule,
        organization_id: get(ORGANIZATION).unwrap_or_default(),
        service_account_id: get("ANTHROPIC_SERVICE_ACCOUNT_ID"),
        workspace_id: get("ANTHROPIC_WORKSPACE_ID"),
    };
    let base_url = &at.options.key.target.base_url;
    let found = grant(at, base_url, workload).map(|grant| {
        Some(Found {
            kind: CredentialKind::WorkloadIdentity,
            source: place.clone(),
            binding: Binding::SetAt(Origin::Environment),
            material: Material::renewed(TokenSource { file: None, grant, clock: at.clock.clone() }),
        })
    });
    Look::new(AuthStep::Profile, place, Outcome::of(found)).asked(true)
}

/// The identity token of the environment: itself, or the file with it, which counts first.
pub fn identity_token(at: &Surroundings<'_>) -> (Option<SecretString>, Option<PathBuf>) {
    let file = at.environment.get(TOKEN_FILE).map(|path| PathBuf::from(path.trim()));
    let text = at.environment.get(TOKEN).filter(|_| file.is_none());
    (text.map(|text| SecretString::from(text.trim())), file)
}

/// The exchange at the issuer of the API at `base_url`.
///
/// # Errors
/// `auth.invalid`: the identity would go there unencrypted.
pub fn grant(at: &Surroundings<'_>, base_url: &url::Url, workload: Workload) -> Result<Grant, UserError> {
    let url = super::profile::token_url(base_url)?;
    if !is_private(&url) {
        let message = "a workload's identity is sent with https only";
        return Err(UserError::new(ErrorCode::AuthInvalid, message).with_hint("use a base URL with https"));
    }
    Ok(Grant::Workload { issuer: at.issuer(url), workload })
}
