//! From a provider's settings to what is said about its credential.

use secrecy::SecretString;
use url::Url;

use crate::auth::{AuthOptions, Check, KeyOptions, OauthOptions, Origin, Target, authority};
use crate::config::{Environment, Places, ProviderSettings, Secret, Setting, Source, expand};
use crate::error::{ErrorCode, UserError};
use crate::protocol::KeyHeader;

/// What a vendor says about its keys.
pub(super) struct Vendor<'a> {
    /// The provider's name.
    pub(super) provider: &'a str,
    /// Its own address, where it has one.
    pub(super) base_url: Option<&'a str>,
    /// The environment variables that hold a key.
    pub(super) environment: &'a [String],
    /// The header that carries it.
    pub(super) header: KeyHeader,
    /// Whether requests make sense without one.
    pub(super) optional: bool,
}

fn origin(source: Source) -> Origin {
    match source {
        Source::Default => Origin::Default,
        Source::User => Origin::UserFile,
        Source::Environment => Origin::Environment,
        Source::CommandLine => Origin::CommandLine,
        Source::Workspace | Source::Editor => Origin::Other,
    }
}

fn invalid(message: String) -> UserError {
    UserError::new(ErrorCode::ConfigInvalid, message)
}

/// A URL that a setting names. Only `http` and `https` make sense.
pub(super) fn url(key: &str, text: &str) -> Result<Url, UserError> {
    let hint = "write it with http:// or https://, as https://host/path";
    // What stands before an @ may be a password.
    let shown = if text.contains('@') { String::new() } else { format!(": {text}") };
    let url = Url::parse(text.trim())
        .map_err(|error| invalid(format!("{key} is not an address ({error}){shown}")).with_hint(hint))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(invalid(format!("{key} is not an address of a server{shown}")).with_hint(hint));
    }
    Ok(url)
}

/// Where requests to a provider go.
///
/// # Errors
/// `config.invalid` for what is no address, or where there is none.
pub(super) fn target(vendor: &Vendor<'_>, own: &ProviderSettings) -> Result<Target, UserError> {
    let key = format!("providers.{}.baseUrl", vendor.provider);
    let said = own.base_url.value.as_deref().or(vendor.base_url);
    let said = said.ok_or_else(|| invalid(format!("{key} is not set")).with_hint("set it in your own file"))?;
    let source = if own.base_url.value.is_some() { own.base_url.source } else { Source::Default };
    let at = own.base_url.at.as_deref().map_or_else(|| format!("the {source}"), |at| format!("the {source}, {at}"));
    let default = vendor.base_url.and_then(|text| Url::parse(text).ok());
    Ok(Target {
        base_url: url(own.base_url.at.as_deref().unwrap_or(&key), said)?,
        origin: origin(source),
        origin_words: at,
        default_host: default.as_ref().map(authority),
        hosts: own.auth_hosts.value.clone(),
    })
}

/// How a provider's key is found and sent.
///
/// # Errors
/// `config.invalid` for settings that cannot be used.
pub(super) fn key_options(
    vendor: &Vendor<'_>,
    own: &ProviderSettings,
    variables: &Environment,
    places: &Places,
) -> Result<KeyOptions, UserError> {
    let api_key = secret(&format!("providers.{}.apiKey", vendor.provider), own.api_key.value.as_ref(), variables)?;
    let set = [source_of(&own.api_key), source_of(&own.api_key_file), source_of(&own.api_key_command)];
    let set = set.into_iter().chain([source_of(&own.api_key_env)]).flatten().next();
    Ok(KeyOptions {
        provider: vendor.provider.to_owned(),
        api_key,
        api_key_file: own.api_key_file.value.as_deref().map(|path| places.expand_home(path)),
        api_key_command: own.api_key_command.value.clone(),
        api_key_env: own.api_key_env.value.clone(),
        origin: origin(set.unwrap_or(Source::User)),
        environment: vendor.environment.to_vec(),
        header: vendor.header,
        target: target(vendor, own)?,
        optional: vendor.optional,
        check: None,
    })
}

/// A secret of the settings, its references looked up.
fn secret(key: &str, said: Option<&Secret>, variables: &Environment) -> Result<Option<SecretString>, UserError> {
    let Some(said) = said else { return Ok(None) };
    let expanded = expand(said.text(), variables).map_err(|error| invalid(format!("{key}: {error}")))?;
    Ok(Some(SecretString::from(expanded)))
}

fn source_of<T>(setting: &Setting<Option<T>>) -> Option<Source> {
    setting.value.as_ref().map(|_| setting.source)
}

/// All that is said about the credential for Anthropic.
///
/// # Errors
/// `config.invalid` for settings that cannot be used.
pub(super) fn anthropic_options(
    own: &ProviderSettings,
    variables: &Environment,
    places: &Places,
) -> Result<AuthOptions, UserError> {
    let environment = ["ANTHROPIC_API_KEY".to_owned()];
    let vendor = Vendor {
        provider: "anthropic",
        base_url: Some("https://api.anthropic.com"),
        environment: &environment,
        header: own.auth_header.value,
        optional: false,
    };
    let mut key = key_options(&vendor, own, variables, places)?;
    let base = key.target.base_url.as_str().trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    let version = own.version.value.clone().unwrap_or_default();
    let check = url("providers.anthropic.baseUrl", &format!("{base}/v1/models?limit=1"))?;
    key.check = Some(Check { url: check, headers: vec![("anthropic-version".to_owned(), version)] });
    let path = |setting: &Setting<Option<String>>| setting.value.as_deref().map(|path| places.expand_home(path));
    Ok(AuthOptions {
        mode: own.auth_mode.value,
        order: own.auth_order.value.clone().unwrap_or_default(),
        bundle_file: path(&own.auth_bundle_file),
        setup_token: secret("providers.anthropic.auth.setupToken", own.auth_setup_token.value.as_ref(), variables)?,
        setup_token_file: path(&own.auth_setup_token_file),
        import_claude_code: own.auth_import_claude_code.value,
        profile: own.auth_profile.value.clone(),
        oauth: oauth_options(own)?,
        key,
    })
}

fn oauth_options(own: &ProviderSettings) -> Result<Option<OauthOptions>, UserError> {
    let (authorize, token, client) =
        (&own.oauth_authorize_url.value, &own.oauth_token_url.value, &own.oauth_client_id.value);
    let (authorize, token, client) = match (authorize, token, client) {
        (None, None, None) => return Ok(None),
        (Some(authorize), Some(token), Some(client)) => (authorize, token, client),
        _ => {
            let message = "an issuer has authorizeUrl, tokenUrl and clientId: set all three or none";
            return Err(invalid(format!("providers.anthropic.auth.oauth: {message}")));
        }
    };
    Ok(Some(OauthOptions {
        authorize_url: url("providers.anthropic.auth.oauth.authorizeUrl", authorize)?,
        token_url: url("providers.anthropic.auth.oauth.tokenUrl", token)?,
        client_id: client.clone(),
        scopes: own.oauth_scopes.value.clone(),
        redirect_port: own.oauth_redirect_port.value,
        paste_redirect_url: match &own.oauth_paste_redirect_url.value {
            Some(text) => Some(url("providers.anthropic.auth.oauth.pasteRedirectUrl", text)?),
            None => None,
        },
        token_format: None,
    }))
}
