use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::test_support::*;
use super::*;
use crate::chat::{
    ContentBlock, Encoding, ItemContent, ItemId, ItemStatus, MediaSource, Message, MessageBlock, Role, ToolCall,
    ToolResult,
};

/// Any text: signs that JSON, SQL and C treat in their own ways are among them.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\\x00\"'\\\\\\n\\r{}\u{2028}é🦀 a-z]{0,30}"]
}

fn content() -> impl Strategy<Value = ContentBlock> {
    prop_oneof![
        words().prop_map(ContentBlock::text),
        (words(), words()).prop_map(|(media_type, data)| ContentBlock::Image {
            source: MediaSource::Base64 { media_type, data: data.into() }
        }),
        (words(), proptest::option::of(words()))
            .prop_map(|(text, title)| ContentBlock::Document { source: MediaSource::Text { text }, title }),
        words().prop_map(|url| ContentBlock::Image { source: MediaSource::Url { url } }),
    ]
}

fn block() -> impl Strategy<Value = MessageBlock> {
    prop_oneof![
        words().prop_map(|text| MessageBlock::Text { text }),
        content().prop_map(|content| MessageBlock::Attachment { content }),
        (words(), words()).prop_map(|(text, signature)| MessageBlock::Thinking { text, signature }),
        words().prop_map(|data| MessageBlock::RedactedThinking { data }),
        (words(), words(), words()).prop_map(|(id, name, input)| MessageBlock::ToolCall(ToolCall { id, name, input })),
        (words(), vec(content(), 0..3), any::<bool>()).prop_map(|(call_id, content, is_error)| {
            MessageBlock::ToolResult(ToolResult { call_id, content, is_error })
        }),
        words().prop_map(|json| MessageBlock::Other { json }),
    ]
}

fn message() -> impl Strategy<Value = Arc<Message>> {
    (any::<bool>(), vec(block(), 0..4), proptest::option::of(words())).prop_map(|(user, content, author)| {
        let role = if user { Role::User } else { Role::Assistant };
        Arc::new(Message { role, content, author: author.map(Into::into), encoding: Encoding::default() })
    })
}

fn input() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        words().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            vec((words(), inner), 0..4).prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn item() -> impl Strategy<Value = Item> {
    let content = prop_oneof![
        vec(content(), 0..3).prop_map(|content| ItemContent::UserMessage { content }),
        words().prop_map(|text| ItemContent::Message { text }),
        (words(), any::<bool>()).prop_map(|(text, redacted)| ItemContent::Thinking { text, redacted }),
        (words(), words(), input(), vec(content(), 0..3), any::<bool>()).prop_map(
            |(call_id, name, input, output, is_error)| ItemContent::ToolCall { call_id, name, input, output, is_error }
        ),
    ];
    (words(), content, 0..3u8).prop_map(|(id, content, status)| Item {
        id: ItemId::from(id.as_str()),
        turn_id: "turn_1".into(),
        status: [ItemStatus::Completed, ItemStatus::Failed, ItemStatus::Cancelled][usize::from(status)],
        content,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_appended_is_loaded_byte_for_byte(parts in vec((vec(message(), 0..3), vec(item(), 0..3)), 0..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (folder, store) = store();
            let id = SessionId::from("ses_1");
            store.create(record("ses_1")).await.unwrap();
            store.begin_turn(&id, TurnStart { entries: Entries::default(), ..start("turn_1", "", 20) }).await.unwrap();
            let (mut messages, mut items) = (Vec::new(), Vec::new());
            for (some, others) in parts {
                messages.extend(some.iter().cloned());
                items.extend(others.iter().cloned());
                let position = store.append(&id, Entries { messages: some, items: others }).await.unwrap();
                assert_eq!((position.messages, position.items), (messages.len() as u64, items.len() as u64));
            }
            store.end_turn(&id, TurnFinish { entries: Entries::default(), ..finish("turn_1", "", 30) }).await.unwrap();
            drop(store);
            let loaded = open(&folder).store.load(&id).await.unwrap();
            assert_eq!(&loaded.messages, &messages);
            assert_eq!(&loaded.items, &items);
            let bytes = |messages: &[Arc<Message>]| serde_json::to_string(messages).unwrap();
            assert_eq!(bytes(&loaded.messages), bytes(&messages));
            assert_eq!(serde_json::to_string(&loaded.items).unwrap(), serde_json::to_string(&items).unwrap());
        });
    }

    #[test]
    fn no_words_break_a_search(text in words()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(None, 1).unwrap().store;
            store.create(SessionRecord { title: text.clone(), ..record("ses_1") }).await.unwrap();
            let query = SearchQuery { text, limit: 5, ..SearchQuery::default() };
            store.search(query).await.unwrap();
        });
    }
}
