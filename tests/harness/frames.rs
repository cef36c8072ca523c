//! Frames are read strictly.

use crate::support::frames::{FrameReader, frame};

fn read(bytes: &[u8], chunk: usize) -> Result<Vec<Vec<u8>>, String> {
    let (mut reader, mut bodies) = (FrameReader::default(), Vec::new());
    for part in bytes.chunks(chunk) {
        reader.push(part);
        while let Some(body) = reader.next_body()? {
            bodies.push(body);
        }
    }
    if reader.unread() == 0 { Ok(bodies) } else { Err("unread bytes".into()) }
}

#[test]
fn frames_come_back_however_they_are_cut() {
    let bytes = [frame(b"{}"), frame("\"größe\"".as_bytes()), frame(b"")].concat();
    for chunk in 1..=bytes.len() {
        assert_eq!(read(&bytes, chunk).unwrap(), [b"{}".to_vec(), "\"größe\"".into(), Vec::new()], "cut at {chunk}");
    }
}

#[test]
fn anything_else_than_a_frame_is_a_fault() {
    let stray = [&b"hello\n"[..], &frame(b"{}")].concat();
    let after = [&frame(b"{}")[..], b"\n"].concat();
    for bytes in
        [&stray[..], &after, b"Content-Length: 2\n\n{}", b"Content-Length: x\r\n\r\n", b"content-length: 0\r\n\r\n"]
    {
        assert!(read(bytes, 7).is_err(), "{:?} passed", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn half_a_frame_is_unread() {
    assert!(read(&frame(b"{\"a\":1}")[..20], 100).is_err());
}
