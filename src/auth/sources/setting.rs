//! A key that the user's settings give. Whoever sets one of them asks for it: what is wrong with it is an error.

use secrecy::{ExposeSecret, SecretString};

use super::key;
use crate::auth::command::CommandLine;
use crate::auth::files::{self, Privacy};
use crate::auth::found::{Found, Look, Material, Outcome, Surroundings};
use crate::auth::headers::Placement;
use crate::auth::host::Binding;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{AuthStep, CredentialKind};

pub fn look(at: &Surroundings<'_>) -> Vec<Look> {
    let settings = &at.options.key;
    let (place, read) = if let Some(text) = &settings.api_key {
        ("the setting `apiKey`".to_owned(), of_text(text))
    } else if let Some(path) = &settings.api_key_file {
        at.watch(path);
        (format!("the file {} (`apiKeyFile`)", path.display()), of_file(path))
    } else if let Some(command) = &settings.api_key_command {
        let program = command.first().map_or("", String::as_str);
        let place = format!("the command {program} (`apiKeyCommand`)");
        return vec![of_command(at, command, place)];
    } else if let Some(name) = &settings.api_key_env {
        (format!("the environment variable {name} (`apiKeyEnv`)"), of_variable(at, name))
    } else {
        return vec![Look::new(AuthStep::Setting, "the settings `apiKey…`", Outcome::Absent)];
    };
    let outcome = Outcome::of(read.map(|secret| Some(key(at, secret, place.clone(), Binding::SetAt(settings.origin)))));
    vec![Look::new(AuthStep::Setting, place, outcome).asked(true)]
}

fn of_text(text: &SecretString) -> Result<SecretString, UserError> {
    match text.expose_secret().trim() {
        "" => Err(UserError::new(ErrorCode::AuthInvalid, "the setting `apiKey` is empty")
            .with_hint("if it refers to an environment variable, that may be unset")),
        text => Ok(SecretString::from(text)),
    }
}

fn of_file(path: &std::path::Path) -> Result<SecretString, UserError> {
    let Some(text) = files::read(path, Privacy::Secret)? else {
        return Err(files::invalid(path, "is not there").with_hint("`apiKeyFile` names it"));
    };
    match text.trim() {
        "" => Err(files::invalid(path, "is empty")),
        text if text.contains(char::is_control) => {
            Err(files::invalid(path, "has more than one line").with_hint("it holds the key and nothing else"))
        }
        text => Ok(SecretString::from(text)),
    }
}

fn of_variable(at: &Surroundings<'_>, name: &str) -> Result<SecretString, UserError> {
    at.environment.get(name).map(|text| SecretString::from(text.trim())).ok_or_else(|| {
        UserError::new(ErrorCode::AuthInvalid, format!("the environment variable {name} is not set"))
            .with_hint("`apiKeyEnv` names it")
    })
}

fn of_command(at: &Surroundings<'_>, command: &[String], place: String) -> Look {
    let settings = &at.options.key;
    let found = Found {
        kind: CredentialKind::ApiKey,
        source: place.clone(),
        binding: Binding::SetAt(settings.origin),
        material: Material::Command(CommandLine(command.to_vec()), Placement::of_key(settings.header)),
    };
    Look::new(AuthStep::Setting, place, Outcome::Found(Box::new(found))).asked(true)
}
