//! The built-in tools.

mod read_file;

pub(super) use read_file::ReadFile;
