//! Sessions on disk: 10,000 sessions with 1,000,000 items in all, listed, searched and loaded. The worst of several
//! runs, each with another page or session.
//!
//! `cargo bench --bench store`. It makes a database of about half a gigabyte in the temporary directory, and removes it.
//! The exit code says whether what was read is whole, not whether it was fast.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measurement fails by panicking")]
#![allow(clippy::print_stdout, reason = "the table is printed")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use souffleur::chat::{ContentBlock, Item, ItemContent, ItemId, ItemStatus, Message, MessageBlock, SessionId, TurnId};
use souffleur::store::{
    Entries, ListQuery, SearchQuery, SessionRecord, Spending, Store, Transcript, TurnRecord, TurnStart, TurnState,
};

const SESSIONS: usize = 10_000;
/// Per session: of a prompt and an answer each.
const TURNS: usize = 50;
const RUNS: usize = 20;
/// How many sessions are handed in before the first is waited for.
const AHEAD: usize = 200;
const TARGET_MS: f64 = 50.0;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `cargo bench`");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Store::open(Some(folder.path()), 1).unwrap();
    assert!(opened.notices.is_empty(), "{:?}", opened.notices);
    let begun = Instant::now();
    let mut waiting = Vec::new();
    for number in 0..SESSIONS {
        waiting.push(opened.store.import(session(number), 1));
        if waiting.len() == AHEAD || number + 1 == SESSIONS {
            for written in waiting.drain(..) {
                written.await.unwrap();
            }
        }
    }
    drop(opened);
    let megabytes = std::fs::metadata(folder.path().join("sessions.db")).unwrap().len() / 1_000_000;
    println!("{SESSIONS} sessions, {} items, {megabytes} MB, made in {:.0?}\n", SESSIONS * TURNS * 2, begun.elapsed());
    println!("| what                                  | worst ms | median ms | target  |        |");
    println!("|---------------------------------------|---------:|----------:|---------|--------|");
    let began = Instant::now();
    let store = Store::open(Some(folder.path()), 1).unwrap().store;
    row("open", &mut [millis(began)]);
    reads(&store).await;
    turns(&store).await;
}

async fn reads(store: &Store) {
    let mut times = [const { Vec::new() }; 5];
    for run in 0..RUNS {
        let at = SessionId::from(name(SESSIONS - run * SESSIONS / RUNS).as_str());
        let began = Instant::now();
        let page = ListQuery { limit: 100, before: Some(at.clone()), ..ListQuery::default() };
        assert_eq!(store.list(page).await.unwrap().sessions.len(), 100);
        times[0].push(millis(began));

        let began = Instant::now();
        let workspace_uri = Some(workspace(run));
        let page = ListQuery { limit: 100, before: Some(at), workspace_uri, ..ListQuery::default() };
        assert!(!store.list(page).await.unwrap().sessions.is_empty());
        times[1].push(millis(began));

        let began = Instant::now();
        let id = SessionId::from(name(run * SESSIONS / RUNS).as_str());
        let loaded = store.load(&id).await.unwrap();
        assert_eq!((loaded.items.len(), loaded.messages.len()), (TURNS * 2, TURNS * 2));
        times[2].push(millis(began));

        let began = Instant::now();
        let text = format!("needle{}", run * SESSIONS / RUNS);
        let found = store.search(SearchQuery { text, limit: 20, ..SearchQuery::default() }).await.unwrap();
        assert!(!found.hits.is_empty());
        times[3].push(millis(began));

        let began = Instant::now();
        let text = "prompt".to_owned();
        let found = store.search(SearchQuery { text, limit: 20, ..SearchQuery::default() }).await.unwrap();
        assert_eq!(found.hits.len(), 20);
        times[4].push(millis(began));
    }
    let names = [
        "a page of 100 of all sessions",
        "a page of 100 of one workspace",
        "load a session of 100 items",
        "search a rare word",
        "search a word of every turn",
    ];
    for (name, times) in names.iter().zip(&mut times) {
        row(name, times);
    }
}

