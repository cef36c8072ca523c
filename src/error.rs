//! What goes wrong, as the user is told: a stable code, one sentence, and what to do about it.
//!
//! Each layer has its own error type; at the face every one of them becomes a [`UserError`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, retryable: $retryable:literal;)+) => {
        /// A stable, machine-readable name of an error. Codes are only ever added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $variant,)+
        }

        impl ErrorCode {
            /// Every code there is, in the order of the documentation.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant),+];

            /// The code as it travels, e.g. `session.busy`.
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $code,)+ }
            }

            /// Whether the same request may succeed when it is simply sent again later.
            pub const fn is_retryable(self) -> bool {
                match self { $(ErrorCode::$variant => $retryable,)+ }
            }
        }
    };
}

error_codes! {
    /// No credential for the provider was found.
    AuthMissingKey = "auth.missing_key", retryable: false;
    /// The provider did not accept the credential.
    AuthRejected = "auth.rejected", retryable: false;
    /// The credential has expired and cannot be renewed.
    AuthExpired = "auth.expired", retryable: false;
    /// A credential was found that cannot be used as it is.
    AuthInvalid = "auth.invalid", retryable: false;
    /// The credential belongs to another host than the one that would be asked.
    AuthWrongHost = "auth.wrong_host", retryable: false;
    /// The login did not complete.
    AuthLoginFailed = "auth.login_failed", retryable: false;
    /// The credential could not be renewed just now.
    AuthRefreshFailed = "auth.refresh_failed", retryable: true;
    /// A value of the configuration cannot be used.
    ConfigInvalid = "config.invalid", retryable: false;
    /// No model is configured and none can be chosen.
    ModelNotConfigured = "model.not_configured", retryable: false;
    /// The model's name is not `provider:model`, or its model part is empty.
    ModelInvalid = "model.invalid", retryable: false;
    /// The provider does not know the model.
    ModelNotFound = "model.not_found", retryable: false;
    /// The part before the colon names no provider.
    ProviderUnknown = "provider.unknown", retryable: false;
    /// The provider refused the request as malformed or not allowed for the model.
    ProviderBadRequest = "provider.bad_request", retryable: false;
    /// The account has a billing problem or reached a spend limit.
    ProviderBilling = "provider.billing", retryable: false;
    /// The credential may not use this resource.
    ProviderPermission = "provider.permission", retryable: false;
    /// Too many requests or tokens in a short time.
    ProviderRateLimited = "provider.rate_limited", retryable: true;
    /// The provider is overloaded for everyone.
    ProviderOverloaded = "provider.overloaded", retryable: true;
    /// The provider failed internally.
    ProviderServerError = "provider.server_error", retryable: true;
    /// The provider did not answer in time.
    ProviderTimeout = "provider.timeout", retryable: true;
    /// The provider could not be reached.
    ProviderUnreachable = "provider.unreachable", retryable: true;
    /// The answer broke off before its end.
    ProviderStreamBroken = "provider.stream_broken", retryable: true;
    /// Something answered that does not speak the provider's protocol.
    ProviderUnexpectedResponse = "provider.unexpected_response", retryable: false;
    /// The conversation is longer than the model's context window.
    ProviderContextTooLong = "provider.context_too_long", retryable: false;
    /// The provider's safety policy declined to answer.
    ProviderRefused = "provider.refused", retryable: false;
    /// The request is larger than the provider accepts.
    ProviderPayloadTooLarge = "provider.payload_too_large", retryable: false;
    /// The answer does not fit the schema that was asked for.
    OutputMismatch = "output.mismatch", retryable: true;
    /// The answer was cut before it was a whole value of the schema that was asked for.
    OutputCutOff = "output.cut_off", retryable: false;
    /// There is no session of that id.
    SessionNotFound = "session.not_found", retryable: false;
    /// The session is running a turn.
    SessionBusy = "session.busy", retryable: true;
    /// Another server runs this session.
    SessionInUse = "session.in_use", retryable: false;
    /// The session was closed while the request waited.
    SessionClosed = "session.closed", retryable: false;
    /// As many sessions are open as the server holds.
    SessionLimit = "session.limit", retryable: false;
    /// The prompt has no content.
    SessionEmptyPrompt = "session.empty_prompt", retryable: false;
    /// The prompt has a content block of a kind that is not known or not accepted.
    SessionUnsupportedContent = "session.unsupported_content", retryable: false;
    /// What has to be kept could not be written or read.
    StoreFailed = "store.failed", retryable: false;
    /// A queue is full; nothing of the request was taken.
    ServerBusy = "server.busy", retryable: true;
    /// A defect of this program.
    ServerInternal = "server.internal", retryable: false;
    /// The parameters do not have the shape of the method.
    ProtocolInvalidParams = "protocol.invalid_params", retryable: false;
    /// The message is not JSON-RPC.
    ProtocolInvalidMessage = "protocol.invalid_message", retryable: false;
    /// The message is larger than the server reads.
    ProtocolFrameTooLarge = "protocol.frame_too_large", retryable: false;
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error as the user sees it. It travels in `error.data` of a JSON-RPC response and in the `end` of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct UserError {
    /// The stable code.
    pub code: ErrorCode,
    /// One sentence, without a final period.
    pub message: String,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether sending the same again may succeed.
    #[serde(default)]
    pub retryable: bool,
    /// The provider the error came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The provider's id of the failed request, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl UserError {
    /// An error of `code` that says `message`.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            retryable: code.is_retryable(),
            provider: None,
            request_id: None,
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the provider the error came from.
    #[must_use]
    pub fn from_provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Adds the provider's id of the failed request.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.request_id = id;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_travels_as_its_name() {
        for &code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.as_str().contains('.'), "{code} has an area and a name");
        }
    }

    #[test]
    fn retryable_follows_the_code() {
        assert!(UserError::new(ErrorCode::SessionBusy, "x").retryable);
        assert!(!UserError::new(ErrorCode::AuthMissingKey, "x").retryable);
    }
}
