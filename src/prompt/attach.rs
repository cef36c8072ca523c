//! Attaching files of the workspace to what the user says.

use std::path::Path;
use std::sync::Arc;

use ropey::Rope;

use super::context::{Attachment, LineRange};
use crate::workspace::{ReadError, Workspace};

/// The file at `path`, or `lines` of it, as the user sees it: the open buffer if there is one. Lines that the file does
/// not have are left out. `base` is the folder that a relative path starts from.
///
/// # Errors
/// See [`ReadError`].
pub async fn attach_file(
    workspace: &Arc<Workspace>,
    path: &str,
    base: Option<&Path>,
    lines: Option<LineRange>,
) -> Result<Attachment, ReadError> {
    let read = workspace.read_text(path, base).await?;
    let text = cut_out(&read.text, lines);
    // Whether a buffer is saved is not known; it is told apart by having other text than the file.
    let unsaved = match read.version {
        None => false,
        Some(_) => tokio::fs::read(&read.path).await.map_or(true, |saved| read.text != String::from_utf8_lossy(&saved)),
    };
    Ok(Attachment::File { path: shown(workspace, &read.path, base), lines, text, unsaved })
}

/// The open buffer at `uri`, which is of no file yet. `None` when there is none.
pub fn attach_buffer(workspace: &Workspace, uri: &str, lines: Option<LineRange>) -> Option<Attachment> {
    let buffer = workspace.overlay.get(uri).filter(|_| uri.starts_with("untitled:"))?;
    Some(Attachment::File { path: uri.to_owned(), lines, text: cut_out(&buffer.text, lines), unsaved: true })
}

/// The name of the file at `path` (absolute), for what is known of it without reading it: what is selected, what a
/// compiler says. The file may be outside of the workspace, and need not be there.
///
/// # Errors
/// [`ReadError::Secret`], [`ReadError::Ignored`]: nothing of the file is told.
pub async fn attach_name(workspace: &Arc<Workspace>, path: &Path, base: Option<&Path>) -> Result<String, ReadError> {
    workspace.may_tell(path).await?;
    Ok(shown(workspace, path, base))
}

/// `path` as the model is told it and can read it: from `base`, or else from the first folder; as it is when it lies
/// elsewhere.
fn shown(workspace: &Workspace, path: &Path, base: Option<&Path>) -> String {
    let roots = workspace.roots.all();
    let folder = base.or_else(|| roots.iter().find_map(|root| root.path.as_deref()));
    // Of a path that does not lie in it, nothing is taken off.
    folder.map_or_else(|| path.display().to_string(), |folder| super::read::relative(folder, path))
}

/// `lines` of `text`, as far as it has them.
fn cut_out(text: &Rope, lines: Option<LineRange>) -> String {
    let Some(lines) = lines else { return text.to_string() };
    let count = text.len_lines();
    let first = lines.first.max(1).min(count) - 1;
    let last = lines.last.clamp(first + 1, count);
    (first..last).map(|line| text.line(line).to_string()).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::workspace::{Document, Root, file_uri};

    #[tokio::test]
    async fn the_buffer_is_the_truth() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::write(root.join("a.rs"), "one\r\ntwo\r\nthree").unwrap();
        let workspace = Workspace::default();
        workspace.roots.set(vec![Root::new(file_uri(root).unwrap())]);
        let workspace = Arc::new(workspace);
        let attach = |path: &str, lines: Option<(usize, usize)>| {
            let (workspace, path) = (workspace.clone(), path.to_owned());
            let lines = lines.map(|(first, last)| LineRange { first, last });
            async move {
                match attach_file(&workspace, &path, None, lines).await {
                    Ok(Attachment::File { path, text, unsaved, .. }) => Ok((path, text, unsaved)),
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => Err(error),
                }
            }
        };
        let full = root.join("a.rs").display().to_string();
        assert_eq!(attach(&full, Some((2, 9))).await, Ok(("a.rs".into(), "two\r\nthree".into(), false)));
        assert_eq!(attach("a.rs", Some((0, 0))).await.unwrap().1, "one\r\n");
        assert_eq!(attach("a.rs", Some((7, 9))).await.unwrap().1, "three");
        let uri = file_uri(&root.join("a.rs")).unwrap();
        workspace.overlay.open(Document::new(uri.clone(), "rust".into(), 1, "one\r\ntwo\r\nthree"));
        assert!(!attach("a.rs", None).await.unwrap().2);
        workspace.overlay.open(Document::new(uri, "rust".into(), 2, "typed"));
        assert_eq!(attach("a.rs", None).await, Ok(("a.rs".into(), "typed".into(), true)));
        assert!(matches!(attach("../x", None).await, Err(ReadError::Outside(_))));
    }
}
