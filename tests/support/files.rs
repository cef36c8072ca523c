//! Finds files.

use std::fs;
use std::path::Path;

/// All files below `folder` with `extension`, as paths from `folder` with slashes, in order.
pub fn below(folder: &Path, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            found.extend(below(&path, extension).into_iter().map(|inner| format!("{name}/{inner}")));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(name.to_owned());
        }
    }
    found.sort();
    found
}
