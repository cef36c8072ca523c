//! Recorded streams and what they mean.
//!
//! `tests/fixtures/transcripts/<vendor>/<case>/` holds the bytes of a response body and what they mean (`events.jsonl`:
//! one `CompletionEvent` a line; a last line `{"error": category}` where the stream fails). Each body is run whole, byte
//! by byte, and cut in two at every byte; the meaning must always be the same. A new quirk of a vendor is a new
//! directory here, a new vendor a row of [`VENDORS`]. `UPDATE_TRANSCRIPTS=1 cargo test --test transcripts` writes the
//! meaning anew: read the difference before you keep it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream::{BoxStream, Iter};
use futures_util::{FutureExt, StreamExt, stream};
use souffleur::chat::{CompletionEvent, Finished, MessageAccumulator, MessageBlock};
use souffleur::provider::openai::{self, Profile, chat};
use souffleur::provider::{Error, anthropic, ollama};

type Body = Iter<std::vec::IntoIter<Result<Bytes, Error>>>;
type Meaning = Vec<Result<CompletionEvent, Error>>;
type Events = BoxStream<'static, Result<CompletionEvent, Error>>;

/// A longer body is cut in two at every seventh byte only: the time grows with the square of its length.
const LONG: usize = 8 * 1024;

/// A vendor's cases.
struct Vendor {
    /// The folder of its cases.
    name: &'static str,
    /// The file of a case that holds the bytes.
    file: &'static str,
    /// How many cases there are at least, so that none gets lost.
    least: usize,
    /// Reads a body. A case may name the profile of its server in a file `profile`.
    events: fn(Body, profile: Option<&str>) -> Events,
    /// Real recordings that may be at hand.
    recordings: Option<Recordings>,
}

/// Where a vendor's recordings are.
struct Recordings {
    folder: &'static str,
    /// What the names of its files have in them.
    named: &'static str,
    /// How many there are at least.
    least: usize,
}

/// All vendors.
const VENDORS: &[Vendor] = &[
    Vendor {
        name: "anthropic",
        file: "body.sse",
        least: 20,
        events: |body, _| anthropic::events(body).boxed(),
        recordings: Some(Recordings { folder: "anthropic", named: "", least: 5 }),
    },
    Vendor {
        name: "openai-chat",
        file: "body.sse",
        least: 30,
        events: |body, profile| {
            let profile = Profile::builtin(profile.unwrap_or("openai-compatible")).unwrap();
            let options = chat::MapperOptions {
                seed: "case".to_owned(),
                taken: vec!["call_of_an_earlier_turn".to_owned()],
                reasoning_in: profile.reasoning_in,
            };
            chat::events(body, options).boxed()
        },
        recordings: Some(Recordings { folder: "openai", named: "-chat-", least: 2 }),
    },
    Vendor {
        name: "openai-responses",
        file: "body.sse",
        least: 20,
        events: |body, _| openai::responses::events(body).boxed(),
        recordings: Some(Recordings { folder: "openai", named: "-responses-", least: 1 }),
    },
    Vendor {
        name: "ollama",
        file: "body.ndjson",
        least: 15,
        events: |body, _| ollama::events(body, ollama::Mapper::new("qwen3:8b", "seed", 4096)).boxed(),
        recordings: Some(Recordings { folder: "ollama", named: "-native-", least: 2 }),
    },
];

impl Vendor {
    /// What a body means.
    fn meaning(&self, profile: Option<&str>, chunks: Vec<Bytes>) -> Meaning {
        let chunks: Vec<_> = chunks.into_iter().map(Ok).collect();
        let events = (self.events)(stream::iter(chunks), profile);
        events.collect::<Vec<_>>().now_or_never().expect("nothing to wait for")
    }

    /// Asserts that the body means the same however it is cut, to the words of an error, and gives back what: one line
    /// a value.
    fn meaning_of_any_cut(&self, name: &str, profile: Option<&str>, body: &[u8]) -> Vec<String> {
        let body = Bytes::copy_from_slice(body);
        let whole = self.meaning(profile, vec![body.clone()]);
        let bytes = (0..body.len()).map(|at| body.slice(at..=at)).collect();
        assert_eq!(self.meaning(profile, bytes), whole, "{name}: byte by byte");
        let step = if body.len() > LONG { 7 } else { 1 };
        for at in (1..body.len()).step_by(step) {
            let cut = vec![body.slice(..at), body.slice(at..)];
            assert_eq!(self.meaning(profile, cut), whole, "{name}: cut at byte {at}");
        }
        let line = |event: &Result<CompletionEvent, Error>| match event {
            Ok(event) => serde_json::to_string(event).unwrap(),
            Err(error) => serde_json::json!({"error": format!("{:?}", error.category)}).to_string(),
        };
        whole.iter().map(line).collect()
    }

