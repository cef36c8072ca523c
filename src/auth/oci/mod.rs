//! Credentials for Oracle Cloud (OCI): which one is meant, reading it, and signing requests with it.

mod decrypt;
mod key;
mod pem;
mod sign;

pub use key::{KeyError, PrivateKey};
pub use sign::{Signed, SignedBody, ToSign, sign};
