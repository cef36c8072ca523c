//! What a server that speaks OpenAI's API takes and says: the table of quirks, as data.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::families::table;
use super::quirks::{
    Allowed, Api, EffortField, ReasoningField, ReasoningOut, RequiredForm, SystemPlacement, SystemRole, ThinkingOff,
    TokenField,
};
use crate::config::nearest;
use crate::error::{ErrorCode, UserError};

/// A server: where it is and what it takes. The default is a plain server that takes what most take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "a table of what a server takes")]
pub struct Profile {
    /// The part before the colon of its models' names.
    pub name: String,
    /// What people call it.
    pub display: String,
    /// Where it is, up to and with `/v1`; `None` when the user has to say.
    pub base_url: Option<String>,
    /// The path of the endpoint under the base URL, where it is not the API's own. `{model}` stands for the model.
    pub path: Option<String>,
    /// The query of every request.
    pub query: BTreeMap<String, String>,
    /// Environment variables that hold the key, the first that is set counts.
    pub key_env: Vec<String>,
    /// Whether it may be used without a key.
    pub key_optional: bool,
    /// The header of the key. `authorization` carries it as a bearer token, any other as it is.
    pub key_header: String,
    /// Headers of every request.
    pub extra_headers: BTreeMap<String, String>,
    /// Fields of every request's body. They overwrite our own.
    pub extra_body: Map<String, Value>,
    /// Fields of `extra_body` that the server refuses; they are left out, with a notice.
    pub refused_fields: Vec<String>,
    /// The API.
    pub api: Api,
    /// The path of the list of models under the base URL, if there is one.
    pub models: Option<String>,
    /// The path on the host that tells whether it is up, if there is one.
    pub health: Option<String>,
    /// The field that limits the answer.
    pub token_field: TokenField,
    /// The highest limit that is sent, in tokens.
    pub max_output: Option<u32>,
    /// Whether `stream_options.include_usage` is sent.
    pub send_usage_option: bool,
    /// Whether `stream_options.include_obfuscation` is known. It is sent as `false`.
    pub include_obfuscation: bool,
    /// The role of the system prompt.
    pub system_role: SystemRole,
    /// Where the system prompt stands.
    pub system_placement: SystemPlacement,
    /// Whether `temperature` and `top_p` are sent.
    pub sampling_allowed: Allowed,
    /// Whether `top_k` is known.
    pub top_k: bool,
    /// Whether `stop` is sent.
    pub stop_allowed: Allowed,
    /// The most stop sequences.
    pub max_stop: Option<usize>,
    /// How any tool is demanded.
    pub tool_choice_required: RequiredForm,
    /// Whether one tool can be demanded by its name.
    pub tool_choice_named: bool,
    /// Whether `parallel_tool_calls` is known.
    pub parallel_field: bool,
    /// Whether tools may be `strict`.
    pub strict_tools: bool,
    /// Whether schemas are sent without `$ref`: by model, for Gemini.
    pub schema_inline_refs: Allowed,
    /// Whether schemas are cleaned of what Oracle's gateway refuses.
    pub schema_sanitise: bool,
    /// Whether `response_format` takes a JSON Schema.
    pub native_schema: bool,
    /// Whether tools may stand beside an effort: by model, where OpenAI itself answers.
    pub tools_with_effort: Allowed,
    /// Where the effort stands.
    pub effort_field: EffortField,
    /// The words of effort it takes; any when empty.
    pub effort: Vec<String>,
    /// How thinking is switched off.
    pub thinking_off: ThinkingOff,
    /// Where thinking is found in a delta. The first that has text counts.
    pub reasoning_in: Vec<ReasoningField>,
    /// What of its thinking a model gets back.
    pub reasoning_out: ReasoningOut,
    /// Whether images are taken at all.
    pub images: bool,
    /// Whether a tool's result may hold images.
    pub images_in_tool_results: bool,
    /// Whether PDF documents are taken, as a `file` part.
    pub pdf: bool,
    /// Whether ids of tool calls must be nine letters or digits.
    pub mistral_tool_ids: bool,
    /// Whether `prompt_cache_key` is known.
    pub prompt_cache_key: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: String::new(),
            display: String::new(),
            base_url: None,
            path: None,
            query: BTreeMap::new(),
            key_env: Vec::new(),
            key_optional: false,
            key_header: "authorization".to_owned(),
            extra_headers: BTreeMap::new(),
            extra_body: Map::new(),
            refused_fields: Vec::new(),
            api: Api::Chat,
            models: None,
            health: None,
            token_field: TokenField::ByModel,
            max_output: None,
            send_usage_option: true,
            include_obfuscation: false,
            system_role: SystemRole::System,
            system_placement: SystemPlacement::First,
            sampling_allowed: Allowed::ByModel,
            top_k: false,
            stop_allowed: Allowed::ByModel,
            max_stop: None,
            tool_choice_required: RequiredForm::Required,
            tool_choice_named: true,
            parallel_field: true,
            strict_tools: false,
            schema_inline_refs: Allowed::No,
            schema_sanitise: false,
            native_schema: true,
            tools_with_effort: Allowed::Yes,
            effort_field: EffortField::ReasoningEffort,
            effort: Vec::new(),
            thinking_off: ThinkingOff::Effort,
            reasoning_in: vec![ReasoningField::ReasoningContent, ReasoningField::Reasoning],
            reasoning_out: ReasoningOut::None,
            images: true,
            images_in_tool_results: false,
            pdf: false,
            mistral_tool_ids: false,
            prompt_cache_key: false,
        }
    }
}

