//! Principals: credentials that OCI gives to programs that run in it.

use secrecy::{ExposeSecret, SecretString};

use super::load::{self, Loaded};
use super::{OciKind, problem};
use crate::config::Environment;
use crate::error::{ErrorCode, UserError};

/// The only version of resource principals that needs no other service.
const VERSION: &str = "2.2";

/// The principal that the environment describes.
///
/// # Errors
/// `auth.missing_key` when there is none, `auth.invalid` when it is of another version or cannot be used.
pub(super) fn resource(environment: &Environment) -> Result<Loaded, UserError> {
    match environment.get("OCI_RESOURCE_PRINCIPAL_VERSION").map(str::trim) {
        Some(VERSION) => {}
        Some(other) => {
            let message = format!("resource principals of version {other} are not supported");
            return Err(problem(ErrorCode::AuthInvalid, message)
                .with_hint("version 2.2 is, which OCI Functions and container instances have"));
        }
        None => return Err(missing("OCI_RESOURCE_PRINCIPAL_VERSION")),
    }
    let value = |name: &str, what: &str| {
        let value = environment.get(name).ok_or_else(|| missing(name))?;
        load::value_or_file(value, what)
    };
    let (token, in_file) = value("OCI_RESOURCE_PRINCIPAL_RPST", "the session token of the resource principal")?;
    let (pem, _) = value("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", "the private key of the resource principal")?;
    let passphrase = passphrase(environment)?;
    let (key_id, claims) = load::session_key_id(token.expose_secret(), "OCI_RESOURCE_PRINCIPAL_RPST")?;
    let key = load::parse_key(
        pem.expose_secret(),
        passphrase.as_ref(),
        "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM",
        "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE",
    )?;
    Ok(Loaded {
        kind: OciKind::ResourcePrincipal,
        source: format!("OCI_RESOURCE_PRINCIPAL_RPST in the environment{}", if in_file { " (a file)" } else { "" }),
        key,
        key_id,
        delegation: None,
        region: environment.get("OCI_RESOURCE_PRINCIPAL_REGION").map(str::to_owned),
        expires: claims.expires(),
        tenancy: claims.res_compartment.or(claims.res_tenant),
        warnings: Vec::new(),
    })
}

fn passphrase(environment: &Environment) -> Result<Option<SecretString>, UserError> {
    let Some(value) = environment.get("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE") else { return Ok(None) };
    let (text, in_file) = load::value_or_file(value, "the passphrase of the resource principal's key")?;
    // A file ends with a line break that is not the passphrase's.
    let text = if in_file { SecretString::from(text.expose_secret().trim_end_matches(['\r', '\n'])) } else { text };
    Ok(Some(text))
}

fn missing(name: &str) -> UserError {
    problem(ErrorCode::AuthMissingKey, "no resource principal was found in the environment").with_hint(format!(
        "{name} is not set; OCI sets it where a program runs as a function or another resource. Elsewhere, use a profile"
    ))
}

/// Said when an instance principal is asked for.
pub(super) fn no_instance_principal() -> UserError {
    problem(
        ErrorCode::AuthInvalid,
        "instance principals are not part of this build, nor delegation tokens, which need one",
    )
    .with_hint("use a profile with an API key or a session token, or a resource principal")
}
