//! An editor that speaks to the real binary over its standard input and output, and forgives nothing.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souffleur::error::UserError;
use souffleur::protocol::{LoadResult, NewResult, ProgressParams, ProgressValue, SessionInfo};
use tempfile::TempDir;

use super::frames::frame;
use super::inbox::{Inbox, Message};
use super::secrets;
use super::setup::{Setup, uri};
use super::turn::{Stream, Turn};
use super::{EXIT_GUARD, GUARD};

/// A JSON-RPC error as it came.
#[derive(Clone, Debug)]
pub struct RpcError {
    /// JSON-RPC's code.
    pub code: i64,
    /// The sentence.
    pub message: String,
    /// `error.data`.
    pub data: Value,
}

impl RpcError {
    fn of(error: &Value) -> Self {
        let code = error["code"].as_i64().expect("an error has a code");
        let message = error["message"].as_str().expect("an error has a message").to_owned();
        assert!(!message.is_empty(), "an error says something");
        Self { code, message, data: error["data"].clone() }
    }

    /// `error.data`, in its promised shape.
    pub fn user(&self) -> UserError {
        serde_json::from_value(self.data.clone()).unwrap_or_else(|error| panic!("{error} in the data of {self:?}"))
    }

    /// Demands this stable code; gives the error.
    pub fn assert_code(&self, code: &str) -> UserError {
        let user = self.user();
        assert_eq!(user.code.as_str(), code, "{self:?}");
        user
    }
}

type Ignorable = Box<dyn Fn(&Message) -> bool>;

enum Input {
    Bytes(Vec<u8>),
    Close,
}

/// The editor. Dropping it shuts the server down as LSP says and fails the test when the server does not end in
/// time with code 0, when a message was left that the test neither took nor declared ignorable, when standard
/// output carried anything but frames, when the server panicked, and when a secret of the tests got out: to standard
/// output, to standard error, or into a file that is no store of secrets.
pub struct Editor {
    child: Child,
    input: mpsc::Sender<Input>,
    inbox: Arc<Inbox>,
    threads: Vec<JoinHandle<()>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    settings: Arc<Mutex<Value>>,
    ids: Cell<i64>,
    ignored: RefCell<Vec<Ignorable>>,
    initialize_params: Value,
    result: Value,
    status: Option<ExitStatus>,
    checked: bool,
    project: PathBuf,
    written: Vec<PathBuf>,
    _root: Arc<TempDir>,
}

