//! The system's keychain: macOS and Windows have one that needs nothing besides the system. On Linux the secret service
//! needs a session bus and a running keyring, and its client would be a tenth of this program: keys are in a file there.

use crate::error::UserError;

/// A keychain, one text for each provider. Calls may wait for the user.
pub trait Keychain: Send + Sync {
    /// Its name, for people.
    fn name(&self) -> &'static str;

    /// The text for `provider`.
    ///
    /// # Errors
    /// `auth.invalid` when the keychain cannot be asked.
    fn get(&self, provider: &str) -> Result<Option<String>, UserError>;

    /// Stores the text for `provider`.
    ///
    /// # Errors
    /// `auth.invalid` when the keychain does not take it.
    fn set(&self, provider: &str, text: &str) -> Result<(), UserError>;

    /// Removes the text for `provider`. Gives back whether there was one.
    ///
    /// # Errors
    /// `auth.invalid` when the keychain does not let it go.
    fn remove(&self, provider: &str) -> Result<bool, UserError>;
}

/// The keychain of this system, if it has one that can be used.
#[cfg(any(target_os = "macos", windows))]
pub fn of_system() -> Option<Box<dyn Keychain>> {
    native::open()
}

/// The keychain of this system: it has none that can be used.
#[cfg(not(any(target_os = "macos", windows)))]
pub fn of_system() -> Option<Box<dyn Keychain>> {
    None
}

#[cfg(any(target_os = "macos", windows))]
mod native {
    use std::sync::Arc;

    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store;
    use keyring_core::api::CredentialStoreApi;
    use keyring_core::{Entry, Error};
    #[cfg(windows)]
    use windows_native_keyring_store::Store;

    use super::Keychain;
    use crate::error::{ErrorCode, UserError};

    /// What entries are filed under.
    const SERVICE: &str = "souffleur";

    struct Native(Arc<Store>);

    pub(super) fn open() -> Option<Box<dyn Keychain>> {
        let store = Store::new().ok()?;
        Some(Box::new(Native(store)))
    }

    impl Native {
        fn entry(&self, provider: &str) -> Result<Entry, UserError> {
            self.0.build(SERVICE, provider, None).map_err(|error| failed(&error))
        }
    }

    impl Keychain for Native {
        fn name(&self) -> &'static str {
            if cfg!(windows) { "the Windows Credential Manager" } else { "the macOS Keychain" }
        }

        fn get(&self, provider: &str) -> Result<Option<String>, UserError> {
            match self.entry(provider)?.get_password() {
                Ok(text) => Ok(Some(text)),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(failed(&error)),
            }
        }

        fn set(&self, provider: &str, text: &str) -> Result<(), UserError> {
            self.entry(provider)?.set_password(text).map_err(|error| failed(&error))
        }

        fn remove(&self, provider: &str) -> Result<bool, UserError> {
            match self.entry(provider)?.delete_credential() {
                Ok(()) => Ok(true),
                Err(Error::NoEntry) => Ok(false),
                Err(error) => Err(failed(&error)),
            }
        }
    }

    /// The kind of error only: some kinds carry what is stored.
    fn failed(error: &Error) -> UserError {
        let why = match error {
            Error::NoStorageAccess(_) => "it is locked or access was refused",
            Error::BadEncoding(_) | Error::BadDataFormat(..) => "what is stored there is no text",
            Error::TooLong(..) => "the text is too long for it",
            _ => "it failed",
        };
        UserError::new(ErrorCode::AuthInvalid, format!("the keychain cannot be used: {why}"))
            .with_hint("unlock it, or give the key by another way, see docs/credentials.md")
    }
}
