//! The whole program, measured from outside, as an editor sees it.
//!
//! Every figure of time is a ratio to a floor that is measured in the same run: a bare relay (`floor.rs`) that turns
//! the same upstream bytes into JSON lines and does nothing else. `docs/benchmarks.md` says what each figure means.
//!
//! `cargo bench --bench whole_process [-- FILTER]` measures the figures whose name contains FILTER. The exit code says
//! whether the program worked (no gaps, no text lost), not whether it was fast.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measurement fails by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is printed")]
#![allow(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "measured values are far from both limits")]

mod clock;
mod figures;
mod floor;
mod peer;
mod process;
mod record;
mod server;
mod table;
mod upstream;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, address] = arguments.as_slice()
        && mode == floor::MODE
    {
        floor::run(address);
        return ExitCode::SUCCESS;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing is measured without `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let filter = arguments.iter().find(|argument| !argument.starts_with('-')).cloned().unwrap_or_default();
    println!("load average at the start: {}", process::load_average());
    let upstream = upstream::start();
    let mut rows = Vec::new();
    for (name, measure) in figures::ALL {
        if name.contains(filter.as_str()) {
            eprintln!("measuring: {name}");
            clock::expect_an_end_within(std::time::Duration::from_secs(180));
            rows.extend(measure(&upstream));
        }
    }
    table::print(&rows);
    println!("load average at the end: {}", process::load_average());
    ExitCode::SUCCESS
}
