//! The door between a credential and the requests that carry it.

use std::fmt;

use futures_util::future::BoxFuture;
use reqwest::Request;

use crate::error::UserError;

/// A request that carries a credential.
#[derive(Debug)]
pub struct Authorized {
    /// The request, ready to be sent as it is.
    pub request: Request,
    /// Which state of the credential it carries: a number that grows whenever the credential is renewed.
    pub generation: u64,
}

/// Puts a credential on requests: a header, or a signature over the whole of one.
pub trait Authorizer: fmt::Debug + Send + Sync {
    /// Puts the credential on `request`, whose method, URL and body are final. May renew the credential first. Whatever
    /// `authorization` the request had is replaced.
    ///
    /// # Errors
    /// `auth.*`: there is no credential, or it cannot be renewed or used.
    fn authorize(&self, request: Request) -> BoxFuture<'_, Result<Authorized, UserError>>;

    /// Checks without any network that there is a credential that could be put on a request.
    ///
    /// # Errors
    /// `auth.*`: what is missing or cannot be used, and what was looked for.
    fn ready(&self) -> Result<(), UserError> {
        Ok(())
    }

    /// The provider refused (401) a request that carried `generation`. Gives back whether the same request may succeed
    /// now, with another credential: then it is sent once more, and only once. By default it may not.
    ///
    /// # Errors
    /// `auth.*`: the credential should be renewed and cannot be.
    fn refused(&self, generation: u64) -> BoxFuture<'_, Result<bool, UserError>> {
        let _ = generation;
        Box::pin(async { Ok(false) })
    }
}
