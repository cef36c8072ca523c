//! Recordings of the wire: whole, without secrets, and fit to be replayed.

use std::path::Path;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use souffleur::chat::{MessageAccumulator, MessageBlock};
use souffleur::provider::{Error, anthropic};

use crate::support::answer::Answer;
use crate::support::script::Script;
use crate::support::setup::Setup;
use crate::support::vendor::Vendor;

const KEY: &str = "sk-ant-api03-0123456789abcdef";

/// The files of a directory whose names end so, in the order of their making.
fn files(directory: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn a_recorded_answer_can_be_replayed_and_holds_no_secret() {
    let vendor = Vendor::start();
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("new");
    vendor.push(Answer::new().thinking(&["hm"], "c2ln").text(&["Hello ", "there"]).end("end_turn").script());
    vendor.push(Script::error(401, "authentication_error", &format!("invalid key {KEY}")));
    let editor = Setup::anthropic(&vendor)
        .env("SOUFFLEUR_RECORD", target.to_str().unwrap())
        .env("ANTHROPIC_API_KEY", KEY)
        .start();
    let session = editor.new_session();
    let first = editor.ask(&session, &format!("my key is {KEY}"));
    let second = editor.ask(&session, "again");
    assert!(!second.assert_error("auth.rejected").message.contains(KEY), "an error does not quote the key");
    editor.close();
    let responses = files(&target, ".response.sse");
    assert_eq!((responses.len(), files(&target, ".request.json").len(), files(&target, ".meta.json").len()), (2, 2, 2));
    let body = stream::iter([Ok::<_, Error>(Bytes::from(responses[0].clone()))]);
    let mut accumulator = MessageAccumulator::default();
    for event in anthropic::events(body).collect::<Vec<_>>().now_or_never().unwrap() {
        accumulator.push(&event.unwrap());
    }
    let content = accumulator.finish().content;
    assert!(content.contains(&MessageBlock::Text { text: first.text() }), "{content:?}");
    for ending in [".request.json", ".response.sse", ".meta.json"] {
        assert!(files(&target, ending).iter().all(|text| !text.contains(KEY) && !text.is_empty()), "{ending}");
    }
    assert!(files(&target, ".request.json")[0].contains("my key is [secret]"));
}
