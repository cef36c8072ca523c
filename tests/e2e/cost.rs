//! The cost of a long session, to the millionth of a dollar, against a calculation that knows only the published
//! prices.

use serde_json::{Value, json};
use souffleur::chat::{Cost, TurnStopReason};

use crate::support::answer::{Answer, Style};
use crate::support::editor::Editor;
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendor::Vendor;

const SONNET: &str = "anthropic:claude-sonnet-5-5";
const HAIKU: &str = "anthropic:claude-haiku-5-5";
const TURNS: u64 = 30;

/// Published prices: input, output, cache read, cache write for five minutes and for an hour, each in millionths of a
/// dollar per million tokens.
struct Published([u64; 5]);

const SONNET_PRICES: Published = Published([2_000_000, 10_000_000, 100_000, 2_500_000, 4_000_000]);
const HAIKU_PRICES: Published = Published([100_000, 500_000, 10_000, 125_000, 200_000]);
/// For the whole of a request with more than 100,000 tokens of input.
const HAIKU_LONG_PRICES: Published = Published([500_000, 2_500_000, 50_000, 625_000, 1_000_000]);

/// What one request used.
#[derive(Clone, Copy, Debug)]
struct Request {
    input: u64,
    output: u64,
    read: u64,
    write_5m: u64,
    write_1h: u64,
}

impl Request {
    fn whole_input(self) -> u64 {
        self.input + self.read + self.write_5m + self.write_1h
    }

    fn published(self, model: &str) -> Published {
        match model {
            SONNET => SONNET_PRICES,
            _ if self.whole_input() > 100_000 => HAIKU_LONG_PRICES,
            _ => HAIKU_PRICES,
        }
    }

    /// The cost in millionths of a dollar, a half rounded up, and what it would have been without a cache.
    fn by_hand(self, model: &str) -> (u64, u64) {
        let Published([input, output, read, write_5m, write_1h]) = self.published(model);
        let paid = self.input * input
            + self.output * output
            + self.read * read
            + self.write_5m * write_5m
            + self.write_1h * write_1h;
        let uncached = self.whole_input() * input + self.output * output;
        let round = |millionths: u64| millionths / 1_000_000 + u64::from(millionths % 1_000_000 >= 500_000);
        (round(paid), round(uncached))
    }

    fn begin(self) -> Value {
        json!({
            "input_tokens": self.input, "output_tokens": 3, "cache_read_input_tokens": self.read,
            "cache_creation_input_tokens": self.write_5m + self.write_1h,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.write_5m, "ephemeral_1h_input_tokens": self.write_1h}})
    }

    /// The last word on the usage: only the output, or all counts once more, as the service sends both.
    fn end(self, whole: bool) -> Value {
        let mut usage = if whole { self.begin() } else { json!({}) };
        usage["output_tokens"] = json!(self.output);
        usage["output_tokens_details"] = json!({"thinking_tokens": self.output / 3});
        usage
    }
}

/// A session whose context grows: each request reads what the one before it wrote, and writes what came since. Sizes
/// vary by a fixed rule. `(the turn's model, its requests)`.
fn session() -> Vec<(&'static str, Vec<Request>)> {
    let mut state: u64 = 20_261_120;
    let mut vary = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let mut cached = 0;
    let mut turns = Vec::new();
    for turn in 0..TURNS {
        // Every third turn goes to the small model, which finds nothing of the other's cache.
        let model = if turn % 3 == 2 { HAIKU } else { SONNET };
        let mut requests = Vec::new();
        for number in 0..=(1 + vary(2)) {
            let fresh = 1 + vary(900);
            let written = 700 + vary(2_500);
            let hour = if turn % 4 == 1 { vary(written) } else { 0 };
            let read = if model == HAIKU && number == 0 { 0 } else { cached };
            let written = written + if read == 0 { cached } else { 0 };
            let output = 40 + vary(1_900);
            requests.push(Request { input: fresh, output, read, write_5m: written - hour, write_1h: hour });
            cached = read + written;
        }
        turns.push((model, requests));
    }
    // Exactly at the border of the long requests, and one token above it.
    for (turn, more) in [(2, 0), (5, 1)] {
        let (model, requests) = &mut turns[turn];
        assert_eq!(*model, HAIKU);
        requests[0] = Request { input: 1_234 + more, output: 777, read: 88_766, write_5m: 6_001, write_1h: 3_999 };
    }
    turns
}

fn script(vendor: &Vendor, turns: &[(&str, Vec<Request>)]) {
    let mut number = 0;
    for (_, requests) in turns {
        for (at, request) in requests.iter().enumerate() {
            number += 1;
            let answer = Answer::with_usage(Style::Padded, &request.begin()).thinking(&["hm"], "c2ln");
            let last = at + 1 == requests.len();
            let answer = if last {
                answer.text(&["So it is."])
            } else {
                answer.tool_use(&format!("toolu_{number}"), "read_file", &["{\"path\":", "\"notes.md\"}"])
            };
            let stop = if last { "end_turn" } else { "tool_use" };
            vendor.push(answer.end_with(stop, &request.end(number % 2 == 0)).script());
        }
    }
}

