//! A process on the other end of two pipes. Its output is kept as it comes, with the time of each read; it is looked
//! into when the measurement is over.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::clock;
use crate::record::Record;

/// The process.
pub struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    block: Vec<u8>,
    record: Record,
    spawned: u64,
}

impl Peer {
    /// Starts it.
    pub fn spawn(command: &mut Command) -> Self {
        let spawned = clock::nanos();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, input, output, block: vec![0; 64 * 1024], record: Record::default(), spawned }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// When its start was asked for.
    pub fn spawned(&self) -> u64 {
        self.spawned
    }

    /// Writes to its input.
    pub fn send(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).expect("the program reads");
    }

    /// Reads until `marker` came `times` times since the last [`Peer::take`]; when the last read was.
    pub fn read_until(&mut self, marker: &str, times: usize) -> u64 {
        let finder = memchr::memmem::Finder::new(marker.as_bytes());
        let (mut seen, mut from) = (0, 0);
        loop {
            while let Some(at) = finder.find(&self.record.bytes[from..]) {
                from += at + marker.len();
                seen += 1;
            }
            if seen >= times {
                return self.record.last_read();
            }
            // The marker may be cut by the end of what was read.
            from = from.max(self.record.bytes.len().saturating_sub(marker.len() - 1));
            self.read();
        }
    }

    fn read(&mut self) {
        let length = self.output.read(&mut self.block).expect("the program writes");
        assert!(length > 0, "the program ended too early");
        self.record.push(&self.block[..length], clock::nanos());
    }

    /// What came since the last time, up to the end of a message.
    pub fn take(&mut self) -> Record {
        while !self.record.is_whole() {
            self.read();
        }
        std::mem::take(&mut self.record)
    }

    /// Closes its input and waits for its end.
    pub fn end(mut self) -> std::process::ExitStatus {
        drop(self.input.take());
        let mut rest = Vec::new();
        // Whatever it still says has no reader.
        let _ = self.output.read_to_end(&mut rest);
        self.child.wait().unwrap()
    }
}
