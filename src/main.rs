//! The binary: see `souffleur --help`.

fn main() -> std::process::ExitCode {
    souffleur::cli::main()
}
