//! A server killed at any moment. The tests start this very program again as that server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::test_support::*;
use super::*;
use crate::chat::ItemContent;
use crate::error::ErrorCode;

/// Where the child keeps its sessions, and where it tells what was acknowledged.
const FOLDER: &str = "SOUFFLEUR_TEST_STORE";
const PORT: &str = "SOUFFLEUR_TEST_PORT";
/// Which session it runs.
const SESSION: &str = "SOUFFLEUR_TEST_SESSION";

/// How often the server is killed.
const ROUNDS: usize = 40;

/// What the child says in its turn `number`, long enough for several pages.
fn reply(number: usize) -> String {
    format!("reply {number} {}", "lorem ipsum ".repeat(number % 7 * 100))
}

fn thought(number: usize) -> String {
    format!("thought {number} {}", "dolor ".repeat(number % 5 * 50))
}

/// Runs turns for ever, and tells of each step when it was acknowledged.
#[tokio::test]
#[ignore = "it is the server that the other tests start"]
async fn child() {
    let (Ok(folder), Ok(port), Ok(session)) = (std::env::var(FOLDER), std::env::var(PORT), std::env::var(SESSION))
    else {
        return;
    };
    let mut out = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    let mut tell = |line: &str| {
        if writeln!(out, "{line}").is_err() {
            std::process::exit(0);
        }
    };
    let opened = Store::open(Some(folder.as_ref()), 5).unwrap();
    assert_eq!(opened.notices, []);
    let (store, id) = (opened.store, SessionId::from(session.as_str()));
    store.create(record(&session)).await.unwrap();
    tell("created");
    for number in 0.. {
        let name = format!("turn_{number}");
        let turn = TurnId::from(name.as_str());
        store.begin_turn(&id, start(&name, &format!("prompt {number}"), 20)).await.unwrap();
        tell("began");
        let thinking = ItemContent::Thinking { text: thought(number), redacted: false };
        let growing = vec![running(&turn, 1, thinking.clone())];
        store.checkpoint(&id, Checkpoint { items: growing, spent: spending(1) }).await.unwrap();
        store.append(&id, Entries { messages: vec![], items: vec![item(&turn, 1, thinking)] }).await.unwrap();
        tell("item");
        let asks = vec![assistant(vec![text("Let me look."), call(&name)])];
        store.append(&id, Entries { messages: asks, items: vec![] }).await.unwrap();
        tell("message");
        let results = vec![std::sync::Arc::new(crate::chat::Message::user(vec![answer(&name)]))];
        store.append(&id, Entries { messages: results, items: vec![] }).await.unwrap();
        tell("message");
        let mut finish = finish(&name, &reply(number), 30);
        finish.entries.items[0].id = crate::chat::ItemId::nth(&turn, 2);
        store.end_turn(&id, finish).await.unwrap();
        tell("ended");
    }
}

struct Server {
    child: Child,
    said: BufReader<TcpStream>,
}

impl Server {
    fn start(folder: &tempfile::TempDir, session: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::crash_tests::child", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(PORT, listener.local_addr().unwrap().port().to_string())
            .env(SESSION, session)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (stream, _) = listener.accept().unwrap();
        Self { child, said: BufReader::new(stream) }
    }

    /// The next `count` steps that it tells of.
    fn next(&mut self, count: usize) -> Vec<String> {
        let lines = self.said.by_ref().lines().take(count);
        let lines: Vec<_> = lines.map(|line| line.unwrap()).collect();
        assert_eq!(lines.len(), count, "the server ended by itself");
        lines
    }

    /// Kills it; gives back what it told of until then.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // Half a line at the end was not told.
        let mut lines: Vec<_> = self.said.split(b'\n').map_while(Result::ok).collect();
        if lines.last().is_some_and(|line| !STEPS.iter().any(|step| step.as_bytes() == line)) {
            lines.pop();
        }
        lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }
}

const STEPS: [&str; 5] = ["created", "began", "item", "message", "ended"];

fn count(steps: &[String], step: &str) -> usize {
    steps.iter().filter(|said| *said == step).count()
}

