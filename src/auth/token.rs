//! An access token, and the JSON files in which tokens are kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::files::{self, Privacy, Stamp};
use crate::error::{ErrorCode, UserError};

/// Times above this are milliseconds since 1970, those below are seconds: as seconds it is the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// An access token and what renews it.
#[derive(Clone)]
pub struct Token {
    /// What requests carry.
    pub access: SecretString,
    /// What a new access token is asked for with.
    pub refresh: Option<SecretString>,
    /// When it expires; `None` when that is not known.
    pub expires_at: Option<SystemTime>,
    /// How long it was made for, where this program was there when it was made.
    pub lifetime: Option<Duration>,
}

impl Token {
    /// Whether `other` has the same access token.
    pub fn is(&self, other: &Self) -> bool {
        self.access.expose_secret() == other.access.expose_secret()
    }
}

/// Without the tokens.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// How a file of tokens is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `access_token`, `refresh_token`, `expires_at`: our own files and those of official profiles.
    Bundle,
    /// Claude Code's: `accessToken`, `refreshToken`, `expiresAt`, at the top or in `claudeAiOauth`. Never written.
    ClaudeCode,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// `2026-11-20T12:00:00Z`
    Rfc3339,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// A file with a token.
#[derive(Clone, Debug)]
pub struct TokenFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is laid out.
    pub shape: Shape,
    /// How a time of expiry is written where the file had none.
    pub time_form: TimeForm,
}

/// What a file of tokens says.
#[derive(Debug)]
pub struct Loaded {
    /// The token.
    pub token: Token,
    /// The host that the token is for, where the file says it.
    pub host: Option<String>,
}

impl TokenFile {
    /// A file of our own.
    pub fn bundle(path: PathBuf) -> Self {
        Self { path, shape: Shape::Bundle, time_form: TimeForm::Rfc3339 }
    }

    /// Tells whether the file is the one that was read.
    pub fn stamp(&self) -> Option<Stamp> {
        files::stamp(&self.path)
    }

    /// Reads it; nothing when there is no file, or when it is Claude Code's and has no login.
    ///
    /// # Errors
    /// `auth.invalid`, see [`files::read`]; or it is no whole JSON, or has not the shape.
    pub fn load(&self) -> Result<Option<Loaded>, UserError> {
        let Some(text) = files::read(&self.path, Privacy::Secret)? else { return Ok(None) };
        let top = object(&self.path, &text)?;
        let (fields, [access, refresh, expires]) = match self.shape {
            Shape::Bundle => (&top, ["access_token", "refresh_token", "expires_at"]),
            Shape::ClaudeCode => {
                let fields = top.get("claudeAiOauth").and_then(Value::as_object).unwrap_or(&top);
                if !fields.contains_key("accessToken") {
                    return Ok(None);
                }
                (fields, ["accessToken", "refreshToken", "expiresAt"])
            }
        };
        let text_of =
            |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let wrong = |what: String| files::invalid(&self.path, &what);
        let access = text_of(access).ok_or_else(|| wrong(format!("has no text `{access}`")))?;
        let expires_at = match fields.get(expires) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let read = time(value).ok_or_else(|| wrong(format!("has an `{expires}` that is no time")))?;
                Some(read.0)
            }
        };
        let token = Token {
            access: SecretString::from(access),
            refresh: text_of(refresh).map(SecretString::from),
            expires_at,
            lifetime: None,
        };
        Ok(Some(Loaded { token, host: text_of("host").map(str::to_owned) }))
    }

    /// Writes `token` to it, for `host` where one is given. Fields that this program does not know stay as they are.
    ///
    /// # Errors
    /// When the file cannot be written, or is not one that may be.
    pub fn save(&self, token: &Token, host: Option<&str>) -> Result<(), UserError> {
        let failed = |why: String| UserError::new(ErrorCode::AuthRefreshFailed, why);
        if self.shape == Shape::ClaudeCode {
            return Err(failed(format!("{} belongs to another program and is not written", self.path.display())));
        }
        // What is there and cannot be read is not worth keeping: it is replaced.
        let text = files::read(&self.path, Privacy::Secret).ok().flatten();
        let mut fields = text.and_then(|text| object(&self.path, &text).ok()).unwrap_or_default();
        let form = fields.get("expires_at").and_then(time).map_or(self.time_form, |(_, form)| form);
        fields.insert("access_token".into(), token.access.expose_secret().into());
        match &token.refresh {
            Some(refresh) => fields.insert("refresh_token".into(), refresh.expose_secret().into()),
            None => fields.shift_remove("refresh_token"),
        };
        fields.insert("expires_at".into(), token.expires_at.map_or(Value::Null, |at| written(at, form)));
        if let Some(host) = host {
            fields.insert("host".into(), host.into());
        }
        let text = serde_json::to_string_pretty(&fields).map_err(|error| failed(error.to_string()))?;
        files::write(&self.path, &text)
            .map_err(|error| failed(format!("{} cannot be written: {error}", self.path.display())))
    }
}

/// The JSON object that the file at `path` consists of. Only the syntax can be wrong, so an error tells no value.
///
/// # Errors
/// `auth.invalid`.
pub fn object(path: &Path, text: &str) -> Result<Map<String, Value>, UserError> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(files::invalid(path, "is not a JSON object")),
        Err(error) if error.is_eof() => Err(files::invalid(path, "ends in the middle of its JSON")
            .with_hint("it may be half written; log in again if it stays so")),
        Err(error) => {
            Err(files::invalid(path, &format!("is not JSON (line {}, column {})", error.line(), error.column())))
        }
    }
}

/// A time as RFC 3339, seconds or milliseconds since 1970.
fn time(value: &Value) -> Option<(SystemTime, TimeForm)> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => number,
            Err(_) => return rfc3339(text.trim()).map(|at| (at, TimeForm::Rfc3339)),
        },
        _ => return None,
    };
    let (seconds, form) = if number >= MILLISECONDS_FROM {
        (number / 1000.0, TimeForm::Milliseconds)
    } else {
        (number, TimeForm::Seconds)
    };
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    Some((UNIX_EPOCH.checked_add(since)?, form))
}

/// RFC 3339 with any offset; the library reads only `Z`.
fn rfc3339(text: &str) -> Option<SystemTime> {
    if let Ok(time) = humantime::parse_rfc3339_weak(text) {
        return Some(time);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, offset) = offset.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u64>().ok()?, minutes.parse::<u64>().ok()?);
    let offset = Duration::from_secs(hours * 3600 + minutes * 60);
    let time = humantime::parse_rfc3339_weak(&format!("{local}Z")).ok()?;
    match sign {
        "+" => time.checked_sub(offset),
        "-" => time.checked_add(offset),
        _ => None,
    }
}

fn written(at: SystemTime, form: TimeForm) -> Value {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    match form {
        TimeForm::Rfc3339 => {
            // Whole seconds, so never a time after the true one.
            humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(since.as_secs())).to_string().into()
        }
        TimeForm::Seconds => since.as_secs().into(),
        TimeForm::Milliseconds => u64::try_from(since.as_millis()).unwrap_or(u64::MAX).into(),
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