    fn check_cases(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts").join(self.name);
        let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
        let cases = directories(&root);
        assert!(cases.len() >= self.least, "only {} transcripts of {} were found", cases.len(), self.name);
        side_by_side(cases, |case| {
            let name = format!("{}/{}", self.name, case.file_name().unwrap().to_string_lossy());
            let body = std::fs::read(case.join(self.file)).unwrap_or_else(|error| panic!("{name}: {error}"));
            let profile = std::fs::read_to_string(case.join("profile")).ok();
            let found = self.meaning_of_any_cut(&name, profile.as_deref().map(str::trim), &body);
            let path = case.join("events.jsonl");
            if update {
                std::fs::write(&path, found.join("\n") + "\n").unwrap();
            }
            let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(found, expected.lines().collect::<Vec<_>>(), "{name}");
        });
    }

    /// Real recordings, where they are at hand: they end well, and what they say is whole.
    fn check_recordings(&self) {
        let Some(Recordings { folder, named, least }) = &self.recordings else { return };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/transcripts").join(folder);
        let Ok(entries) = std::fs::read_dir(&root) else {
            // Not by `println`, which a passing test does not show.
            let _ = writeln!(std::io::stderr(), "skipped: no recorded streams of {} are at hand", self.name);
            return;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let of_this = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().contains(named);
        let paths: Vec<PathBuf> = paths.filter(of_this).collect();
        let seen = paths.len();
        side_by_side(paths, |path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let lines = self.meaning_of_any_cut(&name, None, &std::fs::read(path).unwrap());
            let mut accumulator = MessageAccumulator::default();
            for line in &lines {
                let event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {line}: {error}"));
                accumulator.push(&event);
            }
            check_whole(self.name, &name, accumulator.finish());
        });
        assert!(seen >= *least, "only {seen} recordings of {} were found", self.name);
    }
}

/// Asserts that a recorded answer is whole.
fn check_whole(vendor: &str, name: &str, finished: Finished) {
    assert!(finished.completed && finished.stop.is_some(), "{name}");
    assert!(finished.usage.input_tokens > 0 && finished.usage.output_tokens > 0, "{name}");
    assert!(!finished.content.is_empty(), "{name}");
    for block in finished.content {
        match block {
            MessageBlock::ToolCall(call) => {
                assert!(call.parsed_input().unwrap().is_object() && !call.id.is_empty(), "{name}");
            }
            // Only some vendors sign what a model thinks.
            MessageBlock::Thinking { text, signature } => {
                assert!(!signature.is_empty() || (vendor != "anthropic" && !text.is_empty()), "{name}");
            }
            MessageBlock::Text { text } => assert!(!text.is_empty(), "{name}"),
            MessageBlock::RedactedThinking { data } => assert!(!data.is_empty(), "{name}"),
            // What one vendor alone has a word for.
            MessageBlock::Other { .. } if vendor == "openai-responses" => {}
            MessageBlock::Attachment { .. } | MessageBlock::ToolResult(_) | MessageBlock::Other { .. } => {
                panic!("{name}: {block:?}")
            }
        }
    }
}

/// Checks all of them, on as many threads as the machine has cores. The largest come first, so that none is waited for
/// in the end.
fn side_by_side(mut paths: Vec<PathBuf>, check: impl Fn(&Path) + Sync) {
    let size = |path: &PathBuf| -> u64 {
        let files = if path.is_dir() { files(path) } else { vec![path.clone()] };
        files.iter().map(|file| file.metadata().map_or(0, |metadata| metadata.len())).sum()
    };
    paths.sort_by_cached_key(|path| std::cmp::Reverse(size(path)));
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(path);
                }
            });
        }
    });
}

fn files(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn directories(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    paths
}

#[test]
fn every_transcript_means_what_it_should_however_it_is_cut() {
    VENDORS.iter().for_each(Vendor::check_cases);
}

#[test]
fn recorded_streams_are_understood_however_they_are_cut() {
    VENDORS.iter().for_each(Vendor::check_recordings);
}