impl Editor {
    pub(super) fn spawn(setup: Setup) -> Self {
        let (initialize_params, project, written) = (setup.initialize_params(), setup.project(), setup.written());
        let mut child = Command::new(env!("CARGO_BIN_EXE_souffleur"))
            .args(&setup.args)
            .env_clear()
            .envs(&setup.env)
            .current_dir(&project)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let (input, inputs) = mpsc::channel();
        let inbox = Arc::new(Inbox::default());
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let (mut stdin, stdout, errors) =
            (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let writer = std::thread::spawn(move || write_all(&mut stdin, &inputs));
        let settings = Arc::new(Mutex::new(setup.configuration));
        let (for_inbox, for_answers, for_settings) = (Arc::clone(&inbox), input.clone(), Arc::clone(&settings));
        let reader = std::thread::spawn(move || {
            for_inbox.fill(stdout, |message| answer(message, &for_settings, &for_answers));
        });
        let for_stderr = Arc::clone(&stderr);
        let listener = std::thread::spawn(move || listen(errors, &for_stderr));
        Self {
            child,
            input,
            inbox,
            threads: vec![writer, reader, listener],
            stderr,
            settings,
            ids: Cell::new(0),
            ignored: RefCell::default(),
            initialize_params,
            result: Value::Null,
            status: None,
            checked: false,
            project,
            written,
            _root: setup.root,
        }
    }

    /// Performs `initialize` and `initialized`; the result stays at hand.
    pub fn initialize(&mut self) {
        self.initialize_with(self.initialize_params.clone());
    }

    /// The same with other parameters.
    pub fn initialize_with(&mut self, params: Value) {
        self.result = self.call_ok("initialize", params);
        self.notify("initialized", json!({}));
    }

    /// The parameters that [`Editor::initialize`] sends.
    pub fn initialize_params(&self) -> Value {
        self.initialize_params.clone()
    }

    /// What the server answered to `initialize`.
    pub fn initialize_result(&self) -> &Value {
        &self.result
    }

    /// The position encoding that was agreed on; UTF-16 when the server said nothing.
    pub fn position_encoding(&self) -> &str {
        self.result["capabilities"]["positionEncoding"].as_str().unwrap_or("utf-16")
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the server wrote to standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// The project's directory.
    pub fn project(&self) -> &std::path::Path {
        &self.project
    }

    /// From now on this is answered when the server asks for the settings.
    pub fn set_configuration(&self, settings: Value) {
        *self.settings.lock().unwrap() = settings;
    }

    /// Waits for a message to the user and gives its text.
    pub fn message_to_user(&self) -> String {
        let message = self.wait_for("a message to the user", |message| message.method() == Some("window/showMessage"));
        message.body["params"]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The URI of a file of the project.
    pub fn uri(&self, path: &str) -> String {
        uri(&self.project.join(path))
    }

    // Raw traffic.

    /// Writes bytes as they are.
    pub fn send_raw(&self, bytes: impl Into<Vec<u8>>) {
        let _ = self.input.send(Input::Bytes(bytes.into()));
    }

    /// Writes a message.
    pub fn send(&self, message: &Value) {
        self.send_raw(frame(message.to_string().as_bytes()));
    }

    /// Closes the server's standard input.
    pub fn close_stdin(&self) {
        let _ = self.input.send(Input::Close);
    }

    /// Stops reading the server's output: the pipe fills up.
    pub fn stop_reading(&self) {
        self.inbox.hold();
    }

    /// Reads on.
    pub fn read_on(&self) {
        self.inbox.release();
    }

    // Requests and notifications.

    /// Sends a notification.
    pub fn notify(&self, method: &str, params: Value) {
        self.send(&with_params(json!({"jsonrpc": "2.0", "method": method}), params));
    }

    /// Sends a request and gives its id.
    pub fn request(&self, method: &str, params: Value) -> Value {
        self.ids.set(self.ids.get() + 1);
        let id = json!(self.ids.get());
        self.send(&with_params(json!({"jsonrpc": "2.0", "id": id, "method": method}), params));
        id
    }

    /// Waits for the response to a request, with its place among all messages.
    pub fn response(&self, id: &Value) -> (usize, Result<Value, RpcError>) {
        let message = self.wait_for(&format!("the response to {id}"), |message| message.answers(id));
        let result = match (message.body.get("result"), message.body.get("error")) {
            (Some(result), None) => Ok(result.clone()),
            (None, Some(error)) => Err(RpcError::of(error)),
            _ => panic!("a response has either a result or an error: {}", message.body),
        };
        (message.number, result)
    }

    /// Sends a request and waits for the response.
    ///
    /// # Errors
    /// What the server answered.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let id = self.request(method, params);
        self.response(&id).1
    }

    /// Sends a request that must succeed.
    pub fn call_ok(&self, method: &str, params: Value) -> Value {
        self.call(method, params).unwrap_or_else(|error| panic!("{method}: {error:?}\n{}", self.situation()))
    }

    /// Sends a request that must fail.
    pub fn call_err(&self, method: &str, params: Value) -> RpcError {
        match self.call(method, params) {
            Err(error) => error,
            Ok(result) => panic!("{method} succeeded with {result}\n{}", self.situation()),
        }
    }

    /// The error reply to a message whose id could not be read.
    pub fn error_without_id(&self, what: &str) -> RpcError {
        let message = self.wait_for(what, |message| message.is_response() && message.body["id"].is_null());
        RpcError::of(&message.body["error"])
    }

    /// Waits for the first message that `wanted` accepts and takes it.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        match self.inbox.take(GUARD, wanted) {
            Ok(message) => message,
            Err(reason) => panic!("{reason} while the test waited for {what}\n{}", self.situation()),
        }
    }

    // Sessions.

    /// Opens a session of the configured model.
    pub fn new_session(&self) -> String {
        self.new_session_with(json!({})).session_id.to_string()
    }

    /// Opens a session with these parameters.
    pub fn new_session_with(&self, params: Value) -> SessionInfo {
        let result = self.call_ok("souffleur/session/new", params);
        serde_json::from_value::<NewResult>(result).expect("a NewResult").session
    }

    /// Loads a session.
    pub fn load(&self, session: &str) -> LoadResult {
        let result = self.call_ok("souffleur/session/load", json!({"sessionId": session}));
        serde_json::from_value(result).expect("a LoadResult")
    }

