use super::test_support::*;
use super::*;

async fn texts(store: &Store, query: &str) -> Vec<String> {
    let query = SearchQuery { text: query.to_owned(), limit: 50, ..SearchQuery::default() };
    store.search(query).await.unwrap().hits.into_iter().map(|hit| hit.excerpt).collect()
}

#[tokio::test]
async fn words_are_found_whatever_signs_are_around_them() {
    let (_folder, store) = store();
    let id = SessionId::from("ses_1");
    let mut session = record("ses_1");
    session.title = "A title".to_owned();
    store.create(session).await.unwrap();
    turn(&store, &id, "turn_1", "Why does foo_bar() fail in Café 東京?", "Because \"of\" O'Brien's NEAR AND*", 20)
        .await;
    let (prompt, answer) = ("Why does foo_bar() fail in Café 東京?", "Because \"of\" O'Brien's NEAR AND*");
    for (query, expected) in [
        ("fail why", vec![prompt]),
        ("cafe", vec![prompt]),
        ("CAF", vec![prompt]),
        ("foo_bar()", vec![prompt]),
        ("bar foo", vec![prompt]),
        ("東京", vec![prompt]),
        ("\"of\"", vec![answer]),
        ("O'Brien's", vec![answer]),
        ("NEAR AND", vec![answer]),
        ("text:because", vec![]),
        ("tit", vec!["A title"]),
        ("fail because", vec![]),
        ("aus", vec![]),
    ] {
        assert_eq!(texts(&store, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn no_input_is_an_error() {
    let (_folder, store) = store();
    store.create(record("ses_1")).await.unwrap();
    turn(&store, &SessionId::from("ses_1"), "turn_1", "x", "y", 20).await;
    let odd = [
        "",
        " ",
        "\"",
        "\"\"\"",
        "*",
        "x*",
        "-x",
        "(",
        ")",
        "AND",
        "OR NOT",
        "NEAR(",
        "^",
        "{",
        "x:y",
        "\0",
        "x\0y",
        "Ⓐ",
        "x Ⓐ",
        "\u{301}",
        "x \u{301}",
        "\u{e000}",
        "🦀",
        "'; DROP TABLE texts; --",
        "%",
        "a\u{202e}b",
        "\\",
    ];
    for text in odd.map(str::to_owned).into_iter().chain(["x ".repeat(3_000)]) {
        let query = SearchQuery { text: text.clone(), limit: 5, ..SearchQuery::default() };
        assert!(store.search(query).await.is_ok(), "{text:?}");
        let query = ListQuery { text: Some(text.clone()), limit: 5, ..ListQuery::default() };
        assert!(store.list(query).await.is_ok(), "{text:?}");
    }
    assert_eq!(texts(&store, "x*").await, ["x", "x"], "the prompt and the title made of it");
}

#[tokio::test]
async fn a_new_title_takes_the_old_ones_place() {
    let (_folder, store) = store();
    let id = SessionId::from("ses_1");
    store.create(record("ses_1")).await.unwrap();
    for title in ["first", "second"] {
        store.change(&id, Some(title.to_owned()), None).await.unwrap();
    }
    assert_eq!(store.session(&id).await.unwrap().title, "second");
    assert_eq!((texts(&store, "first").await.len(), texts(&store, "second").await.len()), (0, 1));
    turn(&store, &id, "turn_1", "a prompt", "an answer", 20).await;
    assert_eq!(store.session(&id).await.unwrap().title, "second", "a title that is there stays");
}

#[tokio::test]
async fn hits_and_lists_of_hits_are_paged_by_workspace() {
    let (_folder, store) = store();
    for number in 0..6 {
        let id = format!("ses_{number}");
        let mut session = record(&id);
        session.title = "none".to_owned();
        session.workspace_uri = Some(format!("file:///{}", number % 2));
        store.create(session).await.unwrap();
        let reply = if number == 4 { "nothing" } else { "the needle" };
        turn(&store, &SessionId::from(id.as_str()), "turn_1", "where", reply, 20).await;
    }
    let mut query =
        SearchQuery { text: "needle".to_owned(), workspace_uri: Some("file:///0".to_owned()), limit: 1, cursor: None };
    let mut found = Vec::new();
    loop {
        let page = store.search(query.clone()).await.unwrap();
        found.extend(page.hits.iter().map(|hit| {
            assert_eq!(hit.item_id.as_ref().unwrap().as_str(), "turn_1.1");
            hit.session.session_id.to_string()
        }));
        let Some(next) = page.next else { break };
        query.cursor = Some(next);
    }
    assert_eq!(found, ["ses_2", "ses_0"]);
    let query = ListQuery { text: Some("needle".to_owned()), limit: 2, ..ListQuery::default() };
    let page = store.list(query).await.unwrap();
    let ids: Vec<_> = page.sessions.iter().map(|session| session.session_id.as_str()).collect();
    assert_eq!((ids, page.more), (vec!["ses_5", "ses_3"], true));
}
