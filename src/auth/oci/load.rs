//! Reading a credential from where it is. What is here blocks, and runs on a thread for that.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::config_file::{ConfigFile, Profile};
use super::key::PrivateKey;
use super::options::{Mode, Resolved};
use super::token::{Claims, is_token};
use super::{OciKind, principal, problem};
use crate::config::Environment;
use crate::error::{ErrorCode, UserError};

/// More than any configuration, key or token has.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A credential that was read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) kind: OciKind,
    /// Where it was found, for people.
    pub(super) source: String,
    pub(super) key: PrivateKey,
    /// What the service knows the key by. It may be a session token.
    pub(super) key_id: SecretString,
    /// The token of the user on whose behalf requests are made. Only an instance has one.
    pub(super) delegation: Option<SecretString>,
    pub(super) region: Option<String>,
    pub(super) tenancy: Option<String>,
    pub(super) expires: Option<SystemTime>,
    /// What is wrong with it without keeping it from being used.
    pub(super) warnings: Vec<String>,
}

/// Reads the credential that `resolved` means.
///
/// # Errors
/// `auth.missing_key` when there is none, `auth.invalid` when it cannot be used, `config.invalid` when the
/// configuration file cannot be read.
pub(super) fn load(resolved: &Resolved, environment: &Environment, home: &Path) -> Result<Loaded, UserError> {
    match &resolved.mode {
        Mode::Profile(name) => {
            let (path, text) = first_file(&resolved.config_files)?;
            let profile = ConfigFile::parse(&text, path)?.profile(name)?;
            of_profile(&profile, environment, home)
        }
        Mode::ResourcePrincipal => principal::resource(environment),
        Mode::InstancePrincipal => Err(principal::no_instance_principal()),
    }
}

fn of_profile(profile: &Profile, environment: &Environment, home: &Path) -> Result<Loaded, UserError> {
    match profile.get("authentication_type") {
        None if profile.get("security_token_file").is_some() => session(profile, home),
        None => api_key(profile, home),
        Some("resource_principal") => principal::resource(environment),
        Some("instance_principal") => Err(principal::no_instance_principal()),
        Some(other) => {
            let message = format!("the profile `{}` has the unknown authentication_type `{other}`", profile.name);
            Err(problem(ErrorCode::AuthInvalid, message).with_hint(
                "known are instance_principal and resource_principal; without the line, the API key is used",
            ))
        }
    }
}

fn api_key(profile: &Profile, home: &Path) -> Result<Loaded, UserError> {
    profile.require(&["user", "tenancy", "fingerprint", "key_file"])?;
    let (key, path, warnings) = key_of(profile, home)?;
    let value = |name| profile.get(name).unwrap_or_default();
    let fingerprint = value("fingerprint").to_ascii_lowercase();
    if fingerprint != key.fingerprint() {
        let message =
            format!("the fingerprint in the profile `{}` is not that of the key in {}", profile.name, path.display());
        let hint = format!("the profile has {fingerprint}, the key {}", key.fingerprint());
        return Err(problem(ErrorCode::AuthInvalid, message).with_hint(hint));
    }
    let key_id = format!("{}/{}/{fingerprint}", value("tenancy"), value("user"));
    if !is_token(&key_id) {
        let message = format!("the user or the tenancy in the profile `{}` is no OCID", profile.name);
        return Err(problem(ErrorCode::AuthInvalid, message));
    }
    Ok(Loaded {
        kind: OciKind::ApiKey,
        source: place(profile),
        key,
        key_id: SecretString::from(key_id),
        delegation: None,
        region: profile.get("region").map(str::to_owned),
        tenancy: profile.get("tenancy").map(str::to_owned),
        expires: None,
        warnings,
    })
}

