use super::*;
use crate::store::test_support::text;
use crate::store::test_support::*;

fn left(messages: Vec<Arc<Message>>, said: Vec<Item>, growing: Vec<Item>) -> Entries {
    let made = 1 + said.len();
    Left { turn_id: TurnId::from("turn_1"), author: MODEL.into(), messages, said, growing, made }.close()
}

fn tool(id: &str) -> ItemContent {
    ItemContent::ToolCall {
        call_id: id.to_owned(),
        name: "look".to_owned(),
        input: serde_json::json!({"at": 1}),
        output: Vec::new(),
        is_error: false,
    }
}

#[test]
fn the_text_of_an_answer_that_broke_off_is_the_models_last_word() {
    let turn = TurnId::from("turn_1");
    let thinking = running(&turn, 2, ItemContent::Thinking { text: "hm".to_owned(), redacted: false });
    let growing = vec![thinking.clone(), running(&turn, 3, said("and then \n"))];
    let closed = left(vec![user("go")], vec![item(&turn, 1, said("First,"))], growing);
    assert_eq!(closed.messages, [assistant(vec![text("First,"), text("and then")])]);
    let failed = |item: Item| Item { status: ItemStatus::Failed, ..item };
    assert_eq!(closed.items, [failed(thinking), failed(running(&turn, 3, said("and then \n")))]);
}

#[test]
fn without_text_the_conversation_ends_with_the_prompt() {
    let turn = TurnId::from("turn_1");
    let closed = left(vec![user("go")], Vec::new(), vec![running(&turn, 1, said(" \n")), running(&turn, 2, tool("c"))]);
    assert_eq!(closed.messages, []);
    assert!(
        matches!(&closed.items[1].content, ItemContent::ToolCall { is_error: true, output, .. } if output.len() == 1)
    );
    let whole = left(vec![user("go"), assistant(vec![text("done")])], Vec::new(), Vec::new());
    assert!(whole.messages.is_empty() && whole.items.is_empty());
}

#[test]
fn each_open_call_is_answered_with_an_error_and_shown() {
    let turn = TurnId::from("turn_1");
    let messages = vec![user("go"), assistant(vec![text("Let me look."), call("c1"), call("c2")])];
    let closed = left(messages, vec![item(&turn, 1, tool("c1"))], vec![]);
    let MessageBlock::ToolResult(first) = &closed.messages[0].content[0] else { panic!("a result") };
    assert_eq!((first.call_id.as_str(), first.is_error), ("c1", true));
    assert_eq!((closed.messages.len(), closed.messages[0].content.len()), (1, 2));
    // The first is shown already; the other gets an item of its own, with a name that is free.
    assert_eq!(closed.items.len(), 1);
    assert_eq!((closed.items[0].id.as_str(), closed.items[0].status), ("turn_1.2", ItemStatus::Failed));
    assert!(matches!(&closed.items[0].content, ItemContent::ToolCall { call_id, .. } if call_id == "c2"));
}
