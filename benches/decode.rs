//! Decoding alone: a stream's bytes to events to a message, in memory. The median of several runs.
//!
//! `cargo bench --bench decode`. The exit code says whether the message came out whole, not whether it was fast.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measurement fails by panicking")]
#![allow(clippy::print_stdout, reason = "the table is printed")]
#![allow(clippy::cast_precision_loss, reason = "measured values are far from the limit")]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use souffleur::chat::{CompletionEvent, Finished, MessageAccumulator, MessageBlock};
use souffleur::provider::anthropic::events;

/// Deltas of the long stream.
const DELTAS: usize = 20_000;
/// Bytes of text of the large event.
const LARGE: usize = 4 * 1024 * 1024;
/// The payload of a TCP segment, and the most that a TLS record holds.
const CHUNKS: [usize; 2] = [1_400, 16 * 1024];
const RUNS: usize = 15;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `cargo bench`");
        return;
    }
    let words: Vec<String> = (0..DELTAS).map(|number| format!("{number:07} ")).collect();
    let long = answer(&words);
    println!("| input                              | chunks |       ms |   MB/s | target     |        |");
    println!("|------------------------------------|-------:|---------:|-------:|------------|--------|");
    for chunk in CHUNKS {
        let (ms, speed) = measure(&long, chunk, &words.concat());
        row("20,000 deltas to events", chunk, decode_only(&long, chunk), None);
        row("20,000 deltas to a message", chunk, (ms, speed), Some(("≥ 100 MB/s", speed >= 100.0)));
    }
    let text = "0123456 ".repeat(LARGE / 8);
    let large = answer(std::slice::from_ref(&text));
    let (ms, speed) = measure(&large, CHUNKS[0], &text);
    row("one event of 4 MiB to a message", CHUNKS[0], (ms, speed), Some(("< 20 ms", ms < 20.0)));
}

fn row(input: &str, chunk: usize, (ms, speed): (f64, f64), target: Option<(&str, bool)>) {
    let (target, met) = target.map_or(("", ""), |(target, met)| (target, if met { "met" } else { "missed" }));
    println!("| {input:<34} | {chunk:>6} | {ms:>8.2} | {speed:>6.0} | {target:<10} | {met:<6} |");
}

/// Milliseconds and MB/s to make the message of `bytes`, which must say `text`.
fn measure(bytes: &[u8], chunk: usize, text: &str) -> (f64, f64) {
    timed(bytes, chunk, |chunks| {
        let mut accumulator = MessageAccumulator::default();
        each(chunks, |event| accumulator.push(&event));
        let Finished { content, completed, .. } = accumulator.finish();
        assert!(completed, "the answer is not whole");
        assert!(matches!(content.as_slice(), [MessageBlock::Text { text: found }] if found == text), "text was lost");
    })
}

/// The same without the message.
fn decode_only(bytes: &[u8], chunk: usize) -> (f64, f64) {
    timed(bytes, chunk, |chunks| {
        let mut count = 0;
        each(chunks, |event| count += usize::from(matches!(black_box(event), CompletionEvent::Delta { .. })));
        assert_eq!(count, DELTAS, "deltas were lost");
    })
}

fn timed(bytes: &[u8], chunk: usize, work: impl Fn(Vec<Bytes>)) -> (f64, f64) {
    let whole = Bytes::copy_from_slice(bytes);
    let chunks: Vec<Bytes> =
        (0..whole.len()).step_by(chunk).map(|at| whole.slice(at..whole.len().min(at + chunk))).collect();
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..RUNS {
        let chunks = chunks.clone();
        let start = Instant::now();
        work(chunks);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let ms = times[RUNS / 2];
    (ms, bytes.len() as f64 / 1e3 / ms)
}

fn each(chunks: Vec<Bytes>, mut take: impl FnMut(CompletionEvent)) {
    let mut events = events(stream::iter(chunks.into_iter().map(Ok)));
    // Bytes in memory never make it wait.
    while let Some(event) = events.next().now_or_never().expect("no wait") {
        take(event.expect("an event"));
    }
}

/// The bytes of an answer that streams `deltas`.
fn answer(deltas: &[String]) -> Vec<u8> {
    let event = |name: &str, data: &str| format!("event: {name}\ndata: {data}\n\n");
    let mut bytes = event(
        "message_start",
        r#"{"type":"message_start","message":{"id":"msg_bench","type":"message","role":"assistant","model":"claude-sonnet-5-5","content":[],"stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1}}}"#,
    );
    let block = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    bytes += &event("content_block_start", block);
    for text in deltas {
        let data =
            format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#);
        bytes += &event("content_block_delta", &data);
    }
    bytes += &event("content_block_stop", r#"{"type":"content_block_stop","index":0}"#);
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":100}}"#;
    bytes += &event("message_delta", stop);
    bytes += &event("message_stop", r#"{"type":"message_stop"}"#);
    bytes.into_bytes()
}