fn session(profile: &Profile, home: &Path) -> Result<Loaded, UserError> {
    // Its fingerprint may be one inherited from another profile, and signs nothing.
    profile.require(&["key_file", "security_token_file"])?;
    let (key, _, warnings) = key_of(profile, home)?;
    let path = profile.path("security_token_file", home).unwrap_or_default();
    let token = read(&path, "the session token").and_then(|token| session_key_id(&token, &path.display().to_string()));
    let (key_id, claims) = token.map_err(|error| {
        error.with_hint(format!("sign in with oci session authenticate --profile-name {}", profile.name))
    })?;
    Ok(Loaded {
        kind: OciKind::SessionToken,
        source: place(profile),
        key,
        key_id,
        delegation: None,
        region: profile.get("region").map(str::to_owned),
        tenancy: profile.get("tenancy").map(str::to_owned),
        expires: claims.expires(),
        warnings,
    })
}

/// What the service knows a session's key by, and what the token says.
pub(super) fn session_key_id(token: &str, place: &str) -> Result<(SecretString, Claims), UserError> {
    let token = token.trim();
    if !is_token(token) {
        return Err(problem(ErrorCode::AuthInvalid, format!("there is no session token in {place}")));
    }
    Ok((SecretString::from(format!("ST${token}")), Claims::of(token)))
}

fn place(profile: &Profile) -> String {
    format!("the profile `{}` in {}", profile.name, profile.file.display())
}

/// The key of a profile, where it is, and whether others can read it.
fn key_of(profile: &Profile, home: &Path) -> Result<(PrivateKey, PathBuf, Vec<String>), UserError> {
    let path = profile.path("key_file", home).unwrap_or_default();
    let text = read(&path, "the private key")?;
    let passphrase = profile.get("pass_phrase").map(SecretString::from);
    let key = parse_key(&text, passphrase.as_ref(), &path.display().to_string(), "pass_phrase of the profile")?;
    let warnings = open_to_others(&path).then(|| format!("{} can be read by others", path.display()));
    Ok((key, path, warnings.into_iter().collect()))
}

/// Reads the key that stands at `place`, whose passphrase is looked for in `passphrase_place`.
pub(super) fn parse_key(
    text: &str,
    passphrase: Option<&SecretString>,
    place: &str,
    passphrase_place: &str,
) -> Result<PrivateKey, UserError> {
    PrivateKey::from_pem(text, passphrase).map_err(|error| {
        problem(ErrorCode::AuthInvalid, format!("the private key in {place} cannot be used: {error}"))
            .with_hint(error.hint(passphrase_place))
    })
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> bool {
    false
}

/// The first of `paths` that exists, and its text.
fn first_file(paths: &[PathBuf]) -> Result<(PathBuf, Zeroizing<String>), UserError> {
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        return Ok((path.clone(), read(path, "the configuration of OCI")?));
    }
    let looked: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    Err(problem(ErrorCode::AuthMissingKey, "no configuration file of OCI was found").with_hint(format!(
        "looked for {}; oci setup config writes one, or name another with config_file",
        looked.join(", ")
    )))
}

/// The text of a file.
pub(super) fn read(path: &Path, what: &str) -> Result<Zeroizing<String>, UserError> {
    let failed =
        |why: String| problem(ErrorCode::AuthInvalid, format!("{what} cannot be read from {}: {why}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Zeroizing::new(Vec::new());
    let length = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if length as u64 > MAX_FILE_BYTES {
        return Err(failed("it is far too large".to_owned()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| failed("it is not text".to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The value of a variable that is either the value itself or an absolute path to it.
pub(super) fn value_or_file(value: &str, what: &str) -> Result<(SecretString, bool), UserError> {
    let path = Path::new(value.trim());
    if path.is_absolute() {
        let text = read(path, what)?;
        return Ok((SecretString::from(text.as_str()), true));
    }
    Ok((SecretString::from(value), false))
}

impl Loaded {
    /// Whether both are the same credential.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.key_id.expose_secret() == other.key_id.expose_secret()
            && self.key.fingerprint() == other.key.fingerprint()
            && self.delegation() == other.delegation()
    }

    /// The token of the user on whose behalf requests are made.
    pub(super) fn delegation(&self) -> Option<&str> {
        self.delegation.as_ref().map(ExposeSecret::expose_secret)
    }
}
