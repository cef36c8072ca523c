//! Proof that who exchanges the code is who asked for it (RFC 7636, method S256).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{ErrorCode, UserError};

/// A secret, and its digest that may be shown.
#[derive(Debug)]
pub struct Pkce {
    /// The secret: 43 characters.
    pub verifier: SecretString,
    /// The digest of it.
    pub challenge: String,
}

impl Pkce {
    /// A new one.
    ///
    /// # Errors
    /// `server.internal` when the system gives no random bytes.
    pub fn new() -> Result<Self, UserError> {
        Ok(Self::of(SecretString::from(random()?)))
    }

    fn of(verifier: SecretString) -> Self {
        let digest = digest::digest(&digest::SHA256, verifier.expose_secret().as_bytes());
        Self { verifier, challenge: URL_SAFE_NO_PAD.encode(digest) }
    }
}

/// 32 random bytes, as text that a URL can carry.
///
/// # Errors
/// `server.internal` when the system gives none.
pub fn random() -> Result<String, UserError> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| UserError::new(ErrorCode::ServerInternal, "the system gives no random bytes"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standards_example() {
        let pkce = Pkce::of(SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(pkce.challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn each_is_new_and_none_is_printed() {
        let (one, two) = (Pkce::new().unwrap(), Pkce::new().unwrap());
        assert_ne!(one.challenge, two.challenge);
        assert_eq!(one.verifier.expose_secret().len(), 43);
        assert!(!format!("{one:?}").contains(one.verifier.expose_secret()));
    }
}
