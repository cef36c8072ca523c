//! OAuth: logging in, and keeping a login fresh.

mod issuer;
mod login;
mod loopback;
mod pkce;
mod refresh;
mod renewer;

pub use issuer::Issuer;
pub use login::{Flow, Login};
pub use refresh::{Renewer, Renewing, next_generation};
pub use renewer::{Grant, TokenSource, Workload};
