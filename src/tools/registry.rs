//! The tools there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Tool;
use super::builtin::ReadFile;
use crate::chat::ToolSpec;

/// Tools by name. The order is that of the names, so that requests always list them alike.
#[derive(Clone)]
pub struct Tools {
    by_name: Arc<BTreeMap<String, Arc<dyn Tool>>>,
    /// What a model is told, made once.
    specs: Arc<[ToolSpec]>,
}

impl Tools {
    /// The built-in tools.
    pub fn builtin() -> Self {
        Self::from_tools([Arc::new(ReadFile) as Arc<dyn Tool>])
    }

    /// These tools.
    pub fn from_tools(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        let by_name: BTreeMap<_, _> = tools.into_iter().map(|tool| (tool.spec().name, tool)).collect();
        let specs = by_name.values().map(|tool| tool.spec()).collect();
        Self { by_name: Arc::new(by_name), specs }
    }

    /// The tool of that name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.by_name.get(name).cloned()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// What a model is told of them.
    pub fn specs(&self) -> Arc<[ToolSpec]> {
        self.specs.clone()
    }
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}
