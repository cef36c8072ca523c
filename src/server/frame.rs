//! LSP's framing: a header with the length, then the message. Bytes in, frames out; no clock, no socket.

use bytes::{Buf, BytesMut};

/// The largest message that is read. Larger ones are skipped, and answered with an error.
pub(super) const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// The longest header that is waited for.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A message.
    Message(BytesMut),
    /// A message that is too large; it was skipped. Its length in bytes.
    TooLarge(usize),
    /// Bytes that are no header; they were skipped.
    BadHeader,
}

/// Cuts the input into frames.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Header,
    Body(usize),
    Skip {
        left: usize,
        length: usize,
    },
}

impl Decoder {
    /// Takes the next frame out of `input`, if it is whole.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Option<Frame> {
        loop {
            match self.state {
                State::Header => {
                    let Some((end, after)) = header_end(input) else {
                        if input.len() > MAX_HEADER_BYTES {
                            // Keep the tail: the next header may have begun in it.
                            input.advance(input.len() - MAX_HEADER_BYTES / 2);
                            return Some(Frame::BadHeader);
                        }
                        return None;
                    };
                    let length = content_length(&input[..end]);
                    input.advance(after);
                    self.state = match length {
                        None => return Some(Frame::BadHeader),
                        Some(length) if length > MAX_MESSAGE_BYTES => State::Skip { left: length, length },
                        Some(length) => State::Body(length),
                    };
                }
                State::Body(length) => {
                    if input.len() < length {
                        return None;
                    }
                    self.state = State::Header;
                    return Some(Frame::Message(input.split_to(length)));
                }
                State::Skip { left, length } => {
                    let skipped = left.min(input.len());
                    input.advance(skipped);
                    if skipped < left {
                        self.state = State::Skip { left: left - skipped, length };
                        return None;
                    }
                    self.state = State::Header;
                    return Some(Frame::TooLarge(length));
                }
            }
        }
    }

    /// How many bytes the frame that is being read still needs.
    pub(super) fn missing(&self, input: &BytesMut) -> usize {
        match self.state {
            State::Body(length) => length.saturating_sub(input.len()),
            State::Header | State::Skip { .. } => 0,
        }
    }
}

/// Where the header ends, and where the message begins. A client that ends lines with LF alone is understood.
fn header_end(input: &[u8]) -> Option<(usize, usize)> {
    memchr::memmem::find(input, b"\r\n\r\n")
        .map(|at| (at, at + 4))
        .into_iter()
        .chain(memchr::memmem::find(input, b"\n\n").map(|at| (at, at + 2)))
        .min()
}

/// The value of `Content-Length`, however it is spelled. What stands before it (the rest of a message whose header was
/// bad) is passed over, so that the next good header is found.
fn content_length(header: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let lower = header.to_ascii_lowercase();
    let at = memchr::memmem::rfind(&lower, NAME)? + NAME.len();
    let line = lower[at..].split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(chunks: &[&[u8]]) -> Vec<Frame> {
        let (mut decoder, mut input, mut frames) = (Decoder::default(), BytesMut::new(), Vec::new());
        for chunk in chunks {
            input.extend_from_slice(chunk);
            while let Some(frame) = decoder.next(&mut input) {
                frames.push(frame);
            }
        }
        frames
    }

    fn message(text: &str) -> Frame {
        Frame::Message(BytesMut::from(text))
    }

    #[test]
    fn headers_in_any_spelling() {
        let bytes =
            b"Content-Length: 2\r\n\r\n{}content-length:2\nX: y\n\n[]Content-Type: x\r\nCONTENT-LENGTH: 1\r\n\r\n1";
        assert_eq!(frames(&[bytes]), [message("{}"), message("[]"), message("1")]);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(frames(&single), [message("{}"), message("[]"), message("1")]);
    }

    #[test]
    fn after_a_bad_header_the_next_message_is_found() {
        let bytes = b"Content-Lengthy: 2\r\n\r\n{}Content-Length: 4\r\n\r\ntrue";
        assert_eq!(frames(&[bytes]), [Frame::BadHeader, message("true")]);
    }

    #[test]
    fn what_is_too_large_is_skipped_without_being_kept() {
        let header = format!("Content-Length: {}\r\n\r\n", MAX_MESSAGE_BYTES + 1);
        let mut chunks: Vec<&[u8]> = vec![header.as_bytes()];
        let block = vec![b'x'; 1024 * 1024];
        chunks.extend(std::iter::repeat_n(block.as_slice(), 64));
        chunks.push(b"xContent-Length: 2\r\n\r\n{}");
        assert_eq!(frames(&chunks), [Frame::TooLarge(MAX_MESSAGE_BYTES + 1), message("{}")]);
    }

    #[test]
    fn endless_garbage_is_not_kept() {
        let (mut decoder, mut input) = (Decoder::default(), BytesMut::new());
        for _ in 0..100 {
            input.extend_from_slice(&[b'x'; 1024]);
            decoder.next(&mut input);
        }
        assert!(input.len() <= MAX_HEADER_BYTES + 1024);
    }

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_cut_of_any_input_gives_the_same_frames(
            parts in proptest::collection::vec(prop_oneof![
                "[a-z]{0,9}".prop_map(|body| format!("Content-Length: {}\r\n\r\n{body}", body.len())),
                "[a-zA-Z:\\-\r\n 0-9]{0,20}",
                Just("Content-Length: x\r\n\r\n".to_owned()),
            ], 0..8),
            cut in 1usize..9,
        ) {
            let bytes = parts.concat().into_bytes();
            let pieces: Vec<&[u8]> = bytes.chunks(cut).collect();
            prop_assert_eq!(frames(&pieces), frames(&[&bytes]));
        }
    }
}
