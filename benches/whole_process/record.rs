//! What a process said, and what it means.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::upstream;

/// Bytes as they came, and when each part of them was read.
#[derive(Default)]
pub struct Record {
    /// All bytes.
    pub bytes: Vec<u8>,
    /// Up to where each read filled them, and when it returned.
    reads: Vec<(usize, u64)>,
}

/// A piece of a stream's text.
pub struct Piece {
    /// When its last byte was read.
    pub at: u64,
    /// The text.
    pub text: String,
}

impl Record {
    /// A read returned.
    pub fn push(&mut self, bytes: &[u8], at: u64) {
        self.bytes.extend_from_slice(bytes);
        self.reads.push((self.bytes.len(), at));
    }

    /// When the last read returned.
    pub fn last_read(&self) -> u64 {
        self.reads.last().map_or(0, |(_, at)| *at)
    }

    /// Whether the last message, or the last line, is whole.
    pub fn is_whole(&self) -> bool {
        if !self.bytes.starts_with(b"Content-Length") {
            return self.bytes.last().is_none_or(|byte| *byte == b'\n');
        }
        let mut at = 0;
        while at < self.bytes.len() {
            let Some((_, end)) = frame(&self.bytes, at) else { return false };
            at = end;
        }
        at == self.bytes.len()
    }

    fn time_of(&self, end: usize) -> u64 {
        self.reads[self.reads.partition_point(|(filled, _)| *filled < end)].1
    }

    /// The floor's text by stream.
    pub fn floor_text(&self) -> BTreeMap<String, Vec<Piece>> {
        let mut streams: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
        let mut end = 0;
        for line in self.bytes.split_inclusive(|byte| *byte == b'\n') {
            end += line.len();
            let value: Value = serde_json::from_slice(line).expect("a JSON line");
            if let Some(text) = value["text"].as_str() {
                let piece = Piece { at: self.time_of(end), text: text.to_owned() };
                streams.entry(value["s"].to_string()).or_default().push(piece);
            }
        }
        streams
    }

    /// The messages, and when each was whole.
    pub fn messages(&self) -> Vec<(u64, Value)> {
        let mut messages = Vec::new();
        let mut at = 0;
        while at < self.bytes.len() {
            let (body, end) = frame(&self.bytes, at).expect("a whole header");
            messages.push((self.time_of(end), serde_json::from_slice(&self.bytes[body..end]).expect("JSON")));
            at = end;
        }
        messages
    }

    /// The server's text by stream, after a check of every stream: `seq` has no gaps, `end` came once, last and with
    /// `reason`, and the completed message is what the deltas made.
    pub fn server_text(&self, reason: &str) -> BTreeMap<String, Vec<Piece>> {
        let mut streams: BTreeMap<String, Stream> = BTreeMap::new();
        for (at, message) in self.messages() {
            if message["method"] == "$/progress" {
                let params = &message["params"];
                streams.entry(params["token"].to_string()).or_default().take_in(at, &params["value"]);
            }
        }
        for (token, stream) in &streams {
            assert_eq!(stream.stop_reason.as_deref(), Some(reason), "how the stream {token} ended");
        }
        streams.into_iter().map(|(token, stream)| (token, stream.pieces)).collect()
    }
}

/// Where the body of the frame at `at` begins and ends; nothing when its header is not whole.
fn frame(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let body = at + memchr::memmem::find(&bytes[at..], b"\r\n\r\n")? + 4;
    let header = std::str::from_utf8(&bytes[at..body]).expect("a header");
    let length: usize = header.trim().strip_prefix("Content-Length: ").expect("a length").parse().expect("a number");
    Some((body, body + length))
}

#[derive(Default)]
struct Stream {
    next: u64,
    pieces: Vec<Piece>,
    stop_reason: Option<String>,
}

impl Stream {
    fn take_in(&mut self, at: u64, value: &Value) {
        assert_eq!(value["seq"], self.next, "a gap in a stream");
        assert_eq!(self.stop_reason, None, "more after the end");
        self.next += 1;
        let update = &value["update"];
        match (value["kind"].as_str().unwrap(), update["type"].as_str().unwrap_or_default()) {
            ("end", _) => self.stop_reason = Some(value["stopReason"].as_str().unwrap().to_owned()),
            (_, "itemDelta") => {
                let text = update["delta"]["text"].as_str().expect("text").to_owned();
                self.pieces.push(Piece { at, text });
            }
            (_, "itemCompleted") if update["item"]["type"] == "message" => {
                assert_eq!(update["item"]["text"], whole(&self.pieces), "the message is not what its deltas made");
            }
            _ => {}
        }
    }
}

fn whole(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

/// Demands the text of a flood, whole and in order.
pub fn check_flood(pieces: &[Piece], count: usize) {
    let expected: String = (0..count).map(upstream::plain).collect();
    assert!(whole(pieces) == expected, "text was lost or out of order");
}

/// From the upstream's write of each delta to the read of its last byte, in microseconds. Demands that none is lost.
pub fn latencies(pieces: &[Piece], count: usize) -> Vec<f64> {
    let text = whole(pieces);
    assert_eq!(text.len(), count * upstream::STAMPED, "text was lost");
    let mut ends = Vec::with_capacity(pieces.len());
    let mut end = 0;
    for piece in pieces {
        end += piece.text.len();
        ends.push((end, piece.at));
    }
    let latency = |number: usize| {
        let start = number * upstream::STAMPED;
        let (found, stamp) = upstream::read_stamped(&text[start..start + upstream::STAMPED]).expect("a stamp");
        assert_eq!(found, number, "text is out of order");
        let piece = ends.partition_point(|(end, _)| *end < start + upstream::STAMPED);
        ends[piece].1.saturating_sub(stamp) as f64 / 1e3
    };
    (0..count).map(latency).collect()
}
