//! The open buffers, by document.

use std::path::Path;
use std::sync::Arc;

use dashmap::DashMap;

use super::document::Document;
use super::position::{PositionEncoding, TextChange};
use super::uri::{file_uri, normalized};

/// The open buffers. They lie over the files: what is open is read here, saved or not.
///
/// Changes are made before a message's handler first waits, so they happen in the order of the messages; readers get a
/// snapshot that no later change touches.
#[derive(Debug, Default)]
pub struct Overlay {
    documents: DashMap<String, Arc<Document>>,
}

impl Overlay {
    /// A buffer was opened. A second opening replaces the first.
    pub fn open(&self, document: Document) {
        self.documents.insert(normalized(&document.uri), Arc::new(document));
    }

    /// A buffer changed. False when it is not open; nothing is changed then.
    pub fn change(&self, uri: &str, version: i32, changes: &[TextChange], encoding: PositionEncoding) -> bool {
        let Some(mut entry) = self.documents.get_mut(&normalized(uri)) else { return false };
        *entry = Arc::new(entry.changed(version, changes, encoding));
        true
    }

    /// A buffer was closed.
    pub fn close(&self, uri: &str) {
        self.documents.remove(&normalized(uri));
    }

    /// The buffer as it is now.
    pub fn get(&self, uri: &str) -> Option<Arc<Document>> {
        self.documents.get(&normalized(uri)).map(|entry| entry.clone())
    }

    /// The buffer of the file at `path`, if it is open.
    pub fn get_path(&self, path: &Path) -> Option<Arc<Document>> {
        self.get(&file_uri(path)?)
    }

    /// How many buffers are open.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether no buffer is open.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_stays_as_it_was() {
        let overlay = Overlay::default();
        overlay.open(Document::new("file:///p/a.rs".into(), "rust".into(), 1, "one"));
        let before = overlay.get_path(Path::new("/p/a.rs")).unwrap();
        let whole = TextChange { range: None, text: "two".into() };
        assert!(overlay.change("file:///p/a.rs", 2, &[whole], PositionEncoding::Utf16));
        assert_eq!(before.text.to_string(), "one");
        assert_eq!(overlay.get("file:///p/a.rs").unwrap().text.to_string(), "two");
        overlay.close("file:///p/a.rs");
        assert!(overlay.is_empty());
        assert!(!overlay.change("file:///p/a.rs", 3, &[], PositionEncoding::Utf16));
    }
}
