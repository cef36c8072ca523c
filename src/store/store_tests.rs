use super::test_support::*;
use super::*;
use crate::chat::{ItemContent, MessageBlock};
use crate::error::ErrorCode;

#[tokio::test]
async fn a_session_is_whole_when_the_store_is_opened_again() {
    let (folder, store) = store();
    let id = SessionId::from("ses_1");
    store.create(record("ses_1")).await.unwrap();
    turn(&store, &id, "turn_1", "Fix the bug", "Fixed.", 20).await;
    store.spend(&id, spending(7)).await.unwrap();
    store.put(&id, "prefix", "one".to_owned()).await.unwrap();
    store.put(&id, "prefix", "two".to_owned()).await.unwrap();
    store.change(&id, None, Some("ask".to_owned())).await.unwrap();
    let before = store.load(&id).await.unwrap();
    drop(store);

    let opened = open(&folder);
    assert_eq!((opened.notices.as_slice(), opened.interrupted.as_slice()), (&[][..], &[][..]));
    let after = opened.store.load(&id).await.unwrap();
    assert_eq!(after, before);
    assert_eq!((after.session.title.as_str(), after.session.turns, after.session.updated_at), ("Fix the bug", 1, 21));
    assert_eq!(after.session.mode.as_deref(), Some("ask"));
    assert_eq!((after.messages.len(), after.items.len(), after.running.len()), (2, 2, 0));
    assert_eq!(after.turns[0].state, TurnState::Ended);
    assert_eq!(after.turns[0].end.as_ref().unwrap().usage.input_tokens, 100);
    assert_eq!((after.turns[0].spent, after.expenses), (spending(100), vec![spending(7)]));
    assert_eq!(after.values.get("prefix").map(String::as_str), Some("two"));
}

#[tokio::test]
async fn what_runs_is_kept_until_it_is_complete() {
    let (_folder, store) = store();
    let id = SessionId::from("ses_1");
    store.create(record("ses_1")).await.unwrap();
    let begun = store.begin_turn(&id, start("turn_1", "Go", 20)).await.unwrap();
    assert_eq!(begun, Position { messages: 1, items: 1 });
    let turn = TurnId::from("turn_1");
    let thinking = |words: &str| ItemContent::Thinking { text: words.to_owned(), redacted: false };
    for words in ["so", "so far"] {
        let items = vec![running(&turn, 1, thinking(words)), running(&turn, 2, said("x"))];
        store.checkpoint(&id, Checkpoint { items, spent: spending(4) }).await.unwrap();
    }
    let now = store.load(&id).await.unwrap();
    assert!(now.session.running);
    assert_eq!(now.running, [running(&turn, 1, thinking("so far")), running(&turn, 2, said("x"))]);
    assert_eq!((now.turns[0].spent, now.turns[0].state), (spending(4), TurnState::Running));

    let entries = Entries { messages: vec![], items: vec![item(&turn, 1, thinking("so far it goes"))] };
    let position = store.append(&id, entries).await.unwrap();
    assert_eq!(position, Position { messages: 1, items: 2 });
    assert_eq!(store.load(&id).await.unwrap().running, [running(&turn, 2, said("x"))]);
    assert_eq!(store.load_items(&id, 1, 10).await.unwrap(), [item(&turn, 1, thinking("so far it goes"))]);
    assert_eq!(store.load_items(&id, 2, 10).await.unwrap(), []);

    let refused = store.begin_turn(&id, start("turn_2", "Again", 30)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::SessionBusy);
    store.end_turn(&id, finish("turn_1", "done", 40)).await.unwrap();
    let ended = store.load(&id).await.unwrap();
    assert_eq!((ended.running.len(), ended.session.running, ended.turns.len()), (0, false, 1));
    assert_eq!(store.end_turn(&id, finish("turn_1", "x", 50)).await.unwrap_err().code, ErrorCode::StoreFailed);
}