    /// Loads a session and joins its running turn; also gives the response's place among all messages.
    pub fn join(&self, session: &str) -> (usize, LoadResult, Turn) {
        let token = self.token();
        let id = self.request("souffleur/session/load", json!({"sessionId": session, "streamToken": token}));
        let (number, result) = self.response(&id);
        let loaded: LoadResult = serde_json::from_value(result.expect("a result")).expect("a LoadResult");
        let turn_id = loaded.running.as_ref().map(|running| running.turn_id.to_string()).unwrap_or_default();
        let stream = Stream::from_snapshot(&loaded.items);
        (number, loaded, Turn::new(token, turn_id, stream))
    }

    /// A fresh stream token.
    pub fn token(&self) -> Value {
        self.ids.set(self.ids.get() + 1);
        json!(format!("stream-{}", self.ids.get()))
    }

    /// Prompts with a text; the turn has begun when this returns.
    pub fn prompt(&self, session: &str, text: &str) -> Turn {
        self.prompt_as(session, text, self.token())
    }

    /// Prompts with a text and this token.
    pub fn prompt_as(&self, session: &str, text: &str, token: Value) -> Turn {
        let content = json!([{"type": "text", "text": text}]);
        let params = json!({"sessionId": session, "content": content, "streamToken": token});
        let result = self.call_ok("souffleur/session/prompt", params);
        let turn_id = result["turnId"].as_str().expect("a turn id").to_owned();
        Turn::new(token, turn_id, Stream::default())
    }

    /// The turn of a prompt that the test sent by itself.
    pub fn turn_of(&self, token: Value, turn_id: &str) -> Turn {
        Turn::new(token, turn_id.to_owned(), Stream::default())
    }

    /// Prompts with a text and waits for the end of the turn.
    pub fn ask(&self, session: &str, text: &str) -> Turn {
        let mut turn = self.prompt(session, text);
        self.finish(&mut turn);
        turn
    }

    /// Prompts with these parameters besides the session and the token, and waits for the end of the turn.
    pub fn ask_with(&self, session: &str, mut params: Value) -> Turn {
        let token = self.token();
        params["sessionId"] = json!(session);
        params["streamToken"] = token.clone();
        let result = self.call_ok("souffleur/session/prompt", params);
        let mut turn = self.turn_of(token, result["turnId"].as_str().expect("a turn id"));
        self.finish(&mut turn);
        turn
    }

    /// Takes the next value of a turn, checked.
    pub fn advance(&self, turn: &mut Turn) {
        let token = turn.token.clone();
        let what = format!("a value of {token}, {} came", turn.values.len());
        let message = self.wait_for(&what, |message| message.is_progress_of(&token));
        self.feed(turn, &message);
    }

    /// Takes the values of a turn that are here already, checked; does not wait.
    pub fn catch_up(&self, turn: &mut Turn) {
        let token = turn.token.clone();
        while let Some(message) = self.inbox.take_now(|message| message.is_progress_of(&token)) {
            self.feed(turn, &message);
        }
    }

    fn feed(&self, turn: &mut Turn, message: &Message) {
        let params: ProgressParams = serde_json::from_value(message.body["params"].clone())
            .unwrap_or_else(|error| panic!("{error} in {}", message.body));
        if let ProgressValue::Begin(begin) = &params.value {
            assert_eq!(begin.turn_id.as_str(), turn.turn_id, "the stream is of the turn that the response named");
        }
        turn.values.push((message.at, params.value.clone()));
        turn.numbers.push(message.number);
        if let Err(broken) = turn.stream.accept(params.value) {
            panic!("{broken}: {}\n{}", message.body, self.situation());
        }
    }

    /// Takes values until the turn has had so many deltas.
    pub fn wait_deltas(&self, turn: &mut Turn, count: usize) {
        while turn.deltas() < count {
            assert!(!turn.ended(), "the turn ended before delta {count}: {:?}", turn.end());
            self.advance(turn);
        }
    }

    /// Takes values until the text so far contains `text`. Deltas may have been merged.
    pub fn wait_text(&self, turn: &mut Turn, text: &str) {
        while !turn.text().contains(text) {
            assert!(!turn.ended(), "the turn ended before {text:?}: {:?}", turn.end());
            self.advance(turn);
        }
    }

    /// Takes values until the end of the turn.
    pub fn finish(&self, turn: &mut Turn) {
        while !turn.ended() {
            self.advance(turn);
        }
    }

    // The end.

    /// Declares messages ignorable that were left when the test ended.
    pub fn ignore(&self, ignorable: impl Fn(&Message) -> bool + 'static) {
        self.ignored.borrow_mut().push(Box::new(ignorable));
    }

    /// Declares the rest of a turn's stream ignorable.
    pub fn ignore_stream(&self, turn: &Turn) {
        let token = turn.token.clone();
        self.ignore(move |message| message.is_progress_of(&token));
    }

