//! The command line.
//!
//! *For*: starting the server, and using the same sessions from a terminal.
//! *Owns*: the commands and all that is printed.
//! *Must not know*: how anything works: it calls the layers above.

mod args;
mod ask;
mod config;
mod demo;
mod doctor;
mod export;
mod login;
mod lsp_client;
mod models;
mod print;
mod sessions;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::config::Environment;
use crate::error::UserError;
use crate::server::serve;
use crate::session::Start;
use crate::telemetry::{self, LogTarget};
use args::{Arguments, Command};

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let target = arguments.log.clone().map_or(LogTarget::Stderr, LogTarget::File);
    if let Err(error) = telemetry::init(&target, &arguments.log_level) {
        print::line_to_stderr(&format!("error: the log file cannot be opened: {error}"));
        return ExitCode::FAILURE;
    }
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            print::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, UserError> {
    let start = Start {
        environment: Environment::from_process(),
        command_line: arguments.layer(),
        user_file: arguments.config.clone(),
    };
    let log_level = arguments.log_level.clone();
    match arguments.command.unwrap_or(Command::Serve { stdio: true }) {
        Command::Serve { .. } => {
            if std::io::stdin().is_terminal() {
                print::line_to_stderr("souffleur speaks LSP here and waits for an editor; try `souffleur demo`");
            }
            let code = block_on(serve(start))??;
            // A thread that still waits for input or for a file must not keep the process.
            std::process::exit(i32::from(code));
        }
        Command::Ask(ask) => block_on(ask::run(start, ask))?,
        Command::Demo(demo) => block_on(demo::run(start, demo))?,
        Command::Models(models) => block_on(models::run(start, models))?.map(|()| ExitCode::SUCCESS),
        Command::Sessions(command) => block_on(sessions::run(start, command))?.map(|()| ExitCode::SUCCESS),
        Command::Login(login) => block_on(login::run(start, login))?,
        Command::Logout(logout) => block_on(login::logout(start, logout))?,
        Command::Doctor(doctor) => block_on(doctor::run(start, log_level, doctor))?,
        Command::Config(command) => config::run(start, command),
        Command::Trust(arguments) => config::trust(start, arguments),
        Command::Export { format, out } => export::run(format, &out).map(|()| ExitCode::SUCCESS),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "souffleur", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Runs `work` on one thread: deltas pass from the provider's socket to the editor's pipe without crossing another.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, UserError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        UserError::new(crate::error::ErrorCode::ServerInternal, format!("the runtime cannot be started: {error}"))
    })?;
    Ok(runtime.block_on(work))
}
