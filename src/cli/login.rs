//! `souffleur login` and `souffleur logout`: giving a credential to this program, and taking it back.

use std::io::{IsTerminal, Read};
use std::process::{Command, ExitCode, Stdio};

use tokio_util::sync::CancellationToken;

use super::args::{LoginArguments, LogoutArguments};
use super::print;
use crate::config::Settings;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{AuthStatusParams, CredentialKind, LoginMethod, LoginParams, LoginResult, SetParams};
use crate::provider::Registry;
use crate::session::{Shared, Start};

/// Logs in where an issuer is configured, else asks for a key and stores it.
pub(super) async fn run(start: Start, arguments: LoginArguments) -> Result<ExitCode, UserError> {
    let shared = Shared::new(start)?;
    let settings = shared.settings(None);
    let provider = arguments.provider.as_str();
    let with_issuer = shared.registry.can_log_in(provider, &settings);
    if arguments.key || !(with_issuer || arguments.paste) {
        store_key(&shared.registry, provider, &settings).await?;
    } else if arguments.paste {
        paste(&shared.registry, &arguments, &settings).await?;
    } else {
        in_browser(&shared.registry, &arguments, &settings).await?;
    }
    tell_what_is_used(&shared.registry, provider, &settings).await;
    Ok(ExitCode::SUCCESS)
}

/// Removes what was stored.
pub(super) async fn logout(start: Start, arguments: LogoutArguments) -> Result<ExitCode, UserError> {
    let shared = Shared::new(start)?;
    let settings = shared.settings(None);
    let result = shared.registry.logout(&arguments.provider, &settings).await?;
    for removed in &result.removed {
        print::line(&format!("removed {removed}"));
    }
    if result.removed.is_empty() {
        print::line(&format!("nothing was stored for {}", arguments.provider));
    }
    tell_what_is_used(&shared.registry, &arguments.provider, &settings).await;
    Ok(ExitCode::SUCCESS)
}

async fn store_key(registry: &Registry, provider: &str, settings: &Settings) -> Result<(), UserError> {
    // Before anything is typed: a provider that there is not, or that takes no key, is told at once.
    registry.takes_key(provider, settings)?;
    let key = secret(&format!("API key for {provider} (it is not shown): "))?;
    let result = registry.set_key(&SetParams { provider: provider.to_owned(), key }, settings).await?;
    print::line(&format!("the key is stored in {} and goes to {} alone", result.stored, result.host));
    Ok(())
}

async fn in_browser(registry: &Registry, arguments: &LoginArguments, settings: &Settings) -> Result<(), UserError> {
    let params = LoginParams { provider: arguments.provider.clone(), method: LoginMethod::Browser, pasted: None };
    let open = async |url: String| {
        print::line(&format!("open this page to log in:\n{url}"));
        print::line_to_stderr("waiting for the browser; if it is on another machine, use --paste");
        if !arguments.no_browser {
            open_browser(&url);
        }
    };
    logged_in(&registry.login(&params, settings, open, &CancellationToken::new()).await?);
    Ok(())
}

async fn paste(registry: &Registry, arguments: &LoginArguments, settings: &Settings) -> Result<(), UserError> {
    let mut params = LoginParams { provider: arguments.provider.clone(), method: LoginMethod::Paste, pasted: None };
    let (cancel, nobody) = (CancellationToken::new(), async |_| {});
    if let LoginResult::Begun(begun) = registry.login(&params, settings, nobody, &cancel).await? {
        print::line(&format!("open this page to log in:\n{}", begun.url));
        if !arguments.no_browser && std::io::stdin().is_terminal() {
            open_browser(&begun.url);
        }
        params.pasted =
            Some(secret("what the page shows, or the address that the browser ends at (it is not shown): ")?);
        logged_in(&registry.login(&params, settings, nobody, &cancel).await?);
    }
    Ok(())
}

fn logged_in(result: &LoginResult) {
    if let LoginResult::LoggedIn(login) = result {
        print::line(&format!("logged in: stored in {}, for {} alone", login.stored, login.credential.host));
    }
}

/// Says which credential is used now, when another than the user may think.
async fn tell_what_is_used(registry: &Registry, provider: &str, settings: &Settings) {
    let params = AuthStatusParams { provider: Some(provider.to_owned()), online: false };
    let Ok(status) = registry.auth_status(&params, settings).await else { return };
    for account in status.providers {
        match (account.used, account.error) {
            (_, Some(error)) => print::line_to_stderr(&format!("note: {}", error.message)),
            (Some(used), None) if used.kind == CredentialKind::None => {
                print::line_to_stderr(&format!("{provider} is used without a credential now"));
            }
            (Some(used), None) => print::line_to_stderr(&format!("{provider} uses {} now", used.source)),
            (None, None) => {}
        }
    }
}

/// A secret, from the terminal without showing it, or from a pipe. Never an argument, which others could see.
fn secret(prompt: &str) -> Result<String, UserError> {
    let unreadable = |error: std::io::Error| {
        UserError::new(ErrorCode::AuthInvalid, format!("nothing can be read from the terminal: {error}"))
            .with_hint("pipe it in, as `souffleur login < FILE`")
    };
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map_err(unreadable);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// Opens an address as the platform does it. Where it cannot, the address is there to be opened by hand.
fn open_browser(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        tracing::info!(%error, program, "the browser could not be opened");
    }
}