/// How long a prompt waits for the disk.
async fn turns(store: &Store) {
    let id = SessionId::from("ses_bench");
    store.create(SessionRecord { session_id: id.clone(), turns: 0, ..record(0) }).await.unwrap();
    let mut times = [0.0; RUNS];
    for (run, time) in times.iter_mut().enumerate() {
        let turn_id = TurnId::from(format!("turn_{run}").as_str());
        let entries = Entries { messages: vec![message(true, "go on")], items: vec![item(&turn_id, 0, "go on", true)] };
        let (model, title) = ("sim:default".to_owned(), String::new());
        let began = Instant::now();
        store
            .begin_turn(&id, TurnStart { turn_id: turn_id.clone(), model, simulated: true, title, entries, at: 1 })
            .await
            .unwrap();
        *time = millis(began);
        store.end_turn(&id, finish()).await.unwrap();
    }
    row("a prompt is on the disk", &mut times);
}

fn finish() -> souffleur::store::TurnFinish {
    let end = souffleur::chat::TurnEnd {
        stop_reason: souffleur::chat::TurnStopReason::EndTurn,
        usage: souffleur::chat::Usage::default(),
        cost: None,
        output: None,
        error: None,
    };
    souffleur::store::TurnFinish { entries: Entries::default(), end, spent: Spending::default(), at: 2 }
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

fn row(name: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let (worst, median) = (times[times.len() - 1], times[times.len() / 2]);
    let met = if worst <= TARGET_MS { "met" } else { "missed" };
    println!("| {name:<37} | {worst:>8.2} | {median:>9.2} | ≤ {TARGET_MS} ms | {met:<6} |");
}

fn name(number: usize) -> String {
    format!("ses_{number:06}")
}

fn workspace(number: usize) -> String {
    format!("file:///projects/{}", number % 50)
}

fn record(number: usize) -> SessionRecord {
    SessionRecord {
        session_id: SessionId::from(name(number).as_str()),
        title: format!("The session needle{number}"),
        model: "sim:default".to_owned(),
        simulated: true,
        workspace_uri: Some(workspace(number)),
        mode: None,
        parent: None,
        turns: TURNS as u64,
        running: false,
        created_at: number as u64,
        updated_at: number as u64,
    }
}

fn session(number: usize) -> Transcript {
    let (mut turns, mut messages, mut items) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let turn_id = TurnId::from(format!("turn_{number}_{turn}").as_str());
        turns.push(TurnRecord {
            turn_id: turn_id.clone(),
            model: "sim:default".to_owned(),
            state: TurnState::Ended,
            end: None,
            spent: Spending::default(),
            first_message: messages.len() as u64,
            first_item: items.len() as u64,
            started_at: 1,
            ended_at: Some(2),
        });
        let prompt = format!("prompt {turn} of {number}: why is the function so slow when it is called twice?");
        let answer = format!("answer {turn}: because it reads the file again. {}", "Keep what was read. ".repeat(5));
        messages.extend([message(true, &prompt), message(false, &answer)]);
        items.extend([item(&turn_id, 0, &prompt, true), item(&turn_id, 1, &answer, false)]);
    }
    Transcript {
        session: record(number),
        turns,
        messages,
        items,
        running: Vec::new(),
        expenses: Vec::new(),
        values: BTreeMap::new(),
    }
}

fn message(user: bool, text: &str) -> Arc<Message> {
    let content = vec![MessageBlock::Text { text: text.to_owned() }];
    Arc::new(if user { Message::user(content) } else { Message::assistant(content, "sim:default".into()) })
}

fn item(turn: &TurnId, number: usize, text: &str, user: bool) -> Item {
    let content = if user {
        ItemContent::UserMessage { content: vec![ContentBlock::text(text)] }
    } else {
        ItemContent::Message { text: text.to_owned() }
    };
    Item { id: ItemId::nth(turn, number), turn_id: turn.clone(), status: ItemStatus::Completed, content }
}
