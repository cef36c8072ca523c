//! A tool, as a model is told of it.

/// What a model knows of a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolSpec {
    /// Its name: 1 to 64 of `a-z A-Z 0-9 _ -`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// The JSON Schema of its input, an object.
    pub input_schema: serde_json::Value,
    /// Whether the provider is to guarantee that the input fits the schema.
    pub strict: bool,
    /// Whether the input is to stream in as it is written, without the provider's checking it first.
    pub eager_input_streaming: bool,
}
