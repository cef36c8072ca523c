//! `souffleur models`: the models there are, what they can do and what they cost.

use super::args::ModelsArguments;
use super::print::{self, Style};
use crate::error::UserError;
use crate::protocol::{ModelEntry, ModelLifecycle, ModelListParams, ModelPrice};
use crate::session::{Shared, Start};

const HEADINGS: [&str; 9] =
    ["MODEL", "CONTEXT", "OUTPUT", "THINKING", "EFFORT (* DEFAULT)", "IN $/M", "OUT $/M", "CACHED $/M", "NOTE"];
/// The columns of numbers, which stand to the right.
const NUMBERS: [usize; 5] = [1, 2, 5, 6, 7];

/// Prints the list.
pub(super) async fn run(start: Start, arguments: ModelsArguments) -> Result<(), UserError> {
    let shared = Shared::new(start)?;
    let settings = shared.settings(None);
    let params = ModelListParams { provider: None, refresh: arguments.refresh };
    let list = shared.registry.list_models(&params, &settings).await?;
    if arguments.json {
        print::line(&serde_json::to_string_pretty(&list).unwrap_or_default());
        return Ok(());
    }
    let rows: Vec<_> = list.models.iter().map(row).collect();
    let mut lines = table(&rows).into_iter();
    print::line(&Style::stdout().bold(&lines.next().unwrap_or_default()));
    for line in lines {
        print::line(&line);
    }
    for note in &list.notes {
        print::line_to_stderr(&format!("note: {note}"));
    }
    Ok(())
}

fn row(model: &ModelEntry) -> [String; 9] {
    let price = |of: fn(&ModelPrice) -> u64| model.price.as_ref().map_or("-".to_owned(), |price| dollars(of(price)));
    let effort = |effort: &String| {
        let mark = if Some(effort) == model.default_effort.as_ref() { "*" } else { "" };
        format!("{effort}{mark}")
    };
    let efforts: Vec<_> = model.efforts.iter().map(effort).collect();
    [
        model.model.clone(),
        model.context_tokens.map_or_else(|| "?".to_owned(), short),
        model.max_output_tokens.map_or_else(|| "?".to_owned(), short),
        or_dash(model.thinking.join(" ")),
        or_dash(efforts.join(" ")),
        price(|price| price.input_per_million),
        price(|price| price.output_per_million),
        price(|price| price.cache_read_per_million),
        note(model),
    ]
}

fn note(model: &ModelEntry) -> String {
    let mut notes = Vec::new();
    let day = model.retires.as_deref();
    let life = match (model.lifecycle, day) {
        (ModelLifecycle::Retired, Some(day)) => Some(format!("retired {day}")),
        (ModelLifecycle::Retired, None) => Some("retired".to_owned()),
        (ModelLifecycle::Retiring | ModelLifecycle::Active, Some(day)) => Some(format!("retires {day} or later")),
        (ModelLifecycle::Retiring, None) => Some("retires soon".to_owned()),
        (ModelLifecycle::Active, None) => None,
    };
    notes.extend(life);
    if model.lifecycle != ModelLifecycle::Active {
        notes.extend(model.successor.as_ref().map(|successor| format!("use {successor}")));
    }
    if let Some(long) = model.price.as_ref().and_then(|price| price.long_request.as_ref()) {
        let prices = [long.input_per_million, long.output_per_million, long.cache_read_per_million].map(dollars);
        notes.push(format!("above {} of input {}", short_u64(long.above_tokens), prices.join("/")));
    }
    if model.simulated {
        notes.push("simulated, needs no key".to_owned());
    }
    notes.join(", ")
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// A count of tokens, short where it is round.
fn short(tokens: u32) -> String {
    short_u64(u64::from(tokens))
}

fn short_u64(tokens: u64) -> String {
    match tokens {
        0 => "0".to_owned(),
        _ if tokens.is_multiple_of(1_000_000) => format!("{}M", tokens / 1_000_000),
        _ if tokens.is_multiple_of(1_000) => format!("{}k", tokens / 1_000),
        _ => tokens.to_string(),
    }
}

/// Millionths of a dollar as dollars, with two decimal places or as many as it takes.
fn dollars(micro: u64) -> String {
    let fraction = format!("{:06}", micro % 1_000_000);
    let digits = fraction.trim_end_matches('0').len().max(2);
    format!("{}.{}", micro / 1_000_000, &fraction[..digits])
}

/// The lines of a table with its headings, each column as wide as its widest cell.
fn table(rows: &[[String; 9]]) -> Vec<String> {
    let headings = HEADINGS.map(str::to_owned);
    let all = || std::iter::once(&headings).chain(rows);
    let widths: Vec<_> = (0..HEADINGS.len()).map(|at| all().map(|row| row[at].len()).max().unwrap_or(0)).collect();
    let cell = |(at, text): (usize, &String)| {
        let width = widths[at];
        if NUMBERS.contains(&at) { format!("{text:>width$}") } else { format!("{text:<width$}") }
    };
    all().map(|row| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> ModelEntry {
        ModelEntry {
            model: "p:m".into(),
            display_name: None,
            provider: "p".into(),
            context_tokens: Some(200_000),
            max_output_tokens: Some(4_096),
            thinking: vec![],
            efforts: vec!["low".into(), "high".into()],
            default_effort: Some("high".into()),
            price: None,
            lifecycle: ModelLifecycle::Active,
            retires: None,
            successor: Some("p:n".into()),
            simulated: false,
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([short(0), short(1_000_000), short(128_000), short(4_096)], ["0", "1M", "128k", "4096"]);
        assert_eq!([5_000_000, 100_000, 12_500, 0].map(dollars), ["5.00", "0.10", "0.0125", "0.00"]);
    }

    #[test]
    fn a_row_has_what_is_known_and_dashes_for_the_rest() {
        assert_eq!(row(&entry()), ["p:m", "200k", "4096", "-", "low high*", "-", "-", "-", ""]);
        let lines = table(&[row(&entry())]);
        assert!(lines[0].starts_with("MODEL  CONTEXT") && lines[1].starts_with("p:m       200k"), "{lines:?}");
    }

    #[test]
    fn a_note_says_how_long_a_model_is_served_and_what_to_use_instead() {
        let day = Some("2026-11-30".to_owned());
        let said = |lifecycle, retires| note(&ModelEntry { lifecycle, retires, ..entry() });
        assert_eq!(said(ModelLifecycle::Retired, day.clone()), "retired 2026-11-30, use p:n");
        assert_eq!(said(ModelLifecycle::Retired, None), "retired, use p:n");
        assert_eq!(said(ModelLifecycle::Retiring, day.clone()), "retires 2026-11-30 or later, use p:n");
        assert_eq!(said(ModelLifecycle::Retiring, None), "retires soon, use p:n");
        assert_eq!(said(ModelLifecycle::Active, day), "retires 2026-11-30 or later");
        assert_eq!(said(ModelLifecycle::Active, None), "");
    }
}
