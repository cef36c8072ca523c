//! Token counts and money.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tokens that were billed. The whole input is `inputTokens + cacheReadTokens + cacheWriteTokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Input tokens that were neither read from nor written to a cache.
    pub input_tokens: u64,
    /// Output tokens, thinking included.
    pub output_tokens: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cache_read_tokens: u64,
    /// Input tokens written to the provider's prompt cache, whatever their lifetime.
    pub cache_write_tokens: u64,
    /// Of `cacheWriteTokens`, those written with a lifetime of one hour.
    pub cache_write_1h_tokens: u64,
    /// Of `outputTokens`, those spent on thinking; 0 where the provider does not say.
    pub thinking_tokens: u64,
}

impl Usage {
    /// All tokens of the input, cached or not.
    pub fn total_input(&self) -> u64 {
        self.input_tokens + self.cache_read_tokens + self.cache_write_tokens
    }

    /// Adds what another request used. (Within one request counts are cumulative: see [`UsagePatch`].)
    pub fn add(&mut self, other: &Usage) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.cache_write_1h_tokens += other.cache_write_1h_tokens;
        self.thinking_tokens += other.thinking_tokens;
    }
}

/// Counts of one request as far as they are known: what is present overwrites, what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsagePatch {
    /// See [`Usage::input_tokens`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// See [`Usage::output_tokens`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// See [`Usage::cache_read_tokens`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// See [`Usage::cache_write_tokens`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// See [`Usage::cache_write_1h_tokens`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h_tokens: Option<u64>,
    /// See [`Usage::thinking_tokens`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking_tokens: Option<u64>,
}

impl UsagePatch {
    /// Overwrites in `usage` what this patch knows.
    pub fn apply(&self, usage: &mut Usage) {
        let set = |field: &mut u64, value: Option<u64>| {
            if let Some(value) = value {
                *field = value;
            }
        };
        set(&mut usage.input_tokens, self.input_tokens);
        set(&mut usage.output_tokens, self.output_tokens);
        set(&mut usage.cache_read_tokens, self.cache_read_tokens);
        set(&mut usage.cache_write_tokens, self.cache_write_tokens);
        set(&mut usage.cache_write_1h_tokens, self.cache_write_1h_tokens);
        set(&mut usage.thinking_tokens, self.thinking_tokens);
    }
}

/// What was spent, in integer millionths of a US dollar, so that sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Millionths of a US dollar.
    pub micro_usd: u64,
    /// What the prompt cache saved, in millionths of a US dollar: what the same tokens would have cost without it, less
    /// what they did cost. Negative when more was paid for writing than reading has saved so far.
    #[serde(default)]
    pub saved_micro_usd: i64,
}

impl Cost {
    /// Adds what another request cost.
    pub fn add(&mut self, other: &Cost) {
        self.micro_usd += other.micro_usd;
        self.saved_micro_usd += other.saved_micro_usd;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_overwrites_and_never_adds() {
        let mut usage = Usage { input_tokens: 10, output_tokens: 1, ..Usage::default() };
        UsagePatch { output_tokens: Some(5), ..UsagePatch::default() }.apply(&mut usage);
        UsagePatch { output_tokens: Some(7), ..UsagePatch::default() }.apply(&mut usage);
        assert_eq!(usage, Usage { input_tokens: 10, output_tokens: 7, ..Usage::default() });
    }

    #[test]
    fn requests_add_up() {
        let mut sum = Usage::default();
        let one = Usage { input_tokens: 1, cache_read_tokens: 2, cache_write_tokens: 3, ..Usage::default() };
        sum.add(&one);
        sum.add(&one);
        assert_eq!(sum.total_input(), 12);
    }
}
