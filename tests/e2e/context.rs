//! What goes along with a prompt: attachments, slash prompts, and finding what can be mentioned.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souffleur::chat::{ContentBlock, ItemContent, TurnStopReason};

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendor::Vendor;

/// How long the files of a small project may take to be listed.
const GUARD: Duration = Duration::from_secs(20);

fn vendor() -> Vendor {
    let vendor = Vendor::start();
    vendor.answer_with(|_| Answer::says("ok"));
    vendor
}

fn open(editor: &Editor, uri: &str, text: &str) {
    let document = json!({"uri": uri, "languageId": "rust", "version": 1, "text": text});
    editor.notify("textDocument/didOpen", json!({"textDocument": document}));
}

fn range(first: u32, last: u32) -> Value {
    json!({"start": {"line": first, "character": 0}, "end": {"line": last, "character": 1}})
}

fn ask_with(editor: &Editor, session: &str, text: &str, context: &Value) -> Turn {
    editor.ask_with(session, json!({"content": [{"type": "text", "text": text}], "context": context}))
}

/// What the user's item of a turn shows.
fn shown(turn: &Turn) -> Vec<ContentBlock> {
    let mut items = turn.items().iter().filter_map(|item| match &item.content {
        ItemContent::UserMessage { content } => Some(content.clone()),
        _ => None,
    });
    items.next().expect("the user's item")
}

/// Searches until the files are known.
fn search(editor: &Editor, params: &Value) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let result = editor.call_ok("souffleur/context/search", params.clone());
        if result["indexing"] == false {
            return result["hits"].as_array().unwrap().clone();
        }
        assert!(began.elapsed() < GUARD, "the files are never known: {result}");
    }
}

#[test]
fn attachments_go_into_the_message_as_the_user_sees_them() {
    let vendor = vendor();
    let editor = Setup::anthropic(&vendor).file("src/a.rs", "one\ntwo\nthree\n").file("src/b.rs", "saved\n").start();
    let (a, b) = (editor.uri("src/a.rs"), editor.uri("src/b.rs"));
    open(&editor, &b, "typed and not saved\n");
    open(&editor, "untitled:Untitled-1", "a scratch\n");
    let session = editor.new_session();
    let diagnostic =
        json!({"range": range(1, 1), "severity": 2, "source": "rustc", "code": 42, "message": "odd", "tags": [1]});
    let context = json!([
        {"type": "file", "uri": b},
        {"type": "file", "uri": b},
        {"type": "file", "uri": a, "range": range(1, 1)},
        {"type": "selection", "uri": b, "range": range(0, 0), "text": "typed"},
        {"type": "symbol", "uri": a, "name": "third", "range": range(2, 2)},
        {"type": "diagnostics", "uri": a, "items": [diagnostic]},
        {"type": "diff", "text": "-x\n+y\n"},
        {"type": "terminal", "text": "boom\n", "title": "make"},
        {"type": "file", "uri": "untitled:Untitled-1"},
    ]);
    let turn = ask_with(&editor, &session, "what now?", &context);
    turn.assert_stop(TurnStopReason::EndTurn);
    assert_eq!(turn.notices(), [""; 0]);
    assert_eq!(shown(&turn), [ContentBlock::text("what now?")], "the item shows what was typed");

    let request = vendor.request(0);
    let text = request.last_text();
    for part in [
        "<file path=\"src/b.rs\" unsaved=\"true\">\ntyped and not saved\n</file>",
        "<file path=\"src/a.rs\" lines=\"2\">\ntwo\n</file>",
        "<selection path=\"src/b.rs\" lines=\"1\">\ntyped\n</selection>",
        "<symbol name=\"third\" path=\"src/a.rs\" lines=\"3\">\nthree\n</symbol>",
        "warning line 2 [rustc 42]: odd",
        "<diff of=\"changes\">\n-x\n+y\n</diff>",
        "<terminal command=\"make\">\nboom\n</terminal>",
        "a scratch",
    ] {
        assert_eq!(text.matches(part).count(), 1, "{part:?} once in {text}");
    }
    assert!(text.starts_with("what now?"), "the user's words come first: {text}");
    assert!(!request.body["system"].to_string().contains("typed and not saved"));

    // What was sent stays, and is not sent again.
    editor.ask(&session, "and then?");
    let next = vendor.request(1);
    assert_eq!(next.messages()[0], request.messages()[0]);
    assert!(!next.last_text().contains("typed and not saved"));
    assert_eq!(next.body["system"], request.body["system"]);
}

