//! The figures, each measured on the floor and on the server by turns.

use std::collections::BTreeMap;

use serde_json::json;

use crate::clock;
use crate::peer::Peer;
use crate::process;
use crate::record::{Piece, check_flood, latencies};
use crate::server::{self, Server};
use crate::table::{Row, Target};

type Measure = fn(&str) -> Vec<Row>;

/// All figures by name. Each takes the upstream's address.
pub const ALL: [(&str, Measure); 8] = [
    ("start", start),
    ("latency", latency),
    ("flood", flood),
    ("block", block),
    ("turns", turns),
    ("cancel", cancel),
    ("sixteen", sixteen),
    ("idle", idle),
];

const END: &str = "\"end\":true";
/// Deltas of a stream whose latency is measured, and the microseconds between them.
const STAMPED: (usize, usize) = (500, 2_000);
const FLOOD: usize = 20_000;

fn millis(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / 1e6
}

/// The value below which `share` of the values lie.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

fn median_known(values: &[Option<f64>]) -> Option<f64> {
    values.iter().copied().collect::<Option<Vec<f64>>>().map(|values| median(&values))
}

fn median_of(runs: &[Vec<f64>], share: f64) -> f64 {
    median(&runs.iter().map(|run| quantile(run, share)).collect::<Vec<_>>())
}

/// Milliseconds of processor time since `before`.
fn used(pid: u32, before: Option<f64>) -> Option<f64> {
    Some(process::cpu_ms(pid)? - before?)
}

fn ready(floor: &mut Peer) -> u64 {
    floor.send(b"ready\n");
    let at = floor.read_until("\"ready\"", 1);
    floor.take();
    at
}

fn only(streams: BTreeMap<String, Vec<Piece>>) -> Vec<Piece> {
    assert_eq!(streams.len(), 1, "one stream");
    streams.into_values().next().unwrap()
}

/// From the start of the process to its first answer; memory then; the binary's size.
fn start(upstream: &str) -> Vec<Row> {
    let (mut floors, mut ours, mut floor_memory, mut memory) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..21 {
        let mut floor = server::floor(upstream);
        let at = ready(&mut floor);
        floors.push(millis(floor.spawned(), at));
        floor_memory.push(process::resident_mb(floor.pid()));
        floor.end();
        let mut server = Server::spawn(upstream);
        let at = server.initialize();
        ours.push(millis(server.peer.spawned(), at));
        memory.push(process::resident_mb(server.peer.pid()));
        server.end();
    }
    vec![
        Row::both("start → initialize answered, ms", median(&floors), median(&ours), Target::Ratio(2.5)),
        Row {
            figure: "memory after initialize, MB",
            floor: median_known(&floor_memory),
            ours: median_known(&memory),
            target: Target::AtMost(12.0),
        },
        Row::ours("size of the program, MB", Some(server::binary_mb()), Target::AtMost(15.0)),
    ]
}

/// From the upstream's write of a delta to the editor's read. Where the scheduler puts the processes matters, so there
/// are several pairs of them.
fn latency(upstream: &str) -> Vec<Row> {
    let plan = format!("plan stamped {} {}", STAMPED.0, STAMPED.1);
    let (mut floors, mut ours, mut floor_cpu, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        let (mut floor, mut server) = (server::floor(upstream), Server::start(upstream));
        ready(&mut floor);
        for _ in 0..2 {
            let before = process::cpu_ms(floor.pid());
            floor.send(format!("{plan}\n").as_bytes());
            floor.read_until(END, 1);
            floor_cpu.push(used(floor.pid(), before));
            floors.push(latencies(&only(floor.take().floor_text()), STAMPED.0));
            let session = server.session();
            let prompt = server.prompt(&session, &plan);
            let before = process::cpu_ms(server.peer.pid());
            server.peer.send(&prompt);
            server.read_ends(1);
            cpu.push(used(server.peer.pid(), before));
            ours.push(latencies(&only(server.peer.take().server_text("end_turn")), STAMPED.0));
        }
        floor.end();
        server.end();
    }
    let row = |figure, share, most| {
        Row::both(figure, median_of(&floors, share), median_of(&ours, share), Target::Ratio(most))
    };
    let each = |cpu: &[Option<f64>]| median_known(cpu).map(|ms| ms * 1e3 / STAMPED.0 as f64);
    vec![
        row("latency of a delta, p50, µs", 0.5, 1.5),
        row("latency of a delta, p99, µs", 0.99, 2.0),
        Row { figure: "CPU of such a delta, µs", floor: each(&floor_cpu), ours: each(&cpu), target: Target::None },
    ]
}

