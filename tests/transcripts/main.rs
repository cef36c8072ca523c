//! Recorded streams and what they mean.
//!
//! `tests/fixtures/transcripts/<vendor>/<case>/` holds the bytes of a response body (`body.*`) and what they mean
//! (`events.jsonl`: one `CompletionEvent` a line; a last line `{"error": category}` where the stream fails). Each body
//! is run whole, byte by byte, and cut in two at every byte; the meaning must always be the same. A new quirk of a
//! vendor is a new directory here. `UPDATE_TRANSCRIPTS=1 cargo test --test transcripts` writes the meaning anew: read
//! the difference before you keep it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use souffleur::chat::{CompletionEvent, MessageAccumulator, MessageBlock};
use souffleur::provider::{CompletionStream, Error, anthropic, ollama, openai};

/// A response body.
type Body = stream::Iter<std::vec::IntoIter<Result<Bytes, Error>>>;

/// A kind of transcript: its folder, the name of its bodies, what reads them, and how many there are at least.
struct Kind {
    folder: &'static str,
    body: &'static str,
    read: fn(Body) -> CompletionStream,
    least: usize,
}

const KINDS: [Kind; 3] = [
    Kind { folder: "anthropic", body: "body.sse", read: |body| anthropic::events(body).boxed(), least: 20 },
    Kind {
        folder: "openai-responses",
        body: "body.sse",
        read: |body| openai::responses::events(body).boxed(),
        least: 20,
    },
    Kind {
        folder: "ollama",
        body: "body.ndjson",
        read: |body| ollama::events(body, ollama::Mapper::new("qwen3:8b", "seed", 4096)).boxed(),
        least: 15,
    },
];

/// From how many bytes on a body is not cut at each of them.
const MANY_BYTES: usize = 8192;

/// What a body means, one line a value.
fn meaning(kind: &Kind, chunks: Vec<Bytes>) -> Vec<String> {
    let body = stream::iter(chunks.into_iter().map(Ok).collect::<Vec<_>>());
    let events = (kind.read)(body).collect::<Vec<_>>().now_or_never().expect("nothing to wait for");
    let line = |event: Result<CompletionEvent, Error>| match event {
        Ok(event) => serde_json::to_string(&event).unwrap(),
        Err(error) => serde_json::json!({"error": format!("{:?}", error.category)}).to_string(),
    };
    events.into_iter().map(line).collect()
}

/// Asserts that the body means the same however it is cut, and gives back what.
fn meaning_of_any_cut(kind: &Kind, name: &str, body: &[u8]) -> Vec<String> {
    let body = Bytes::copy_from_slice(body);
    let whole = meaning(kind, vec![body.clone()]);
    let bytes = (0..body.len()).map(|at| body.slice(at..=at)).collect();
    assert_eq!(meaning(kind, bytes), whole, "{name}: byte by byte");
    // Every byte, but for recordings of tens of kilobytes, whose cuts would take a minute.
    for at in (1..body.len()).step_by(1 + body.len() / MANY_BYTES) {
        assert_eq!(meaning(kind, vec![body.slice(..at), body.slice(at..)]), whole, "{name}: cut at byte {at}");
    }
    whole
}

fn directories(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    paths
}

#[test]
fn every_transcript_means_what_it_should_however_it_is_cut() {
    let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
    for kind in &KINDS {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts").join(kind.folder);
        let cases = directories(&root);
        assert!(cases.len() >= kind.least, "{}: only {} transcripts were found", kind.folder, cases.len());
        for case in cases {
            let name = format!("{}/{}", kind.folder, case.file_name().unwrap().to_string_lossy());
            let body = std::fs::read(case.join(kind.body)).unwrap();
            let found = meaning_of_any_cut(kind, &name, &body);
            let path = case.join("events.jsonl");
            if update {
                std::fs::write(&path, found.join("\n") + "\n").unwrap();
            }
            let expected = std::fs::read_to_string(&path).unwrap();
            assert_eq!(found, expected.lines().collect::<Vec<_>>(), "{name}");
        }
    }
}

/// Recordings of vendors whose thinking has no signature, or one that is an item.
#[test]
fn recorded_streams_of_other_vendors_are_understood_however_they_are_cut() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/transcripts");
    if !root.is_dir() {
        let _ = writeln!(std::io::stderr(), "skipped: no recorded streams are at hand");
        return;
    }
    let mut seen = 0;
    for (folder, part, kind) in [("openai", "-responses-", &KINDS[1]), ("ollama", "-native-", &KINDS[2])] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.contains(part) {
                continue;
            }
            let mut accumulator = MessageAccumulator::default();
            for line in meaning_of_any_cut(kind, &name, &std::fs::read(&path).unwrap()) {
                accumulator
                    .push(&serde_json::from_str(&line).unwrap_or_else(|error| panic!("{name}: {line}: {error}")));
            }
            let finished = accumulator.finish();
            assert!(finished.completed && finished.stop.is_some() && finished.usage.output_tokens > 0, "{name}");
            assert!(!finished.content.is_empty(), "{name}");
            for block in finished.content {
                if let MessageBlock::ToolCall(call) = block {
                    assert!(call.parsed_input().unwrap().as_object().is_some_and(|input| !input.is_empty()), "{name}");
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 3, "only {seen} recordings were found");
}

/// Real recordings, where they are at hand: they end well, and what they say is whole.
#[test]
fn recorded_streams_are_understood_however_they_are_cut() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/transcripts/anthropic");
    let Ok(entries) = std::fs::read_dir(&root) else {
        // Not by `println`, which a passing test does not show.
        let _ = writeln!(std::io::stderr(), "skipped: no recorded streams are at hand");
        return;
    };
    let mut seen = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let lines = meaning_of_any_cut(&KINDS[0], &name, &std::fs::read(&path).unwrap());
        let mut accumulator = MessageAccumulator::default();
        for line in &lines {
            accumulator.push(&serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {line}: {error}")));
        }
        let finished = accumulator.finish();
        assert!(finished.completed && finished.stop.is_some(), "{name}");
        assert!(finished.usage.input_tokens > 0 && finished.usage.output_tokens > 0, "{name}");
        assert!(!finished.content.is_empty(), "{name}");
        for block in finished.content {
            match block {
                MessageBlock::ToolCall(call) => assert!(call.parsed_input().unwrap().is_object(), "{name}"),
                MessageBlock::Thinking { signature, .. } => assert!(!signature.is_empty(), "{name}"),
                MessageBlock::Text { text } => assert!(!text.is_empty(), "{name}"),
                MessageBlock::RedactedThinking { data } => assert!(!data.is_empty(), "{name}"),
                MessageBlock::Attachment { .. } | MessageBlock::ToolResult(_) | MessageBlock::Other { .. } => {
                    panic!("{name}: {block:?}")
                }
            }
        }
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} recordings were found");
}