#[test]
fn what_may_not_be_read_is_left_out_and_told() {
    let vendor = vendor();
    let setup = Setup::anthropic(&vendor)
        .file(".env", "TOKEN=do-not-tell\n")
        .file("private/plan.md", "do-not-tell\n")
        .file(".souffleurignore", "private\n")
        .file("a.rs", "fn a() {}\n");
    let outside = setup.home().join("notes.txt");
    std::fs::create_dir_all(setup.home()).unwrap();
    std::fs::write(&outside, "do-not-tell\n").unwrap();
    let editor = setup.start();
    let outside = crate::support::setup::uri(&outside);
    let session = editor.new_session();
    let context = json!([
        {"type": "file", "uri": editor.uri(".env")},
        {"type": "selection", "uri": editor.uri(".env"), "range": range(0, 0), "text": "do-not-tell"},
        {"type": "selection", "uri": "git:/p/.env?ref=HEAD", "range": range(0, 0), "text": "do-not-tell"},
        {"type": "symbol", "uri": editor.uri("private/plan.md"), "name": "plan", "range": range(0, 0)},
        {"type": "diagnostics", "uri": editor.uri("private/plan.md"), "items": [{"range": range(0, 0), "message": "do-not-tell"}]},
        {"type": "file", "uri": outside},
        {"type": "file", "uri": editor.uri("none.rs")},
        {"type": "file", "uri": "https://example.org/x"},
        {"type": "selection", "uri": outside, "range": range(0, 0), "text": "the user's own words"},
        {"type": "file", "uri": editor.uri("a.rs")},
    ]);
    let turn = ask_with(&editor, &session, "hi", &context);
    turn.assert_stop(TurnStopReason::EndTurn);
    assert_eq!(turn.notices(), ["context.refused"; 8]);
    let text = vendor.request(0).body.to_string();
    assert!(!text.contains("do-not-tell"), "{text}");
    assert!(text.contains("fn a() {}") && text.contains("the user's own words"), "{text}");

    let many: Vec<_> = (0..101).map(|at| json!({"type": "diff", "text": format!("+line {at};")})).collect();
    let turn = ask_with(&editor, &session, "hi", &json!(many));
    assert_eq!(turn.notices(), ["context.refused"]);
    let text = vendor.request(1).last_text();
    assert!(text.contains("+line 99;") && !text.contains("+line 100;"), "{text}");
}

#[test]
fn wrong_context_is_refused_before_the_turn() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    for item in
        [json!({"type": "file"}), json!({"type": "smell", "uri": "x"}), json!({"type": "selection", "uri": "x"})]
    {
        let content = json!([{"type": "text", "text": "hi"}]);
        let params = json!({"sessionId": session, "content": content, "streamToken": "t", "context": [item]});
        editor.call_err("souffleur/session/prompt", params).assert_code("protocol.invalid_params");
    }
    assert_eq!(editor.load(&session).items.len(), 0);
}

