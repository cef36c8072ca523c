//! A turn's stream, checked value by value against what every stream promises.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::Value;
use souffleur::chat::{Item, ItemContent, ItemDelta, ItemStatus, SessionUpdate, TurnEnd, TurnStopReason};
use souffleur::protocol::{ProgressBegin, ProgressValue};

/// The rules of a stream: the first value is `begin` with `seq` 0, `seq` has no gap, nothing follows `end`; an item
/// starts before it grows, grows only by its own kind of delta, completes once, and is then what its deltas made;
/// no item is left open.
#[derive(Debug, Default)]
pub struct Stream {
    begin: Option<ProgressBegin>,
    end: Option<TurnEnd>,
    next_seq: u64,
    open: HashMap<String, (Item, String)>,
    completed: Vec<Item>,
    deltas: usize,
    asides: Vec<SessionUpdate>,
}

impl Stream {
    /// A stream that goes on from a snapshot: items that are running in it may grow without starting again.
    pub fn from_snapshot(items: &[Item]) -> Self {
        let running = items.iter().filter(|item| item.status == ItemStatus::Running);
        let open = running.map(|item| (item.id.to_string(), (item.clone(), text_of(item)))).collect();
        Self { open, ..Self::default() }
    }

    /// Takes in the next value.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn accept(&mut self, value: ProgressValue) -> Result<(), String> {
        if self.end.is_some() {
            return Err("a value after the end".into());
        }
        let seq = match &value {
            ProgressValue::Begin(begin) => begin.seq,
            ProgressValue::Report(report) => report.seq,
            ProgressValue::End(end) => end.seq,
        };
        if seq != self.next_seq {
            return Err(format!("seq {seq} where {} was due", self.next_seq));
        }
        if (seq == 0) != matches!(value, ProgressValue::Begin(_)) {
            return Err("begin comes first, and only first".into());
        }
        self.next_seq += 1;
        match value {
            ProgressValue::Begin(begin) => self.begin(begin),
            ProgressValue::Report(report) => self.update(report.update),
            ProgressValue::End(end) => self.finish(end.end),
        }
    }

    fn begin(&mut self, begin: ProgressBegin) -> Result<(), String> {
        if begin.title.is_empty() || !begin.cancellable {
            return Err("a turn has a title and can be cancelled".into());
        }
        self.begin = Some(begin);
        Ok(())
    }

    fn update(&mut self, update: SessionUpdate) -> Result<(), String> {
        match update {
            SessionUpdate::ItemStarted { item } => {
                let id = item.id.to_string();
                self.check_turn(&item)?;
                if self.completed.iter().any(|done| done.id == item.id) {
                    return Err(format!("the item {id} started again"));
                }
                let text = text_of(&item);
                if self.open.insert(id.clone(), (item, text)).is_some() {
                    return Err(format!("the item {id} started twice"));
                }
            }
            SessionUpdate::ItemDelta { item_id, delta } => {
                let Some((item, text)) = self.open.get_mut(item_id.as_str()) else {
                    return Err(format!("a delta for {item_id}, which is not running"));
                };
                self.deltas += 1;
                text.push_str(fitting(&item.content, &delta)?);
            }
            SessionUpdate::ItemCompleted { item } => self.complete(item)?,
            update @ (SessionUpdate::Waiting { .. } | SessionUpdate::Notice { .. }) => self.asides.push(update),
            SessionUpdate::Usage { .. } => {}
        }
        Ok(())
    }

    fn complete(&mut self, item: Item) -> Result<(), String> {
        self.check_turn(&item)?;
        let Some((started, text)) = self.open.remove(item.id.as_str()) else {
            return Err(format!("the item {} completed without running", item.id));
        };
        if item.status == ItemStatus::Running {
            return Err(format!("the item {} completed and still runs", item.id));
        }
        if std::mem::discriminant(&started.content) != std::mem::discriminant(&item.content) {
            return Err(format!("the item {} changed its kind", item.id));
        }
        if let ItemContent::ToolCall { input, .. } = &item.content {
            let made: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            if !input.is_null() && !text.is_empty() && *input != made {
                return Err(format!("the input of {} is {input}, its deltas made {text:?}", item.id));
            }
        } else if text_of(&item) != text {
            return Err(format!("the item {} says {:?}, its deltas made {text:?}", item.id, text_of(&item)));
        }
        self.completed.push(item);
        Ok(())
    }

    fn check_turn(&self, item: &Item) -> Result<(), String> {
        match &self.begin {
            Some(begin) if begin.turn_id != item.turn_id => Err(format!("the item {} is of another turn", item.id)),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, end: TurnEnd) -> Result<(), String> {
        if !self.open.is_empty() {
            return Err(format!("the turn ended while items were running: {:?}", self.open.keys()));
        }
        if end.stop_reason == TurnStopReason::Error && end.error.is_none() {
            return Err("the turn ended with an error and does not say which".into());
        }
        self.end = Some(end);
        Ok(())
    }
}

