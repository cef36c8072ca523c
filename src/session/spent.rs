//! What a session used, summed over its turns.

use crate::chat::{Cost, Usage};
use crate::protocol::LastRequest;
use crate::store::Spending;

/// The sums of a session.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    usage: Usage,
    cost: Option<Cost>,
    /// Whether something was used whose price is not known.
    unpriced: bool,
    last_request: Option<Usage>,
}

impl Spent {
    /// Adds what a turn used, what that cost, and what its last request used. A simulated turn costs nothing.
    pub(super) fn add(&mut self, (usage, cost, last): (Usage, Option<Cost>, Option<Usage>), simulated: bool) {
        self.usage.add(&usage);
        self.last_request = last.or(self.last_request);
        match cost {
            Some(cost) => self.cost.get_or_insert_default().add(&cost),
            None => self.unpriced |= !simulated && usage != Usage::default(),
        }
    }

    /// The sums of what was kept.
    pub(super) fn of(kept: impl IntoIterator<Item = Spending>) -> Self {
        let mut sums = Self::default();
        for spent in kept {
            sums.add((spent.usage, spent.cost, spent.last_request), spent.simulated);
        }
        sums
    }

    /// All tokens.
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// What they cost; `None` when that is not known.
    pub(super) fn cost(&self) -> Option<Cost> {
        self.cost.filter(|_| !self.unpriced)
    }

    /// The last request.
    pub(super) fn last_request(&self) -> Option<LastRequest> {
        let usage = self.last_request?;
        Some(LastRequest { usage, context_tokens: usage.total_input() + usage.output_tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(input_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens: 1, ..Usage::default() }
    }

    #[test]
    fn a_sum_with_an_unknown_part_is_not_known() {
        let cost = |micro_usd| Some(Cost { micro_usd, saved_micro_usd: -1 });
        let mut spent = Spent::default();
        assert_eq!((spent.cost(), spent.last_request()), (None, None));
        spent.add((used(10), cost(5), Some(used(4))), false);
        spent.add((used(20), None, Some(used(20))), true);
        spent.add((Usage::default(), None, None), false);
        spent.add((used(30), cost(6), Some(used(3))), false);
        assert_eq!(spent.usage(), Usage { input_tokens: 60, output_tokens: 3, ..Usage::default() });
        assert_eq!(spent.cost(), Some(Cost { micro_usd: 11, saved_micro_usd: -2 }));
        assert_eq!(spent.last_request(), Some(LastRequest { usage: used(3), context_tokens: 4 }));
        spent.add((used(1), None, None), false);
        assert_eq!((spent.cost(), spent.usage().input_tokens), (None, 61));
        assert_eq!(spent.last_request().unwrap().usage, used(3), "the last known one stays");
    }
}
