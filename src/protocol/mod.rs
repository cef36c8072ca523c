//! The wire contract: what an editor and this server say to each other beyond the Language Server Protocol.
//!
//! *For*: one table of methods ([`METHODS`]), one Rust type for each params and result, and the exporters that turn
//! them into JSON Schema, TypeScript and LuaCATS.
//! *Owns*: the shape of every custom message. Field names and type tags are camelCase; unknown fields are ignored.
//! *Must not know*: LSP's own types, transports, sessions, providers.

mod auth;
mod config;
mod context;
pub mod export;
mod initialize;
mod keep;
mod method;
mod model;
mod prompt;
mod session;
mod stream;
mod usage;

pub use auth::{
    AuthMode, AuthStatusParams, AuthStatusResult, AuthStep, CredentialCheck, CredentialInfo, CredentialKind, KeyHeader,
    LoggedIn, LoginBegun, LoginMethod, LoginParams, LoginResult, LogoutParams, LogoutResult, Looked, LookedOutcome,
    ProviderAuth, SetParams, SetResult,
};
pub use config::{
    ConfigShowParams, ConfigShowResult, SettingProblem, SettingSource, SettingValue, SettingsFileInfo,
    SettingsFileState, WorkspaceTrustParams, WorkspaceTrustResult,
};
pub use context::{
    ContextDiagnostic, ContextHit, ContextItem, ContextKind, ContextSearchParams, ContextSearchResult, TextPosition,
    TextRange,
};
pub use initialize::{
    ClientCapabilities, EditorProviderSettings, EditorSettings, HttpSettings, PROTOCOL_VERSION, PromptCacheSettings,
    PromptSettings, RetrySettings, ServerExperimental,
};
pub use keep::{
    DeleteParams, DeleteResult, ExportFormat, ExportParams, ExportResult, ForkParams, ForkResult, ImportParams,
    ImportResult, RenameParams, RenameResult, SearchHit, SearchParams, SearchResult,
};
pub use method::{Check, Direction, METHODS, MethodInfo, MethodKind, SchemaOf};
pub use model::{LongRequestPrice, ModelEntry, ModelLifecycle, ModelListParams, ModelListResult, ModelPrice};
pub use prompt::{
    PromptListParams, PromptListResult, PromptOrigin, PromptRefreshParams, PromptRefreshResult, PromptSection,
    PromptShowParams, PromptShowResult, SlashPromptInfo,
};
pub use session::{
    CancelParams, CancelResult, CloseParams, CloseResult, ListParams, ListResult, LoadParams, LoadResult, NewParams,
    NewResult, PromptOptions, PromptParams, PromptResult, RunningTurn, SessionInfo, SessionStatus, SessionUpdateParams,
};
pub use stream::{ProgressBegin, ProgressEnd, ProgressParams, ProgressReport, ProgressValue, StreamToken};
pub use usage::{LastRequest, SessionUsageParams, SessionUsageResult, WarmParams, WarmResult};
