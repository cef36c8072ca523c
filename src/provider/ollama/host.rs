//! Where Ollama listens, in the forms that its own clients understand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::{ErrorCode, UserError};

/// The environment variable that says where.
pub const VARIABLE: &str = "OLLAMA_HOST";
/// Where, when nothing does. Not `localhost`, which some resolvers try as IPv6 first.
pub const DEFAULT_HOST: &str = "http://127.0.0.1:11434";
const DEFAULT_PORT: u16 = 11434;

/// The base URL that a value of `OLLAMA_HOST` means: with scheme and port, without a slash at the end. Without a scheme
/// the port is 11434, with one it is the scheme's own. An address to listen on at all interfaces, which the server
/// understands, means this machine.
///
/// # Errors
/// `config.invalid` for what is no address.
pub fn base_url(value: Option<&str>) -> Result<String, UserError> {
    let value = value.unwrap_or_default().trim().trim_matches(['"', '\'']).trim();
    let (scheme, default_port, rest) = match value.split_once("://") {
        None => ("http", DEFAULT_PORT, value),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", 80, rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", 443, rest),
        Some(_) => return Err(invalid(value, "has a scheme that is neither http nor https")),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = split_port(authority, value)?;
    let port = match port {
        None | Some("") => default_port,
        Some(port) => port.parse().map_err(|_| invalid(value, "has a port that is not a number up to 65535"))?,
    };
    let path = path.trim_end_matches('/');
    let slash = if path.is_empty() { "" } else { "/" };
    Ok(format!("{scheme}://{}:{port}{slash}{path}", connectable(&host)))
}

/// Host and port. Addresses of IPv6 stand in brackets, as their colons look like the one before a port.
fn split_port<'a>(authority: &'a str, value: &str) -> Result<(String, Option<&'a str>), UserError> {
    if authority.contains('@') {
        return Err(invalid(value, "has a user name or a password in it"));
    }
    if authority == "::" {
        return Ok(("[::]".to_owned(), None));
    }
    if let Some(inner) = authority.strip_prefix('[') {
        let (address, rest) = inner.split_once(']').ok_or_else(|| invalid(value, "has an open bracket"))?;
        // A zone is the system's business.
        let plain = address.split('%').next().unwrap_or_default();
        let port = rest.strip_prefix(':');
        if plain.parse::<Ipv6Addr>().is_err() || (!rest.is_empty() && port.is_none()) {
            return Err(invalid(value, "has no IPv6 address in its brackets"));
        }
        return Ok((format!("[{address}]"), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            return Err(invalid(value, "has an IPv6 address without brackets"));
        }
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if host.contains(char::is_whitespace) {
        return Err(invalid(value, "has a blank in it"));
    }
    Ok((if host.is_empty() { Ipv4Addr::LOCALHOST.to_string() } else { host.to_owned() }, port))
}

/// The host that a client connects to.
fn connectable(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(address)) if address.is_unspecified() => format!("[{}]", Ipv6Addr::LOCALHOST),
        _ => host.to_owned(),
    }
}

fn invalid(value: &str, what: &str) -> UserError {
    // What stands before an @ may be a password.
    let shown = if value.contains('@') { String::new() } else { format!(" {value:?}") };
    UserError::new(ErrorCode::ConfigInvalid, format!("{VARIABLE}{shown} {what}"))
        .with_hint("write host, host:port or a URL, for example 127.0.0.1:11434 or [::1]:11434")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_means_what_it_means_to_ollamas_clients() {
        let rows = [
            ("", "http://127.0.0.1:11434"),
            ("1.2.3.4", "http://1.2.3.4:11434"),
            (":56789", "http://127.0.0.1:56789"),
            ("1.2.3.4:56789", "http://1.2.3.4:56789"),
            ("http://1.2.3.4", "http://1.2.3.4:80"),
            ("https://1.2.3.4", "https://1.2.3.4:443"),
            ("https://1.2.3.4:56789", "https://1.2.3.4:56789"),
            ("example.com", "http://example.com:11434"),
            ("example.com/", "http://example.com:11434"),
            ("example.com:56789/", "http://example.com:56789"),
            ("example.com/path", "http://example.com:11434/path"),
            ("https://example.com:56789/path/", "https://example.com:56789/path"),
            ("[0001:002:003:0004::1]", "http://[0001:002:003:0004::1]:11434"),
            ("http://[0001:002:003:0004::1]", "http://[0001:002:003:0004::1]:80"),
            ("https://[0001:002:003:0004::1]:56789/path/", "https://[0001:002:003:0004::1]:56789/path"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("::", "http://[::1]:11434"),
            ("[::]:1", "http://[::1]:1"),
            ("  \"example.com\" ", "http://example.com:11434"),
            ("localhost", "http://localhost:11434"),
        ];
        for (value, expected) in rows {
            assert_eq!(base_url(Some(value)).as_deref(), Ok(expected), "{value}");
        }
        assert_eq!(base_url(None).as_deref(), Ok(DEFAULT_HOST));
    }

    #[test]
    fn what_is_no_address_is_an_error_that_names_the_variable() {
        for value in ["::1", "ftp://example.com", "example.com:port", "example.com:99999", "[::1", "[x]", "a b"] {
            let error = base_url(Some(value)).unwrap_err();
            assert_eq!(error.code, ErrorCode::ConfigInvalid, "{value}");
            assert!(error.message.starts_with("OLLAMA_HOST") && error.hint.is_some(), "{value}");
        }
        let error = base_url(Some("https://me:hidden@example.com")).unwrap_err();
        assert!(!error.message.contains("hidden"), "{}", error.message);
    }
}
