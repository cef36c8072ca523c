//! What a source of credentials says.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use super::clock::Clock;
use super::command::CommandLine;
use super::files::{self, Stamp};
use super::headers::Placement;
use super::host::Binding;
use super::oauth::{Issuer, TokenSource};
use super::options::{AuthOptions, Fingerprint, Places};
use super::store::Store;
use crate::config::Environment;
use crate::error::UserError;
use crate::net::Http;
use crate::protocol::{AuthStep, CredentialKind};

/// What sources look at.
pub struct Surroundings<'a> {
    /// What the user says.
    pub options: &'a AuthOptions,
    /// Environment variables.
    pub environment: &'a Environment,
    /// Directories.
    pub places: &'a Places,
    /// The client for issuers of tokens. Nothing is sent while sources look.
    pub http: &'a Arc<Http>,
    /// The time of day.
    pub clock: &'a Clock,
    /// Stored keys.
    pub store: &'a Store,
    /// Files that were looked at: when one changes, it is worth looking again.
    pub watched: &'a RefCell<Vec<Watched>>,
}

/// A file that a credential depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    path: PathBuf,
    stamp: Option<Stamp>,
    /// Only whether it is there matters: what is in it is followed elsewhere.
    existence: bool,
}

impl Watched {
    /// Whether the file is as it was.
    pub fn is_unchanged(&self) -> bool {
        let stamp = files::stamp(&self.path);
        if self.existence { stamp.is_some() == self.stamp.is_some() } else { stamp == self.stamp }
    }
}

impl Surroundings<'_> {
    /// Remembers that the file at `path` was looked at.
    pub fn watch(&self, path: &Path) {
        self.remember(path, false);
    }

    /// Remembers that it matters whether there is a file at `path`.
    pub fn watch_existence(&self, path: &Path) {
        self.remember(path, true);
    }

    fn remember(&self, path: &Path, existence: bool) {
        let watched = Watched { path: path.to_owned(), stamp: files::stamp(path), existence };
        self.watched.borrow_mut().push(watched);
    }

    /// An issuer at `url`.
    pub fn issuer(&self, url: url::Url) -> Issuer {
        Issuer { url, http: self.http.clone(), clock: self.clock.clone() }
    }
}

/// One place that was looked at.
#[derive(Debug)]
pub struct Look {
    /// The step of the order.
    pub step: AuthStep,
    /// The place, for people.
    pub place: String,
    /// Whether the user asked for this place. Then what is wrong there is an error, otherwise it is passed over.
    pub explicit: bool,
    /// What was there.
    pub outcome: Outcome,
}

/// What was at a place.
#[derive(Debug)]
pub enum Outcome {
    /// A credential.
    Found(Box<Found>),
    /// Nothing.
    Absent,
    /// It was not looked at, and why.
    Skipped(String),
    /// Something that cannot be used.
    Invalid(UserError),
}

/// A credential that was found.
#[derive(Debug)]
pub struct Found {
    /// What it is.
    pub kind: CredentialKind,
    /// Where it was found, for people.
    pub source: String,
    /// Who may receive it.
    pub binding: Binding,
    /// What it consists of.
    pub material: Material,
}

/// What a credential consists of.
#[derive(Clone, Debug)]
pub enum Material {
    /// A secret that stays as it is.
    Fixed(SecretString, Placement),
    /// A secret that a program prints.
    Command(CommandLine, Placement),
    /// A token that expires.
    Renewed(Arc<TokenSource>),
}

impl Material {
    /// A token that expires.
    pub fn renewed(source: TokenSource) -> Self {
        Self::Renewed(Arc::new(source))
    }

    /// Whether it is the same as `other`, so that what was made of the one serves for the other.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fixed(one, placement), Self::Fixed(two, other)) => {
                placement == other && Fingerprint::of_secret(one) == Fingerprint::of_secret(two)
            }
            (Self::Command(one, placement), Self::Command(two, other)) => placement == other && one == two,
            // What is in the file is followed by whoever keeps the token fresh; what renews it is compared.
            (Self::Renewed(one), Self::Renewed(two)) => one.is(two),
            _ => false,
        }
    }
}

impl Look {
    /// A look at `place`.
    pub fn new(step: AuthStep, place: impl Into<String>, outcome: Outcome) -> Self {
        Self { step, place: place.into(), explicit: false, outcome }
    }

    /// Marks it as asked for, if `explicit`.
    pub fn asked(mut self, explicit: bool) -> Self {
        self.explicit = explicit;
        self
    }
}

impl Outcome {
    /// What `read` found: a credential, nothing, or an error.
    pub fn of(read: Result<Option<Found>, UserError>) -> Self {
        match read {
            Ok(Some(found)) => Self::Found(Box::new(found)),
            Ok(None) => Self::Absent,
            Err(error) => Self::Invalid(error),
        }
    }
}