#[tokio::test]
async fn writes_are_carried_out_in_the_order_of_the_calls_and_fail_alone() {
    let (_folder, store) = store();
    let id = SessionId::from("ses_1");
    // Nothing is awaited until all are handed in, so they share transactions.
    let created = store.create(record("ses_1"));
    let again = store.create(record("ses_1"));
    let begun = store.begin_turn(&id, start("turn_1", "Go", 20));
    let lost = store.append(&SessionId::from("ses_0"), Entries::default());
    let appended: Vec<_> = (0..500)
        .map(|number| store.append(&id, Entries { messages: vec![user(&number.to_string())], items: vec![] }))
        .collect();
    created.await.unwrap();
    assert_eq!(again.await.unwrap_err().code, ErrorCode::StoreFailed, "the id is taken");
    begun.await.unwrap();
    assert_eq!(lost.await.unwrap_err().code, ErrorCode::SessionNotFound);
    for (number, written) in appended.into_iter().enumerate() {
        assert_eq!(written.await.unwrap().messages, number as u64 + 2);
    }
    let messages = store.load(&id).await.unwrap().messages;
    let said: Vec<_> = messages.iter().skip(1).map(|message| message.content.clone()).collect();
    let expected: Vec<_> = (0..500).map(|number| vec![text(&number.to_string())]).collect();
    assert_eq!(said, expected);
}

#[tokio::test]
async fn what_was_handed_in_is_written_though_nobody_waits() {
    let (folder, store) = store();
    drop(store.create(record("ses_1")));
    drop(store.put(&SessionId::from("ses_1"), "a", "b".to_owned()));
    drop(store);
    let values = open(&folder).store.load(&SessionId::from("ses_1")).await.unwrap().values;
    assert_eq!(values.get("a").map(String::as_str), Some("b"));
}

