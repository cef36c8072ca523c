//! `souffleur doctor`: what is found on this machine, a line for each fact, and what is wrong with it.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::args::DoctorArguments;
use super::config::here;
use super::print::{self, Style};
use crate::error::{ErrorCode, UserError};
use crate::protocol::{
    AuthStatusParams, ConfigShowResult, CredentialKind, LookedOutcome, PROTOCOL_VERSION, ProviderAuth, SettingProblem,
    SettingSource, SettingsFileInfo, SettingsFileState,
};
use crate::session::Start;

/// All that is found, as `--json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Findings {
    version: &'static str,
    protocol_version: u32,
    log_level: String,
    files: Vec<SettingsFileInfo>,
    problems: Vec<SettingProblem>,
    providers: Vec<ProviderAuth>,
    /// Whether nothing that was configured is broken.
    ok: bool,
}

/// Looks at everything and says what there is.
pub(super) async fn run(start: Start, log_level: String, arguments: DoctorArguments) -> Result<ExitCode, UserError> {
    let (shared, uri) = here(start, None)?;
    let shown = shared.show_settings(uri.as_deref());
    let params = AuthStatusParams { provider: None, online: arguments.online };
    let mut providers = shared.registry.auth_status(&params, &shared.settings(None)).await?.providers;
    providers.retain(|account| matters(account, &shown));
    let broken = providers.iter().any(|account| is_broken(account, &shown));
    let unreadable = shown.files.iter().any(|file| file.state == SettingsFileState::Unreadable);
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        protocol_version: PROTOCOL_VERSION,
        log_level,
        ok: !broken && !unreadable && shown.problems.is_empty(),
        files: shown.files,
        problems: shown.problems,
        providers,
    };
    if arguments.json {
        print::line(&serde_json::to_string_pretty(&findings).unwrap_or_default());
    } else {
        tell(&findings);
    }
    Ok(if findings.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the user has said something of a provider: in a setting of its own, or by choosing one of its models.
fn is_configured(name: &str, shown: &ConfigShowResult) -> bool {
    let own = format!("providers.{name}.");
    shown.settings.iter().filter(|setting| setting.source != SettingSource::Default).any(|setting| {
        let is_model = setting.key == "model"
            && setting.value.as_str().and_then(|model| model.split_once(':')).is_some_and(|(of, _)| of == name);
        is_model || setting.key.starts_with(&own)
    })
}

/// Whether something was found where a credential for it could be.
fn has_something(account: &ProviderAuth) -> bool {
    let found = |outcome| matches!(outcome, LookedOutcome::Used | LookedOutcome::Found | LookedOutcome::Invalid);
    account.looked.iter().any(|looked| found(looked.outcome))
        || account.error.as_ref().is_some_and(|error| error.code == ErrorCode::AuthWrongHost)
}

/// Whether there is something to say of a provider. Anthropic's is the first that people look for.
fn matters(account: &ProviderAuth, shown: &ConfigShowResult) -> bool {
    account.provider == "anthropic" || is_configured(&account.provider, shown) || has_something(account)
}

/// Whether a provider that is meant to work does not.
fn is_broken(account: &ProviderAuth, shown: &ConfigShowResult) -> bool {
    let refused = account.used.as_ref().and_then(|used| used.check.as_ref()).is_some_and(|check| !check.ok);
    let fails = account.error.is_some() && (is_configured(&account.provider, shown) || has_something(account));
    refused || fails
}

fn tell(findings: &Findings) {
    let style = Style::stdout();
    let say = |subject: &str, text: &str| print::line(&format!("{}  {text}", style.dim(&format!("{subject:<10}"))));
    let one_line = |text: &str| text.replace(char::is_control, " ");
    say("version", &format!("souffleur {}, protocol version {}", findings.version, findings.protocol_version));
    say("log level", &findings.log_level);
    for file in &findings.files {
        say("settings", &format!("{} ({}) {}", file.path, file.source, super::config::state(file.state)));
    }
    let own = findings.files.iter().find(|file| file.source == SettingSource::Workspace);
    say(
        "trust",
        match own.map(|file| file.state) {
            None | Some(SettingsFileState::Absent) => "this directory brings no settings, so there is nothing to trust",
            Some(SettingsFileState::Used) => "you trust the settings of this directory",
            Some(SettingsFileState::Untrusted) => "you do not trust the settings of this directory (souffleur trust)",
            Some(SettingsFileState::Unreadable) => "the settings of this directory cannot be read",
        },
    );
    for problem in &findings.problems {
        say("problem", &one_line(&problem.to_string()));
    }
    for account in &findings.providers {
        for (fact, text) in facts(account, SystemTime::now()) {
            say(&account.provider, &format!("{fact:<10}  {}", one_line(&text)));
        }
    }
    say("result", if findings.ok { "nothing that is configured is broken" } else { "something is wrong, see above" });
}

/// The facts about a provider's credential.
fn facts(account: &ProviderAuth, now: SystemTime) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(used) = &account.used {
        facts.push(("credential", kind(used.kind).to_owned()));
        facts.push(("from", used.source.clone()));
        facts.extend(used.expires_at.map(|at| ("expires", expiry(at, now))));
        facts.push(("goes to", used.host.clone()));
        if let Some(check) = &used.check {
            facts.push((if check.ok { "check" } else { "CHECK" }, check.detail.clone()));
        }
    }
    if account.used.is_none() || account.error.is_some() {
        for looked in &account.looked {
            facts.push(("looked at", format!("{} ({})", looked.detail, outcome(looked.outcome))));
        }
    }
    match &account.error {
        // What was looked for, and in vain, is told already.
        Some(error) if error.code == ErrorCode::AuthMissingKey => facts.push(("MISSING", error.message.clone())),
        Some(error) => {
            facts.push(("ERROR", format!("{} [{}]", error.message, error.code)));
            facts.extend(error.hint.clone().map(|hint| ("hint", hint)));
        }
        None => {}
    }
    facts
}

