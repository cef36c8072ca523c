//! What a user may say about credentials, and where things are on this machine. Plain data, handed in by the caller.

use std::fmt;
use std::path::PathBuf;

use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::protocol::{AuthMode, AuthStep, KeyHeader};

/// The host of Anthropic's own API.
pub const ANTHROPIC_HOST: &str = "api.anthropic.com";

/// Where a value came from, as far as it matters for who may receive a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Built in.
    Default,
    /// The user's own file of settings.
    UserFile,
    /// An environment variable.
    Environment,
    /// An option on the command line.
    CommandLine,
    /// Anything else: an editor's settings, a workspace. It never pairs a key with a host.
    Other,
}

/// Where requests go, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The base URL.
    pub base_url: Url,
    /// Who set it.
    pub origin: Origin,
    /// The same in words, for messages: `the user file, providers.anthropic.base_url`.
    pub origin_words: String,
    /// The vendor's own host. Keys of unknown making belong to it. `None` where there is no such vendor.
    pub default_host: Option<String>,
    /// Other hosts that the user's own configuration lets have the credential: `host` or `host:port`.
    pub hosts: Vec<String>,
}

impl Target {
    /// Anthropic's own API.
    ///
    /// # Errors
    /// Never in fact: the URL is a constant.
    pub fn anthropic() -> Result<Self, url::ParseError> {
        Ok(Self {
            base_url: Url::parse("https://api.anthropic.com")?,
            origin: Origin::Default,
            origin_words: "built-in default".to_owned(),
            default_host: Some(ANTHROPIC_HOST.to_owned()),
            hosts: Vec::new(),
        })
    }
}

/// A cheap request that shows whether a credential is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// Asked for with `GET`.
    pub url: Url,
    /// Headers besides the credential's.
    pub headers: Vec<(String, String)>,
}

/// How a provider's API key is found and sent.
#[derive(Clone)]
pub struct KeyOptions {
    /// The provider's name, e.g. `openai`.
    pub provider: String,
    /// A key in the settings, with `${VAR}` expanded.
    pub api_key: Option<SecretString>,
    /// A file with nothing but the key.
    pub api_key_file: Option<PathBuf>,
    /// A program and its arguments; what it prints is the key.
    pub api_key_command: Option<Vec<String>>,
    /// The name of an environment variable with the key.
    pub api_key_env: Option<String>,
    /// Where the four above were set.
    pub origin: Origin,
    /// The provider's own environment variables for a key, looked at when the settings give none.
    pub environment: Vec<String>,
    /// The header that carries it.
    pub header: KeyHeader,
    /// Where requests go.
    pub target: Target,
    /// Whether requests without a credential make sense: then they are sent as they are.
    pub optional: bool,
    /// How a credential is tried.
    pub check: Option<Check>,
}

impl KeyOptions {
    /// A provider whose settings say nothing: its key comes from `environment` or from the store.
    pub fn new(provider: &str, environment: &[&str], target: Target) -> Self {
        Self {
            provider: provider.to_owned(),
            api_key: None,
            api_key_file: None,
            api_key_command: None,
            api_key_env: None,
            origin: Origin::UserFile,
            environment: environment.iter().map(|&name| name.to_owned()).collect(),
            header: KeyHeader::Authorization,
            target,
            optional: false,
            check: None,
        }
    }
}

/// Without the key, and without the command's arguments: some people put secrets there.
impl fmt::Debug for KeyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyOptions")
            .field("provider", &self.provider)
            .field("api_key", &self.api_key.is_some())
            .field("api_key_file", &self.api_key_file)
            .field("api_key_command", &self.api_key_command.as_ref().map(|command| command.first()))
            .field("api_key_env", &self.api_key_env)
            .field("origin", &self.origin)
            .field("environment", &self.environment)
            .field("header", &self.header)
            .field("target", &self.target)
            .field("optional", &self.optional)
            .field("check", &self.check)
            .finish()
    }
}

/// How the bodies of requests for tokens are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenFormat {
    /// As JSON.
    Json,
    /// As a form, which is what the standard (RFC 6749) says.
    Form,
}

