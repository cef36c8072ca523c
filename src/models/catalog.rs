//! The built-in table of models.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::lifecycle::Lifecycle;
use super::pricing::Price;

/// What is known about one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// What the provider calls it before people; `None` until the provider was asked.
    pub display_name: Option<String>,
    /// Tokens that input and output may have together.
    pub context: u32,
    /// Tokens that one answer may have, thinking included.
    pub max_output: u32,
    /// How it thinks.
    pub thinking: Thinking,
    /// The values of `effort` it takes; empty when it takes none.
    pub effort: Vec<String>,
    /// The effort it uses when none is said.
    pub default_effort: String,
    /// Whether it takes a schema for its answer.
    pub structured_output: bool,
    /// Whether the caller may force a tool.
    pub forced_tools: bool,
    /// Whether it takes `temperature` and its kin, where the API version allows them at all.
    pub sampling: bool,
    /// The shortest prefix, in tokens, that can be cached.
    pub cache_minimum: u32,
    /// What it costs; `None` when that is not known.
    pub price: Option<Price>,
    /// How long it will be served.
    pub lifecycle: Lifecycle,
}

/// How a model thinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thinking {
    /// The values of `thinking.type` it takes.
    pub kinds: Vec<String>,
    /// What it does when nothing is said: `on`, `off` or `always`.
    pub default: String,
}

impl Thinking {
    /// Whether the model takes this value of `thinking.type`.
    pub fn accepts(&self, kind: &str) -> bool {
        self.kinds.iter().any(|known| known == kind)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    model: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    ids: Vec<String>,
    context: u32,
    max_output: u32,
    thinking: Vec<String>,
    thinking_default: String,
    effort: Vec<String>,
    #[serde(default = "high")]
    default_effort: String,
    #[serde(default = "yes")]
    structured_output: bool,
    #[serde(default = "yes")]
    forced_tools: bool,
    #[serde(default)]
    sampling: bool,
    cache_minimum: u32,
    price: PriceRow,
    long_price: Option<LongPriceRow>,
    retired: Option<String>,
    retires: Option<String>,
    successor: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    input: String,
    output: String,
    cache_read: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongPriceRow {
    above: u64,
    input: String,
    output: String,
    cache_read: String,
}

fn high() -> String {
    "high".to_owned()
}

fn yes() -> bool {
    true
}

/// The table: what is known by id, and the ids in the order of the file.
#[derive(Debug, Default)]
struct Table {
    order: Vec<String>,
    models: HashMap<String, Arc<ModelInfo>>,
}

static ANTHROPIC: LazyLock<Table> = LazyLock::new(|| parse(include_str!("catalog.toml")).unwrap_or_default());

fn parse(text: &str) -> Result<Table, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut table = Table::default();
    for row in file.model {
        let ids = row.ids.clone();
        let info = Arc::new(info(row)?);
        table.order.extend(ids.iter().cloned());
        table.models.extend(ids.into_iter().map(|id| (id, info.clone())));
    }
    Ok(table)
}

fn info(row: Row) -> Result<ModelInfo, String> {
    let mut price = Price::per_million(&row.price.input, &row.price.output, &row.price.cache_read)?;
    if let Some(long) = row.long_price {
        price = price.with_long(long.above, Price::per_million(&long.input, &long.output, &long.cache_read)?);
    }
    Ok(ModelInfo {
        display_name: None,
        context: row.context,
        max_output: row.max_output,
        thinking: Thinking { kinds: row.thinking, default: row.thinking_default },
        effort: row.effort,
        default_effort: row.default_effort,
        structured_output: row.structured_output,
        forced_tools: row.forced_tools,
        sampling: row.sampling,
        cache_minimum: row.cache_minimum,
        price: Some(price),
        lifecycle: Lifecycle { said: None, retired: row.retired, retires: row.retires, successor: row.successor },
    })
}

/// The ids of Anthropic's models that the table has, in its order: by family, the most capable first, and the newest
/// first within each.
pub fn anthropic_ids() -> &'static [String] {
    &ANTHROPIC.order
}

/// What is known about one of Anthropic's models. An id that the catalog does not have gets what its generation has in
/// common (a `claude-*-4-5` thinks by budget only, all later ones adaptively), and no price.
pub fn anthropic_model(id: &str) -> Arc<ModelInfo> {
    if let Some(info) = ANTHROPIC.models.get(id) {
        return info.clone();
    }
    let old = ["claude-3", "claude-2", "claude-instant"].iter().any(|family| id.starts_with(family));
    let first_four = ["-4-0", "-4-1", "-4-5", "-4-2025"].iter().any(|part| id.contains(part));
    let (context, max_output, kinds): (u32, u32, &[&str]) = match (old, first_four) {
        (true, _) => (200_000, 4_096, &[]),
        (_, true) => (200_000, 32_000, &["enabled", "disabled"]),
        _ => (1_000_000, 128_000, &["adaptive"]),
    };
    Arc::new(ModelInfo {
        display_name: None,
        context,
        max_output,
        thinking: Thinking { kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(), default: "on".to_owned() },
        // A new model takes what the newest take, as far as is known.
        effort: if old || first_four { &[][..] } else { &["low", "medium", "high", "xhigh", "max"][..] }
            .iter()
            .map(|&effort| effort.to_owned())
            .collect(),
        default_effort: high(),
        structured_output: !old && (!first_four || id.contains("-4-5")),
        forced_tools: old || first_four,
        sampling: old || first_four,
        cache_minimum: 1024,
        price: None,
        lifecycle: Lifecycle::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_parses_and_every_row_makes_sense() {
        let table = parse(include_str!("catalog.toml")).unwrap();
        assert_eq!((table.models.len(), table.order.len()), (31, 31));
        for (id, model) in &table.models {
            assert!(model.max_output < model.context, "{id}");
            assert!(model.price.is_some(), "{id}");
            assert!(["on", "off", "always"].contains(&model.thinking.default.as_str()), "{id}");
            assert!(model.effort.is_empty() || model.effort.contains(&model.default_effort), "{id}");
        }
    }

    #[test]
    fn an_unknown_id_gets_its_generations_rules_and_no_price() {
        let new = anthropic_model("claude-opus-6");
        assert!(new.thinking.accepts("adaptive"));
        assert_eq!(new.price, None);
        let old = anthropic_model("claude-3-haiku-20240307");
        assert_eq!((old.max_output, old.thinking.kinds.len()), (4_096, 0));
        assert!(anthropic_model("claude-sonnet-4-20250514").thinking.accepts("enabled"));
    }
}