fn text_of(item: &Item) -> String {
    match &item.content {
        ItemContent::Message { text } | ItemContent::Thinking { text, .. } => text.clone(),
        ItemContent::UserMessage { .. } | ItemContent::ToolCall { .. } => String::new(),
    }
}

/// What the model said in these items.
pub fn message_text(items: &[Item]) -> String {
    let of = |item: &Item| match &item.content {
        ItemContent::Message { text } => Some(text.clone()),
        _ => None,
    };
    items.iter().filter_map(of).collect()
}

fn fitting<'a>(content: &ItemContent, delta: &'a ItemDelta) -> Result<&'a str, String> {
    match (content, delta) {
        (ItemContent::Message { .. }, ItemDelta::Text { text })
        | (ItemContent::Thinking { .. }, ItemDelta::Thinking { text })
        | (ItemContent::ToolCall { .. }, ItemDelta::Input { json: text }) => Ok(text),
        _ => Err(format!("{delta:?} does not fit {content:?}")),
    }
}

/// A turn as the editor sees it. [`super::editor::Editor`] feeds it.
#[derive(Debug)]
pub struct Turn {
    /// The token of its stream.
    pub token: Value,
    /// The turn's id, as the response to the prompt said it.
    pub turn_id: String,
    /// All values so far, with their arrival.
    pub values: Vec<(Instant, ProgressValue)>,
    /// Where each value stood among all messages of the server.
    pub numbers: Vec<usize>,
    pub(super) stream: Stream,
}

impl Turn {
    pub(super) fn new(token: Value, turn_id: String, stream: Stream) -> Self {
        Self { token, turn_id, values: Vec::new(), numbers: Vec::new(), stream }
    }

    /// What `begin` said.
    pub fn begin(&self) -> &ProgressBegin {
        self.stream.begin.as_ref().expect("a turn that began")
    }

    /// The waits and notices so far.
    pub fn asides(&self) -> &[SessionUpdate] {
        &self.stream.asides
    }

    /// The codes of the notices so far.
    pub fn notices(&self) -> Vec<&str> {
        fn code(update: &SessionUpdate) -> Option<&str> {
            match update {
                SessionUpdate::Notice { code, .. } => Some(code),
                _ => None,
            }
        }
        self.asides().iter().filter_map(code).collect()
    }

    /// What `end` said.
    pub fn end(&self) -> &TurnEnd {
        self.stream.end.as_ref().expect("a turn that ended")
    }

    /// Whether `end` came.
    pub fn ended(&self) -> bool {
        self.stream.end.is_some()
    }

    /// When the last value came.
    pub fn last_at(&self) -> Instant {
        self.values.last().expect("a value").0
    }

    /// Where the last value stood among all messages of the server.
    pub fn last_number(&self) -> usize {
        *self.numbers.last().expect("a value")
    }

    /// How many deltas came.
    pub fn deltas(&self) -> usize {
        self.stream.deltas
    }

    /// The completed items, in the order of their completion.
    pub fn items(&self) -> &[Item] {
        &self.stream.completed
    }

    /// The text of all messages as it was streamed, those still running included.
    pub fn text(&self) -> String {
        self.text_before(usize::MAX)
    }

    /// The text that came before the server's message of this number.
    pub fn text_before(&self, number: usize) -> String {
        let before = self.values.iter().zip(&self.numbers).filter(|(_, place)| **place < number);
        let said = before.filter_map(|((_, value), _)| {
            let ProgressValue::Report(report) = value else { return None };
            match &report.update {
                SessionUpdate::ItemStarted { item: Item { content: ItemContent::Message { text }, .. } }
                | SessionUpdate::ItemDelta { delta: ItemDelta::Text { text }, .. } => Some(text.as_str()),
                _ => None,
            }
        });
        said.collect()
    }

    /// The text of all completed thinking items.
    pub fn thinking(&self) -> String {
        let of = |item: &Item| match &item.content {
            ItemContent::Thinking { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.items().iter().filter_map(of).collect()
    }

    /// Demands that the turn stopped for this reason.
    pub fn assert_stop(&self, reason: TurnStopReason) {
        assert_eq!(self.end().stop_reason, reason, "the turn's end: {:?}", self.end());
    }

    /// Demands that the turn ended in an error of this code; gives the error.
    pub fn assert_error(&self, code: &str) -> &souffleur::error::UserError {
        self.assert_stop(TurnStopReason::Error);
        let error = self.end().error.as_ref().expect("an error");
        assert_eq!(error.code.as_str(), code, "{error:?}");
        error
    }
}
