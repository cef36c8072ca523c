//! Newline-delimited JSON: from bytes to whole lines.

use std::collections::VecDeque;

use super::error::{Category, Error};
use super::framed::{Framed, Guard};

/// The most bytes one line may have. A whole tool call is one line, so the limit is no small one.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// Cuts a byte stream into lines. No clock, no socket: bytes in, lines out. Drops the byte order mark, the CR of CRLF
/// and blank lines, and replaces bytes that are not UTF-8.
#[derive(Debug, Default)]
pub struct LineGuard {
    line: Vec<u8>,
    started: bool,
}

impl Guard for LineGuard {
    fn push(&mut self, mut chunk: &[u8], lines: &mut VecDeque<String>) -> Result<(), Error> {
        while let Some(end) = memchr::memchr(b'\n', chunk) {
            self.extend(&chunk[..end])?;
            self.emit(lines);
            chunk = &chunk[end + 1..];
        }
        self.extend(chunk)
    }

    /// The last line of a stream that ends without a line feed.
    fn finish(mut self, lines: &mut VecDeque<String>) {
        self.emit(lines);
    }
}

impl LineGuard {
    fn extend(&mut self, part: &[u8]) -> Result<(), Error> {
        if self.line.len() + part.len() > MAX_LINE_BYTES {
            return Err(Error::new(Category::StreamBroken, "the provider sent a line that is too large"));
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn emit(&mut self, lines: &mut VecDeque<String>) {
        let mut line = std::mem::replace(&mut self.line, Vec::with_capacity(256));
        if !std::mem::replace(&mut self.started, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        let line =
            String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        if !line.trim().is_empty() {
            lines.push_back(line.trim().to_owned());
        }
    }
}

/// The lines of a response body.
pub type Lines<S> = Framed<S, LineGuard>;

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures_util::{FutureExt, StreamExt, stream};
    use proptest::prelude::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let (mut guard, mut lines) = (LineGuard::default(), VecDeque::new());
        for chunk in chunks {
            guard.push(chunk, &mut lines).unwrap();
        }
        guard.finish(&mut lines);
        lines.into()
    }

    #[test]
    fn lines_are_cut_however_they_end() {
        assert_eq!(
            cut(&[b"\xef\xbb\xbf{\"a\":1}\r\n\r\n{\"b\"", b":2}\n\n", b"{\"c\":3}"]),
            ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]
        );
        assert_eq!(cut(&[b"\xff\n"]), ["\u{fffd}"]);
        assert!(cut(&[b"\n \r\n"]).is_empty());
    }

    #[test]
    fn a_line_has_a_limit() {
        let block = Bytes::from(vec![b'x'; 8 * 1024 * 1024]);
        let body = stream::iter((0..9).map(|_| Ok(block.clone())));
        let items: Vec<_> = Lines::new(body).collect::<Vec<_>>().now_or_never().unwrap();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].as_ref().unwrap_err().category, Category::StreamBroken);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(bytes in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b'\r'), Just(b'{'), Just(0xc3), Just(0xa9), any::<u8>()], 0..200), at in 0usize..200) {
            let at = at.min(bytes.len());
            prop_assert_eq!(cut(&[&bytes[..at], &bytes[at..]]), cut(&[&bytes]));
        }
    }
}
