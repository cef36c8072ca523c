//! The upstream: Anthropic's wire on loopback, as fast as it can be. The text of the last prompt says what to stream:
//! `plan trivial`, `plan flood COUNT` (each delta written by itself), `plan block COUNT` (all in one write),
//! `plan stamped COUNT GAP_MICROS [PHASE_MICROS]`: with a phase the stream keeps that distance from a common beat.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::clock;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
/// How long the text of a stamped delta is: its number and when it was written.
pub const STAMPED: usize = 22;

/// Starts it and gives back its address.
pub fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let connection = connection.unwrap();
            connection.set_nodelay(true).unwrap();
            // A client that hangs up, as one does that cancels, ends its connection and nothing else.
            std::thread::spawn(move || serve(connection).unwrap_or_default());
        }
    });
    address
}

/// The text of a delta without a stamp.
pub fn plain(number: usize) -> String {
    format!("{number:07} ")
}

/// The text of a stamped delta.
pub fn stamped(number: usize, nanos: u64) -> String {
    format!("{number:05}:{nanos:015} ")
}

/// The number and the stamp of a delta's text.
pub fn read_stamped(text: &str) -> Option<(usize, u64)> {
    let (number, nanos) = text.strip_suffix(' ')?.split_once(':')?;
    Some((number.parse().ok()?, nanos.parse().ok()?))
}

fn serve(mut connection: TcpStream) -> std::io::Result<()> {
    let mut input = Vec::new();
    while let Some(plan) = request(&mut connection, &mut input)? {
        let words: Vec<&str> = plan.split(' ').collect();
        let number = |at: usize| words[at].parse::<usize>().unwrap();
        match words[1] {
            "trivial" => {
                let answer = [HEAD.to_owned(), opening(), chunk(&delta("Hello.")), closing()].concat();
                connection.write_all(answer.as_bytes())?;
            }
            "flood" => {
                let deltas: Vec<String> = (0..number(2)).map(|at| chunk(&delta(&plain(at)))).collect();
                connection.write_all([HEAD.to_owned(), opening()].concat().as_bytes())?;
                deltas.iter().try_for_each(|delta| connection.write_all(delta.as_bytes()))?;
                connection.write_all(closing().as_bytes())?;
            }
            "block" => {
                let deltas: String = (0..number(2)).map(|at| chunk(&delta(&plain(at)))).collect();
                connection.write_all([HEAD.to_owned(), opening(), deltas, closing()].concat().as_bytes())?;
            }
            "stamped" => {
                connection.write_all([HEAD.to_owned(), opening()].concat().as_bytes())?;
                let gap = Duration::from_micros(number(3) as u64);
                if words.len() > 4 {
                    wait_for_phase(gap, Duration::from_micros(number(4) as u64));
                }
                stream_stamped(&mut connection, number(2), gap)?;
                connection.write_all(closing().as_bytes())?;
            }
            other => panic!("no such plan: {other}"),
        }
    }
    Ok(())
}

fn wait_for_phase(gap: Duration, phase: Duration) {
    let beats = clock::nanos() / gap.as_nanos() as u64 + 2;
    let start = Duration::from_nanos(beats * gap.as_nanos() as u64) + phase;
    std::thread::sleep(start.saturating_sub(Duration::from_nanos(clock::nanos())));
}

fn stream_stamped(connection: &mut TcpStream, count: usize, gap: Duration) -> std::io::Result<()> {
    let mut bytes = chunk(&delta(&stamped(0, 0))).into_bytes();
    let at = memchr::memmem::find(&bytes, b"00000:").unwrap();
    let start = Instant::now();
    for number in 0..count {
        std::thread::sleep((start + gap * number as u32).saturating_duration_since(Instant::now()));
        bytes[at..at + STAMPED].copy_from_slice(stamped(number, clock::nanos()).as_bytes());
        connection.write_all(&bytes)?;
    }
    Ok(())
}

/// Reads a request; the plan of its last prompt.
fn request(connection: &mut TcpStream, input: &mut Vec<u8>) -> std::io::Result<Option<String>> {
    let mut block = vec![0; 64 * 1024];
    loop {
        if let Some(end) = memchr::memmem::find(input, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&input[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap().trim().to_owned();
            let whole = end + 4 + length.parse::<usize>().unwrap();
            if input.len() >= whole {
                let at = memchr::memmem::rfind(&input[..whole], b"plan ").expect("a prompt with a plan");
                let plan = input[at..whole].split(|byte| *byte == b'"').next().unwrap();
                let plan = String::from_utf8(plan.to_vec()).unwrap();
                input.drain(..whole);
                return Ok(Some(plan));
            }
        }
        match connection.read(&mut block)? {
            0 => return Ok(None),
            length => input.extend_from_slice(&block[..length]),
        }
    }
}

fn chunk(events: &str) -> String {
    format!("{:x}\r\n{events}\r\n", events.len())
}

fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn delta(text: &str) -> String {
    let data = format!(
        "{{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}"
    );
    event("content_block_delta", &data)
}

fn opening() -> String {
    let message = "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench\",\"type\":\"message\",\
        \"role\":\"assistant\",\"model\":\"claude-sonnet-5-5\",\"content\":[],\"stop_reason\":null,\
        \"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}";
    let block = "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}";
    chunk(&(event("message_start", message) + &event("content_block_start", block)))
}

fn closing() -> String {
    let stop = "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\
        \"usage\":{\"output_tokens\":100}}";
    let events = event("content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}")
        + &event("message_delta", stop)
        + &event("message_stop", "{\"type\":\"message_stop\"}");
    chunk(&events) + "0\r\n\r\n"
}