/// Deltas as fast as the upstream can write them, one by one.
fn flood(upstream: &str) -> Vec<Row> {
    let seen = deluge(upstream, "flood");
    vec![
        Row::both("20,000 deltas, wall ms", seen.floor_wall, seen.wall, Target::None),
        seen.cpu("20,000 deltas, CPU ms"),
        Row::both("20,000 deltas, messages", FLOOD as f64, seen.messages, Target::None),
        Row::ours("memory after 20,000 deltas, MB", seen.memory, Target::None),
    ]
}

/// The same in one write: no time is spent on waking up, all of it on the deltas.
fn block(upstream: &str) -> Vec<Row> {
    let seen = deluge(upstream, "block");
    vec![
        Row::both("20,000 deltas in a block, wall ms", seen.floor_wall, seen.wall, Target::None),
        seen.cpu("20,000 deltas in a block, CPU ms"),
    ]
}

/// What was seen of many deltas at once; medians.
struct Deluge {
    floor_wall: f64,
    wall: f64,
    floor_cpu: Option<f64>,
    cpu: Option<f64>,
    /// How many messages brought the deltas.
    messages: f64,
    memory: Option<f64>,
}

impl Deluge {
    fn cpu(&self, figure: &'static str) -> Row {
        Row { figure, floor: self.floor_cpu, ours: self.cpu, target: Target::Ratio(4.0) }
    }
}

fn deluge(upstream: &str, kind: &str) -> Deluge {
    let plan = format!("plan {kind} {FLOOD}");
    let (mut floor_wall, mut floor_cpu, mut wall, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut messages, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let (mut floor, mut server) = (server::floor(upstream), Server::start(upstream));
        ready(&mut floor);
        let (before, from) = (process::cpu_ms(floor.pid()), clock::nanos());
        floor.send(format!("{plan}\n").as_bytes());
        floor_wall.push(millis(from, floor.read_until(END, 1)));
        floor_cpu.push(used(floor.pid(), before));
        check_flood(&only(floor.take().floor_text()), FLOOD);
        // A session of its own: no history is sent along.
        let session = server.session();
        let prompt = server.prompt(&session, &plan);
        let pid = server.peer.pid();
        let (before, from) = (process::cpu_ms(pid), clock::nanos());
        server.peer.send(&prompt);
        wall.push(millis(from, server.read_ends(1)));
        cpu.push(used(pid, before));
        memory.push(process::resident_mb(pid));
        let pieces = only(server.peer.take().server_text("end_turn"));
        check_flood(&pieces, FLOOD);
        messages.push(pieces.len() as f64);
        floor.end();
        server.end();
    }
    Deluge {
        floor_wall: median(&floor_wall),
        wall: median(&wall),
        floor_cpu: median_known(&floor_cpu),
        cpu: median_known(&cpu),
        messages: median(&messages),
        memory: median_known(&memory),
    }
}

/// Turns whose answer is one delta, a hundred in one session.
fn turns(upstream: &str) -> Vec<Row> {
    let (mut floor, mut server) = (server::floor(upstream), Server::start(upstream));
    ready(&mut floor);
    let (mut floors, mut ours) = (vec![Vec::new(); 100], vec![Vec::new(); 100]);
    for _ in 0..7 {
        let session = server.session();
        for turn in 0..100 {
            let from = clock::nanos();
            floor.send(b"plan trivial\n");
            floors[turn].push(millis(from, floor.read_until(END, 1)));
            assert_eq!(only(floor.take().floor_text())[0].text, "Hello.");
            let prompt = server.prompt(&session, "plan trivial");
            let from = clock::nanos();
            server.peer.send(&prompt);
            ours[turn].push(millis(from, server.read_ends(1)));
            assert_eq!(only(server.peer.take().server_text("end_turn"))[0].text, "Hello.");
        }
    }
    floor.end();
    server.end();
    let between = |runs: &[Vec<f64>], from: usize| median(&runs[from..from + 10].concat());
    let (early, late) = (between(&ours, 1), between(&ours, 90));
    vec![
        Row::both("trivial turn, turns 2–11, ms", between(&floors, 1), early, Target::AtMost(3.0)),
        Row::both("trivial turn, turns 91–100, ms", between(&floors, 90), late, Target::AtMost(3.0)),
        Row::ours("turns 91–100 / turns 2–11", Some(late / early), Target::AtMost(1.1)),
    ]
}

