//! One provider's credential: found at the first use, shared by all requests, looked for again when it changes.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use reqwest::Request;

use super::authorizer::{Authorized, Authorizer};
use super::clock::Clock;
use super::command::CommandKey;
use super::found::{Found, Material, Surroundings, Watched};
use super::headers::Placement;
use super::host::{self, Binding};
use super::oauth::{Renewing, next_generation};
use super::options::{AuthOptions, Places};
use super::order;
use super::store::Store;
use crate::config::Environment;
use crate::error::{ErrorCode, UserError};
use crate::net::Http;
use crate::protocol::{CredentialInfo, CredentialKind, Looked};

/// What all credentials are found with.
#[derive(Debug)]
pub struct Context {
    pub(super) http: Arc<Http>,
    pub(super) environment: Arc<Environment>,
    pub(super) places: Places,
    pub(super) store: Store,
    pub(super) clock: Clock,
}

/// One provider's credential.
#[derive(Debug)]
pub struct Chain {
    context: Arc<Context>,
    options: AuthOptions,
    live: Mutex<Option<Arc<Live>>>,
}

/// A credential that is used.
#[derive(Debug)]
struct Live {
    binding: Binding,
    material: Material,
    holder: Arc<Holder>,
    watched: Vec<Watched>,
    revision: u64,
}

/// What makes headers of a credential.
#[derive(Debug)]
enum Holder {
    Fixed(u64),
    Command(CommandKey),
    Renewing(Renewing),
}

impl Chain {
    /// The credential that `options` describe. Nothing is looked at before it is needed.
    pub(super) fn new(context: Arc<Context>, options: AuthOptions) -> Self {
        Self { context, options, live: Mutex::default() }
    }

