//! The table of all custom methods.

use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::auth::{
    AuthStatusParams, AuthStatusResult, LoginParams, LoginResult, LogoutParams, LogoutResult, SetParams, SetResult,
};
use super::config::{ConfigShowParams, ConfigShowResult, WorkspaceTrustParams, WorkspaceTrustResult};
use super::context::{ContextSearchParams, ContextSearchResult};
use super::keep::{
    DeleteParams, DeleteResult, ExportParams, ExportResult, ForkParams, ForkResult, ImportParams, ImportResult,
    RenameParams, RenameResult, SearchParams, SearchResult,
};
use super::model::{ModelListParams, ModelListResult};
use super::prompt::{
    PromptListParams, PromptListResult, PromptRefreshParams, PromptRefreshResult, PromptShowParams, PromptShowResult,
};
use super::session::{
    CancelParams, CancelResult, CloseParams, CloseResult, ListParams, ListResult, LoadParams, LoadResult, NewParams,
    NewResult, PromptParams, PromptResult, SessionUpdateParams,
};
use super::stream::ProgressParams;
use super::usage::{SessionUsageParams, SessionUsageResult, WarmParams, WarmResult};

/// Who sends a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The editor.
    ClientToServer,
    /// This server.
    ServerToClient,
}

/// Whether a method is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// It gets exactly one response.
    Request,
    /// It gets none.
    Notification,
}

/// Makes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Reads a value as a type and writes it again: an error when it has not the type's shape; a field that the type does
/// not know is missing from what comes back.
pub type Check = fn(&serde_json::Value) -> Result<serde_json::Value, serde_json::Error>;

/// One custom method.
#[derive(Clone, Copy, Debug)]
pub struct MethodInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// Who sends it.
    pub direction: Direction,
    /// Whether it is answered.
    pub kind: MethodKind,
    /// The name of the type of its params.
    pub params: &'static str,
    /// The schema of its params.
    pub params_schema: SchemaOf,
    /// Reads and writes its params.
    pub check_params: Check,
    /// The name of the type of its result, for requests.
    pub result: Option<&'static str>,
    /// The schema of its result, for requests.
    pub result_schema: Option<SchemaOf>,
    /// Reads and writes its result, for requests.
    pub check_result: Option<Check>,
}

fn check<T: DeserializeOwned + Serialize>(value: &serde_json::Value) -> Result<serde_json::Value, serde_json::Error> {
    serde_json::to_value(T::deserialize(value)?)
}

macro_rules! request {
    ($name:literal, $direction:ident, $params:ty, $result:ty) => {
        MethodInfo {
            name: $name,
            direction: Direction::$direction,
            kind: MethodKind::Request,
            params: stringify!($params),
            params_schema: |generator| generator.subschema_for::<$params>(),
            check_params: check::<$params>,
            result: Some(stringify!($result)),
            result_schema: Some(|generator| generator.subschema_for::<$result>()),
            check_result: Some(check::<$result>),
        }
    };
}

macro_rules! notification {
    ($name:literal, $direction:ident, $params:ty) => {
        MethodInfo {
            name: $name,
            direction: Direction::$direction,
            kind: MethodKind::Notification,
            params: stringify!($params),
            params_schema: |generator| generator.subschema_for::<$params>(),
            check_params: check::<$params>,
            result: None,
            result_schema: None,
            check_result: None,
        }
    };
}

/// All custom methods, and `$/progress` as we use it.
pub const METHODS: &[MethodInfo] = &[
    request!("souffleur/session/new", ClientToServer, NewParams, NewResult),
    request!("souffleur/session/list", ClientToServer, ListParams, ListResult),
    request!("souffleur/session/load", ClientToServer, LoadParams, LoadResult),
    request!("souffleur/session/prompt", ClientToServer, PromptParams, PromptResult),
    request!("souffleur/session/cancel", ClientToServer, CancelParams, CancelResult),
    request!("souffleur/session/close", ClientToServer, CloseParams, CloseResult),
    request!("souffleur/session/usage", ClientToServer, SessionUsageParams, SessionUsageResult),
    request!("souffleur/session/warm", ClientToServer, WarmParams, WarmResult),
    request!("souffleur/session/rename", ClientToServer, RenameParams, RenameResult),
    request!("souffleur/session/delete", ClientToServer, DeleteParams, DeleteResult),
    request!("souffleur/session/fork", ClientToServer, ForkParams, ForkResult),
    request!("souffleur/session/export", ClientToServer, ExportParams, ExportResult),
    request!("souffleur/session/import", ClientToServer, ImportParams, ImportResult),
    request!("souffleur/session/search", ClientToServer, SearchParams, SearchResult),
    notification!("souffleur/session/update", ServerToClient, SessionUpdateParams),
    request!("souffleur/prompt/show", ClientToServer, PromptShowParams, PromptShowResult),
    request!("souffleur/prompt/refresh", ClientToServer, PromptRefreshParams, PromptRefreshResult),
    request!("souffleur/prompt/list", ClientToServer, PromptListParams, PromptListResult),
    request!("souffleur/context/search", ClientToServer, ContextSearchParams, ContextSearchResult),
    request!("souffleur/model/list", ClientToServer, ModelListParams, ModelListResult),
    request!("souffleur/auth/status", ClientToServer, AuthStatusParams, AuthStatusResult),
    request!("souffleur/auth/login", ClientToServer, LoginParams, LoginResult),
    request!("souffleur/auth/logout", ClientToServer, LogoutParams, LogoutResult),
    request!("souffleur/auth/set", ClientToServer, SetParams, SetResult),
    request!("souffleur/config/show", ClientToServer, ConfigShowParams, ConfigShowResult),
    request!("souffleur/workspace/trust", ClientToServer, WorkspaceTrustParams, WorkspaceTrustResult),
    notification!("$/progress", ServerToClient, ProgressParams),
];
