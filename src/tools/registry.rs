//! The tools there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Tool;
use super::builtin::ReadFile;
use crate::chat::ToolSpec;

/// Tools by name. The order is that of the names, so that requests always list them alike.
#[derive(Clone, Default)]
pub struct Tools(Arc<BTreeMap<String, Arc<dyn Tool>>>);

impl Tools {
    /// The built-in tools.
    pub fn builtin() -> Self {
        Self::from_tools([Arc::new(ReadFile) as Arc<dyn Tool>])
    }

    /// These tools.
    pub fn from_tools(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        Self(Arc::new(tools.into_iter().map(|tool| (tool.spec().name, tool)).collect()))
    }

    /// The tool of that name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.0.get(name).cloned()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What a model is told of them.
    pub fn specs(&self) -> Arc<[ToolSpec]> {
        self.0.values().map(|tool| tool.spec()).collect()
    }
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
