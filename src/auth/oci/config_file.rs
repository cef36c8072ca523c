//! The configuration file of OCI's own tools, `~/.oci/config`.
//!
//! Read as OCI's SDK reads it (Python's `configparser` without interpolation): names of keys in any case, `=` or `:`
//! after them, comments on lines of their own with `#` or `;`, indented lines go on with the value above, and what
//! stands in `[DEFAULT]` counts for every profile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::problem;
use crate::config::Environment;
use crate::error::{ErrorCode, UserError};

/// The section whose values all profiles inherit. It is a profile too.
const DEFAULT: &str = "DEFAULT";

type Values = BTreeMap<String, SecretString>;

/// Where the file may be: the first that exists counts. `explicit` is a path of the user's choice; nothing else is
/// looked at then, unless it is where the file is by default.
pub fn candidates(explicit: Option<&str>, environment: &Environment, home: &Path) -> Vec<PathBuf> {
    let default = home.join(".oci").join("config");
    let explicit = explicit.filter(|path| !path.trim().is_empty()).map(|path| expand(path, home));
    if let Some(path) = explicit.filter(|path| *path != default) {
        return vec![path];
    }
    let named = environment.get("OCI_CONFIG_FILE").map(|path| expand(path, home));
    [Some(default), named, Some(home.join(".oraclebmc").join("config"))].into_iter().flatten().collect()
}

/// `path` with `~` at its beginning replaced by the home directory.
pub fn expand(path: &str, home: &Path) -> PathBuf {
    let path = path.trim();
    match path.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with(std::path::is_separator) => home.join(rest.trim_start_matches(['/', '\\'])),
        _ => PathBuf::from(path),
    }
}

/// A configuration file that was read.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    defaults: Values,
    sections: BTreeMap<String, Values>,
}

impl ConfigFile {
    /// Reads the `text` of the file at `path`.
    ///
    /// # Errors
    /// `config.invalid` with the number of the line that cannot be read.
    pub fn parse(text: &str, path: PathBuf) -> Result<Self, UserError> {
        let mut reader = Reader { sections: BTreeMap::new(), open: None };
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            reader.line(line).map_err(|wrong| {
                let message = format!("{}, line {}: {wrong}", path.display(), index + 1);
                problem(ErrorCode::ConfigInvalid, message)
            })?;
        }
        let secret = |values: BTreeMap<String, String>| {
            values.into_iter().map(|(key, value)| (key, SecretString::from(value.trim_end().to_owned()))).collect()
        };
        let mut sections: BTreeMap<String, Values> =
            reader.sections.into_iter().map(|(name, values)| (name, secret(values))).collect();
        Ok(Self { defaults: sections.remove(DEFAULT).unwrap_or_default(), sections, path })
    }

    /// The profile of that name, which is matched exactly.
    ///
    /// # Errors
    /// `config.invalid`; the hint lists the profiles that there are.
    pub fn profile(&self, name: &str) -> Result<Profile, UserError> {
        let own = self.sections.get(name);
        if own.is_none() && (name != DEFAULT || self.defaults.is_empty()) {
            let message = format!("there is no profile `{name}` in {}", self.path.display());
            return Err(problem(ErrorCode::ConfigInvalid, message).with_hint(self.profiles_hint()));
        }
        let mut values = self.defaults.clone();
        values.extend(own.cloned().unwrap_or_default());
        Ok(Profile { name: name.to_owned(), file: self.path.clone(), values })
    }

    fn profiles_hint(&self) -> String {
        let default = (!self.defaults.is_empty()).then_some(DEFAULT);
        let names: Vec<&str> = default.into_iter().chain(self.sections.keys().map(String::as_str)).collect();
        if names.is_empty() {
            return "it has no profiles; oci setup config writes one".to_owned();
        }
        format!("its profiles are {}; upper and lower case differ", names.join(", "))
    }
}

/// What was read of a file so far.
struct Reader {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    /// The section that is open, and its last key with the indentation of its line.
    open: Option<(String, Option<(String, usize)>)>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let text = line.trim();
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        let indentation = line.len() - line.trim_start().len();
        if let Some((section, Some((key, above)))) = &self.open
            && (text.is_empty() || indentation > *above)
        {
            if let Some(value) = self.sections.get_mut(section).and_then(|values| values.get_mut(key)) {
                value.push('\n');
                value.push_str(text);
            }
            return Ok(());
        }
        if text.is_empty() {
            return Ok(());
        }
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')).map(|(name, _)| name) {
            return self.section(name);
        }
        self.value(text, indentation)
    }

    fn section(&mut self, name: &str) -> Result<(), String> {
        if self.sections.contains_key(name) && name != DEFAULT {
            return Err(format!("the profile `{name}` stands in the file twice"));
        }
        self.sections.entry(name.to_owned()).or_default();
        self.open = Some((name.to_owned(), None));
        Ok(())
    }

    fn value(&mut self, text: &str, indentation: usize) -> Result<(), String> {
        let Some((section, last)) = &mut self.open else {
            return Err("a profile's name in brackets is expected first".to_owned());
        };
        // The line itself is not shown: it may be a piece of a key.
        let Some((key, value)) = text.split_once(['=', ':']) else {
            return Err("`name = value` is expected".to_owned());
        };
        let key = key.trim().to_lowercase();
        let values = self.sections.entry(section.clone()).or_default();
        if values.insert(key.clone(), value.trim().to_owned()).is_some() {
            return Err(format!("`{key}` stands in the profile `{section}` twice"));
        }
        *last = Some((key, indentation));
        Ok(())
    }
}

/// The values of one profile. Its `Debug` shows their names only.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The file it is in.
    pub file: PathBuf,
    values: Values,
}

impl Profile {
    /// The value of `key`, which is in lower case. An empty one counts as missing.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(ExposeSecret::expose_secret).filter(|value| !value.is_empty())
    }

    /// The value of `key` as a path.
    pub fn path(&self, key: &str, home: &Path) -> Option<PathBuf> {
        self.get(key).map(|path| expand(path, home))
    }

    /// That all of `keys` are there, and that the key itself is not: OCI's tools refuse it in the file too.
    ///
    /// # Errors
    /// `auth.invalid`, which names what is missing.
    pub fn require(&self, keys: &[&str]) -> Result<(), UserError> {
        let place = format!("the profile `{}` in {}", self.name, self.file.display());
        if self.get("key_content").is_some() {
            return Err(problem(ErrorCode::AuthInvalid, format!("{place} holds a private key itself (key_content)"))
                .with_hint("save the key to a file of its own and write its path as key_file"));
        }
        let missing: Vec<&str> = keys.iter().copied().filter(|key| self.get(key).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(problem(ErrorCode::AuthInvalid, format!("{place} lacks {}", missing.join(", ")))
            .with_hint("OCI's console shows these lines when an API key is added; oci setup config asks for them"))
    }
}

#[cfg(test)]
#[path = "config_file_tests.rs"]
mod tests;