fn kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ApiKey => "API key",
        CredentialKind::Bearer => "bearer token",
        CredentialKind::Oauth => "OAuth login",
        CredentialKind::SetupToken => "setup token",
        CredentialKind::WorkloadIdentity => "workload identity",
        CredentialKind::Oci => "OCI signature",
        CredentialKind::None => "none needed",
    }
}

fn outcome(outcome: LookedOutcome) -> &'static str {
    match outcome {
        LookedOutcome::Used => "used",
        LookedOutcome::Found => "found, not used",
        LookedOutcome::Skipped => "passed over",
        LookedOutcome::Absent => "nothing there",
        LookedOutcome::Invalid => "cannot be used",
    }
}

/// When something expires, from `now`, to the minute, and to the second in the last one.
fn expiry(at: i64, now: SystemTime) -> String {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let left = i128::from(at) - i128::try_from(now).unwrap_or_default();
    let seconds = u64::try_from(left.unsigned_abs() / 1000).unwrap_or(u64::MAX);
    let rounded = if seconds < 60 { seconds } else { seconds - seconds % 60 };
    let words = humantime::format_duration(Duration::from_secs(rounded));
    if left < 0 { format!("{words} ago") } else { format!("in {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{AuthStep, CredentialCheck, CredentialInfo, Looked, SettingValue};

    fn account(error: Option<ErrorCode>, outcome: LookedOutcome) -> ProviderAuth {
        ProviderAuth {
            provider: "anthropic".into(),
            used: None,
            looked: vec![Looked { step: AuthStep::EnvironmentKey, outcome, detail: "the variable".into() }],
            error: error.map(|code| UserError::new(code, "no")),
        }
    }

    fn shown(key: &str, value: &str, source: SettingSource) -> ConfigShowResult {
        let setting = SettingValue { key: key.into(), value: value.into(), source, at: None };
        ConfigShowResult { settings: vec![setting], files: Vec::new(), problems: Vec::new() }
    }

    #[test]
    fn what_nobody_asked_for_is_not_broken() {
        let nothing = shown("providers.anthropic.baseUrl", "https://x", SettingSource::Default);
        let missing = account(Some(ErrorCode::AuthMissingKey), LookedOutcome::Absent);
        assert!(!is_broken(&missing, &nothing) && matters(&missing, &nothing));
        assert!(is_broken(&missing, &shown("model", "anthropic:x", SettingSource::User)));
        assert!(!is_broken(&missing, &shown("model", "sim:x", SettingSource::User)));
        assert!(is_broken(&missing, &shown("providers.anthropic.auth.mode", "bearer", SettingSource::User)));
        assert!(is_broken(&account(Some(ErrorCode::AuthInvalid), LookedOutcome::Invalid), &nothing));
        assert!(!is_broken(&account(None, LookedOutcome::Used), &nothing));
        let other = ProviderAuth { provider: "groq".into(), ..missing };
        assert!(!matters(&other, &nothing));
    }

    #[test]
    fn a_refused_check_is_broken_and_every_fact_has_its_line() {
        let mut used = account(None, LookedOutcome::Used);
        used.used = Some(CredentialInfo {
            kind: CredentialKind::Oauth,
            source: "the file f".into(),
            expires_at: Some(3_700_000),
            host: "h".into(),
            check: Some(CredentialCheck { ok: false, detail: "not accepted".into() }),
        });
        assert!(is_broken(&used, &shown("model", "sim:x", SettingSource::User)));
        let facts = facts(&used, UNIX_EPOCH);
        let names: Vec<_> = facts.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["credential", "from", "expires", "goes to", "CHECK"]);
        assert_eq!(facts[2].1, "in 1h 1m");
    }

    #[test]
    fn times_read_well() {
        let at = |seconds: i64| expiry(seconds * 1000, UNIX_EPOCH + Duration::from_secs(1000));
        assert_eq!([at(1005), at(4725), at(940)], ["in 5s", "in 1h 2m", "1m ago"]);
    }
}
