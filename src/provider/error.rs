//! What goes wrong between us and a provider.

use std::time::Duration;

use crate::error::{ErrorCode, UserError};
use crate::telemetry::redact;

/// Classes of errors, the same for every provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// There is no credential.
    MissingKey,
    /// The credential is not accepted.
    Auth,
    /// The credential may not do this.
    Permission,
    /// Payment, or a spend limit that will not lift by waiting.
    Billing,
    /// Too many requests or tokens in a short time.
    RateLimit,
    /// The provider is overloaded.
    Overloaded,
    /// The provider failed.
    Server,
    /// The provider did not answer in time.
    Timeout,
    /// The provider could not be reached.
    Unreachable,
    /// The conversation does not fit into the context window.
    ContextTooLong,
    /// The request is too large.
    PayloadTooLarge,
    /// There is no such model.
    ModelNotFound,
    /// The request is malformed or not allowed.
    BadRequest,
    /// The request conflicts with another one.
    Conflict,
    /// Thinking of an earlier answer is bound to another conversation.
    ThinkingMismatch,
    /// The stream broke off or its bytes made no sense.
    StreamBroken,
    /// Something answered that does not speak the protocol.
    UnexpectedResponse,
    /// Our own setting cannot be used.
    Config,
}

impl Category {
    /// The class of an HTTP status, where nothing says more.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Auth,
            402 => Self::Billing,
            403 => Self::Permission,
            404 => Self::ModelNotFound,
            408 | 504 => Self::Timeout,
            409 => Self::Conflict,
            413 => Self::PayloadTooLarge,
            429 => Self::RateLimit,
            503 | 529 => Self::Overloaded,
            400..=499 => Self::BadRequest,
            300..=399 => Self::UnexpectedResponse,
            _ => Self::Server,
        }
    }

    /// The stable code that users see.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::MissingKey => ErrorCode::AuthMissingKey,
            Self::Auth => ErrorCode::AuthRejected,
            Self::Permission => ErrorCode::ProviderPermission,
            Self::Billing => ErrorCode::ProviderBilling,
            Self::RateLimit => ErrorCode::ProviderRateLimited,
            Self::Overloaded => ErrorCode::ProviderOverloaded,
            Self::Server => ErrorCode::ProviderServerError,
            Self::Timeout => ErrorCode::ProviderTimeout,
            Self::Unreachable => ErrorCode::ProviderUnreachable,
            Self::ContextTooLong => ErrorCode::ProviderContextTooLong,
            Self::PayloadTooLarge => ErrorCode::ProviderPayloadTooLarge,
            Self::ModelNotFound => ErrorCode::ModelNotFound,
            Self::BadRequest | Self::Conflict | Self::ThinkingMismatch => ErrorCode::ProviderBadRequest,
            Self::StreamBroken => ErrorCode::ProviderStreamBroken,
            Self::UnexpectedResponse => ErrorCode::ProviderUnexpectedResponse,
            Self::Config => ErrorCode::ConfigInvalid,
        }
    }

    fn hint(self) -> Option<&'static str> {
        match self {
            Self::Auth => Some("check that the key is whole, active and for this provider"),
            Self::Permission => Some("check what the key's workspace may use"),
            Self::Billing => Some("check the account's plan and spend limits"),
            Self::RateLimit => Some("wait a moment and send the prompt again"),
            Self::Overloaded | Self::Server => Some("the provider has trouble; send the prompt again in a moment"),
            Self::Timeout | Self::Unreachable => Some("check the network, the proxy and the base URL"),
            Self::ContextTooLong => Some("start a new session or attach less"),
            Self::PayloadTooLarge => Some("attach less"),
            Self::ModelNotFound => Some("check the model's name; a model may also have been retired"),
            Self::StreamBroken => Some("what arrived is kept; send the prompt again to go on"),
            Self::UnexpectedResponse => Some(
                "check the base URL (for Anthropic: ANTHROPIC_BASE_URL): a proxy or a login page may have answered",
            ),
            Self::MissingKey | Self::BadRequest | Self::Conflict | Self::ThinkingMismatch | Self::Config => None,
        }
    }
}

/// An error of a provider, with all that it said about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The class.
    pub category: Category,
    /// One sentence: the provider's own words where there are any.
    pub message: String,
    /// The HTTP status, where one arrived.
    pub status: Option<u16>,
    /// The vendor's name for the error, verbatim.
    pub vendor_type: Option<String>,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether the provider says that the request may be sent again.
    pub should_retry: Option<bool>,
    /// What to do, where it is better known than by the class.
    pub hint: Option<String>,
    /// The stable code, where it is better known than by the class.
    pub code: Option<ErrorCode>,
}

impl Error {
    /// An error of `category` that says `message`.
    pub fn new(category: Category, message: impl Into<String>) -> Self {
        Self {
            category,
            message: message.into(),
            status: None,
            vendor_type: None,
            request_id: None,
            retry_after: None,
            should_retry: None,
            hint: None,
            code: None,
        }
    }

    /// Whether what answered does not have what was asked for: a gateway that knows only a part of the API.
    pub fn is_not_offered(&self) -> bool {
        let no_such_path = matches!(self.status, Some(404 | 405 | 501)) && self.vendor_type.is_none();
        no_such_path || self.category == Category::UnexpectedResponse
    }

    /// The error as the user sees it. Vendors quote what they were sent: what looks like a secret is masked.
    pub fn to_user(&self, provider: &str) -> UserError {
        let mut error =
            UserError::new(self.code.unwrap_or(self.category.code()), redact(self.message.trim_end_matches('.')))
                .from_provider(provider)
                .with_request_id(self.request_id.clone());
        error.hint = self.hint.clone().or_else(|| self.category.hint().map(str::to_owned));
        error
    }
}

impl From<UserError> for Error {
    /// For errors that were found before anything was sent.
    fn from(error: UserError) -> Self {
        let category = match error.code {
            ErrorCode::AuthMissingKey => Category::MissingKey,
            ErrorCode::AuthRejected | ErrorCode::AuthExpired | ErrorCode::AuthInvalid => Category::Auth,
            _ => Category::Config,
        };
        Self { hint: error.hint, code: Some(error.code), ..Self::new(category, error.message) }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        // The error's own text may hold the URL, and a URL may hold a secret.
        let error = error.without_url();
        let category = if error.is_timeout() {
            Category::Timeout
        } else if error.is_builder() {
            Category::Config
        } else if error.is_body() || error.is_decode() {
            Category::StreamBroken
        } else {
            Category::Unreachable
        };
        let what = match category {
            Category::Timeout => "the provider did not answer in time",
            Category::Config => "the provider's address cannot be used",
            Category::StreamBroken => "the answer broke off",
            _ => "the provider could not be reached",
        };
        let hint = (category == Category::Config)
            .then(|| "check the base URL (for Anthropic: ANTHROPIC_BASE_URL); it begins with https://".to_owned());
        Self { hint, ..Self::new(category, format!("{what}: {}", crate::net::innermost(&error))) }
    }
}
