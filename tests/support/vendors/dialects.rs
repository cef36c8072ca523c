//! How servers that speak Chat Completions differ, as the notes on them have it; not as our own table has it.

/// Where thinking stands in what they stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinks {
    /// Nowhere.
    Not,
    /// `reasoning_content`.
    Content,
    /// `reasoning`.
    Reasoning,
    /// Parts of `content`.
    Parts,
    /// `reasoning` and `reasoning_details`.
    Details,
}

/// What of it goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// Nothing.
    Not,
    /// `reasoning_content` on every answer.
    Always,
    /// `reasoning_content`, of the answers since the user's last word.
    LastTurn,
    /// `reasoning_details`.
    Details,
    /// The thought signatures of calls.
    Google,
}

/// Where they count tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// In a chunk without choices.
    Apart,
    /// Beside the reason to stop.
    WithTheLast,
    /// The same, with names of `DeepSeek`'s own.
    DeepSeek,
    /// In `x_groq`.
    Groq,
}

/// Where the effort stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// `reasoning_effort`.
    Word,
    /// `reasoning.effort`.
    Object,
    /// Nowhere.
    None,
}

/// A server.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a table of what a server takes")]
pub struct Dialect {
    /// The built-in profile.
    pub name: &'static str,
    /// A model of it.
    pub model: &'static str,
    /// The path of requests.
    pub path: &'static str,
    /// Where thinking stands.
    pub thinks: Thinks,
    /// What of it goes back.
    pub goes: Goes,
    /// Where tokens are counted.
    pub counted: Counted,
    /// The field of the limit.
    pub limit: &'static str,
    /// Where the effort stands.
    pub effort: Effort,
    /// The effort that is sent when a high one is wanted.
    pub high: Option<&'static str>,
    /// Whether `temperature` is taken.
    pub sampling: bool,
    /// Whether `stream_options` is known.
    pub usage_option: bool,
    /// Whether `response_format` takes a schema.
    pub schema: bool,
    /// Whether images are taken.
    pub images: bool,
    /// The role of the system prompt.
    pub role: &'static str,
    /// What the user is told in the first turn.
    pub told: &'static [&'static str],
}

const PLAIN: Dialect = Dialect {
    name: "",
    model: "some-model",
    path: "/v1/chat/completions",
    thinks: Thinks::Content,
    goes: Goes::Not,
    counted: Counted::Apart,
    limit: "max_tokens",
    effort: Effort::Word,
    high: Some("high"),
    sampling: true,
    usage_option: true,
    schema: true,
    images: true,
    role: "system",
    told: &[],
};

/// All of them: one for each built-in profile.
pub const DIALECTS: &[Dialect] = &[
    // Chat Completions where the user forces it: beside tools, the newer models reason only over Responses.
    Dialect {
        name: "openai",
        model: "gpt-4.1",
        thinks: Thinks::Not,
        effort: Effort::None,
        high: None,
        told: &["effort.not_supported"],
        ..PLAIN
    },
    Dialect {
        name: "azure",
        model: "gpt-5.5",
        path: "/openai/deployments/gpt-5.5/chat/completions?api-version=2024-10-21",
        thinks: Thinks::Not,
        limit: "max_completion_tokens",
        high: Some("none"),
        sampling: false,
        role: "developer",
        told: &["effort.not_supported", "sampling.ignored"],
        ..PLAIN
    },
    Dialect { name: "vllm", model: "Qwen/Qwen3-32B", thinks: Thinks::Reasoning, ..PLAIN },
    Dialect { name: "llamacpp", model: "qwen3-14b", ..PLAIN },
    Dialect { name: "lmstudio", model: "qwen3-14b", ..PLAIN },
    Dialect { name: "ollama-openai", model: "qwen3:8b", thinks: Thinks::Reasoning, ..PLAIN },
    Dialect {
        name: "openrouter",
        model: "anthropic/claude-sonnet-5-5",
        thinks: Thinks::Details,
        goes: Goes::Details,
        effort: Effort::Object,
        ..PLAIN
    },
    Dialect {
        name: "groq",
        model: "openai/gpt-oss-120b",
        thinks: Thinks::Reasoning,
        counted: Counted::Groq,
        limit: "max_completion_tokens",
        ..PLAIN
    },
    Dialect {
        name: "mistral",
        model: "magistral-medium-latest",
        thinks: Thinks::Parts,
        counted: Counted::WithTheLast,
        effort: Effort::None,
        high: None,
        usage_option: false,
        told: &["effort.not_supported"],
        ..PLAIN
    },
    Dialect {
        name: "deepseek",
        model: "deepseek-v4-pro",
        goes: Goes::Always,
        counted: Counted::DeepSeek,
        schema: false,
        images: false,
        ..PLAIN
    },
    Dialect {
        name: "gemini",
        model: "gemini-3.1-pro-preview",
        thinks: Thinks::Not,
        goes: Goes::Google,
        counted: Counted::WithTheLast,
        ..PLAIN
    },
    Dialect { name: "xai", model: "grok-4.1", counted: Counted::WithTheLast, ..PLAIN },
    Dialect { name: "together", model: "zai-org/GLM-5", counted: Counted::WithTheLast, ..PLAIN },
    Dialect { name: "fireworks", model: "accounts/fireworks/models/glm-5", ..PLAIN },
    Dialect {
        name: "cerebras",
        model: "zai-glm-5",
        thinks: Thinks::Reasoning,
        limit: "max_completion_tokens",
        images: false,
        ..PLAIN
    },
    Dialect {
        name: "moonshot",
        model: "kimi-k3-thinking",
        goes: Goes::LastTurn,
        effort: Effort::None,
        high: None,
        schema: false,
        told: &["effort.not_supported"],
        ..PLAIN
    },
    Dialect { name: "perplexity", model: "sonar-reasoning-pro", usage_option: false, ..PLAIN },
    Dialect { name: "nvidia", model: "nvidia/nemotron-4-super", ..PLAIN },
    Dialect { name: "litellm", model: "our-model", ..PLAIN },
    Dialect { name: "oci", model: "meta.llama-3.3-70b-instruct", thinks: Thinks::Not, ..PLAIN },
    Dialect { name: "openai-compatible", ..PLAIN },
];

/// The server of this name.
pub fn dialect(name: &str) -> &'static Dialect {
    DIALECTS.iter().find(|dialect| dialect.name == name).unwrap_or_else(|| panic!("no dialect {name}"))
}
