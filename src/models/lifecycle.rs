//! How long a model will be served.

use std::time::{Duration, SystemTime};

/// How long before its retirement a model is warned of.
const SOON: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// How long a model will be served. Days are written `YYYY-MM-DD`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// What the provider says about it; `None` until it was asked.
    pub said: Option<Stage>,
    /// The day it was retired.
    pub retired: Option<String>,
    /// The day it is retired, or the earliest day it may be.
    pub retires: Option<String>,
    /// What to use instead.
    pub successor: Option<String>,
}

/// Where a model is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is served.
    Active,
    /// It is served, but not for long.
    Retiring,
    /// It is not served any more.
    Retired,
}

impl Lifecycle {
    /// Where the model is `today`, if what happens until the day `soon` counts as soon. The provider's word that it is
    /// being retired or is retired comes before any day.
    pub fn stage(&self, today: &str, soon: &str) -> Stage {
        let until = |day: &Option<String>, limit: &str| day.as_deref().is_some_and(|day| day <= limit);
        match self.said {
            Some(stage @ (Stage::Retired | Stage::Retiring)) => stage,
            Some(Stage::Active) | None if until(&self.retired, today) => Stage::Retired,
            Some(Stage::Active) | None if until(&self.retires, soon) => Stage::Retiring,
            Some(Stage::Active) | None => Stage::Active,
        }
    }
}

/// Today, and the day until which a retirement is soon, as [`Lifecycle::stage`] wants them.
pub fn today_and_soon() -> (String, String) {
    let day = |time: SystemTime| humantime::format_rfc3339_seconds(time).to_string()[..10].to_owned();
    let now = SystemTime::now();
    (day(now), day(now + SOON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_word_comes_first_and_then_the_days() {
        let stage = |said, retired: Option<&str>, retires: Option<&str>| {
            let lifecycle = Lifecycle {
                said,
                retired: retired.map(str::to_owned),
                retires: retires.map(str::to_owned),
                successor: None,
            };
            lifecycle.stage("2026-11-20", "2027-01-19")
        };
        assert_eq!(stage(None, None, None), Stage::Active);
        assert_eq!(stage(None, Some("2026-11-20"), None), Stage::Retired);
        assert_eq!(stage(None, Some("2026-11-21"), None), Stage::Active);
        assert_eq!(stage(None, None, Some("2027-01-19")), Stage::Retiring);
        assert_eq!(stage(None, None, Some("2027-01-20")), Stage::Active);
        assert_eq!(stage(Some(Stage::Retired), None, Some("2028-01-01")), Stage::Retired);
        assert_eq!(stage(Some(Stage::Retiring), None, None), Stage::Retiring);
        assert_eq!(stage(Some(Stage::Active), None, Some("2026-12-01")), Stage::Retiring);
        let (today, soon) = today_and_soon();
        assert!(today.len() == 10 && today < soon, "{today} {soon}");
    }
}
