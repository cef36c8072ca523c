//! Credentials: where they are looked for, and in which order.
//!
//! *For*: the secret that a provider's request carries, and a clear word when there is none.
//! *Owns*: the sources of credentials and their order, logins and their renewal, stored keys, and the rule which host may
//! have which credential. A secret lives in a type that does not print itself. `docs/credentials.md` has it for users.
//! *Must not know*: sessions, LSP, request bodies.

mod authorizer;
mod chain;
mod clock;
mod command;
mod credentials;
mod files;
mod found;
mod headers;
mod host;
mod keychain;
mod oauth;
mod options;
mod order;
mod sources;
mod store;
#[cfg(test)]
mod testing;
mod token;

pub mod oci;

pub use authorizer::{Authorized, Authorizer};
pub use chain::Chain;
pub use credentials::{Credentials, PendingLogin};
pub use host::authority;
pub use options::{ANTHROPIC_HOST, AuthOptions, Check, KeyOptions, OauthOptions, Origin, Places, Target, TokenFormat};
