//! Records what goes over the wire, for people who look for a fault and for tests that replay it. Off unless the user's
//! own environment names a directory.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::telemetry::redact;

/// Headers that may be written. All others are left out: they may carry a credential.
const HEADERS: [&str; 6] = ["content-type", "request-id", "retry-after", "retry-after-ms", "x-should-retry", "date"];
/// What of a response is kept at most.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Numbers the recordings of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// One request and its response. Written when it is dropped, so also when the turn was cancelled.
#[derive(Debug)]
pub struct Recording {
    directory: PathBuf,
    provider: String,
    request: Vec<u8>,
    status: u16,
    headers: Vec<(String, String)>,
    response: Vec<u8>,
}

impl Recording {
    /// A recording below `directory`, of a request with this body.
    pub fn new(directory: &Path, provider: &str, request: &[u8]) -> Self {
        Self {
            directory: directory.to_owned(),
            provider: provider.to_owned(),
            request: request.to_owned(),
            status: 0,
            headers: Vec::new(),
            response: Vec::new(),
        }
    }

    /// The response begins.
    pub fn head(&mut self, response: &reqwest::Response) {
        self.status = response.status().as_u16();
        let value = |name: &str| Some((name.to_owned(), response.headers().get(name)?.to_str().ok()?.to_owned()));
        self.headers = HEADERS.iter().filter_map(|name| value(name)).collect();
    }

    /// More of the response.
    pub fn body(&mut self, bytes: &[u8]) {
        let space = MAX_BYTES.saturating_sub(self.response.len());
        self.response.extend_from_slice(&bytes[..bytes.len().min(space)]);
    }

    fn write(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string().replace(':', "-");
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let stem = format!("{time}-{}-{number}-{}", std::process::id(), self.provider);
        let write = |kind: &str, bytes: &[u8]| {
            let text = redact(&String::from_utf8_lossy(bytes));
            write_private(&self.directory.join(format!("{stem}.{kind}")), text.as_bytes())
        };
        let headers: serde_json::Map<String, serde_json::Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let meta = serde_json::json!({"provider": self.provider, "status": self.status, "headers": headers});
        write("request.json", &self.request)?;
        write("response.sse", &self.response)?;
        write("meta.json", meta.to_string().as_bytes())
    }
}

/// Writes a file that only its owner can read: recordings hold conversations.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Err(error) = self.write() {
            tracing::warn!(%error, directory = %self.directory.display(), "a recording could not be written");
        }
    }
}
