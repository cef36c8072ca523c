//! At most so many requests a second, for all sessions together.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// A limit of requests a second.
#[derive(Debug)]
pub struct Limiter {
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Limiter {
    /// At most `per_second` requests a second, evenly spread, one at once. `None` for a rate that is no rate.
    pub fn new(per_second: f64) -> Option<Self> {
        let period = Duration::try_from_secs_f64(1.0 / per_second).ok().filter(|period| !period.is_zero())?;
        let quota = Quota::with_period(period)?.allow_burst(NonZeroU32::MIN);
        Some(Self { limiter: RateLimiter::direct(quota), clock: DefaultClock::default() })
    }

    /// Takes a turn. `Some`: none is free, ask again after so long.
    pub fn wait(&self) -> Option<Duration> {
        self.limiter.check().err().map(|until| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_request_waits() {
        let limiter = Limiter::new(2.0).unwrap();
        assert_eq!(limiter.wait(), None);
        let wait = limiter.wait().unwrap();
        assert!(wait > Duration::from_millis(100) && wait <= Duration::from_millis(500), "{wait:?}");
    }

    #[test]
    fn what_is_no_rate_is_none() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Limiter::new(rate).is_none(), "{rate}");
        }
    }
}
