//! Keys that the user gave to this program: in the system's keychain, or in a file where there is none.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::files::{self, Privacy};
use super::keychain::{self, Keychain};
use super::options::Places;
use super::token::object;
use crate::error::{ErrorCode, UserError};

/// A key and the host that it is bound to.
#[derive(Debug)]
pub struct StoredKey {
    /// The key.
    pub key: SecretString,
    /// The only host that may receive it, as `host` or `host:port`.
    pub host: String,
}

/// Stored keys, one for each provider.
pub struct Store {
    keychain: Option<Box<dyn Keychain>>,
    file: PathBuf,
    revision: AtomicU64,
}

impl Store {
    /// The system's keychain, or the file in `places` where there is none that this program can use: on Linux and the
    /// other Unix systems.
    pub fn new(places: &Places) -> Self {
        Self { keychain: keychain::of_system(), file: places.keys(), revision: AtomicU64::new(0) }
    }

    /// The file alone, whatever the system has.
    #[cfg(test)]
    pub fn in_file(places: &Places) -> Self {
        Self { keychain: None, file: places.keys(), revision: AtomicU64::new(0) }
    }

    /// Where keys are stored, for people.
    pub fn place(&self) -> String {
        match &self.keychain {
            Some(keychain) => keychain.name().to_owned(),
            None => format!("the file {}", self.file.display()),
        }
    }

    /// The file, where keys are in one.
    pub fn file(&self) -> Option<&PathBuf> {
        if self.keychain.is_none() { Some(&self.file) } else { None }
    }

    /// Grows with each change that this program makes.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// The key of `provider`.
    ///
    /// # Errors
    /// `auth.invalid`: what is stored cannot be read.
    pub fn get(&self, provider: &str) -> Result<Option<StoredKey>, UserError> {
        let entry = match &self.keychain {
            Some(keychain) => match keychain.get(provider)? {
                Some(text) => object(&self.file, &text).map_err(|_| broken(keychain.name()))?,
                None => return Ok(None),
            },
            None => match self.read()?.get(provider).and_then(Value::as_object) {
                Some(entry) => entry.clone(),
                None => return Ok(None),
            },
        };
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        match (text("key"), text("host")) {
            (Some(key), Some(host)) => Ok(Some(StoredKey { key: SecretString::from(key), host: host.to_owned() })),
            _ => Err(broken(&self.place())),
        }
    }

    /// Stores a key for `provider`, in the place of one that was there.
    ///
    /// # Errors
    /// `auth.invalid` when it cannot be stored.
    pub fn set(&self, provider: &str, stored: &StoredKey) -> Result<(), UserError> {
        let entry = json!({"key": stored.key.expose_secret(), "host": stored.host});
        if let Some(keychain) = &self.keychain {
            keychain.set(provider, &entry.to_string())?;
        } else {
            let mut keys = self.read()?;
            keys.insert(provider.to_owned(), entry);
            self.write(&keys)?;
        }
        self.revision.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Removes the key of `provider`. Gives back whether there was one.
    ///
    /// # Errors
    /// `auth.invalid` when it cannot be removed.
    pub fn remove(&self, provider: &str) -> Result<bool, UserError> {
        let removed = if let Some(keychain) = &self.keychain {
            keychain.remove(provider)?
        } else {
            let mut keys = self.read()?;
            let removed = keys.shift_remove(provider).is_some();
            if removed {
                self.write(&keys)?;
            }
            removed
        };
        self.revision.fetch_add(1, Ordering::Relaxed);
        Ok(removed)
    }

    fn read(&self) -> Result<Map<String, Value>, UserError> {
        match files::read(&self.file, Privacy::Secret)? {
            Some(text) => object(&self.file, &text),
            None => Ok(Map::new()),
        }
    }

    fn write(&self, keys: &Map<String, Value>) -> Result<(), UserError> {
        let failed = |why: String| files::invalid(&self.file, &format!("cannot be written: {why}"));
        let text = serde_json::to_string_pretty(keys).map_err(|error| failed(error.to_string()))?;
        files::write(&self.file, &text).map_err(|error| failed(error.to_string()))
    }
}

fn broken(place: &str) -> UserError {
    UserError::new(ErrorCode::AuthInvalid, format!("the key in {place} has not the shape that it was stored in"))
        .with_hint("store it again")
}

/// Without keys.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.place()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_apart_by_provider_and_only_for_this_user() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_file(&crate::auth::testing::places(folder.path()));
        let key = |key: &str, host: &str| StoredKey { key: SecretString::from(key), host: host.into() };
        assert!(store.get("anthropic").unwrap().is_none());
        store.set("anthropic", &key("hidden-a", "api.anthropic.com")).unwrap();
        store.set("openai", &key("hidden-o", "api.openai.com")).unwrap();
        let found = store.get("anthropic").unwrap().unwrap();
        assert_eq!((found.key.expose_secret(), found.host.as_str()), ("hidden-a", "api.anthropic.com"));
        assert!(!format!("{store:?} {found:?}").contains("hidden"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = store.file().unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert!(store.remove("anthropic").unwrap());
        assert!(!store.remove("anthropic").unwrap());
        assert!(store.get("anthropic").unwrap().is_none());
        assert!(store.get("openai").unwrap().is_some());
    }

    #[test]
    fn a_broken_file_is_an_error_and_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_file(&crate::auth::testing::places(folder.path()));
        files::write(store.file().unwrap(), "{\"anthropic\": {\"key\": \"hid").unwrap();
        let new = StoredKey { key: SecretString::from("hidden-n"), host: "h".into() };
        for error in [store.get("anthropic").map(drop), store.set("x", &new), store.remove("x").map(drop)] {
            let error = error.unwrap_err();
            assert_eq!(error.code, ErrorCode::AuthInvalid);
            assert!(!format!("{error:?}").contains("hid\""));
        }
        assert!(std::fs::read_to_string(store.file().unwrap()).unwrap().contains("hid"));
    }
}
