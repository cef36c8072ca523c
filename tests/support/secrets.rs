//! The secrets of all tests, and the check that none of them gets out.
//!
//! Each has the shape of a real one and carries [`MARKER`], so that one search finds them all, whole or cut, in whatever
//! encoding leaves letters as they are. What a test says to a model is no secret of the program: such texts are made
//! without the marker.

use std::path::{Path, PathBuf};

/// What every secret of a test has in it.
pub const MARKER: &str = "H1dd3nOfTests";

/// An API key.
pub const API_KEY: &str = "sk-ant-api03-H1dd3nOfTests-0123456789abcdefghijklmnopqrstuvwxyz-AA";
/// Another one.
pub const OTHER_KEY: &str = "sk-ant-api03-H1dd3nOfTests-zyxwvutsrqponmlkjihgfedcba9876543210-BB";
/// A key of another vendor, in a shape that nothing recognises: what does not look like a secret must not get out either.
pub const PLAIN_KEY: &str = "H1dd3nOfTests.of.no.known.shape";
/// A setup token, with the 80 characters that one has at least.
pub const SETUP_TOKEN: &str =
    "sk-ant-oat01-H1dd3nOfTests-setup-0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijkl-CC";
/// A workload's identity.
pub const IDENTITY: &str = "eyJhbGciOiJSUzI1NiJ9.H1dd3nOfTests.c2lnbmF0dXJl";
/// The code of a login.
pub const CODE: &str = "H1dd3nOfTests-code";

/// An access token, the `number`th of its issuer.
pub fn access_token(number: usize) -> String {
    format!("sk-ant-oat01-{MARKER}-access-{number}-0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefgh-DD")
}

/// A refresh token, the `number`th of its issuer.
pub fn refresh_token(number: usize) -> String {
    format!("sk-ant-ort01-{MARKER}-refresh-{number}-0123456789abcdefghijklmnopqrstuvwxyz-EE")
}

/// Files that may hold secrets, as parts of their paths: those that tests put there, and the stores of keys and logins.
const MAY_HOLD: [&str; 7] =
    ["/secrets/", "/credentials", "keys.json", "oauth.json", "bundle", "config.toml", ".claude/"];

/// Where in `text` a secret is: a little of what stands before it.
pub fn find(text: &[u8]) -> Option<String> {
    let at = text.windows(MARKER.len()).position(|window| window == MARKER.as_bytes())?;
    Some(String::from_utf8_lossy(&text[at.saturating_sub(120)..at]).into_owned())
}

/// Demands that `text` carries no secret.
pub fn assert_none(place: &str, text: impl AsRef<[u8]>) {
    if let Some(before) = find(text.as_ref()) {
        panic!("{place} carries a secret, after {before:?}");
    }
}

/// The files below `folder` that hold a secret and must not.
pub fn files_with_secrets(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.to_string_lossy().replace('\\', "/");
        if path.is_dir() && !path.is_symlink() {
            found.extend(files_with_secrets(&path));
        } else if !MAY_HOLD.iter().any(|part| name.contains(part)) {
            let holds = std::fs::read(&path).is_ok_and(|content| find(&content).is_some());
            found.extend(holds.then_some(path));
        }
    }
    found
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    // A new file each time, as programs do that replace what others may be reading.
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, text).expect("a file");
    set_mode(&temporary, 0o600);
    std::fs::rename(&temporary, path).expect("a file in its place");
}

/// Sets the permissions of a file, where files have any.
pub fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("permissions");
    #[cfg(not(unix))]
    let _ = (path, mode);
}
