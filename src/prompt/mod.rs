//! The system prompt.
//!
//! *For*: what the model is told before the conversation begins.
//! *Owns*: the templates, as Markdown files, and the order of the sections. The same facts give the same bytes.
//! *Must not know*: providers, sessions, LSP. Nothing volatile (dates, cursors, open files) goes in here.

use std::path::Path;
use std::sync::Arc;

/// The system prompt of a session about the folder `root`, in sections.
pub fn system(root: Option<&Path>) -> Arc<[String]> {
    let base = include_str!("base.md").trim_end().to_owned();
    let place = match root {
        Some(root) => format!("The workspace is the folder {}.", root.display()),
        None => "No workspace folder is open.".to_owned(),
    };
    Arc::from([base, format!("The operating system is {}. {place}", std::env::consts::OS)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_facts_give_the_same_bytes() {
        let prompt = system(Some(Path::new("/p")));
        assert_eq!(prompt, system(Some(Path::new("/p"))));
        assert!(prompt[1].contains("/p"));
        assert!(prompt.iter().all(|section| !section.trim().is_empty()));
    }
}
