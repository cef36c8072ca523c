//! File URIs and paths.

use std::path::{Path, PathBuf};

use url::Url;

/// The path of a `file:` URI, whatever its escaping. `None` for other schemes.
pub fn file_path(uri: &str) -> Option<PathBuf> {
    let url = Url::parse(uri).ok().filter(|url| url.scheme() == "file")?;
    url.to_file_path().ok()
}

/// The URI of an absolute path.
pub fn file_uri(path: &Path) -> Option<String> {
    Url::from_file_path(path).ok().map(String::from)
}

/// One spelling for each document: editors escape differently, and the same one may spell a URI in two ways.
pub(super) fn normalized(uri: &str) -> String {
    file_path(uri).and_then(|path| file_uri(&path)).unwrap_or_else(|| uri.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn two_spellings_are_one_document() {
        assert_eq!(normalized("file:///a/b%20c%2B.rs"), normalized("file:///a/b%20c+.rs"));
        assert_eq!(file_path("file:///a%20b").unwrap(), Path::new("/a b"));
        assert_eq!(normalized("untitled:Untitled-1"), "untitled:Untitled-1");
    }
}