/// From `session/cancel`, in mid-stream, to the turn's end.
fn cancel(upstream: &str) -> Vec<Row> {
    let mut server = Server::start(upstream);
    let session = server.session();
    let mut ours = Vec::new();
    for _ in 0..31 {
        let prompt = server.prompt(&session, "plan stamped 10000 5000");
        server.peer.send(&prompt);
        server.peer.read_until("\"itemDelta\"", 5);
        let from = clock::nanos();
        let marker = server.ask("souffleur/session/cancel", &json!({"sessionId": session}));
        ours.push(millis(from, server.read_ends(1)));
        server.peer.read_until(&marker, 1);
        server.peer.take().server_text("cancelled");
    }
    server.end();
    vec![Row::ours("cancel → turn's end, ms", Some(median(&ours)), Target::AtMost(2.0))]
}

/// Sixteen streams at once: sixteen sessions of one server; sixteen threads of one floor, each with its connection. The
/// streams' deltas are evenly spread over time, for both alike.
fn sixteen(upstream: &str) -> Vec<Row> {
    const STREAMS: usize = 16;
    let step = STAMPED.1 / STREAMS;
    let plan = format!("plan stamped {} {}", STAMPED.0, STAMPED.1);
    let (mut floors, mut ours, mut floor_wall, mut wall) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let all = |streams: BTreeMap<String, Vec<Piece>>| {
        assert_eq!(streams.len(), STREAMS, "all streams");
        streams.values().flat_map(|pieces| latencies(pieces, STAMPED.0)).collect::<Vec<f64>>()
    };
    for _ in 0..5 {
        let (mut floor, mut server) = (server::floor(upstream), Server::start(upstream));
        ready(&mut floor);
        let from = clock::nanos();
        floor.send(format!("all {STREAMS} {step} {plan}\n").as_bytes());
        floor_wall.push(millis(from, floor.read_until(END, STREAMS)));
        floors.push(all(floor.take().floor_text()));
        floor.end();
        let sessions: Vec<String> = (0..STREAMS).map(|_| server.session()).collect();
        let prompt = |(number, session): (usize, &String)| server.prompt(session, &format!("{plan} {}", number * step));
        let prompts: Vec<u8> = sessions.iter().enumerate().flat_map(prompt).collect();
        let from = clock::nanos();
        server.peer.send(&prompts);
        wall.push(millis(from, server.read_ends(STREAMS)));
        ours.push(all(server.peer.take().server_text("end_turn")));
        server.end();
    }
    let row = |figure, share| Row::both(figure, median_of(&floors, share), median_of(&ours, share), Target::Ratio(2.0));
    vec![
        row("16 sessions, latency p50, µs", 0.5),
        row("16 sessions, latency p99, µs", 0.99),
        Row::both("16 sessions, wall ms", median(&floor_wall), median(&wall), Target::None),
    ]
}

/// What an idle server does: after a turn, nothing.
fn idle(upstream: &str) -> Vec<Row> {
    let mut server = Server::start(upstream);
    let session = server.session();
    let prompt = server.prompt(&session, "plan trivial");
    server.peer.send(&prompt);
    server.read_ends(1);
    // What the turn left to be done is no idling.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let pid = server.peer.pid();
    let before = process::switches(pid);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let woken = process::switches(pid).zip(before).map(|(after, before)| after - before);
    server.end();
    vec![Row::ours("idle wake-ups in 2 s", woken, Target::AtMost(0.0))]
}
