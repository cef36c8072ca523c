//! The editor's side of the protocol, as small as it gets, for the demo.

use std::collections::VecDeque;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::error::{ErrorCode, UserError};

/// A server that runs as a child process, and the way to talk to it.
pub(super) struct LspClient {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    notifications: VecDeque<Value>,
    next_id: u64,
}

fn lost(what: impl std::fmt::Display) -> UserError {
    UserError::new(ErrorCode::ServerInternal, format!("the server was lost: {what}"))
}

impl LspClient {
    /// Starts `command`.
    pub(super) fn start(mut command: Command) -> Result<Self, UserError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().map_err(lost)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(lost("it has no standard input or output"));
        };
        let stdout = BufReader::new(stdout);
        Ok(Self { child, stdin, stdout, notifications: VecDeque::new(), next_id: 1 })
    }

    /// The server's process.
    pub(super) fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends a request and waits for its answer; notifications that come before it are kept.
    pub(super) async fn request(&mut self, method: &str, params: Value) -> Result<Value, UserError> {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
        loop {
            let mut message = self.read().await?;
            if message.get("method").is_some() {
                self.notifications.push_back(message);
            } else if message["id"] == id {
                if let Some(error) = message.get("error") {
                    let user = serde_json::from_value(error["data"].clone());
                    return Err(user.unwrap_or_else(|_| lost(error)));
                }
                return Ok(message["result"].take());
            }
        }
    }

    /// Sends a notification.
    pub(super) async fn notify(&mut self, method: &str, params: Value) -> Result<(), UserError> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params})).await
    }

    /// The next notification.
    pub(super) async fn notification(&mut self) -> Result<Value, UserError> {
        match self.notifications.pop_front() {
            Some(message) => Ok(message),
            None => self.read().await,
        }
    }

    /// Says good-bye and gives back the server's exit code.
    pub(super) async fn stop(mut self) -> Result<Option<i32>, UserError> {
        self.request("shutdown", Value::Null).await?;
        self.notify("exit", Value::Null).await?;
        Ok(self.child.wait().await.map_err(lost)?.code())
    }

    async fn send(&mut self, message: &Value) -> Result<(), UserError> {
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.stdin.write_all(frame.as_bytes()).await.map_err(lost)?;
        self.stdin.flush().await.map_err(lost)
    }

    async fn read(&mut self) -> Result<Value, UserError> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).await.map_err(lost)? == 0 {
                return Err(lost("it closed its output"));
            }
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().map_err(lost)?,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stdout.read_exact(&mut body).await.map_err(lost)?;
        serde_json::from_slice(&body).map_err(lost)
    }
}