#[test]
fn slash_prompts_are_listed_with_their_origin() {
    let setup = Setup::sim()
        .user_settings("")
        .file(
            ".souffleur/prompts/tidy.md",
            "---\ndescription: Tidy up\nargument-hint: \"[file]\"\n---\nTidy $ARGUMENTS.\n",
        )
        .file(".souffleur/prompts/fix.md", "Break it.\n");
    let prompts = setup.user_file().parent().unwrap().join("prompts");
    std::fs::create_dir_all(&prompts).unwrap();
    std::fs::write(prompts.join("docs.md"), "My own docs.\n").unwrap();
    let editor = setup.start();
    let listed = editor.call_ok("souffleur/prompt/list", json!({}));
    let prompts = listed["prompts"].as_array().unwrap();
    let names: Vec<_> = prompts.iter().map(|prompt| prompt["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["explain", "fix", "tests", "docs", "review", "commit", "tidy"]);
    let origin = |name: &str| &prompts.iter().find(|prompt| prompt["name"] == name).unwrap()["origin"];
    assert_eq!(
        (origin("fix"), origin("docs"), origin("tidy")),
        (&json!("builtIn"), &json!("user"), &json!("workspace"))
    );
    let tidy = json!({
        "name": "tidy", "description": "Tidy up", "argumentHint": "[file]", "origin": "workspace",
        "path": ".souffleur/prompts/tidy.md"
    });
    assert_eq!(prompts[6], tidy);
    let problems = listed["problems"].to_string();
    assert!(problems.contains(".souffleur/prompts/fix.md") && problems.contains("not trusted"), "{problems}");
}

#[test]
fn a_slash_prompt_stands_for_its_text() {
    let vendor = vendor();
    let setup = Setup::anthropic(&vendor).file(".souffleur/prompts/tidy.md", "Tidy $1, not $2.\n");
    let file = setup.project().join(".souffleur/prompts/tidy.md");
    let editor = setup.start();
    let session = editor.new_session();
    let turn = editor.ask(&session, "/tidy \"a b\" c");
    assert_eq!(shown(&turn), [ContentBlock::text("/tidy \"a b\" c")]);
    let text = vendor.request(0).last_text();
    assert!(text.starts_with("/tidy \"a b\" c\n") && text.contains("Tidy a b, not c."), "{text}");

    std::fs::write(&file, "Tidy all.\n").unwrap();
    editor.ask(&session, "/tidy");
    assert!(vendor.request(1).last_text().contains("Tidy all."), "the file is read anew");

    for typed in ["/unknown x", "/Tidy", "/usr/bin is full", "do not /tidy this"] {
        editor.ask(&session, typed);
        assert_eq!(vendor.request(vendor.request_count() - 1).last_text(), typed);
    }

    let context = json!([{"type": "terminal", "text": "error: it broke\n"}]);
    ask_with(&editor, &session, "/fix", &context);
    let text = vendor.request(vendor.request_count() - 1).last_text();
    let (attached, asked) = (text.find("it broke"), text.find("Find the cause"));
    assert!(attached.is_some() && attached < asked, "the text of /fix speaks of what was attached: {text}");
}

#[test]
fn files_and_sessions_are_found() {
    let vendor = vendor();
    let setup = Setup::anthropic(&vendor)
        .file("src/warm_up.rs", "")
        .file("src/main.rs", "")
        .file("src/warm.pem", "")
        .file(".souffleurignore", "secret\n")
        .file("secret/warm.rs", "");
    let new_file = setup.project().join("src/warmer.rs");
    let editor = setup.start();
    let session = editor.new_session();
    editor.ask(&session, "Warm the engine up");
    editor.ask(&editor.new_session(), "Paint it blue");

    let params = json!({"query": "warm"});
    let hits = search(&editor, &params);
    assert_eq!(hits.len(), 2, "{hits:?}");
    assert_eq!(hits[0]["type"], "file");
    assert_eq!(hits[0]["path"], "src/warm_up.rs");
    assert_eq!(hits[0]["uri"], editor.uri("src/warm_up.rs"));
    assert_eq!(hits[1]["type"], "session");
    assert_eq!(hits[1]["session"]["sessionId"], session.as_str());

    let only = |params: Value| search(&editor, &params).iter().map(|hit| hit["type"].clone()).collect::<Vec<_>>();
    assert_eq!(only(json!({"query": "warm", "kinds": ["file"]})), ["file"]);
    assert_eq!(only(json!({"query": "warm", "kinds": ["session"]})), ["session"]);
    assert_eq!(only(json!({"query": "", "kinds": ["file"], "limit": 1})), ["file"]);
    assert_eq!(only(json!({"query": "warm", "workspaceUri": "file:///elsewhere"})), [""; 0]);
    assert_eq!(only(json!({"query": "warm", "workspaceUri": editor.uri("")})), ["file", "session"]);

    // Files that come later are found without anybody's telling.
    std::fs::write(&new_file, "").unwrap();
    let began = Instant::now();
    while search(&editor, &json!({"query": "warmer", "kinds": ["file"]})).is_empty() {
        assert!(began.elapsed() < GUARD, "the new file is never found");
    }
    // What was found can be sent along.
    let hit = search(&editor, &json!({"query": "warm_up", "kinds": ["file"]})).remove(0);
    let turn = ask_with(&editor, &session, "look", &json!([{"type": "file", "uri": hit["uri"]}]));
    assert_eq!(turn.notices(), [""; 0]);
}

#[test]
fn a_search_before_the_files_are_known_says_so() {
    let editor = Setup::sim().file("a.rs", "").start();
    editor.new_session();
    let sessions = json!({"query": "", "kinds": ["session"]});
    assert!(search(&editor, &sessions).is_empty(), "nothing was said in it");
    let first = editor.call_ok("souffleur/context/search", json!({"query": "a", "kinds": ["file"]}));
    assert_eq!(first, json!({"hits": [], "indexing": true}));
    assert_eq!(search(&editor, &json!({"query": "a", "kinds": ["file"]})).len(), 1);
    editor
        .call_err("souffleur/context/search", json!({"query": "a", "kinds": ["smell"]}))
        .assert_code("protocol.invalid_params");
}