#[tokio::test]
async fn lists_are_paged_and_kept_apart_by_workspace() {
    let (_folder, store) = store();
    for number in 0..25 {
        let mut session = record(&format!("ses_{number:02}"));
        session.workspace_uri = Some(format!("file:///{}", number % 2));
        session.updated_at = 100 - number;
        store.create(session).await.unwrap();
    }
    let mut query = ListQuery { limit: 10, ..ListQuery::default() };
    let mut pages = Vec::new();
    loop {
        let page = store.list(query.clone()).await.unwrap();
        query.before = page.sessions.last().map(|session| session.session_id.clone());
        pages.push(page.sessions.iter().map(|session| session.session_id.to_string()).collect::<Vec<_>>());
        if !page.more {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    let all: Vec<_> = pages.concat();
    assert_eq!(all, (0..25).rev().map(|number| format!("ses_{number:02}")).collect::<Vec<_>>());

    let query = ListQuery { workspace_uri: Some("file:///1".to_owned()), limit: 100, ..ListQuery::default() };
    let one = store.list(query).await.unwrap();
    assert_eq!((one.sessions.len(), one.more), (12, false));
    let latest = |uri: Option<&str>| store.latest(uri.map(str::to_owned));
    assert_eq!(latest(None).await.unwrap().unwrap().session_id.as_str(), "ses_00");
    assert_eq!(latest(Some("file:///1")).await.unwrap().unwrap().session_id.as_str(), "ses_01");
    assert_eq!(latest(Some("file:///2")).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_deleted_is_in_no_file_any_more() {
    let (folder, store) = store();
    let id = SessionId::from("ses_1");
    let on_disk = |word: &str| {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut bytes = files.filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap());
        bytes.any(|bytes| memchr::memmem::find(&bytes, word.as_bytes()).is_some())
    };
    for id in ["ses_1", "ses_2"] {
        store.create(record(id)).await.unwrap();
        turn(&store, &SessionId::from(id), "turn_1", &format!("tell {id}zebra"), "yes", 20).await;
    }
    store.put(&id, "prefix", "ses_1zebra".to_owned()).await.unwrap();
    assert!(on_disk("ses_1zebra") && on_disk("ses_2zebra"));
    store.delete(&id).await.unwrap();
    assert!(!on_disk("ses_1zebra") && on_disk("ses_2zebra"));
    assert_eq!(store.load(&id).await.unwrap_err().code, ErrorCode::SessionNotFound);
    assert_eq!(store.delete(&id).await.unwrap_err().code, ErrorCode::SessionNotFound);
    let found =
        store.search(SearchQuery { text: "tell".to_owned(), limit: 9, ..SearchQuery::default() }).await.unwrap();
    assert!(found.hits.iter().all(|hit| hit.session.session_id.as_str() == "ses_2") && !found.hits.is_empty());
}

#[tokio::test]
async fn only_old_sessions_that_nobody_runs_are_pruned() {
    let (_folder, store) = store();
    for (id, at) in [("ses_1", 20), ("ses_2", 30), ("ses_3", 40)] {
        store.create(record(id)).await.unwrap();
        turn(&store, &SessionId::from(id), "turn_1", "a", "b", at).await;
    }
    store.release(&SessionId::from("ses_1")).await.unwrap();
    store.release(&SessionId::from("ses_3")).await.unwrap();
    assert_eq!(store.prune(35).await.unwrap(), [SessionId::from("ses_1")]);
    let left = store.list(ListQuery { limit: 9, ..ListQuery::default() }).await.unwrap().sessions;
    assert_eq!(left.iter().map(|left| left.session_id.as_str()).collect::<Vec<_>>(), ["ses_3", "ses_2"]);
}

#[tokio::test]
async fn a_fork_has_all_up_to_its_turn_and_goes_on_alone() {
    let (_folder, store) = store();
    let (source, copy) = (SessionId::from("ses_1"), SessionId::from("ses_2"));
    store.create(record("ses_1")).await.unwrap();
    for number in 1..4 {
        let words = format!("word{number}");
        turn(&store, &source, &format!("turn_{number}"), &words, &words, 20 * number).await;
    }
    store.put(&source, "prefix", "p".to_owned()).await.unwrap();
    store.begin_turn(&source, start("turn_4", "runs", 90)).await.unwrap();
    let made = store.fork(&source, Some("turn_2".into()), record("ses_2")).await.unwrap();
    let (from, to) = (store.load(&source).await.unwrap(), store.load(&copy).await.unwrap());
    assert_eq!(made, to.session);
    assert_eq!(to.session.turns, 2);
    assert_eq!(to.session.parent, Some(ForkPoint { session_id: source.clone(), turn_id: Some("turn_2".into()) }));
    assert_eq!((&to.messages[..], &to.items[..]), (&from.messages[..4], &from.items[..4]));
    assert_eq!(to.values, from.values);
    assert_eq!(to.turns[1].end, from.turns[1].end);
    let spent = to.turns[1].spent;
    assert_eq!((spent.usage.input_tokens, spent.cost, spent.last_request), (0, None, from.turns[1].spent.last_request));

    turn(&store, &copy, "turn_5", "elsewhere", "there", 100).await;
    assert_eq!(store.load(&copy).await.unwrap().messages.len(), 6);
    assert_eq!(store.load(&source).await.unwrap().messages.len(), 7);
    let hits = async |text: &str| {
        let query = SearchQuery { text: text.to_owned(), limit: 9, ..SearchQuery::default() };
        let hits = store.search(query).await.unwrap().hits;
        hits.iter().map(|hit| hit.session.session_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(hits("word2").await, ["ses_2", "ses_2", "ses_1", "ses_1"]);
    assert_eq!(hits("word3").await, ["ses_1", "ses_1"]);

    let whole = store.fork(&source, None, record("ses_3")).await.unwrap();
    assert_eq!(whole.turns, 3, "the turn that runs is not copied");
    for unknown in ["turn_4", "turn_9"] {
        let refused = store.fork(&source, Some(unknown.into()), record("ses_4")).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::SessionNotFound);
    }
}

#[tokio::test]
async fn an_export_is_imported_as_it_was_under_another_name_if_its_own_is_taken() {
    let (_folder, store) = store();
    let id = SessionId::from("ses_1");
    store.create(record("ses_1")).await.unwrap();
    turn(&store, &id, "turn_1", "Look", "I looked.", 20).await;
    store.spend(&id, spending(7)).await.unwrap();
    store.begin_turn(&id, start("turn_2", "Again", 30)).await.unwrap();
    let asked = vec![assistant(vec![text("Let me see."), call("c1")])];
    store.append(&id, Entries { messages: asked, items: vec![] }).await.unwrap();
    let before = store.load(&id).await.unwrap();

    let exported = to_json(&before).unwrap();
    let made = store.import(from_json(&exported).unwrap(), 50).await.unwrap();
    assert_ne!(made.session_id, id);
    let after = store.load(&made.session_id).await.unwrap();
    assert_eq!(after.session, SessionRecord { session_id: made.session_id.clone(), running: false, ..before.session });
    assert_eq!((&after.items, &after.expenses), (&before.items, &before.expenses));
    assert_eq!(after.turns[0], before.turns[0]);
    assert_eq!((after.turns[1].state, after.turns[1].ended_at), (TurnState::Interrupted, Some(50)));
    let (last, others) = after.messages.split_last().unwrap();
    assert_eq!(others, before.messages);
    assert!(
        matches!(&last.content[..], [MessageBlock::ToolResult(result)] if result.is_error && result.call_id == "c1")
    );

    store.delete(&id).await.unwrap();
    assert_eq!(store.import(from_json(&exported).unwrap(), 60).await.unwrap().session_id, id);
}

#[tokio::test]
async fn without_room_a_turn_does_not_begin_and_nothing_is_half_written() {
    let (_folder, store) = store();
    let id = SessionId::from("ses_1");
    store.create(record("ses_1")).await.unwrap();
    // As on a full disk: the file may not grow.
    let limit = |more: i64| {
        store.inner.writer.soon(move |connection| {
            let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            connection.query_row(&format!("PRAGMA max_page_count={}", pages + more), [], |_| Ok(()))?;
            Ok(())
        })
    };
    limit(20).await.unwrap();
    let long = "long ".repeat(100_000);
    let failed = store.begin_turn(&id, start("turn_1", &long, 20)).await.unwrap_err();
    assert_eq!(failed.code, ErrorCode::StoreFailed);
    assert!(failed.hint.unwrap().contains("disk is full"));
    store.change(&id, Some("small".to_owned()), None).await.unwrap();
    // What shares a transaction with it may fail with it, but never only seem to be written.
    let shared = store.change(&id, Some("other".to_owned()), None);
    let again = store.begin_turn(&id, start("turn_1", &long, 20));
    let title = if shared.await.is_ok() { "other" } else { "small" };
    assert_eq!(again.await.unwrap_err().code, ErrorCode::StoreFailed);
    let session = store.load(&id).await.unwrap();
    assert_eq!((session.turns.len(), session.messages.len(), session.items.len()), (0, 0, 0));
    assert_eq!(session.session.title, title);
    limit(100_000).await.unwrap();
    turn(&store, &id, "turn_1", &long, "ok", 30).await;
    assert_eq!(store.load(&id).await.unwrap().messages.len(), 2);
}

#[tokio::test]
async fn reading_does_not_wait_for_a_write() {
    let (_folder, store) = store();
    store.create(record("ses_1")).await.unwrap();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let stuck = store.inner.writer.soon(move |_| {
        wait.recv().ok();
        Ok(())
    });
    let session = store.load(&SessionId::from("ses_1")).await.unwrap();
    assert_eq!(session.session.session_id.as_str(), "ses_1");
    drop(go);
    stuck.await.unwrap();
}

#[tokio::test]
async fn more_than_the_queue_holds_is_refused_not_forgotten() {
    let (_folder, store) = store();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let stuck = store.inner.writer.soon(move |_| {
        wait.recv().ok();
        Ok(())
    });
    let waiting: Vec<_> = (0..5_000).map(|_| store.flush()).collect();
    drop(go);
    stuck.await.unwrap();
    let (mut done, mut refused) = (0, 0);
    for written in waiting {
        match written.await {
            Ok(()) => done += 1,
            Err(error) => {
                assert_eq!((error.code, error.retryable), (ErrorCode::ServerBusy, true));
                refused += 1;
            }
        }
    }
    assert!(done >= 2_047 && refused >= 2_000, "{done} done, {refused} refused");
}
