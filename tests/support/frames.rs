//! LSP's base protocol, read without mercy: whatever is not a frame is a fault.

/// Frames a message.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Takes bytes in, gives bodies out.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    start: usize,
}

const LENGTH: &[u8] = b"Content-Length: ";
const LONGEST_HEADER: usize = 256;

impl FrameReader {
    /// Takes in what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole body.
    ///
    /// # Errors
    /// The bytes are not a frame.
    pub fn next_body(&mut self) -> Result<Option<Vec<u8>>, String> {
        let rest = &self.buffer[self.start..];
        let shown = || String::from_utf8_lossy(&rest[..rest.len().min(200)]).into_owned();
        let begun = rest.len().min(LENGTH.len());
        if rest[..begun] != LENGTH[..begun] {
            return Err(format!("not a frame: {:?}", shown()));
        }
        let Some(end) = rest.windows(4).take(LONGEST_HEADER).position(|four| four == b"\r\n\r\n") else {
            return if rest.len() > LONGEST_HEADER {
                Err(format!("no end of header: {:?}", shown()))
            } else {
                Ok(None)
            };
        };
        let header = String::from_utf8_lossy(&rest[LENGTH.len()..end]).into_owned();
        let length: usize = header.parse().map_err(|_| format!("not a length alone: {header:?}"))?;
        let from = end + 4;
        let Some(body) = rest.get(from..from + length) else { return Ok(None) };
        let body = body.to_vec();
        self.start += from + length;
        Ok(Some(body))
    }

    /// Bytes that are no whole frame yet.
    pub fn unread(&self) -> usize {
        self.buffer.len() - self.start
    }
}