#[tokio::test]
async fn a_server_killed_at_any_moment_loses_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = uuid::Uuid::new_v4().as_u128() | 1;
    let mut interrupted = 0;
    for round in 0..ROUNDS {
        let session = format!("ses_{round:02}");
        let mut server = Server::start(&folder, &session);
        random = random.wrapping_mul(0xda94_2042_e4dd_58b5_9e37_79b9_7f4a_7c15).rotate_left(29);
        let mut steps = server.next((random >> 64) as usize % 60 + 1);
        // Not at the step itself, but somewhere on the way to the next.
        thread::sleep(Duration::from_micros((random >> 32) as u64 % 2_000));
        steps.extend(server.kill());

        let opened = open(&folder);
        assert_eq!(opened.notices, [], "round {round}: the database opens");
        interrupted += opened.interrupted.len();
        let (store, id) = (opened.store, SessionId::from(session.as_str()));
        let loaded = store.load(&id).await.unwrap();
        holds(&loaded, &steps);
        // And it can go on.
        assert_eq!(store.take(&id, 60).await.unwrap(), None, "it is closed already");
        turn(&store, &id, "turn_after", "go on", "gladly", 70).await;
        from_json(&to_json(&store.load(&id).await.unwrap()).unwrap()).unwrap();
        drop(store);
        let connection = rusqlite::Connection::open(folder.path().join("sessions.db")).unwrap();
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok", "round {round}");
        connection.execute_batch("INSERT INTO texts (texts, rank) VALUES ('integrity-check', 0)").unwrap();
    }
    assert!(interrupted > 0, "none of {ROUNDS} kills came in the middle of a turn");
    let sessions = open(&folder).store.list(ListQuery { limit: 100, ..ListQuery::default() }).await.unwrap().sessions;
    assert_eq!(sessions.len(), ROUNDS);
}

/// Whether a session has all that was acknowledged, as it was, and no turn that runs.
fn holds(loaded: &Transcript, steps: &[String]) {
    assert!(count(steps, "created") == 1 && loaded.turns.len() >= count(steps, "began"));
    assert!(loaded.turns.iter().filter(|turn| turn.state == TurnState::Ended).count() >= count(steps, "ended"));
    assert!(loaded.messages.len() >= count(steps, "began") + count(steps, "message") + count(steps, "ended"));
    assert_eq!((loaded.running.len(), loaded.session.running), (0, false));
    let texts = |wanted: fn(&ItemContent) -> Option<&str>| -> Vec<String> {
        loaded.items.iter().filter_map(|item| wanted(&item.content)).map(str::to_owned).collect()
    };
    let thoughts = texts(|content| match content {
        ItemContent::Thinking { text, .. } => Some(text),
        _ => None,
    });
    let replies = texts(|content| match content {
        ItemContent::Message { text } => Some(text),
        _ => None,
    });
    let acknowledged = (count(steps, "item"), count(steps, "ended"));
    assert_eq!(thoughts[..acknowledged.0], (0..acknowledged.0).map(thought).collect::<Vec<_>>());
    assert_eq!(replies[..acknowledged.1], (0..acknowledged.1).map(reply).collect::<Vec<_>>());
    assert!(
        loaded.turns.iter().rev().skip(1).all(|turn| turn.state == TurnState::Ended),
        "only the last turn may be interrupted"
    );
}

#[tokio::test]
async fn two_servers_share_the_database_and_one_has_the_session() {
    let (folder, store) = store();
    let (mine, other) = (SessionId::from("ses_mine"), SessionId::from("ses_other"));
    store.create(record("ses_mine")).await.unwrap();
    let mut server = Server::start(&folder, "ses_other");
    server.next(1);
    for number in 0..50 {
        turn(&store, &mine, &format!("turn_{number}"), "mine", "yes", 20).await;
        server.next(3);
    }
    // The other's session can be read and copied, not written.
    let seen = store.load(&other).await.unwrap();
    assert!(seen.turns.len() >= 25);
    for refused in [
        store.take(&other, 40).await.map(|_| ()),
        store.begin_turn(&other, start("turn_x", "x", 20)).await.map(|_| ()),
        store.change(&other, Some("x".to_owned()), None).await,
        store.delete(&other).await,
        store.release(&other).await,
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::SessionInUse);
    }
    let copied = store.fork(&other, None, record("ses_fork")).await.unwrap();
    assert!(copied.turns >= 24);
    server.kill();

    // With its server gone, the session is free, its turn closed at most once.
    let interrupted = store.take(&other, 50).await.unwrap();
    let loaded = store.load(&other).await.unwrap();
    assert_eq!(interrupted.is_some(), loaded.turns.last().unwrap().state == TurnState::Interrupted);
    assert_eq!(store.take(&other, 51).await.unwrap(), None);
    turn(&store, &other, "turn_after", "go on", "gladly", 70).await;
    assert_eq!(store.load(&mine).await.unwrap().messages.len(), 100);
}
