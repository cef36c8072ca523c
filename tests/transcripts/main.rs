//! Recorded streams and what they mean.
//!
//! `tests/fixtures/transcripts/<vendor>/<case>/` holds the bytes of a response body (`body.sse`) and what they mean
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
use souffleur::provider::{Error, anthropic};

/// What a body means, one line a value.
fn meaning(chunks: Vec<Bytes>) -> Vec<String> {
    let body = stream::iter(chunks.into_iter().map(Ok::<Bytes, Error>));
    let events = anthropic::events(body).collect::<Vec<_>>().now_or_never().expect("nothing to wait for");
    let line = |event: Result<CompletionEvent, Error>| match event {
        Ok(event) => serde_json::to_string(&event).unwrap(),
        Err(error) => serde_json::json!({"error": format!("{:?}", error.category)}).to_string(),
    };
    events.into_iter().map(line).collect()
}

/// Asserts that the body means the same however it is cut, and gives back what.
fn meaning_of_any_cut(name: &str, body: &[u8]) -> Vec<String> {
    let body = Bytes::copy_from_slice(body);
    let whole = meaning(vec![body.clone()]);
    let bytes = (0..body.len()).map(|at| body.slice(at..=at)).collect();
    assert_eq!(meaning(bytes), whole, "{name}: byte by byte");
    for at in 1..body.len() {
        assert_eq!(meaning(vec![body.slice(..at), body.slice(at..)]), whole, "{name}: cut at byte {at}");
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts/anthropic");
    let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
    let cases = directories(&root);
    assert!(cases.len() >= 20, "only {} transcripts were found", cases.len());
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let body = std::fs::read(case.join("body.sse")).unwrap();
        let found = meaning_of_any_cut(&name, &body);
        let path = case.join("events.jsonl");
        if update {
            std::fs::write(&path, found.join("\n") + "\n").unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap();
        assert_eq!(found, expected.lines().collect::<Vec<_>>(), "{name}");
    }
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
        let lines = meaning_of_any_cut(&name, &std::fs::read(&path).unwrap());
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
