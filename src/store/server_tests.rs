use super::test_support::*;
use super::*;
use crate::error::ErrorCode;

#[tokio::test]
async fn a_released_session_is_anybodys_and_a_closed_servers_too() {
    let (folder, first) = store();
    let second = open(&folder).store;
    let id = SessionId::from("ses_1");
    first.create(record("ses_1")).await.unwrap();
    assert_eq!(second.take(&id, 20).await.unwrap_err().code, ErrorCode::SessionInUse);
    first.release(&id).await.unwrap();
    assert_eq!(second.take(&id, 20).await.unwrap(), None);
    // The first no longer knows what is in it.
    assert_eq!(first.append(&id, Entries::default()).await.unwrap_err().code, ErrorCode::SessionInUse);
    assert_eq!(first.take(&id, 20).await.unwrap_err().code, ErrorCode::SessionInUse);
    drop(second);
    assert_eq!(first.take(&id, 20).await.unwrap(), None);
    turn(&first, &id, "turn_1", "a", "b", 30).await;
    assert_eq!(first.take(&SessionId::from("ses_9"), 20).await.unwrap_err().code, ErrorCode::SessionNotFound);
}

#[tokio::test]
async fn a_turn_that_a_closed_server_left_is_closed_once() {
    let (folder, first) = store();
    let second = open(&folder);
    assert_eq!(second.interrupted, []);
    let id = SessionId::from("ses_1");
    first.create(record("ses_1")).await.unwrap();
    first.begin_turn(&id, start("turn_1", "Go", 20)).await.unwrap();
    let turn_id = TurnId::from("turn_1");
    let growing = vec![running(&turn_id, 1, said("Half a"))];
    first.checkpoint(&id, Checkpoint { items: growing, spent: spending(9) }).await.unwrap();
    let third = open(&folder);
    assert_eq!(third.interrupted, [], "its server lives");
    assert!(third.store.load(&id).await.unwrap().session.running);
    drop(first);

    let closed = second.store.take(&id, 99).await.unwrap().unwrap();
    assert_eq!((closed.session_id, closed.turn_id.as_str()), (id.clone(), "turn_1"));
    assert_eq!(closed.messages, [assistant(vec![text("Half a")])]);
    let loaded = second.store.load(&id).await.unwrap();
    assert_eq!((&loaded.messages[1..], &loaded.items[1..]), (&closed.messages[..], &closed.items[..]));
    let only = &loaded.turns[0];
    assert_eq!((only.state, only.ended_at, only.spent), (TurnState::Interrupted, Some(99), spending(9)));
    assert_eq!((loaded.running.len(), loaded.session.running), (0, false));
    turn(&second.store, &id, "turn_2", "Go on", "gladly", 100).await;
    drop((second, third));
    assert_eq!(open(&folder).interrupted, []);
}

#[tokio::test]
async fn a_servers_name_leads_nowhere_else() {
    let (folder, store) = store();
    store.create(record("ses_1")).await.unwrap();
    let outside = folder.path().join("outside");
    std::fs::write(&outside, "x").unwrap();
    let held = std::fs::File::open(&outside).unwrap();
    held.lock().unwrap();
    assert!(!store.inner.presence.is_alive("../outside") && !store.inner.presence.is_alive(""));
    let other = open(&folder).store;
    assert!(store.inner.presence.is_alive(other.inner.presence.name()));
    let name = other.inner.presence.name().to_owned();
    drop(other);
    assert!(!store.inner.presence.is_alive(&name));
}