fn run(editor: &Editor, session: &str, model: &str, number: usize) -> Turn {
    let token = editor.token();
    let content = json!([{"type": "text", "text": format!("Step {number}")}]);
    let params = json!({"sessionId": session, "streamToken": token, "content": content, "model": model});
    let result = editor.call_ok("souffleur/session/prompt", params);
    let mut turn = editor.turn_of(token, result["turnId"].as_str().unwrap());
    editor.finish(&mut turn);
    turn
}

/// What the requests cost by hand, and what the cache saved.
fn sum(model: &str, requests: &[Request]) -> Cost {
    let mut cost = Cost::default();
    for request in requests {
        let (paid, uncached) = request.by_hand(model);
        cost.micro_usd += paid;
        cost.saved_micro_usd += i64::try_from(uncached).unwrap() - i64::try_from(paid).unwrap();
    }
    cost
}

#[test]
fn thirty_turns_with_tools_on_two_models_cost_what_the_published_prices_say() {
    let turns = session();
    let vendor = Vendor::start();
    script(&vendor, &turns);
    let editor = Setup::anthropic(&vendor).file("notes.md", "It is so.\n").start();
    let session = editor.new_session();
    let mut total = Cost::default();
    for (number, (model, requests)) in turns.iter().enumerate() {
        let turn = run(&editor, &session, model, number);
        turn.assert_stop(TurnStopReason::EndTurn);
        let expected = sum(model, requests);
        assert_eq!(turn.end().cost, Some(expected), "turn {number} with {model}: {requests:?}");
        assert_eq!(turn.end().usage.output_tokens, requests.iter().map(|request| request.output).sum::<u64>());
        total.micro_usd += expected.micro_usd;
        total.saved_micro_usd += expected.saved_micro_usd;
    }
    let said = editor.call_ok("souffleur/session/usage", json!({"sessionId": session}));
    assert_eq!(said["cost"], json!({"microUsd": total.micro_usd, "savedMicroUsd": total.saved_micro_usd}));
    assert_eq!(said["turns"], TURNS);
    let all: Vec<_> = turns.iter().flat_map(|(_, requests)| requests).collect();
    let sum_of = |count: fn(&Request) -> u64| all.iter().map(|request| count(request)).sum::<u64>();
    assert_eq!(said["usage"]["cacheReadTokens"], sum_of(|request| request.read));
    assert_eq!(said["usage"]["cacheWriteTokens"], sum_of(|request| request.write_5m + request.write_1h));
    assert_eq!(said["usage"]["cacheWrite1hTokens"], sum_of(|request| request.write_1h));
    let last = all.last().unwrap();
    assert_eq!(said["lastRequest"]["contextTokens"], last.whole_input() + last.output);
    assert_eq!(vendor.request_count(), all.len());
}

/// The session above has what makes costs go wrong.
#[test]
fn the_session_has_every_kind_of_request() {
    let turns = session();
    let all = || turns.iter().flat_map(|(model, requests)| requests.iter().map(move |request| (*model, *request)));
    let count = |what: fn((&str, Request)) -> bool| all().filter(|pair| what(*pair)).count();
    assert_eq!(turns.len(), 30);
    assert!(turns.iter().all(|(_, requests)| requests.len() >= 2), "each turn calls a tool");
    assert!(count(|(model, request)| model == HAIKU && request.whole_input() > 100_000) > 1);
    assert!(count(|(model, request)| model == HAIKU && request.whole_input() < 100_000) > 1);
    assert_eq!(count(|(model, request)| model == HAIKU && request.whole_input() == 100_000), 1);
    assert_eq!(count(|(model, request)| model == HAIKU && request.whole_input() == 100_001), 1);
    assert!(count(|(model, request)| model == SONNET && request.whole_input() > 100_000) > 1, "no premium there");
    assert!(count(|(_, request)| request.write_1h > 0 && request.write_5m > 0 && request.read > 0) > 5);
    assert!(count(|(_, request)| request.read == 0) > 5, "a cache that is missed");
    // The calculation itself, done on paper once.
    let paper = Request { input: 10, output: 7, read: 3, write_5m: 2, write_1h: 1 };
    // 10*2 + 7*10 + 3*0.1 + 2*2.5 + 1*4 = 99.3; without a cache 16*2 + 70 = 102.
    assert_eq!(paper.by_hand(SONNET), (99, 102));
    // 10*0.1 + 7*0.5 + 3*0.01 + 2*0.125 + 1*0.2 = 4.98; without a cache 1.6 + 3.5 = 5.1.
    assert_eq!(paper.by_hand(HAIKU), (5, 5));
}
