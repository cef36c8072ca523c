//! What Ollama says about its models, and about itself.

use serde_json::Value;

use crate::models::{RemoteModel, Support};

/// What is known of a model before it is asked. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// What it can: `completion`, `tools`, `vision`, `thinking`, `insert` and others.
    pub capabilities: Option<Vec<String>>,
    /// Tokens that its context window may have.
    pub context_length: Option<u32>,
    /// Tokens that its Modelfile gives the context window.
    pub configured_context: Option<u32>,
    /// Its family, as `qwen3` or `gptoss`.
    pub family: Option<String>,
}

impl ModelFacts {
    /// Whether it can do something; `None` when that is not known.
    pub fn can(&self, capability: &str) -> Option<bool> {
        self.capabilities.as_ref().map(|all| all.iter().any(|known| known == capability))
    }
}

/// The answer to `POST /api/show`.
pub fn facts(show: &Value) -> ModelFacts {
    let info = show.get("model_info").and_then(Value::as_object);
    let architecture = info.and_then(|info| info.get("general.architecture")?.as_str());
    let own = architecture.and_then(|name| info?.get(&format!("{name}.context_length")));
    let any = || info?.iter().find(|(key, _)| key.ends_with(".context_length")).map(|(_, value)| value);
    let parameters = show.get("parameters").and_then(Value::as_str).unwrap_or_default();
    let configured = parameters.lines().find_map(|line| line.trim().strip_prefix("num_ctx")?.trim().parse().ok());
    ModelFacts {
        capabilities: words(show.get("capabilities")),
        context_length: own.or_else(any).and_then(count),
        configured_context: configured,
        family: show.pointer("/details/family").and_then(Value::as_str).or(architecture).map(str::to_owned),
    }
}

/// The answer to `GET /api/tags`.
pub fn models(tags: &Value) -> Vec<RemoteModel> {
    let all = tags.get("models").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|model| {
        let id = ["name", "model"].into_iter().find_map(|key| model.get(key)?.as_str())?;
        let capabilities = words(model.get("capabilities"));
        let thinks = capabilities.as_ref().map(|all| all.iter().any(|known| known == "thinking"));
        Some(RemoteModel {
            id: id.to_owned(),
            context: model.pointer("/details/context_length").and_then(count),
            thinking: match thinks {
                None => Support::default(),
                Some(false) => Support { none: true, words: Vec::new() },
                Some(true) => {
                    let words = ["adaptive", "disabled"].map(|word| (word.to_owned(), true)).to_vec();
                    Support { none: false, words }
                }
            },
            structured_output: Some(!super::is_cloud(id)),
            ..RemoteModel::default()
        })
    })
    .collect()
}

/// The answer to `GET /api/version`; `None` when it is not Ollama that answered.
pub fn version(answer: &Value) -> Option<String> {
    answer.get("version")?.as_str().filter(|version| !version.is_empty()).map(str::to_owned)
}

/// A model that is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Its id.
    pub id: String,
    /// Tokens that its context window has: what was really given to it.
    pub context_length: Option<u32>,
    /// Bytes that it takes.
    pub size: Option<u64>,
    /// Of these, bytes in the memory of a graphics card.
    pub size_vram: Option<u64>,
}

/// The answer to `GET /api/ps`.
pub fn running(ps: &Value) -> Vec<Running> {
    let all = ps.get("models").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|model| {
        Some(Running {
            id: ["name", "model"].into_iter().find_map(|key| model.get(key)?.as_str())?.to_owned(),
            context_length: model.get("context_length").and_then(count),
            size: model.get("size").and_then(Value::as_u64),
            size_vram: model.get("size_vram").and_then(Value::as_u64),
        })
    })
    .collect()
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64().filter(|count| *count > 0).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

fn words(value: Option<&Value>) -> Option<Vec<String>> {
    let words = value?.as_array()?.iter().filter_map(Value::as_str);
    Some(words.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_model_is_shown_with_what_it_can() {
        let show = json!({
            "capabilities": ["completion", "tools", "thinking"],
            "details": {"family": "qwen3"},
            "model_info": {"general.architecture": "qwen3", "clip.context_length": 77, "qwen3.context_length": 40960},
            "parameters": "stop    \"<|im_end|>\"\nnum_ctx                        16384",
        });
        let facts = facts(&show);
        assert_eq!((facts.context_length, facts.configured_context), (Some(40_960), Some(16_384)));
        assert_eq!((facts.can("tools"), facts.can("vision")), (Some(true), Some(false)));
        assert_eq!(facts.family.as_deref(), Some("qwen3"));
    }

    #[test]
    fn an_old_server_says_less() {
        let facts = facts(&json!({"model_info": {"llama.context_length": 8192}, "details": {}}));
        assert_eq!((facts.context_length, facts.can("tools")), (Some(8192), None));
        assert_eq!(super::facts(&json!({})), ModelFacts::default());
    }

    #[test]
    fn lists_are_read_and_what_is_not_said_is_not_known() {
        let tags = json!({"models": [
            {"name": "qwen3:8b", "details": {"context_length": 40960}, "capabilities": ["thinking"]},
            {"name": "llama3:latest", "details": {"family": "llama"}},
            {"model": "big:cloud", "capabilities": []},
            {"digest": "x"},
        ]});
        let models = models(&tags);
        let ids: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
        assert_eq!(ids, ["qwen3:8b", "llama3:latest", "big:cloud"]);
        assert_eq!((models[0].context, models[1].context), (Some(40_960), None));
        assert_eq!(models[0].thinking.words[0], ("adaptive".to_owned(), true));
        assert!(models[2].thinking.none && !models[1].thinking.none);
        assert_eq!((models[0].structured_output, models[2].structured_output), (Some(true), Some(false)));
        assert!(super::models(&json!({"models": null})).is_empty());
    }

    #[test]
    fn what_runs_and_which_version_it_is() {
        let ps = json!({"models": [{"name": "qwen3:8b", "size": 9, "size_vram": 7, "context_length": 4096}]});
        let expected = Running { id: "qwen3:8b".into(), context_length: Some(4096), size: Some(9), size_vram: Some(7) };
        assert_eq!(running(&ps), [expected]);
        assert_eq!(version(&json!({"version": "0.34.3"})).as_deref(), Some("0.34.3"));
        assert_eq!(version(&json!({"error": "x"})), None);
    }
}