    /// Waits for the process to end by itself; panics when it does not.
    pub fn wait_exit(&mut self) -> ExitStatus {
        // The pipe's end is the event; what remains until the process can be reaped is polled.
        let deadline = Instant::now() + EXIT_GUARD;
        self.inbox.wait_end(EXIT_GUARD);
        self.reap(deadline)
    }

    /// The same while the test does not read the server's output, so that its end cannot be seen. What was left in
    /// the pipe is read afterwards.
    pub fn wait_exit_unread(&mut self) -> ExitStatus {
        self.inbox.accept_cut();
        self.reap(Instant::now() + EXIT_GUARD)
    }

    fn reap(&mut self, deadline: Instant) -> ExitStatus {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child that can be waited for") {
                break status;
            }
            if Instant::now() >= deadline {
                self.kill();
                panic!("the server did not end in {EXIT_GUARD:?}\n{}", self.situation());
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        self.status = Some(status);
        self.inbox.release();
        let closed = self.inbox.wait_end(EXIT_GUARD);
        assert!(closed, "the server ended, but a process that it started still holds its output");
        let _ = self.input.send(Input::Close);
        for thread in self.threads.drain(..) {
            thread.join().expect("a pipe's thread");
        }
        status
    }

    /// Kills the server at once. What it had begun to write may be cut.
    pub fn kill_now(&mut self) {
        self.inbox.accept_cut();
        self.kill();
    }

    /// Shuts the server down and checks what dropping checks.
    pub fn close(mut self) {
        self.check();
    }

    fn check(&mut self) {
        self.checked = true;
        if self.status.is_none() {
            self.inbox.release();
            let answer = self.call("shutdown", Value::Null);
            self.notify("exit", Value::Null);
            let status = self.wait_exit();
            if !self.result.is_null() {
                assert!(matches!(answer, Ok(Value::Null)), "shutdown answered {answer:?}");
                assert_eq!(status.code(), Some(0), "exit after shutdown\n{}", self.situation());
            }
        }
        let ignored = self.ignored.borrow();
        let left = self.inbox.left(|message| {
            message.method() == Some("window/logMessage") || ignored.iter().any(|ignorable| ignorable(message))
        });
        assert!(left.is_empty(), "{} messages that nobody read:\n{}", left.len(), left.join("\n"));
        assert_eq!(self.inbox.faults(), Vec::<String>::new(), "{}", self.situation());
        secrets::assert_none("standard error", self.stderr());
        let files: Vec<_> = self.written.iter().flat_map(|folder| secrets::files_with_secrets(folder)).collect();
        assert!(files.is_empty(), "files with a secret: {files:?}");
        assert!(!self.stderr().contains("panicked at"), "the server panicked\n{}", self.situation());
    }

    /// Everything that helps to understand a failure.
    fn situation(&self) -> String {
        let faults = self.inbox.faults();
        format!("{}\nfaults: {faults:?}\nstandard error:\n{}", self.inbox.log(), self.stderr())
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        if let Ok(status) = self.child.wait() {
            self.status = Some(status);
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.inbox.release();
        if std::thread::panicking() || self.checked {
            if self.status.is_none() {
                self.kill();
            }
            return;
        }
        self.check();
    }
}

fn with_params(mut message: Value, params: Value) -> Value {
    if !params.is_null() {
        message["params"] = params;
    }
    message
}

fn write_all(stdin: &mut impl Write, inputs: &mpsc::Receiver<Input>) {
    while let Ok(Input::Bytes(bytes)) = inputs.recv() {
        if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
            break;
        }
    }
}

fn listen(mut errors: impl Read, text: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = errors.read(&mut chunk) {
        text.lock().unwrap().extend_from_slice(&chunk[..count]);
    }
}

/// Answers the requests that every editor answers by itself; whether it was one.
fn answer(message: &Value, settings: &Mutex<Value>, input: &mpsc::Sender<Input>) -> bool {
    let (Some(method), Some(id)) = (message["method"].as_str(), message.get("id")) else { return false };
    let result = match method {
        "client/registerCapability" | "client/unregisterCapability" | "window/workDoneProgress/create" => Value::Null,
        "workspace/configuration" => {
            let asked = message["params"]["items"].as_array().map_or(0, Vec::len);
            json!(vec![settings.lock().unwrap().clone(); asked])
        }
        _ => return false,
    };
    let reply = json!({"jsonrpc": "2.0", "id": id, "result": result});
    // A server whose input was closed waits for no answer.
    let _ = input.send(Input::Bytes(frame(reply.to_string().as_bytes())));
    true
}
