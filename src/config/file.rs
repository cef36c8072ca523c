//! A file of settings, as it was read last.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::environment::Environment;
use super::parse;
use super::read::{Origin, Problem, read};
use super::settings::Layer;
use super::source::Source;

/// The most a file of settings may have.
const MAX_BYTES: u64 = 1024 * 1024;

/// A file of settings.
#[derive(Clone, Debug)]
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    source: Source,
    seen: Option<(SystemTime, u64)>,
    /// What it said when it was read last; `None` when there is no such file.
    pub(super) content: Option<Vec<u8>>,
    pub(super) layer: Layer,
    pub(super) problems: Vec<Problem>,
}

impl SettingsFile {
    /// A file that was not read yet.
    pub(super) fn new(path: PathBuf, source: Source) -> Self {
        let (layer, problems) = Default::default();
        Self { path, source, seen: None, content: None, layer, problems }
    }

    /// Reads the file, if it is another than the last time. Gives back whether anything changed.
    pub(super) fn refresh(&mut self, environment: &Environment) -> bool {
        let metadata = std::fs::metadata(&self.path);
        let seen = metadata.as_ref().ok().and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        // A clock of coarse grain shows two writes as one; what was just written is read again.
        let recent = |(time, _): (SystemTime, u64)| time.elapsed().map_or(true, |elapsed| elapsed.as_secs() < 2);
        if seen.is_some() && seen == self.seen && !seen.is_some_and(recent) {
            return false;
        }
        self.seen = seen;
        let content = match read_file(&self.path) {
            Ok(content) => content,
            Err(why) => {
                let problem = Problem {
                    at: self.path.display().to_string(),
                    key: String::new(),
                    message: format!("the file cannot be read: {why}"),
                    hint: None,
                };
                let changed = self.problems != [problem.clone()];
                (self.content, self.layer, self.problems) = (None, Layer::default(), vec![problem]);
                return changed;
            }
        };
        let unchanged = content == self.content && (content.is_some() || self.problems.is_empty());
        if unchanged {
            return false;
        }
        (self.layer, self.problems) = match &content {
            Some(bytes) => read_bytes(&self.path, bytes, self.source, environment),
            None => Default::default(),
        };
        self.content = content;
        true
    }
}

/// Reads the settings in `bytes`: JSON where the file's name says so, else TOML.
fn read_bytes(path: &Path, bytes: &[u8], source: Source, environment: &Environment) -> (Layer, Vec<Problem>) {
    let name = path.display().to_string();
    let text = String::from_utf8_lossy(bytes);
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let (tree, mut problems) = if is_json { parse::json(&name, &text) } else { parse::toml(&name, &text) };
    let variables = (source == Source::User).then_some(environment);
    let (layer, more) = read(&tree, &Origin { source, name: &name, variables });
    problems.extend(more);
    (layer, problems)
}

/// Checks one file as the settings of `source`: what it says, and what is wrong with it.
///
/// # Errors
/// Why it cannot be read.
pub fn check_file(
    path: &Path,
    source: Source,
    environment: &Environment,
) -> Result<(Layer, Vec<Problem>), std::io::Error> {
    match read_file(path)? {
        Some(bytes) => Ok(read_bytes(path, &bytes, source, environment)),
        None => Err(std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such file")),
    }
}

/// The bytes of a regular file; `None` when there is none.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>, std::io::Error> {
    let absent = |error: &std::io::Error| {
        matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
    };
    // Before it is opened: opening a pipe would wait for its other end.
    match std::fs::metadata(path) {
        Err(error) if absent(&error) => return Ok(None),
        Ok(metadata) if !metadata.is_file() => return Err(std::io::Error::other("it is not a regular file")),
        Ok(_) | Err(_) => {}
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other("it has more than one MiB"));
    }
    Ok(Some(bytes))
}
