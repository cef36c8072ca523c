use super::*;
use crate::chat::TurnId;
use crate::store::test_support::*;

fn transcript() -> Transcript {
    let turn = TurnId::from("turn_1");
    let output = vec![ContentBlock::text("a ``` fence"), ContentBlock::Unknown];
    let tool = ItemContent::ToolCall {
        call_id: "c".to_owned(),
        name: "look".to_owned(),
        input: serde_json::json!({"at": 1}),
        output,
        is_error: true,
    };
    let image =
        ContentBlock::Image { source: MediaSource::Base64 { media_type: "image/png".to_owned(), data: "AAAA".into() } };
    let items = vec![
        item(&turn, 0, ItemContent::UserMessage { content: vec![ContentBlock::text("Look at\nthis"), image] }),
        item(&turn, 1, ItemContent::Thinking { text: "first\n\nthen".to_owned(), redacted: false }),
        item(&turn, 2, tool),
        Item { status: ItemStatus::Cancelled, ..item(&turn, 3, said("It is")) },
    ];
    Transcript {
        session: SessionRecord { title: "Look\nat # this".to_owned(), ..record("ses_1") },
        turns: Vec::new(),
        messages: vec![user("Look"), assistant(vec![call("c")]), Arc::new(Message::user(vec![answer("c")]))],
        items,
        running: Vec::new(),
        expenses: Vec::new(),
        values: BTreeMap::new(),
    }
}

#[test]
fn markdown_shows_what_people_saw() {
    insta::assert_snapshot!(to_markdown(&transcript()), @r#"
    # Look at # this

    - Model: sim:default
    - Workspace: file:///w
    - Begun: 1970-01-01T00:00:00Z

    ## Prompt

    Look at
    this

    *Image: image/png*

    > *Thinking*
    >
    > first
    >
    > then

    ### Tool `look` (failed)

    ```json
    {
      "at": 1
    }
    ```

    ````
    a ``` fence
    ````

    ## Answer (stopped)

    It is
    "#);
}

#[test]
fn json_comes_back_as_it_was() {
    let before = transcript();
    assert_eq!(from_json(&to_json(&before).unwrap()).unwrap(), before);
}

#[test]
fn what_is_no_export_is_refused_with_the_reason() {
    let good = to_json(&transcript()).unwrap();
    let without_result = {
        let mut transcript = transcript();
        transcript.messages.insert(2, user("never mind"));
        to_json(&transcript).unwrap()
    };
    let twice = {
        let mut transcript = transcript();
        let turn = TurnRecord {
            turn_id: TurnId::from("turn_1"),
            model: MODEL.to_owned(),
            state: crate::store::TurnState::Ended,
            end: None,
            spent: Spending::default(),
            first_message: 0,
            first_item: 9,
            started_at: 1,
            ended_at: None,
        };
        let beyond = turn.clone();
        transcript.turns = vec![TurnRecord { first_item: 0, ..turn.clone() }, TurnRecord { first_item: 0, ..turn }];
        let twice = to_json(&transcript).unwrap();
        transcript.turns = vec![beyond];
        (twice, to_json(&transcript).unwrap())
    };
    for (text, why) in [
        ("[]".to_owned(), "no exported session"),
        ("{".to_owned(), "no exported session"),
        (good.replace(FORMAT, "other"), "format"),
        (good.replace("\"version\": 1", "\"version\": 2"), "newer"),
        (good.replace("\"items\"", "\"things\""), "items"),
        (without_result, "has no result"),
        (twice.0, "two turns"),
        (twice.1, "does not exist"),
    ] {
        let error = from_json(&text).unwrap_err();
        assert_eq!(error.code, ErrorCode::ProtocolInvalidParams);
        assert!(error.message.contains(why), "{why}: {error}");
    }
}