impl Profile {
    /// The names of the built-in profiles, in the order of the table.
    pub fn names() -> impl Iterator<Item = &'static str> {
        table().profile.iter().map(|profile| profile.name.as_str())
    }

    /// The built-in profile of this name.
    ///
    /// # Errors
    /// `config.invalid`, with the nearest name there is.
    pub fn builtin(name: &str) -> Result<Self, UserError> {
        let found = table().profile.iter().find(|profile| profile.name == name);
        found.cloned().ok_or_else(|| unknown("there is no provider profile", name, Self::names()))
    }

    /// A provider of the user's own: the profile `base` under the prefix `prefix`, with single fields changed.
    ///
    /// # Errors
    /// `config.invalid`: no such profile, or as [`Profile::with_overrides`].
    pub fn custom(prefix: &str, base: &str, overrides: &Map<String, Value>) -> Result<Self, UserError> {
        let named = Self { name: prefix.to_owned(), ..Self::builtin(base)? };
        named.with_overrides(overrides)
    }

    /// The profile with single fields changed. Their names may be written `base_url` or `baseUrl`.
    ///
    /// # Errors
    /// `config.invalid` for a field that there is not, with the nearest that there is, and for a value of a wrong kind.
    pub fn with_overrides(&self, overrides: &Map<String, Value>) -> Result<Self, UserError> {
        let invalid = |what: String| {
            UserError::new(ErrorCode::ConfigInvalid, format!("the profile of provider {:?}: {what}", self.name))
        };
        let mut profile = self.clone();
        for (key, value) in overrides {
            let key = snake_case(key);
            // One by one, so that an error names its field.
            let Ok(Value::Object(mut fields)) = serde_json::to_value(&profile) else {
                return Err(invalid("it cannot be changed".to_owned()));
            };
            if !fields.contains_key(&key) {
                return Err(unknown("a provider profile has no field", &key, fields.keys().map(String::as_str)));
            }
            fields.insert(key.clone(), value.clone());
            profile = serde_json::from_value(Value::Object(fields))
                .map_err(|error| invalid(format!("its field {key} cannot be {value}: {error}")))?;
        }
        Ok(profile)
    }

    /// Where a request to `model` is sent.
    ///
    /// # Errors
    /// `config.invalid` when the profile has no base URL.
    pub fn endpoint(&self, model: &str) -> Result<String, UserError> {
        let api = match self.api {
            Api::Chat => "/chat/completions",
            Api::Responses => "/responses",
        };
        let path = self.path.as_deref().unwrap_or(api);
        let model = utf8_percent_encode(model, NON_ALPHANUMERIC).to_string().replace("%2D", "-").replace("%2E", ".");
        let base = self.base()?;
        let base = base.strip_suffix(api).unwrap_or(base);
        Ok(self.with_query(format!("{base}{}", path.replace("{model}", &model))))
    }

    /// Where the models are listed; `None` where they are not.
    ///
    /// # Errors
    /// As [`Profile::endpoint`].
    pub fn models_url(&self) -> Result<Option<String>, UserError> {
        let Some(path) = self.models.as_deref().filter(|path| !path.is_empty()) else { return Ok(None) };
        Ok(Some(self.with_query(format!("{}{path}", self.base()?))))
    }

    /// What tells whether the server is up, on the host of the base URL; `None` where nothing does.
    ///
    /// # Errors
    /// As [`Profile::endpoint`], and when the base URL is none.
    pub fn health_url(&self) -> Result<Option<String>, UserError> {
        let Some(path) = self.health.as_deref().filter(|path| !path.is_empty()) else { return Ok(None) };
        let base = self.base()?;
        let url = url::Url::parse(base).and_then(|url| url.join(path));
        url.map(|url| Some(url.to_string())).map_err(|error| {
            UserError::new(ErrorCode::ConfigInvalid, format!("the base URL {base:?} cannot be used: {error}"))
        })
    }

    fn base(&self) -> Result<&str, UserError> {
        let base = self.base_url.as_deref().map(|url| url.trim().trim_end_matches('/')).filter(|url| !url.is_empty());
        base.ok_or_else(|| {
            UserError::new(ErrorCode::ConfigInvalid, format!("the provider {:?} has no base URL", self.name))
                .with_hint("set its base_url, up to and with /v1")
        })
    }

    fn with_query(&self, url: String) -> String {
        if self.query.is_empty() {
            return url;
        }
        let query = self.query.iter().fold(url::form_urlencoded::Serializer::new(String::new()), |mut query, pair| {
            query.append_pair(pair.0, pair.1);
            query
        });
        format!("{url}?{}", { query }.finish())
    }
}

/// `baseUrl` as `base_url`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> UserError {
    let known: Vec<&str> = known.collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(other) => format!("did you mean {other}?"),
        None => format!("there are {}", known.join(", ")),
    };
    UserError::new(ErrorCode::ConfigInvalid, format!("{what} {name:?}")).with_hint(hint)
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