/// An issuer of tokens. Nothing of it is built in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OauthOptions {
    /// Where the browser is sent to.
    pub authorize_url: Url,
    /// Where tokens are asked for.
    pub token_url: Url,
    /// The id that the issuer gave the user's own registration.
    pub client_id: String,
    /// What the token may be used for.
    pub scopes: Vec<String>,
    /// The port of this machine that the browser comes back to; any free one when absent.
    pub redirect_port: Option<u16>,
    /// The page that shows the code where it is pasted; that of the port when absent.
    pub paste_redirect_url: Option<Url>,
    /// The format of all requests; when absent a login is a form and a renewal is JSON, as Anthropic documents them.
    pub token_format: Option<TokenFormat>,
}

/// All that a user may say about the credential for Anthropic.
#[derive(Clone, Debug)]
pub struct AuthOptions {
    /// Its key, and where requests go.
    pub key: KeyOptions,
    /// Which kind of credential is used.
    pub mode: AuthMode,
    /// The order of the mode `auto`; the documented one when empty.
    pub order: Vec<AuthStep>,
    /// A JSON file with an access token, a refresh token and a time of expiry; the one that a login writes when absent.
    pub bundle_file: Option<PathBuf>,
    /// A token made with `claude setup-token`, with `${VAR}` expanded.
    pub setup_token: Option<SecretString>,
    /// A file with such a token.
    pub setup_token_file: Option<PathBuf>,
    /// Whether the login of Claude Code may be read.
    pub import_claude_code: bool,
    /// The name of the profile to use.
    pub profile: Option<String>,
    /// The issuer of tokens for a login and for the bundle file.
    pub oauth: Option<OauthOptions>,
}

impl AuthOptions {
    /// Options for Anthropic that say nothing but where requests go.
    pub fn anthropic(target: Target) -> Self {
        let key = KeyOptions::new("anthropic", &["ANTHROPIC_API_KEY"], target);
        Self { order: Vec::new(), ..Self::keys_only(KeyOptions { header: KeyHeader::XApiKey, ..key }) }
    }

    /// Options for a provider that knows only keys.
    pub fn keys_only(key: KeyOptions) -> Self {
        Self {
            key,
            mode: AuthMode::Auto,
            order: vec![AuthStep::Setting, AuthStep::EnvironmentKey, AuthStep::StoredKey],
            bundle_file: None,
            setup_token: None,
            setup_token_file: None,
            import_claude_code: false,
            profile: None,
            oauth: None,
        }
    }

    /// Equal for equal options, secrets included; tells nothing about them.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(format!("{self:?}").as_bytes());
        let secrets =
            [&self.key.api_key, &self.setup_token].map(|secret| secret.as_ref().map_or("", |s| s.expose_secret()));
        let arguments = self.key.api_key_command.iter().flatten().map(String::as_str);
        for text in secrets.into_iter().chain(arguments) {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
        Fingerprint::of(context.finish())
    }
}

/// A digest that stands for something whose text is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(digest: digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// That of `secret`.
    pub(super) fn of_secret(secret: &SecretString) -> Self {
        Self::of(digest::digest(&digest::SHA256, secret.expose_secret().as_bytes()))
    }
}

/// Not even the digest: a short secret could be guessed from it.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}

/// Directories of this machine.
#[derive(Clone, Debug)]
pub struct Places {
    /// The user's home.
    pub home: PathBuf,
    /// Where Souffleur's settings are.
    pub config_dir: PathBuf,
    /// Where Souffleur keeps what must not be lost: logins and keys.
    pub data_dir: PathBuf,
    /// Where Souffleur keeps what can be made again.
    pub state_dir: PathBuf,
}

impl Places {
    /// The file that a login writes, and that is read when no other is named.
    pub fn bundle(&self) -> PathBuf {
        self.data_dir.join("anthropic-oauth.json")
    }

    /// The file with stored keys where the system has no keychain.
    pub fn keys(&self) -> PathBuf {
        self.data_dir.join("keys.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_differ_by_their_secrets_without_printing_them() {
        let plain = AuthOptions::anthropic(Target::anthropic().unwrap());
        let mut keyed = plain.clone();
        keyed.key.api_key = Some(SecretString::from("hidden-one"));
        let mut other = plain.clone();
        other.key.api_key = Some(SecretString::from("hidden-two"));
        assert_eq!(plain.fingerprint(), plain.clone().fingerprint());
        assert_ne!(plain.fingerprint(), keyed.fingerprint());
        assert_ne!(keyed.fingerprint(), other.fingerprint());
        assert!(!format!("{keyed:?}").contains("hidden-one"));
    }
}
