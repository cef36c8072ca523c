//! The interfaces besides Anthropic's, each by one provider: what tests of failures and of cancelling need of them.

use serde_json::json;

use super::{chat, halves, ollama, responses};
use crate::support::script::{Script, Step};
use crate::support::secrets::PLAIN_KEY;
use crate::support::setup::Setup;
use crate::support::vendor::{Request, Vendor};

/// An interface.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// The provider.
    pub provider: &'static str,
    /// A model of it.
    pub model: &'static str,
    base: &'static str,
    /// A whole answer that says a text.
    pub says: fn(&str) -> Script,
    /// The beginning of an answer that says a text.
    pub begins: fn(&str) -> Script,
    /// The step that reports an error within an answer: its code and its message.
    pub fails: fn(&str, &str) -> Step,
    /// An answer that is an error: the status, the type, the code, the message.
    pub error: fn(u16, &str, &str, &str) -> Script,
}

fn event(data: &serde_json::Value) -> Step {
    Step::Bytes(format!("data: {data}\n\n").into_bytes())
}

/// All of them.
pub const APIS: [Api; 3] = [
    Api {
        provider: "groq",
        model: "groq:some-model",
        base: "/openai/v1",
        says: chat::says,
        begins: |text| chat::Chunks::new().text(text).script(),
        fails: |code, message| event(&json!({"error": {"message": message, "type": code, "code": code}})),
        error: chat::error,
    },
    Api {
        provider: "openai",
        model: "openai:gpt-6.1-terra",
        base: "/v1",
        says: responses::says,
        begins: |text| {
            let item = json!({"type": "message", "id": "msg_0", "role": "assistant", "content": []});
            let added = json!({"type": "response.output_item.added", "output_index": 0, "item": item});
            responses::Events::new().event(added).text("msg_0", 0, text).script()
        },
        fails: |code, message| {
            event(&json!({"type": "error", "sequence_number": 9,
                "error": {"type": code, "code": code, "message": message, "param": null}}))
        },
        error: responses::error,
    },
    Api {
        provider: "ollama",
        model: "ollama:qwen3:8b",
        base: "",
        says: ollama::says,
        begins: |text| {
            let pieces = halves(text).into_iter();
            pieces.fold(ollama::Lines::new(), |lines, half| lines.message(json!({"content": half}))).script()
        },
        fails: |_, message| Step::Bytes(format!("{}\n", json!({ "error": message })).into_bytes()),
        error: |status, _, _, message| ollama::error(status, message),
    },
];

impl Api {
    /// A server whose model is this vendor's.
    pub fn setup(&self, vendor: &Vendor) -> Setup {
        Setup::of_model(self.model, &self.settings(&vendor.url()))
    }

    /// The user's settings for a vendor at `url`.
    pub fn settings(&self, url: &str) -> String {
        let key = if self.provider == "ollama" { String::new() } else { format!("apiKey = \"{PLAIN_KEY}\"\n") };
        format!("[providers.{}]\nbaseUrl = \"{url}{}\"\n{key}", self.provider, self.base)
    }

    /// Starts a vendor of it. What Ollama says about its models is there, whatever the test scripts.
    pub fn vendor(&self) -> Vendor {
        let vendor = Vendor::start();
        vendor.answer_first(|request| {
            let show = ollama::show(&["completion", "tools", "vision"]);
            (request.path == "/api/show").then(|| super::json_script(200, &show))
        });
        vendor
    }

    /// The requests for answers so far.
    pub fn asked(&self, vendor: &Vendor) -> Vec<Request> {
        vendor.requests().into_iter().filter(|request| request.path != "/api/show").collect()
    }
}
