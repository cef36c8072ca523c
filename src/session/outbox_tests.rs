use super::*;
use crate::chat::{ItemDelta, ItemId, TurnStopReason, Usage};
use proptest::prelude::*;

fn token(name: &str) -> StreamToken {
    StreamToken::Text(name.into())
}

fn delta(item: &str, text: &str) -> StreamEvent {
    let delta = ItemDelta::Text { text: text.into() };
    StreamEvent::Update(SessionUpdate::ItemDelta { item_id: ItemId::from(item), delta })
}

fn end() -> TurnEnd {
    TurnEnd { stop_reason: TurnStopReason::EndTurn, usage: Usage::default(), cost: None, output: None, error: None }
}

fn events(outbox: &Outbox) -> Vec<(u64, StreamEvent)> {
    let mut all = Vec::new();
    while let Some(Batch::Stream { first_seq, events, .. }) = outbox.take() {
        all.extend((first_seq..).zip(events));
    }
    all
}

#[test]
fn deltas_of_one_item_merge_while_they_wait_and_seq_has_no_gaps() {
    let outbox = Arc::new(Outbox::default());
    let sender = outbox.open(token("t")).unwrap();
    for text in ["a", "b", "c"] {
        sender.push(delta("x", text));
    }
    sender.push(delta("y", "d"));
    sender.push(delta("x", "e"));
    let first = events(&outbox);
    sender.push(delta("x", "f"));
    sender.end(end());
    let second = events(&outbox);
    assert_eq!(first, [(0, delta("x", "abc")), (1, delta("y", "d")), (2, delta("x", "e"))]);
    assert_eq!(second, [(3, delta("x", "f")), (4, StreamEvent::End(end()))]);
    assert_eq!(outbox.open_streams(), 0);
}

#[test]
fn a_token_is_used_once_at_a_time() {
    let outbox = Arc::new(Outbox::default());
    let sender = outbox.open(token("t")).unwrap();
    assert_eq!(outbox.open(token("t")).unwrap_err().code, ErrorCode::ProtocolInvalidParams);
    sender.end(end());
    events(&outbox);
    assert!(outbox.open(token("t")).is_ok());
}

#[test]
fn a_lost_sender_still_ends_its_stream() {
    let outbox = Arc::new(Outbox::default());
    drop(outbox.open(token("t")).unwrap());
    let all = events(&outbox);
    let [(0, StreamEvent::End(end))] = all.as_slice() else { panic!("no end") };
    assert_eq!(end.error.as_ref().unwrap().code, ErrorCode::ServerInternal);
}

#[test]
fn a_full_stream_has_no_space_until_it_is_read() {
    let outbox = Arc::new(Outbox::default());
    let (full, other) = (outbox.open(token("a")).unwrap(), outbox.open(token("b")).unwrap());
    full.push(delta("x", &"y".repeat(5_000_000)));
    other.push(delta("x", "z"));
    assert!(!full.has_space());
    assert!(other.has_space());
    outbox.take();
    assert!(full.has_space());
}

#[test]
fn only_the_latest_state_of_a_session_waits() {
    let outbox = Outbox::default();
    let info = |title: &str| SessionInfo {
        session_id: SessionId::from("s"),
        title: title.into(),
        model: "sim:x".into(),
        simulated: true,
        workspace_uri: None,
        status: crate::protocol::SessionStatus::Idle,
        turns: 0,
        created_at: 0,
        updated_at: 0,
    };
    outbox.session_changed(info("one"));
    outbox.session_changed(info("two"));
    assert_eq!(outbox.take(), Some(Batch::Session(info("two"))));
    assert_eq!(outbox.take(), None);
}

proptest! {
    #[test]
    fn whatever_the_reader_does_no_text_is_lost(
        writes in proptest::collection::vec((0u8..3, "[a-z]{0,3}", any::<bool>()), 0..60)) {
        let outbox = Arc::new(Outbox::default());
        let sender = outbox.open(token("t")).unwrap();
        let (mut written, mut read) = (vec![String::new(); 3], Vec::new());
        for (item, text, take) in writes {
            written[item as usize].push_str(&text);
            sender.push(delta(&item.to_string(), &text));
            if take {
                read.extend(events(&outbox));
            }
        }
        sender.end(end());
        read.extend(events(&outbox));
        let mut got = vec![String::new(); 3];
        for (at, (seq, event)) in read.iter().enumerate() {
            prop_assert_eq!(at as u64, *seq);
            if let StreamEvent::Update(SessionUpdate::ItemDelta { item_id, delta: ItemDelta::Text { text } }) = event {
                got[item_id.as_str().parse::<usize>().unwrap()].push_str(text);
            }
        }
        prop_assert_eq!(got, written);
        prop_assert!(matches!(read.last(), Some((_, StreamEvent::End(_)))));
    }
}
