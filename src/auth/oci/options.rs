//! Which of OCI's credentials is meant, for which region and compartment.
//!
//! Pure: what only a profile or a token knows is put in later, by [`Resolved::endpoint`].

use std::path::{Path, PathBuf};

use url::Url;

use super::{config_file, problem, region};
use crate::config::Environment;
use crate::error::{ErrorCode, UserError};

/// Where requests go when nothing says where.
const DEFAULT_REGION: &str = "us-chicago-1";

/// What the user's settings say. Whatever is not set is found elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// A profile of the configuration file. Either this or `auth_type`.
    pub profile: Option<String>,
    /// `instance_principal` or `resource_principal`: what OCI itself gives to programs that run in it.
    pub auth_type: Option<String>,
    /// The compartment that pays. Needed with `auth_type`.
    pub compartment_id: Option<String>,
    /// A region, by its short or long name.
    pub region: Option<String>,
    /// The configuration file.
    pub config_file: Option<String>,
    /// Where requests go, instead of the region's own address.
    pub base_url: Option<String>,
}

/// A kind of credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A profile of the configuration file: an API key, a session token, or whatever principal the profile names.
    Profile(String),
    /// The principal of a function or another resource (`OCI_RESOURCE_PRINCIPAL_…`).
    ResourcePrincipal,
    /// The principal of a virtual machine.
    InstancePrincipal,
}

/// A choice of credential.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The kind of credential.
    pub mode: Mode,
    /// The region that settings or environment name (its long name), and which of them.
    pub region: Option<(String, &'static str)>,
    /// The compartment that settings or environment name.
    pub compartment: Option<String>,
    /// Where requests go instead of the region's own address, without a slash at the end.
    pub base_url: Option<String>,
    /// The configuration files that count, the first that exists before the others.
    pub config_files: Vec<PathBuf>,
}

/// Where requests go, and on whose account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The region's long name.
    pub region: String,
    /// What named the region, for people.
    pub region_source: &'static str,
    /// The compartment, where one is known.
    pub compartment: Option<String>,
    /// What the paths of the OpenAI-compatible service follow on, without a slash at the end.
    pub base_url: String,
    /// The same for the management service, which lists models. Nothing where `base_url` is the user's own.
    pub management_url: Option<String>,
}

/// Finds out which credential is meant. Blank settings and variables count as unset, but for `profile` and
/// `auth_type`: a blank one was still chosen, and is refused later than silently replaced.
///
/// Without `profile` and `auth_type`, the variable `OCI_PROFILE` names the profile.
///
/// # Errors
/// `config.invalid` when not exactly one of `profile` and `auth_type` is given, or a value cannot be used.
pub fn resolve(options: &Options, environment: &Environment, home: &Path) -> Result<Resolved, UserError> {
    let mode = mode(options, environment)?;
    let compartment = set(options.compartment_id.as_deref());
    // Before the environment is looked at: on a shared machine its variable need not be this program's.
    if options.auth_type.is_some() && compartment.is_none() {
        let message = "a compartment is needed where OCI's authType is set";
        return Err(invalid(message)
            .with_hint("set providers.oci.compartmentId; variables of the environment do not count here"));
    }
    let compartment = compartment
        .or_else(|| environment.get("OCI_COMPARTMENT"))
        .or_else(|| environment.get("OCI_COMPARTMENT_ID"))
        .map(|id| id.trim().to_owned());
    let named = set(options.region.as_deref()).map(|name| (name, "the settings"));
    let named =
        named.or_else(|| environment.get("OCI_REGION").map(|name| (name, "the environment variable OCI_REGION")));
    let region = named.map(|(name, source)| Ok((checked_region(name, source)?, source))).transpose()?;
    let base_url = set(options.base_url.as_deref()).map(checked_url).transpose()?;
    let config_files = config_file::candidates(options.config_file.as_deref(), environment, home);
    Ok(Resolved { mode, region, compartment, base_url, config_files })
}

fn mode(options: &Options, environment: &Environment) -> Result<Mode, UserError> {
    match (&options.profile, options.auth_type.as_deref()) {
        (Some(profile), None) => Ok(Mode::Profile(profile.clone())),
        (None, Some("instance_principal")) => Ok(Mode::InstancePrincipal),
        (None, Some("resource_principal")) => Ok(Mode::ResourcePrincipal),
        (None, Some(other)) => Err(invalid(format!("`{other}` is no authType of OCI")).with_hint(
            "authType is instance_principal or resource_principal; API keys and session tokens are used by naming their \
             profile instead",
        )),
        (None, None) => match environment.get("OCI_PROFILE") {
            Some(profile) => Ok(Mode::Profile(profile.trim().to_owned())),
            None => Err(invalid("OCI needs either a profile or an authType, and neither is set").with_hint(
                "set profile to a profile of ~/.oci/config, such as DEFAULT (or OCI_PROFILE in the environment), or \
                 authType to instance_principal or resource_principal",
            )),
        },
        (Some(profile), Some(auth_type)) => {
            let message =
                format!("OCI needs either a profile or an authType, and both are set (`{profile}` and `{auth_type}`)");
            Err(invalid(message).with_hint("remove one of the two"))
        }
    }
}

impl Resolved {
    /// Where requests go, now that the credential is known. `region` and `tenancy` are what the credential says.
    ///
    /// # Errors
    /// `config.invalid` when the credential's region cannot be one.
    pub fn endpoint(&self, region: Option<&str>, tenancy: Option<&str>) -> Result<Endpoint, UserError> {
        let of_credential = || {
            const SOURCE: &str = "the credential";
            let named = set(region).map(|name| Ok((checked_region(name, SOURCE)?, SOURCE))).transpose()?;
            Ok(named.unwrap_or_else(|| (DEFAULT_REGION.to_owned(), "the default")))
        };
        let (region, region_source) = self.region.clone().map_or_else(of_credential, Ok)?;
        let host = |service: &str| format!("https://{service}.{region}.oci.{}", region::domain(&region));
        let own = format!("{}/openai/v1", host("inference.generativeai"));
        let management_url = self.base_url.is_none().then(|| format!("{}/20231130", host("generativeai")));
        Ok(Endpoint {
            region_source,
            compartment: self.compartment.clone().or_else(|| tenancy.map(str::to_owned)),
            base_url: self.base_url.clone().unwrap_or(own),
            management_url,
            region,
        })
    }
}

/// A value that is not blank.
fn set(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

fn invalid(message: impl Into<String>) -> UserError {
    problem(ErrorCode::ConfigInvalid, message)
}

fn checked_region(name: &str, source: &str) -> Result<String, UserError> {
    region::long_name(name).ok_or_else(|| {
        invalid(format!("`{name}` is no region of OCI; it is from {source}")).with_hint("a region is like us-chicago-1")
    })
}

fn checked_url(url: &str) -> Result<String, UserError> {
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => Err(invalid("providers.oci.baseUrl is no http or https URL")),
    }
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
