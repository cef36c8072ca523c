//! `souffleur export`.

use std::path::Path;

use super::args::ExportFormat;
use super::print;
use crate::error::{ErrorCode, UserError};
use crate::protocol::export::export;

/// Writes the files of `format` to `out`.
pub(super) fn run(format: ExportFormat, out: &Path) -> Result<(), UserError> {
    let failed = |path: &Path, error: &std::io::Error| {
        UserError::new(ErrorCode::ConfigInvalid, format!("{} cannot be written: {error}", path.display()))
            .with_hint("choose another directory with --out")
    };
    std::fs::create_dir_all(out).map_err(|error| failed(out, &error))?;
    for file in export(format.into()) {
        let path = out.join(file.name);
        std::fs::write(&path, &file.text).map_err(|error| failed(&path, &error))?;
        print::line(&path.display().to_string());
    }
    Ok(())
}