    /// Whether a request can be authorized, as far as small files tell: no command is run and nothing is sent.
    ///
    /// # Errors
    /// `auth.*`: why it cannot.
    pub fn ready(&self) -> Result<(), UserError> {
        match self.live()? {
            Some(live) => match live.holder.as_ref() {
                Holder::Renewing(renewing) => renewing.ready().map_err(|error| self.named(error)),
                Holder::Fixed(_) | Holder::Command(_) => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// All places that were looked at, and the credential that is used.
    pub(super) fn survey(&self) -> (Vec<Looked>, Result<CredentialInfo, UserError>) {
        let watched = RefCell::default();
        let (looked, found) = order::survey(&self.surroundings(&watched));
        let info = match found {
            Ok(found) => Ok(self.info(&found)),
            Err(error) if self.needs_none(&error) => Ok(self.no_credential()),
            Err(error) => Err(self.named(error)),
        };
        (looked, info)
    }

    fn info(&self, found: &Found) -> CredentialInfo {
        let expires_at = match &found.material {
            Material::Renewed(source) => {
                super::oauth::Renewer::load(source.as_ref()).ok().flatten().and_then(|token| token.expires_at)
            }
            Material::Fixed(..) | Material::Command(..) => None,
        };
        let held = self.lock().as_ref().and_then(|live| live.expires_at_of(&found.material));
        CredentialInfo {
            kind: found.kind,
            source: found.source.clone(),
            expires_at: held.or(expires_at).map(super::clock::milliseconds),
            host: found.binding.host(&self.options.key.target),
            check: None,
        }
    }

    fn no_credential(&self) -> CredentialInfo {
        CredentialInfo {
            kind: CredentialKind::None,
            source: "none is needed".to_owned(),
            expires_at: None,
            host: host::authority(&self.options.key.target.base_url),
            check: None,
        }
    }

    fn surroundings<'a>(&'a self, watched: &'a RefCell<Vec<Watched>>) -> Surroundings<'a> {
        let Context { http, environment, places, store, clock } = self.context.as_ref();
        Surroundings { options: &self.options, environment, places, http, clock, store, watched }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether requests go out although there is no credential.
    fn needs_none(&self, error: &UserError) -> bool {
        self.options.key.optional && error.code == ErrorCode::AuthMissingKey
    }

    fn named(&self, error: UserError) -> UserError {
        error.from_provider(self.options.key.provider.as_str())
    }

    /// The credential; nothing when there is none and none is needed.
    fn live(&self) -> Result<Option<Arc<Live>>, UserError> {
        if let Some(live) = self.lock().as_ref().filter(|live| live.is_current(&self.context.store)) {
            return Ok(Some(live.clone()));
        }
        self.search()
    }

    /// Looks at all places again. What is found to be the same keeps its number.
    fn search(&self) -> Result<Option<Arc<Live>>, UserError> {
        let mut current = self.lock();
        let watched = RefCell::default();
        // Before the look: a key that is stored meanwhile is seen by the next one.
        let revision = self.context.store.revision();
        let found = match order::search(&self.surroundings(&watched)) {
            Ok(found) => found,
            Err(error) => {
                *current = None;
                return if self.needs_none(&error) { Ok(None) } else { Err(self.named(error)) };
            }
        };
        let before = current.take().filter(|live| live.material.is(&found.material));
        let holder = before.map_or_else(|| Arc::new(self.hold(&found.material)), |live| live.holder.clone());
        let Found { kind, source, binding, material } = found;
        tracing::debug!(provider = %self.options.key.provider, ?kind, %source, "credential found");
        let live = Arc::new(Live { binding, material, holder, watched: watched.into_inner(), revision });
        *current = Some(live.clone());
        Ok(Some(live))
    }

    fn hold(&self, material: &Material) -> Holder {
        match material {
            Material::Fixed(..) => Holder::Fixed(next_generation()),
            Material::Command(command, _) => Holder::Command(CommandKey::new(command.clone())),
            Material::Renewed(source) => Holder::Renewing(Renewing::new(source.clone(), self.context.clock.clone())),
        }
    }

    async fn put(&self, live: &Live, mut request: Request) -> Result<Authorized, UserError> {
        host::check(&live.binding, request.url(), &self.options.key.target)?;
        let generation = match (live.holder.as_ref(), &live.material) {
            (Holder::Fixed(generation), Material::Fixed(secret, placement)) => {
                placement.put(secret, &mut request)?;
                *generation
            }
            (Holder::Command(command), Material::Command(_, placement)) => {
                let (secret, generation) = command.current().await?;
                placement.put(&secret, &mut request)?;
                generation
            }
            (Holder::Renewing(renewing), _) => {
                let held = renewing.current().await?;
                Placement::OauthBearer.put(&held.token.access, &mut request)?;
                held.generation
            }
            // The holder is made of the material.
            _ => return Err(UserError::new(ErrorCode::ServerInternal, "a credential is not what it was found as")),
        };
        Ok(Authorized { request, generation })
    }
}

impl Live {
    fn is_current(&self, store: &Store) -> bool {
        self.revision == store.revision() && self.watched.iter().all(Watched::is_unchanged)
    }

    fn expires_at_of(&self, material: &Material) -> Option<SystemTime> {
        match self.holder.as_ref() {
            Holder::Renewing(renewing) if self.material.is(material) => renewing.expires_at(),
            _ => None,
        }
    }
}

impl Authorizer for Chain {
    fn authorize(&self, request: Request) -> BoxFuture<'_, Result<Authorized, UserError>> {
        Box::pin(async move {
            match self.live()? {
                Some(live) => self.put(&live, request).await.map_err(|error| self.named(error)),
                None => Ok(Authorized { request, generation: 0 }),
            }
        })
    }

    fn ready(&self) -> Result<(), UserError> {
        Self::ready(self)
    }

    fn refused(&self, generation: u64) -> BoxFuture<'_, Result<bool, UserError>> {
        Box::pin(async move {
            let is_fixed = self.lock().as_ref().is_some_and(|live| matches!(*live.holder, Holder::Fixed(_)));
            // A secret that does not renew itself may have been replaced where nothing tells of it.
            let live = if is_fixed { self.search()? } else { self.live()? };
            let Some(live) = live else { return Ok(false) };
            let another = match live.holder.as_ref() {
                Holder::Fixed(now) => Ok(*now != generation),
                Holder::Command(command) => command.refused(generation).await,
                Holder::Renewing(renewing) => renewing.refused(generation).await,
            };
            another.map_err(|error| self.named(error))
        })
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
