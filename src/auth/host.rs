//! Which host may receive a credential. Pure.

use url::{Host, Url};

use super::options::{Origin, Target};
use crate::error::{ErrorCode, UserError};

/// What a credential is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// To the host that was recorded with it, as `host` or `host:port`.
    Host(String),
    /// To the vendor's own host, or to another that was set at the same place as the credential.
    SetAt(Origin),
}

impl Binding {
    /// The host that a request to `target` with this credential is meant for, for people.
    pub fn host(&self, target: &Target) -> String {
        match self {
            Self::Host(host) => host.clone(),
            Self::SetAt(_) => authority(&target.base_url),
        }
    }
}

/// Whether a credential bound by `binding` may go to `url`, which lies below the base URL of `target`.
///
/// It may when the user's own configuration lists the host, when it is the host that the credential is bound to, and
/// when credential and base URL were set together: both in the user's file, both in the environment, or both by the
/// user where the base URL stands on the command line. What another party may write never pairs the two.
///
/// # Errors
/// `auth.wrong_host`.
pub fn check(binding: &Binding, url: &Url, target: &Target) -> Result<(), UserError> {
    if target.hosts.iter().any(|host| is_host(url, host)) {
        return Ok(());
    }
    let (allowed, bound_to) = match binding {
        Binding::Host(host) => (is_host(url, host) && is_private(url), host.as_str()),
        Binding::SetAt(origin) => {
            let default = target.default_host.as_deref();
            let at_home = default.is_some_and(|host| is_host(url, host)) && is_private(url);
            let below = authority(url) == authority(&target.base_url) && url.scheme() == target.base_url.scheme();
            // An address that is built in, unless the vendor's keys belong to another one.
            let is_vendors = default.is_none_or(|host| is_host(&target.base_url, host));
            let built_in = below && target.origin == Origin::Default && is_vendors;
            let bound_to = default.unwrap_or("the host that is configured at the same place");
            (at_home || built_in || (below && paired(*origin, target.origin)), bound_to)
        }
    };
    if allowed { Ok(()) } else { Err(refusal(url, target, bound_to)) }
}

fn paired(credential: Origin, base_url: Origin) -> bool {
    match base_url {
        Origin::UserFile | Origin::Environment => credential == base_url,
        Origin::CommandLine => matches!(credential, Origin::UserFile | Origin::Environment | Origin::CommandLine),
        Origin::Default | Origin::Other => false,
    }
}

fn refusal(url: &Url, target: &Target, bound_to: &str) -> UserError {
    let host = authority(url);
    let message = if url.scheme() == "http" && is_host(url, bound_to) {
        format!("the credential is not sent to {host} without encryption")
    } else {
        format!(
            "the credential belongs to {bound_to} and is not sent to {host} (base URL from {})",
            target.origin_words
        )
    };
    UserError::new(ErrorCode::AuthWrongHost, message).with_hint(format!(
        "if {host} is meant to have it, list that host under `auth.hosts` of the provider in your own settings, or set \
         the base URL and the key at the same place"
    ))
}

/// `host`, or `host:port` where the port is not the scheme's own.
pub fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether `url` leads to `host`. A host without a port is meant with the scheme's own.
fn is_host(url: &Url, host: &str) -> bool {
    let host = host.trim().trim_end_matches('.');
    let same = |one: &str| one.trim_end_matches('.').eq_ignore_ascii_case(host);
    let with_port = || url.port_or_known_default().map(|port| format!("{}:{port}", url.host_str().unwrap_or_default()));
    same(&authority(url)) || with_port().is_some_and(|full| same(&full))
}

/// Whether what is sent to `url` cannot be read on the way.
pub fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

/// Whether `url` leads to this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(base_url: &str, origin: Origin, hosts: &[&str]) -> Target {
        Target {
            base_url: Url::parse(base_url).unwrap(),
            origin,
            origin_words: "somewhere".into(),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            ..Target::anthropic().unwrap()
        }
    }

    fn may(binding: &Binding, base_url: &str, origin: Origin, hosts: &[&str]) -> bool {
        let target = target(base_url, origin, hosts);
        let url = target.base_url.join("/v1/messages").unwrap();
        check(binding, &url, &target).is_ok()
    }

    #[test]
    fn a_key_goes_to_another_host_only_when_the_user_paired_them() {
        use Origin::{CommandLine, Default, Environment, Other, UserFile};
        let home = "https://api.anthropic.com";
        let gateway = "https://gateway.example/x";
        for credential in [UserFile, Environment, CommandLine, Other] {
            assert!(may(&Binding::SetAt(credential), home, Default, &[]));
            assert!(may(&Binding::SetAt(credential), home, Other, &[]), "the vendor may always have it");
            assert!(!may(&Binding::SetAt(credential), gateway, Other, &[]));
            assert!(may(&Binding::SetAt(credential), gateway, Other, &["GATEWAY.example"]));
        }
        let pairs = [
            (UserFile, UserFile, true),
            (Environment, Environment, true),
            (Environment, UserFile, false),
            (UserFile, Environment, false),
            (UserFile, CommandLine, true),
            (Environment, CommandLine, true),
            (Other, CommandLine, false),
            (Other, Other, false),
        ];
        for (credential, base_url, expected) in pairs {
            assert_eq!(
                may(&Binding::SetAt(credential), gateway, base_url, &[]),
                expected,
                "{credential:?} {base_url:?}"
            );
        }
    }

    #[test]
    fn a_recorded_host_is_the_only_one() {
        let bound = Binding::Host("api.anthropic.com".into());
        assert!(may(&bound, "https://api.anthropic.com", Origin::Default, &[]));
        assert!(may(&bound, "https://api.anthropic.com:443", Origin::Environment, &[]));
        assert!(!may(&bound, "https://api.anthropic.com:8443", Origin::Environment, &[]));
        assert!(!may(&bound, "https://api.anthropic.com.evil.example", Origin::Environment, &[]));
        assert!(!may(&bound, "http://api.anthropic.com", Origin::UserFile, &[]), "not in the clear");
        assert!(!may(&bound, "http://127.0.0.1:1", Origin::UserFile, &[]));
        assert!(may(&bound, "http://127.0.0.1:1", Origin::UserFile, &["127.0.0.1:1"]));
        assert!(may(&Binding::Host("127.0.0.1:1".into()), "http://127.0.0.1:1", Origin::Environment, &[]));
    }

    #[test]
    fn a_key_stays_away_from_an_address_that_is_built_in_and_not_the_vendors() {
        let credential = Binding::SetAt(Origin::Environment);
        let with = |base_url: &str, home: &str| {
            let target = Target { default_host: Some(home.into()), ..target(base_url, Origin::Default, &[]) };
            check(&credential, &target.base_url, &target).is_ok()
        };
        assert!(!with("http://127.0.0.1:11434", "ollama.com"));
        assert!(with("http://localhost:8000/v1", "localhost:8000"));
        assert!(with("https://api.groq.com/openai/v1", "api.groq.com"));
    }

    #[test]
    fn a_request_elsewhere_than_to_the_base_url_is_refused() {
        let target = target("https://gateway.example", Origin::Environment, &[]);
        let elsewhere = Url::parse("https://other.example/v1/messages").unwrap();
        let error = check(&Binding::SetAt(Origin::Environment), &elsewhere, &target).unwrap_err();
        assert_eq!(error.code, ErrorCode::AuthWrongHost);
        assert!(error.message.contains("other.example"), "{}", error.message);
        assert!(error.hint.unwrap().contains("auth.hosts"));
    }
}
