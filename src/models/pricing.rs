//! What tokens cost, exactly.

use crate::chat::{Cost, Usage};

/// Prices of one model in nano-dollars per token. (A dollar per million tokens is a thousand nano-dollars per token, so
/// every published price is a whole number.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    input: u64,
    output: u64,
    cache_read: u64,
    long: Option<(u64, Box<Price>)>,
}

/// Published prices: millionths of a US dollar per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricePerMillion {
    /// Of input.
    pub input: u64,
    /// Of output.
    pub output: u64,
    /// Of input read from the prompt cache.
    pub cache_read: u64,
}

impl Price {
    /// Prices in US dollars per million tokens, written as decimals.
    ///
    /// # Errors
    /// A sentence when one is not a decimal with at most three places.
    pub fn per_million(input: &str, output: &str, cache_read: &str) -> Result<Self, String> {
        Ok(Self { input: nano(input)?, output: nano(output)?, cache_read: nano(cache_read)?, long: None })
    }

    /// The prices as they are published, in millionths of a US dollar per million tokens.
    pub fn published(&self) -> PricePerMillion {
        // A nano-dollar per token is a thousand millionths of a dollar per million tokens.
        let million = |nano: u64| nano.saturating_mul(1_000);
        PricePerMillion {
            input: million(self.input),
            output: million(self.output),
            cache_read: million(self.cache_read),
        }
    }

    /// The prices of long requests, and the count of input tokens above which a request is long.
    pub fn long(&self) -> Option<(u64, PricePerMillion)> {
        self.long.as_ref().map(|(above, price)| (*above, price.published()))
    }

    /// Adds the prices that hold for the whole of a request with more than `above` input tokens.
    #[must_use]
    pub fn with_long(mut self, above: u64, price: Price) -> Self {
        self.long = Some((above, Box::new(price)));
        self
    }
}

fn nano(dollars: &str) -> Result<u64, String> {
    let (whole, fraction) = dollars.split_once('.').unwrap_or((dollars, ""));
    let digits = format!("{whole}{fraction:0<3}");
    if fraction.len() > 3 {
        return Err(format!("{dollars} has more than three decimal places"));
    }
    digits.parse().map_err(|_| format!("{dollars} is not a price"))
}

/// What one request cost. Thinking is part of the output; cache writes cost 1.25 times the input price, those of one
/// hour twice (Anthropic's published multipliers). A half millionth of a dollar is rounded up, once, at the end.
pub fn cost(price: &Price, usage: &Usage) -> Cost {
    let price = match &price.long {
        Some((above, long)) if usage.total_input() > *above => long,
        _ => price,
    };
    let long_writes = usage.cache_write_1h_tokens.min(usage.cache_write_tokens);
    let short_writes = usage.cache_write_tokens - long_writes;
    // Quarters of a nano-dollar keep the factor 1.25 whole; u128 cannot overflow with u64 counts.
    let wide = |count: u64, price: u64, quarters: u128| u128::from(count) * u128::from(price) * quarters;
    let output = wide(usage.output_tokens, price.output, 4);
    let quarters = wide(usage.input_tokens, price.input, 4)
        + wide(short_writes, price.input, 5)
        + wide(long_writes, price.input, 8)
        + wide(usage.cache_read_tokens, price.cache_read, 4)
        + output;
    let uncached = wide(usage.total_input(), price.input, 4) + output;
    let micro = |quarters: u128| u64::try_from((quarters + 2_000) / 4_000).unwrap_or(u64::MAX);
    let (paid, without) = (micro(quarters), micro(uncached));
    let saved = i128::from(without) - i128::from(paid);
    Cost { micro_usd: paid, saved_micro_usd: i64::try_from(saved).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_calculation_holds() {
        let price = Price::per_million("3", "15", "0.3").unwrap();
        let usage = Usage {
            input_tokens: 1_000,
            output_tokens: 500,
            cache_read_tokens: 10_000,
            cache_write_tokens: 3_000,
            cache_write_1h_tokens: 1_000,
            thinking_tokens: 100,
        };
        // 1000*3 + 500*15 + 10000*0.3 + 2000*3.75 + 1000*6 = 3000 + 7500 + 3000 + 7500 + 6000 millionths.
        // Without a cache: 14000*3 + 7500 = 49500.
        assert_eq!(cost(&price, &usage), Cost { micro_usd: 27_000, saved_micro_usd: 22_500 });
    }

    #[test]
    fn a_long_request_is_billed_whole_at_the_long_price() {
        let price = Price::per_million("0.1", "0.5", "0.01")
            .unwrap()
            .with_long(100_000, Price::per_million("0.5", "2.5", "0.05").unwrap());
        let at = |input_tokens| cost(&price, &Usage { input_tokens, ..Usage::default() }).micro_usd;
        assert_eq!(at(100_000), 10_000);
        assert_eq!(at(100_001), 50_001); // 50000.5 rounds up
        assert_eq!(price.published(), PricePerMillion { input: 100_000, output: 500_000, cache_read: 10_000 });
        let long = PricePerMillion { input: 500_000, output: 2_500_000, cache_read: 50_000 };
        assert_eq!(price.long(), Some((100_000, long)));
    }

    #[test]
    fn a_price_that_is_none_is_refused() {
        assert!(Price::per_million("x", "1", "1").is_err());
        assert!(Price::per_million("1", "1", "0.0001").is_err());
    }
}
