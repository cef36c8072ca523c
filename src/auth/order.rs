//! In which order credentials are looked for, and which of those found is used.

use super::found::{Found, Look, Outcome, Surroundings};
use super::host;
use super::options::AuthOptions;
use super::sources;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{AuthMode, AuthStep, Looked, LookedOutcome};

/// The order of the mode `auto`: that of the vendor's own libraries, and after it what only this program knows.
const AUTO: [AuthStep; 8] = [
    AuthStep::Setting,
    AuthStep::EnvironmentKey,
    AuthStep::EnvironmentBearer,
    AuthStep::Profile,
    AuthStep::OauthBundle,
    AuthStep::ClaudeCode,
    AuthStep::SetupToken,
    AuthStep::StoredKey,
];

/// The steps that `options` ask for.
pub fn steps(options: &AuthOptions) -> Vec<AuthStep> {
    match options.mode {
        AuthMode::Auto if options.order.is_empty() => AUTO.to_vec(),
        AuthMode::Auto => {
            let mut steps = Vec::new();
            for &step in &options.order {
                if !steps.contains(&step) {
                    steps.push(step);
                }
            }
            steps
        }
        AuthMode::Static => vec![AuthStep::Setting, AuthStep::EnvironmentKey, AuthStep::StoredKey],
        AuthMode::Bearer => vec![AuthStep::EnvironmentBearer],
        AuthMode::SetupToken => vec![AuthStep::SetupToken],
        AuthMode::OauthBundle => vec![AuthStep::OauthBundle],
        AuthMode::Profile => vec![AuthStep::Profile],
    }
}

/// Looks at one place after the other and stops where the search is decided.
///
/// # Errors
/// `auth.missing_key` when there is none, `auth.wrong_host` when there is one only for another host, and what is wrong
/// with a place that the user asked for.
pub fn search(at: &Surroundings<'_>) -> Result<Found, UserError> {
    let mut passed = Vec::new();
    for step in steps(at.options) {
        for look in sources::look(step, at) {
            match decide(look, at.options) {
                Decision::Use(found) => return Ok(*found),
                Decision::Fail(error) => return Err(error),
                Decision::Pass(passed_by) => passed.push(passed_by),
            }
        }
    }
    Err(nothing(&passed, at.options))
}

/// Looks at all places, for people. The second part is what [`search`] gives.
pub fn survey(at: &Surroundings<'_>) -> (Vec<Looked>, Result<Found, UserError>) {
    let (mut looked, mut passed, mut result) = (Vec::new(), Vec::new(), None);
    for step in steps(at.options) {
        for look in sources::look(step, at) {
            if result.is_some() {
                looked.push(later(&look));
                continue;
            }
            let place = look.place.clone();
            match decide(look, at.options) {
                Decision::Use(found) => {
                    looked.push(Looked { step, outcome: LookedOutcome::Used, detail: place });
                    result = Some(Ok(*found));
                }
                Decision::Fail(error) => {
                    looked.push(said(step, LookedOutcome::Invalid, &place, Some(&error.message)));
                    result = Some(Err(error));
                }
                Decision::Pass(passed_by) => {
                    looked.push(said(step, passed_by.outcome, &place, passed_by.why()));
                    passed.push(passed_by);
                }
            }
        }
    }
    (looked, result.unwrap_or_else(|| Err(nothing(&passed, at.options))))
}

/// A place after the one that decided the search.
fn later(look: &Look) -> Looked {
    let (outcome, why) = match &look.outcome {
        Outcome::Found(_) => (LookedOutcome::Found, None),
        Outcome::Absent => (LookedOutcome::Absent, None),
        Outcome::Skipped(why) => (LookedOutcome::Skipped, Some(why.as_str())),
        Outcome::Invalid(error) => (LookedOutcome::Invalid, Some(error.message.as_str())),
    };
    said(look.step, outcome, &look.place, why)
}

fn said(step: AuthStep, outcome: LookedOutcome, place: &str, why: Option<&str>) -> Looked {
    let detail = why.map_or_else(|| place.to_owned(), |why| format!("{place}: {why}"));
    Looked { step, outcome, detail }
}

enum Decision {
    Use(Box<Found>),
    Fail(UserError),
    Pass(Passed),
}

/// A place that was passed over.
struct Passed {
    place: String,
    outcome: LookedOutcome,
    reason: Option<Reason>,
}

enum Reason {
    Words(String),
    Error(UserError),
}

impl Passed {
    fn why(&self) -> Option<&str> {
        self.reason.as_ref().map(|reason| match reason {
            Reason::Words(words) => words.as_str(),
            Reason::Error(error) => error.message.as_str(),
        })
    }
}

fn decide(look: Look, options: &AuthOptions) -> Decision {
    let Look { place, explicit, outcome, .. } = look;
    let pass = |outcome, reason| Decision::Pass(Passed { place, outcome, reason });
    let target = &options.key.target;
    match outcome {
        Outcome::Found(found) => match host::check(&found.binding, &target.base_url, target) {
            Ok(()) => Decision::Use(found),
            Err(error) if explicit => Decision::Fail(error),
            Err(error) => pass(LookedOutcome::Skipped, Some(Reason::Error(error))),
        },
        Outcome::Invalid(error) if explicit => Decision::Fail(error),
        Outcome::Invalid(error) => pass(LookedOutcome::Invalid, Some(Reason::Error(error))),
        Outcome::Skipped(why) => pass(LookedOutcome::Skipped, Some(Reason::Words(why))),
        Outcome::Absent => pass(LookedOutcome::Absent, None),
    }
}

/// The error of a search that found nothing to use.
fn nothing(passed: &[Passed], options: &AuthOptions) -> UserError {
    let errors = || {
        passed.iter().filter_map(|passed| match &passed.reason {
            Some(Reason::Error(error)) => Some(error),
            _ => None,
        })
    };
    let elsewhere = errors().find(|error| error.code == ErrorCode::AuthWrongHost);
    // Where none is needed, one that belongs elsewhere is no obstacle.
    if let Some(error) = elsewhere.filter(|_| !options.key.optional) {
        return error.clone();
    }
    let one = |passed: &Passed| match passed.why() {
        Some(why) => format!("{} ({why})", passed.place),
        None => passed.place.clone(),
    };
    let places: Vec<_> = passed.iter().map(one).collect();
    let provider = options.key.provider.as_str();
    let advice = match (provider, options.key.environment.first()) {
        ("anthropic", _) => {
            "make a key at platform.claude.com under API keys and set ANTHROPIC_API_KEY, or run `ant auth login`, or use \
             the model sim:default (--model sim:default), which needs none"
                .to_owned()
        }
        (_, Some(name)) => format!("set {name}, or use the model sim:default (--model sim:default), which needs no key"),
        (_, None) => "set a key, or use the model sim:default (--model sim:default), which needs none".to_owned(),
    };
    let name = if provider == "anthropic" { "Anthropic" } else { provider };
    UserError::new(ErrorCode::AuthMissingKey, format!("no credential for {name} was found"))
        .with_hint(format!("looked for {}; {advice}", places.join(", ")))
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
