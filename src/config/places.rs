//! Where this program keeps what is its own.

use std::path::{Path, PathBuf};

use super::environment::Environment;

/// The directory's name below each of the user's.
const NAME: &str = "souffleur";

/// The user's directories, as the platform has them. Nothing is made or read by knowing them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// Where the user's settings are.
    pub config: Option<PathBuf>,
    /// Where what must be kept is: stored keys, sessions.
    pub data: Option<PathBuf>,
    /// Where what may be lost is: which workspaces are trusted, recent choices.
    pub state: Option<PathBuf>,
}

impl Places {
    /// The places that `environment` says: the XDG variables and their defaults below `HOME`, on Windows `APPDATA` and
    /// `LOCALAPPDATA`. A relative path in one of the variables counts as unset, as the XDG specification has it.
    pub fn new(environment: &Environment) -> Self {
        let path = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = path("HOME").or_else(|| path("USERPROFILE"));
        let below = |parts: &str| home.as_ref().map(|home| home.join(parts));
        let (config, data, state) = if cfg!(windows) {
            let local = path("LOCALAPPDATA");
            (path("APPDATA"), local.clone(), local)
        } else {
            (
                path("XDG_CONFIG_HOME").or_else(|| below(".config")),
                path("XDG_DATA_HOME").or_else(|| below(".local/share")),
                path("XDG_STATE_HOME").or_else(|| below(".local/state")),
            )
        };
        let own = |directory: Option<PathBuf>| directory.map(|directory| directory.join(NAME));
        Self { config: own(config), data: own(data), state: own(state), home }
    }

    /// `path` with a leading `~/` replaced by the home directory.
    pub fn expand_home(&self, path: &str) -> PathBuf {
        match (&self.home, path.strip_prefix('~')) {
            (Some(home), Some("")) => home.clone(),
            (Some(home), Some(rest)) if rest.starts_with(['/', '\\']) => home.join(&rest[1..]),
            _ => Path::new(path).to_owned(),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn variables_come_before_home_and_relative_ones_do_not_count() {
        let places =
            Places::new(&Environment::from([("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("XDG_STATE_HOME", "s")]));
        assert_eq!(places.config.as_deref(), Some(Path::new("/h/.config/souffleur")));
        assert_eq!(places.data.as_deref(), Some(Path::new("/d/souffleur")));
        assert_eq!(places.state.as_deref(), Some(Path::new("/h/.local/state/souffleur")));
        assert_eq!(Places::new(&Environment::default()), Places::default());
        assert_eq!(places.expand_home("~/k"), Path::new("/h/k"));
        assert_eq!(places.expand_home("~x/k"), Path::new("~x/k"));
    }
}
