//! The same session of three turns through every provider and every built-in profile: a tool, thinking, an image and a
//! structured answer. Each vendor turns away requests that it would not take; what the requests hold is compared in no
//! vendor's words.

use std::sync::Arc;

use serde_json::{Value, json};
use souffleur::chat::{Item, ItemContent, ItemStatus, TurnStopReason, Usage};
use souffleur::provider::openai::Profile;

use crate::support::editor::Editor;
use crate::support::script::Script;
use crate::support::secrets::PLAIN_KEY;
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendor::{Request, Vendor};
use crate::support::vendors::dialects::{DIALECTS, Dialect, Goes, Thinks, dialect};
use crate::support::vendors::{Asked, Called, Decode, Entry, Said, anthropic, chat, demand, oci, ollama, responses};

/// A picture of one point.
pub const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const THOUGHT: &str = "I should read the file first.";
const CALL: &str = "callNotes";

/// What goes back to a model of what it thought: in the request with the tool's result, and in those of later turns.
#[derive(Clone, Copy)]
struct Back {
    at_once: bool,
    later: bool,
}

/// A provider and its vendor.
#[expect(clippy::struct_excessive_bools, reason = "a table of what a vendor takes")]
struct Case {
    /// Which, for people.
    name: String,
    /// The model, as `provider:model`.
    model: String,
    /// The user's settings of the provider. `URL` stands for the vendor's address.
    settings: String,
    /// Reads requests.
    decode: Decode,
    /// Writes answers.
    answer: Box<dyn Fn(&Said) -> Script>,
    /// Whether thinking is shown.
    shows: bool,
    back: Back,
    images: bool,
    schema: bool,
    effort: Option<&'static str>,
    temperature: Option<f64>,
    /// Whether the system prompt stands in the user's first message.
    lead: bool,
    told: Vec<&'static str>,
    limit: u64,
    usage: Usage,
}

/// What [`Said`] counts.
fn usage(thinking_tokens: u64) -> Usage {
    Usage { input_tokens: 60, output_tokens: 20, cache_read_tokens: 40, thinking_tokens, ..Usage::default() }
}

