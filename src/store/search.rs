//! Full-text search. A text's rowid is its session's key, shifted by 32 bits, and a number within the session: 0 is the
//! title, an item's is its own number plus 1. So a session's texts are one range, and newer sessions come last.

use rusqlite::{Connection, params};

use super::failure::{Failure, int};
use super::load;
use super::record::{SearchHit, SearchPage, SearchQuery};
use crate::chat::{ContentBlock, Item, ItemContent, ItemId};

/// Bits of the number within a session.
const BITS: u32 = 32;

fn range(key: i64) -> (i64, i64) {
    let first = key << BITS;
    (first, first + (1 << BITS) - 1)
}

/// Puts a session's title into the index, in place of the one before.
pub(super) fn index_title(connection: &Connection, key: i64, title: &str) -> Result<(), Failure> {
    let (rowid, _) = range(key);
    connection.execute("DELETE FROM texts WHERE rowid = ?", [rowid])?;
    insert(connection, rowid, title, None)
}

/// Puts what an item says into the index: prompts and answers, not thinking, nor what tools read.
pub(super) fn index_item(connection: &Connection, key: i64, number: u64, item: &Item) -> Result<(), Failure> {
    let rowid = range(key).0 + 1 + int(number);
    match &item.content {
        ItemContent::Message { text } => insert(connection, rowid, text, Some(&item.id)),
        ItemContent::UserMessage { content } => {
            let texts: Vec<_> = content.iter().filter_map(ContentBlock::as_text).collect();
            insert(connection, rowid, &texts.join("\n"), Some(&item.id))
        }
        ItemContent::Thinking { .. } | ItemContent::ToolCall { .. } => Ok(()),
    }
}

fn insert(connection: &Connection, rowid: i64, text: &str, item: Option<&ItemId>) -> Result<(), Failure> {
    if !text.trim().is_empty() {
        let sql = "INSERT INTO texts (rowid, text, item) VALUES (?, ?, ?)";
        connection.execute(sql, params![rowid, text, item.map(ItemId::as_str)])?;
    }
    Ok(())
}

/// Takes all of a session out of the index.
pub(super) fn forget(connection: &Connection, key: i64) -> Result<(), Failure> {
    let (first, last) = range(key);
    connection.execute("DELETE FROM texts WHERE rowid BETWEEN ? AND ?", [first, last])?;
    Ok(())
}

/// Puts the first `items` items of the session `from` into the index as those of `to`.
pub(super) fn copy(connection: &Connection, from: i64, to: i64, items: u64) -> Result<(), Failure> {
    let (first, target) = (range(from).0, range(to).0);
    let sql = "INSERT INTO texts (rowid, text, item)
               SELECT rowid - ?1 + ?2, text, item FROM texts WHERE rowid > ?1 AND rowid <= ?1 + ?3";
    connection.execute(sql, params![first, target, int(items)])?;
    Ok(())
}

/// The query in the index's language: each word quoted, so that no sign in it means anything, the last one as a
/// beginning. `None` when there is no word in it.
pub(super) fn words(text: &str) -> Option<String> {
    let mut query = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control() || c == '"') {
        if word.contains(char::is_alphanumeric) {
            query.extend(["\"", word, "\" "]);
        }
    }
    if query.is_empty() {
        return None;
    }
    query.pop();
    query.push('*');
    Some(query)
}

/// See [`super::Store::search`].
pub(super) fn search(connection: &Connection, query: &SearchQuery) -> Result<SearchPage, Failure> {
    let Some(words) = words(&query.text) else { return Ok(SearchPage { hits: Vec::new(), next: None }) };
    let in_workspace = if query.workspace_uri.is_some() { "sessions.workspace = ?3" } else { "?3 IS NULL" };
    let sql = format!(
        "SELECT {}, texts.rowid, texts.item, snippet(texts, 0, '', '', '…', 24)
         FROM texts JOIN sessions ON sessions.key = texts.rowid >> {BITS}
         WHERE texts MATCH ?1 AND texts.rowid < ?2 AND {in_workspace}
         ORDER BY texts.rowid DESC LIMIT ?4",
        load::SESSION
    );
    let limit = query.limit.max(1);
    let mut statement = connection.prepare(&sql)?;
    let before = query.cursor.unwrap_or(i64::MAX);
    let mut rows = statement.query(params![words, before, query.workspace_uri, limit])?;
    let (mut hits, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let (_, session) = load::session(row)?;
        last = Some(row.get(load::SESSION_COLUMNS)?);
        let item: Option<String> = row.get(load::SESSION_COLUMNS + 1)?;
        let excerpt = row.get(load::SESSION_COLUMNS + 2)?;
        hits.push(SearchHit { session, item_id: item.map(|item| ItemId::from(item.as_str())), excerpt });
    }
    let next = last.filter(|_| hits.len() == limit as usize);
    Ok(SearchPage { hits, next })
}
