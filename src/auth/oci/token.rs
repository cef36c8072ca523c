//! What a session token says about itself. Its signature is the service's to check.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The claims that are used here. Whatever is no JWT has none of them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub(super) struct Claims {
    /// When it expires, in seconds since 1970.
    #[serde(default)]
    exp: Option<f64>,
    /// The tenancy of the resource that it was given to.
    #[serde(default)]
    pub(super) res_tenant: Option<String>,
    /// The compartment of that resource.
    #[serde(default)]
    pub(super) res_compartment: Option<String>,
}

impl Claims {
    /// Reads the claims of `token`.
    pub(super) fn of(token: &str) -> Self {
        let payload = token.split('.').nth(1).unwrap_or_default().trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// When the token expires.
    pub(super) fn expires(&self) -> Option<SystemTime> {
        let since = Duration::try_from_secs_f64(self.exp?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(since)
    }
}

/// Whether `token` can stand in a header between quotes.
pub(super) fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn claims_are_read_and_whatever_is_none_has_none() {
        let claims = Claims::of(&jwt(r#"{"exp":1700000000,"res_tenant":"t","res_compartment":"c","other":[]}"#));
        assert_eq!(claims.expires(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)));
        assert_eq!((claims.res_tenant.as_deref(), claims.res_compartment.as_deref()), (Some("t"), Some("c")));
        for token in ["", "opaque", "a.b", "a.!!.c", &jwt("[]"), &jwt(r#"{"exp":"soon"}"#)] {
            assert_eq!(Claims::of(token), Claims::default(), "{token}");
        }
        for strange in ["-1", "1e300", "null"] {
            assert_eq!(Claims::of(&jwt(&format!(r#"{{"exp":{strange}}}"#))).expires(), None, "{strange}");
        }
    }

    #[test]
    fn a_token_has_nothing_that_would_end_a_header() {
        assert!(is_token("aA0-_.=/+$"));
        for bad in ["", "a b", "a\nb", "a\"b", "ü"] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
