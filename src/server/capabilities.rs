//! What the client can do: read once, from `initialize`. No other code looks at capability JSON.

use tower_lsp::ls_types::{InitializeParams, PositionEncodingKind, WorkspaceFolder};

use crate::protocol::ClientCapabilities;
use crate::workspace::{PositionEncoding, Root, file_uri};

/// What was negotiated.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Capabilities {
    /// What positions count.
    pub(super) position_encoding: PositionEncoding,
    /// What the client can do beyond LSP.
    pub(super) souffleur: ClientCapabilities,
    /// The client's process, whose end is ours.
    pub(super) process_id: Option<u32>,
    /// The workspace folders.
    pub(super) roots: Vec<Root>,
    /// The settings that came along.
    pub(super) settings: Option<serde_json::Value>,
    /// Whether the client answers `workspace/configuration`.
    pub(super) configuration: bool,
    /// Whether it tells of changed settings only when it is asked to.
    pub(super) registers_configuration: bool,
    /// Whether the client opens addresses in a browser.
    pub(super) show_document: bool,
}

impl Capabilities {
    /// Reads what a client sent.
    pub(super) fn negotiate(params: &InitializeParams) -> Self {
        let offered = params.capabilities.general.as_ref().and_then(|general| general.position_encodings.as_deref());
        let mut settings = params.initialization_options.clone().filter(|options| !options.is_null());
        let ours = settings.as_mut().and_then(|options| options.as_object_mut()?.remove("capabilities"));
        let experimental = params
            .capabilities
            .experimental
            .as_ref()
            .and_then(|experimental| experimental.get("souffleur"))
            .and_then(|souffleur| serde_json::from_value(souffleur.clone()).ok());
        let declared = ours.and_then(|ours| serde_json::from_value(ours).ok());
        let workspace = params.capabilities.workspace.as_ref();
        Self {
            position_encoding: choose(offered.unwrap_or_default()),
            souffleur: experimental.or(declared).unwrap_or_default(),
            process_id: params.process_id,
            roots: roots(params),
            settings,
            configuration: workspace.is_some_and(|workspace| workspace.configuration == Some(true)),
            registers_configuration: workspace
                .and_then(|workspace| workspace.did_change_configuration.as_ref()?.dynamic_registration)
                .unwrap_or(false),
            show_document: params
                .capabilities
                .window
                .as_ref()
                .and_then(|window| window.show_document.as_ref())
                .is_some_and(|show| show.support),
        }
    }
}

/// UTF-8 is cheapest here; UTF-16 is what every client knows.
fn choose(offered: &[PositionEncodingKind]) -> PositionEncoding {
    if offered.contains(&PositionEncodingKind::UTF8) {
        PositionEncoding::Utf8
    } else if offered.contains(&PositionEncodingKind::UTF32) && !offered.contains(&PositionEncodingKind::UTF16) {
        PositionEncoding::Utf32
    } else {
        PositionEncoding::Utf16
    }
}

/// LSP's name of an encoding.
pub(super) fn encoding_kind(encoding: PositionEncoding) -> PositionEncodingKind {
    match encoding {
        PositionEncoding::Utf8 => PositionEncodingKind::UTF8,
        PositionEncoding::Utf16 => PositionEncodingKind::UTF16,
        PositionEncoding::Utf32 => PositionEncodingKind::UTF32,
    }
}

/// The folders: the list of newer clients, else the one root of older ones.
fn roots(params: &InitializeParams) -> Vec<Root> {
    if let Some(folders) = params.workspace_folders.as_ref().filter(|folders| !folders.is_empty()) {
        return folders.iter().map(root).collect();
    }
    #[allow(deprecated, reason = "older clients send nothing else")]
    let (uri, path) = (params.root_uri.as_ref(), params.root_path.as_deref());
    let uri = uri.map(|uri| uri.as_str().to_owned());
    let uri = uri.or_else(|| file_uri(std::path::Path::new(path?)));
    uri.into_iter().map(Root::new).collect()
}

/// A folder as the client names it.
pub(super) fn root(folder: &WorkspaceFolder) -> Root {
    Root::new(folder.uri.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn negotiate(params: serde_json::Value) -> Capabilities {
        Capabilities::negotiate(&serde_json::from_value(params).unwrap())
    }

    #[test]
    fn a_client_that_says_nothing_gets_what_lsp_says() {
        let capabilities = negotiate(json!({"processId": null, "rootUri": null, "capabilities": {}}));
        assert_eq!(capabilities.position_encoding, PositionEncoding::Utf16);
        assert_eq!(capabilities.roots, []);
        assert_eq!(capabilities.souffleur, ClientCapabilities::default());
    }

    #[test]
    fn encodings_are_chosen_from_what_is_offered() {
        let encoding = |offered: serde_json::Value| {
            let general = json!({"general": {"positionEncodings": offered}});
            negotiate(json!({"capabilities": general})).position_encoding
        };
        assert_eq!(encoding(json!(["utf-32", "utf-8", "utf-16"])), PositionEncoding::Utf8);
        assert_eq!(encoding(json!(["utf-16"])), PositionEncoding::Utf16);
        assert_eq!(encoding(json!(["utf-32"])), PositionEncoding::Utf32);
    }

    #[test]
    fn our_capabilities_come_by_either_way() {
        let ours = json!({"sessionUpdate": true});
        let by_lsp = negotiate(json!({"capabilities": {"experimental": {"souffleur": ours}}}));
        let by_options = negotiate(json!({"capabilities": {}, "initializationOptions": {"capabilities": ours}}));
        assert!(by_lsp.souffleur.session_update && by_options.souffleur.session_update);
    }

    #[test]
    fn settings_are_taken_without_the_capabilities_among_them() {
        let options = json!({"model": 5, "capabilities": {"sessionUpdate": true}});
        let capabilities = negotiate(json!({"capabilities": {}, "initializationOptions": options}));
        assert_eq!(capabilities.settings, Some(json!({"model": 5})));
        assert!(!capabilities.configuration && !capabilities.registers_configuration);
        let workspace = json!({"configuration": true, "didChangeConfiguration": {"dynamicRegistration": true}});
        let capabilities = negotiate(json!({"capabilities": {"workspace": workspace}}));
        assert!(capabilities.configuration && capabilities.registers_configuration);
    }
}
