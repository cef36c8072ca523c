//! Credentials for Oracle Cloud (OCI): which one is meant, reading it, and signing requests with it.
//!
//! [`resolve`] finds out what is meant, of settings and environment alone. An [`OciAuthorizer`] reads it when the first
//! request needs it, signs requests, and reads session tokens again as they are renewed on disk by OCI's own tools.

mod authorizer;
mod config_file;
mod decrypt;
mod key;
mod load;
mod options;
mod pem;
mod principal;
mod region;
mod sign;
mod token;

pub use authorizer::{OciAuthorizer, OciFacts, OciKind};
pub use config_file::{ConfigFile, Profile, candidates};
pub use key::{KeyError, PrivateKey};
pub use options::{Endpoint, Mode, Options, Resolved, resolve};
pub use sign::{Signed, SignedBody, ToSign, sign};

use crate::error::{ErrorCode, UserError};

/// An error of these credentials.
fn problem(code: ErrorCode, message: impl Into<String>) -> UserError {
    UserError::new(code, message).from_provider("oci")
}
