//! Images and documents.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the bytes of an image or a document are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum MediaSource {
    /// In here.
    Base64 {
        /// What they are: `image/png`, `application/pdf`.
        media_type: String,
        /// The bytes in base64, shared: a long conversation holds them once.
        #[schemars(with = "String")]
        data: Arc<str>,
    },
    /// At an address that the provider fetches.
    Url {
        /// The address.
        url: String,
    },
    /// In here, as plain text. Documents only.
    Text {
        /// The text.
        text: String,
    },
}
