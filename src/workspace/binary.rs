//! What is text and what is not.

use std::path::Path;

/// How many bytes are looked at.
const LOOKED_AT: usize = 8_192;

/// Endings of files that are never text, or are of no use as text.
const BINARY_ENDINGS: &[&str] = &[
    "7z", "a", "avi", "bin", "bmp", "bz2", "class", "dll", "dylib", "eot", "exe", "flac", "gif", "gz", "ico", "jar",
    "jpeg", "jpg", "lib", "mkv", "mov", "mp3", "mp4", "o", "obj", "ogg", "otf", "pdf", "png", "pyc", "rar", "rlib",
    "rmeta", "so", "sqlite", "tar", "tgz", "tiff", "ttf", "wasm", "wav", "webm", "webp", "woff", "woff2", "xz", "zip",
    "zst",
];

/// Whether a file that begins with `bytes` is not text: it has a zero byte near its start, as git judges it.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0)
}

/// Whether a file of this name is surely not text.
pub fn is_binary_name(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| BINARY_ENDINGS.binary_search(&ending.as_str()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_bytes_and_endings_tell() {
        assert!(is_binary(b"ab\0c") && !is_binary("größe\r\n".as_bytes()) && !is_binary(b""));
        assert!(is_binary_name(Path::new("a/b.PNG")) && !is_binary_name(Path::new("png")));
        assert!(BINARY_ENDINGS.is_sorted(), "it is searched by halves");
    }
}
