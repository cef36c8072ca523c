//! The floor: the least that a program between an upstream and an editor can do.
//!
//! Plain `std`, blocking, one thread for each stream. A line on standard input is sent to the upstream over a
//! connection that is kept; of each event with text that comes back one JSON line goes to standard output, written out
//! whenever no complete line is left in the buffer. The text's JSON is copied as it is, not parsed.

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The hidden argument that makes the bench's binary the floor.
pub const MODE: &str = "floor";

const TEXT: &[u8] = b"\"text_delta\",\"text\":\"";

/// Answers each line until the input ends. `ready` is answered at once; `all N STEP PLAN` asks for N streams at a time, each
/// on its own connection, with phases STEP apart; everything else is a plan for one stream.
pub fn run(address: &str) {
    let mut first = Relay::new(0, address);
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        if line == "ready" {
            std::io::stdout().write_all(b"{\"ready\":true}\n").unwrap();
        } else if let Some(all) = line.strip_prefix("all ") {
            let mut words = all.splitn(3, ' ');
            let mut next = || words.next().unwrap();
            let (count, step): (usize, usize) = (next().parse().unwrap(), next().parse().unwrap());
            let plan: Arc<str> = next().into();
            let start = |number| {
                let (address, plan) = (address.to_owned(), Arc::clone(&plan));
                std::thread::spawn(move || Relay::new(number, &address).answer(&format!("{plan} {}", number * step)))
            };
            let threads: Vec<JoinHandle<()>> = (0..count).map(start).collect();
            for thread in threads {
                thread.join().unwrap();
            }
        } else {
            first.answer(&line);
        }
    }
}

struct Relay {
    number: usize,
    address: String,
    connection: Option<TcpStream>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Relay {
    fn new(number: usize, address: &str) -> Self {
        Self { number, address: address.to_owned(), connection: None, input: vec![0; 64 * 1024], output: Vec::new() }
    }

    fn answer(&mut self, plan: &str) {
        let connection = self.connection.get_or_insert_with(|| {
            let connection = TcpStream::connect(&self.address).unwrap();
            connection.set_nodelay(true).unwrap();
            connection
        });
        let body = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{plan}\"}}]}}");
        let head =
            format!("POST /v1/messages HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n", self.address, body.len());
        connection.write_all((head + &body).as_bytes()).unwrap();
        let mut filled = 0;
        // The transfer encoding ends with a line of `0` and an empty one; its lines are skipped as other events' are.
        let (mut last, mut over) = (false, false);
        while !over {
            let length = connection.read(&mut self.input[filled..]).unwrap();
            assert!(length > 0, "the upstream went away");
            filled += length;
            let mut rest = &self.input[..filled];
            while let Some(end) = memchr::memchr(b'\n', rest) {
                over = last && rest[..end] == *b"\r";
                last = rest[..end] == *b"0\r";
                line(&rest[..end], self.number, &mut self.output);
                rest = &rest[end + 1..];
            }
            let used = filled - rest.len();
            self.input.copy_within(used..filled, 0);
            filled -= used;
            if over {
                writeln!(self.output, "{{\"s\":{},\"end\":true}}", self.number).unwrap();
            }
            if !self.output.is_empty() {
                std::io::stdout().lock().write_all(&self.output).unwrap();
                self.output.clear();
            }
        }
    }
}

fn line(line: &[u8], number: usize, output: &mut Vec<u8>) {
    if !line.starts_with(b"data: ") {
        return;
    }
    if let Some(at) = memchr::memmem::find(line, TEXT) {
        let text = &line[at + TEXT.len()..];
        let end = closing_quote(text);
        write!(output, "{{\"s\":{number},\"text\":\"").unwrap();
        output.extend_from_slice(&text[..end]);
        output.extend_from_slice(b"\"}\n");
    }
}

fn closing_quote(text: &[u8]) -> usize {
    let mut at = 0;
    while text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at
}
