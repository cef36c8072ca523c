//! Our server as an editor drives it, and the floor beside it.

use std::process::Command;

use serde_json::{Value, json};

use crate::floor;
use crate::peer::Peer;

const SERVER: &str = env!("CARGO_BIN_EXE_souffleur");
/// What a real editor sends first.
const INITIALIZE: &str = include_str!("../../tests/fixtures/capabilities/neovim-0.12.4.json");

/// Starts the floor.
pub fn floor(upstream: &str) -> Peer {
    let program = std::env::current_exe().unwrap();
    Peer::spawn(Command::new(program).env_clear().args([floor::MODE, upstream]))
}

/// A home directory of the benchmark's own.
fn home() -> &'static std::path::Path {
    static HOME: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    HOME.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

/// How large the program is, in MB.
pub fn binary_mb() -> f64 {
    std::fs::metadata(SERVER).unwrap().len() as f64 / (1024.0 * 1024.0)
}

/// The server, and what has been asked of it.
pub struct Server {
    /// Its process.
    pub peer: Peer,
    asked: usize,
}

impl Server {
    /// Starts it; nothing is said yet.
    pub fn spawn(upstream: &str) -> Self {
        let mut command = Command::new(SERVER);
        command
            .env_clear()
            .env("ANTHROPIC_API_KEY", "bench")
            .env("ANTHROPIC_BASE_URL", format!("http://{upstream}"))
            .env("SOUFFLEUR_MODEL", "anthropic:claude-sonnet-5-5")
            .current_dir(std::env::temp_dir());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        // Sessions are kept, as a user's are, but not among the user's.
        command.env("HOME", home());
        Self { peer: Peer::spawn(&mut command), asked: 0 }
    }

    /// Says `initialize`; when it was answered.
    pub fn initialize(&mut self) -> u64 {
        let mut params: Value = serde_json::from_str(INITIALIZE).unwrap();
        params["processId"] = json!(std::process::id());
        params["rootUri"] = Value::Null;
        params["rootPath"] = Value::Null;
        params["workspaceFolders"] = Value::Null;
        let marker = self.ask("initialize", &params);
        self.peer.read_until(&marker, 1)
    }

    /// Starts it and initializes it.
    pub fn start(upstream: &str) -> Self {
        let mut server = Self::spawn(upstream);
        server.initialize();
        server.peer.take();
        let initialized = json!({"jsonrpc": "2.0", "method": "initialized", "params": {}});
        server.peer.send(&frame(&initialized));
        server
    }

    /// Sends a request; what its answer contains.
    pub fn ask(&mut self, method: &str, params: &Value) -> String {
        let (bytes, marker) = self.request(method, params);
        self.peer.send(&bytes);
        marker
    }

    fn request(&mut self, method: &str, params: &Value) -> (Vec<u8>, String) {
        self.asked += 1;
        let id = format!("request-{}", self.asked);
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        (frame(&message), format!("\"id\":\"{id}\""))
    }

    /// Makes a session.
    pub fn session(&mut self) -> String {
        let marker = self.ask("souffleur/session/new", &json!({}));
        self.peer.read_until(&marker, 1);
        let (_, answer) = self.peer.take().messages().pop().unwrap();
        answer["result"]["session"]["sessionId"].as_str().expect("a session").to_owned()
    }

    /// The bytes of a prompt that asks for `plan`.
    pub fn prompt(&mut self, session: &str, plan: &str) -> Vec<u8> {
        let content = json!([{"type": "text", "text": plan}]);
        let token = format!("stream-{}", self.asked);
        let params = json!({"sessionId": session, "content": content, "streamToken": token});
        self.request("souffleur/session/prompt", &params).0
    }

    /// Waits until `streams` streams have ended; when that was read.
    pub fn read_ends(&mut self, streams: usize) -> u64 {
        self.peer.read_until("\"kind\":\"end\"", streams)
    }

    /// Ends it as an editor does.
    pub fn end(mut self) {
        let marker = self.ask("shutdown", &Value::Null);
        self.peer.read_until(&marker, 1);
        self.peer.send(&frame(&json!({"jsonrpc": "2.0", "method": "exit"})));
        assert!(self.peer.end().success(), "the server ended with an error");
    }
}

fn frame(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
