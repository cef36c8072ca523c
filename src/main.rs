//! The binary: see `souffleur --help`.
fn main() {}