impl Case {
    fn new(
        name: &str,
        model: &str,
        settings: &str,
        decode: impl Fn(&Request) -> Result<Asked, String> + Send + Sync + 'static,
        answer: impl Fn(&Said) -> Script + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            model: model.to_owned(),
            settings: settings.to_owned(),
            decode: Arc::new(decode),
            answer: Box::new(answer),
            shows: true,
            back: Back { at_once: true, later: true },
            images: true,
            schema: true,
            effort: Some("high"),
            temperature: None,
            lead: false,
            told: Vec::new(),
            limit: 1000,
            usage: usage(8),
        }
    }

    /// A server that speaks Chat Completions.
    fn chat(dialect: &'static Dialect) -> Self {
        let name = dialect.name;
        let base = if name == "azure" { "URL" } else { "URL/v1" };
        let api = if name == "openai" { "api = \"chat\"\n" } else { "" };
        let settings = format!("[providers.{name}]\nbaseUrl = \"{base}\"\napiKey = \"{PLAIN_KEY}\"\n{api}");
        let decode = move |request: &Request| chat::decode(dialect, PLAIN_KEY, request);
        Self::of_dialect(name, dialect, &settings, decode)
    }

    fn of_dialect(
        name: &str,
        dialect: &'static Dialect,
        settings: &str,
        decode: impl Fn(&Request) -> Result<Asked, String> + Send + Sync + 'static,
    ) -> Self {
        let model = format!("{}:{}", dialect.name, dialect.model);
        Self {
            shows: dialect.thinks != Thinks::Not,
            back: Back {
                at_once: matches!(dialect.goes, Goes::Always | Goes::LastTurn | Goes::Details),
                later: matches!(dialect.goes, Goes::Always | Goes::Details),
            },
            images: dialect.images,
            schema: dialect.schema,
            effort: dialect.high,
            temperature: Some(0.5).filter(|_| dialect.sampling),
            told: dialect.told.to_vec(),
            ..Self::new(name, &model, settings, decode, move |said| chat::answer(dialect, said))
        }
    }

    /// All there are.
    fn all() -> Vec<Self> {
        let key =
            |name: &str, url: &str| format!("[providers.{name}]\nbaseUrl = \"{url}\"\napiKey = \"{PLAIN_KEY}\"\n");
        let mut cases = vec![
            Self {
                told: vec!["sampling.ignored"],
                ..Self::new(
                    "anthropic",
                    "anthropic:claude-sonnet-5-5",
                    &key("anthropic", "URL"),
                    |request| anthropic::decode(PLAIN_KEY, request),
                    anthropic::answer,
                )
            },
            Self {
                told: vec!["sampling.ignored"],
                ..Self::new(
                    "openai over Responses",
                    "openai:gpt-6.1-terra",
                    &key("openai", "URL/v1"),
                    |request| responses::decode(PLAIN_KEY, request),
                    responses::answer,
                )
            },
            Self {
                effort: Some("true"),
                temperature: Some(0.5),
                told: vec!["effort.not_supported"],
                // Ollama does not say how much of an answer was thinking.
                usage: usage(0),
                ..Self::new(
                    "ollama",
                    "ollama:qwen3:8b",
                    "[providers.ollama]\nbaseUrl = \"URL\"\n",
                    |request| ollama::decode(MODEL_OF_OLLAMA, 40960, request),
                    ollama::answer,
                )
            },
        ];
        // The profile `oci` is the signed one below.
        cases.extend(DIALECTS.iter().filter(|dialect| dialect.name != "oci").map(Self::chat));
        let oci = dialect("oci");
        let place = format!("baseUrl = \"URL/openai/v1\"\ncompartmentId = \"{}\"\n", oci::COMPARTMENT);
        cases.push(Self {
            lead: true,
            ..Self::of_dialect(
                "oci, signed",
                oci,
                &format!("[providers.oci]\nprofile = \"DEFAULT\"\n{place}"),
                |request| oci::decode(&format!("ocid1.tenancy/ocid1.user/{}", oci::FINGERPRINT), request),
            )
        });
        let bearer = Self::of_dialect("oci, with a key of the service", oci, &key("oci", "URL/openai/v1"), |request| {
            oci::decode_bearer(PLAIN_KEY, request)
        });
        cases.push(Self { model: "oci:openai.gpt-oss-120b".to_owned(), ..bearer });
        cases
    }

    fn said(&self, thinking: &'static str, text: &'static str) -> Said<'static> {
        Said { thinking: if self.shows { thinking } else { "" }, text, call: None }
    }

    /// What the user is told in each turn.
    fn told(&self, of_this_turn: &[&'static str]) -> Vec<&'static str> {
        let mut told = self.told.clone();
        told.extend(of_this_turn);
        told.sort_unstable();
        told
    }
}

const MODEL_OF_OLLAMA: &[&str] = &["completion", "tools", "thinking", "vision"];

/// A turn that ended well, told what it should be.
fn assert_well(case: &Case, turn: &Turn, of_this_turn: &[&'static str]) {
    assert_eq!(turn.end().stop_reason, TurnStopReason::EndTurn, "{}: {:?}", case.name, turn.end());
    let mut notices = turn.notices();
    notices.sort_unstable();
    notices.dedup();
    assert_eq!(notices, case.told(of_this_turn), "{}: {:?}", case.name, turn.asides());
}

fn calls(items: &[Item]) -> Vec<&Item> {
    items.iter().filter(|item| matches!(item.content, ItemContent::ToolCall { .. })).collect()
}

fn user(text: &str, images: usize) -> Entry {
    Entry::User { text: text.to_owned(), images }
}

fn assistant(thinking: Option<&str>, text: &str, calls: Vec<Called>) -> Entry {
    Entry::Assistant { thinking: thinking.map(str::to_owned), text: text.to_owned(), calls }
}

fn called() -> Called {
    Called { id: CALL.to_owned(), name: "read_file".to_owned(), input: json!({"path": "notes.txt"}) }
}

/// The conversation that a request has to hold, up to the turn `turns`.
fn history(case: &Case, asked: &Asked, turns: usize) -> Vec<Entry> {
    let thought = |goes: bool| Some(THOUGHT).filter(|_| goes && case.shows);
    let first = match (&asked.history[0], case.lead) {
        (Entry::User { text, .. }, true) if text.ends_with("\n\nRead notes.txt.") => text.clone(),
        _ => "Read notes.txt.".to_owned(),
    };
    let mut history = vec![user(&first, 0)];
    if turns == 0 {
        return history;
    }
    let goes = if turns == 1 { case.back.at_once } else { case.back.later };
    history.push(assistant(thought(goes), "", vec![called()]));
    history.push(Entry::Result { id: CALL.to_owned(), text: "The answer is 42.\n".to_owned() });
    if turns >= 2 {
        history.push(assistant(None, "It says 42.", Vec::new()));
        let text = if case.images { "And this?" } else { "And this?\n\n(an image that cannot be shown here)" };
        history.push(user(text, usize::from(case.images)));
    }
    if turns == 3 {
        history.push(assistant(None, "A red dot.", Vec::new()));
        let Some(Entry::User { text, .. }) = asked.history.last() else { panic!("{}: {asked:?}", case.name) };
        assert!(text.starts_with("Its colour?"), "{}: {text}", case.name);
        assert_eq!(text.contains("JSON Schema"), !case.schema, "{}: {text}", case.name);
        history.push(user(text, 0));
    }
    history
}

fn check_request(case: &Case, vendor: &Vendor, number: usize, turns: usize) -> Asked {
    let requests = answers(vendor);
    let asked = (case.decode)(&requests[number]).unwrap_or_else(|why| panic!("{}: {why}", case.name));
    let name = format!("{}, request {number}", case.name);
    assert_eq!(asked.model, case.model.split_once(':').unwrap().1, "{name}");
    assert_eq!(asked.history, history(case, &asked, turns), "{name}");
    assert_eq!(asked.tools, ["read_file"], "{name}");
    assert_eq!((asked.limit, asked.effort.as_deref()), (case.limit, case.effort), "{name}");
    assert_eq!(asked.temperature, case.temperature, "{name}");
    assert_eq!(asked.schema.is_some(), turns == 3 && case.schema, "{name}");
    assert_eq!(asked.system.is_empty(), case.lead, "{name}: {}", asked.system);
    asked
}

/// The requests that asked a model.
fn answers(vendor: &Vendor) -> Vec<Request> {
    vendor.requests().into_iter().filter(|request| request.path != "/api/show").collect()
}

fn doubled(usage: &Usage) -> Usage {
    let mut sum = *usage;
    sum.add(usage);
    sum
}

fn first_turn(case: &Case, vendor: &Vendor, editor: &Editor, session: &str) {
    let call = Some((CALL, "read_file", r#"{"path":"notes.txt"}"#));
    vendor.push((case.answer)(&Said { call, ..case.said(THOUGHT, "") }));
    vendor.push((case.answer)(&case.said("", "It says 42.")));
    let turn = editor.ask(session, "Read notes.txt.");
    assert_well(case, &turn, &[]);
    assert_eq!(turn.text(), "It says 42.", "{}", case.name);
    assert_eq!(turn.thinking(), if case.shows { THOUGHT } else { "" }, "{}", case.name);
    let calls = calls(turn.items());
    assert_eq!(calls.len(), 1, "{}: {calls:?}", case.name);
    let ItemContent::ToolCall { name, input, .. } = &calls[0].content else { unreachable!() };
    assert_eq!((name.as_str(), input), ("read_file", &json!({"path": "notes.txt"})), "{}", case.name);
    assert_eq!(calls[0].status, ItemStatus::Completed, "{}", case.name);
    assert_eq!(turn.end().usage, doubled(&case.usage), "{}", case.name);
    check_request(case, vendor, 0, 0);
    check_request(case, vendor, 1, 1);
}

fn second_turn(case: &Case, vendor: &Vendor, editor: &Editor, session: &str) {
    vendor.push((case.answer)(&case.said("", "A red dot.")));
    let source = json!({"type": "base64", "mediaType": "image/png", "data": PIXEL});
    let content = json!([{"type": "text", "text": "And this?"}, {"type": "image", "source": source}]);
    let turn = editor.ask_with(session, json!({ "content": content }));
    assert_well(case, &turn, if case.images { &[] } else { &["content.left_out"] });
    assert_eq!((turn.text().as_str(), turn.end().usage), ("A red dot.", case.usage), "{}", case.name);
    check_request(case, vendor, 2, 2);
}

fn third_turn(case: &Case, vendor: &Vendor, editor: &Editor, session: &str) {
    // What may be left out is null where every property is required.
    let answer = if case.schema { r#"{"colour": "red", "note": null}"# } else { r#"{"colour": "red"}"# };
    vendor.push((case.answer)(&case.said("", answer)));
    let colours = json!({"type": "string", "enum": ["red", "green"]});
    let schema = json!({"type": "object", "required": ["colour"], "properties": {
        "colour": {"$ref": "#/$defs/colour"}, "note": {"type": "string"}}, "$defs": {"colour": colours}});
    let content = json!([{"type": "text", "text": "Its colour?"}]);
    let turn = editor.ask_with(session, json!({"content": content, "options": {"outputSchema": schema}}));
    assert_well(case, &turn, if case.images { &[] } else { &["content.left_out"] });
    assert_eq!(turn.end().output, Some(json!({"colour": "red"})), "{}", case.name);
    let asked = check_request(case, vendor, 3, 3);
    if let Some(Value::Object(schema)) = asked.schema {
        assert!(schema["properties"].get("note").is_some(), "{}: {schema:?}", case.name);
    }
}

#[test]
fn the_same_session_through_every_provider_and_profile() {
    let cases = Case::all();
    let named: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.name).collect();
    assert_eq!(named, Profile::names().collect::<Vec<_>>(), "every built-in profile has a vendor here");
    for case in cases {
        let vendor = Vendor::start();
        let settings = case.settings.replace("URL", &vendor.url());
        if case.name == "ollama" {
            ollama::play(&vendor, MODEL_OF_OLLAMA, 40960);
        } else {
            let decode = case.decode.clone();
            demand(&vendor, move |request| decode(request));
        }
        let general = "effort = \"high\"\nmaxOutputTokens = 1000\nsampling = { temperature = 0.5 }\n";
        let setup = Setup::of_model(&case.model, &format!("{general}{settings}"));
        oci::write_home(&setup.home(), &oci::token("a", 3600));
        let editor = setup.file("notes.txt", "The answer is 42.\n").start();
        let session = editor.new_session();
        assert_eq!(vendor.connections_made(), 0, "{}: nothing is sent before the first prompt", case.name);
        first_turn(&case, &vendor, &editor, &session);
        second_turn(&case, &vendor, &editor, &session);
        third_turn(&case, &vendor, &editor, &session);
        assert_eq!(answers(&vendor).len(), 4, "{}", case.name);
    }
}
