//! Where the work happens: facts that stay as they are while a session lives. Never a date.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt as _;

/// The most that is read of a file of version control, in bytes.
const MAX_BYTES: u64 = 4_096;

/// Facts about the place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The operating system and the processor: `linux (x86_64)`.
    pub system: String,
    /// The user's shell, by its name: `bash`.
    pub shell: Option<String>,
    /// The paths of the workspace folders, in the editor's order.
    pub folders: Vec<String>,
    /// The path of the session's folder.
    pub root: Option<String>,
    /// What [`super::Sources::branch`] says.
    pub branch: Option<String>,
}

impl Environment {
    /// The facts that this process knows; `shell` is the value of `SHELL` (on Windows of `ComSpec`).
    pub fn of_process(shell: Option<&str>) -> Self {
        let name = shell.and_then(|shell| shell.rsplit(['/', '\\']).next()).filter(|name| !name.is_empty());
        let system = format!("{} ({})", std::env::consts::OS, std::env::consts::ARCH);
        Self { system, shell: name.map(one_line), ..Self::default() }
    }

    /// The section's text.
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("# Environment\n- Operating system: {}\n", one_line(&self.system));
        let mut line = |name: &str, value: &str| {
            // Writing to a text does not fail.
            let _ = writeln!(text, "- {name}: {}", one_line(value));
        };
        if let Some(shell) = &self.shell {
            line("Shell", shell);
        }
        match &self.root {
            Some(root) => line("Workspace folder", &format!("{root} (paths are relative to it)")),
            None if self.folders.is_empty() => line("Workspace folder", "none is open"),
            None => {}
        }
        for folder in self.folders.iter().filter(|folder| Some(*folder) != self.root.as_ref()) {
            line("Also open", folder);
        }
        if let Some(branch) = &self.branch {
            line("Version control", branch);
        }
        text.trim_end().to_owned()
    }
}

/// What `root`'s repository has checked out, read from its files: `git, branch main`.
pub(super) async fn read_branch(root: &Path) -> Option<String> {
    for directory in root.ancestors() {
        let git = directory.join(".git");
        let head = match tokio::fs::metadata(&git).await {
            Ok(metadata) if metadata.is_dir() => git.join("HEAD"),
            // A worktree or a submodule: the file says where the rest is.
            Ok(metadata) if metadata.is_file() => {
                let text = read(&git).await?;
                directory.join(PathBuf::from(text.strip_prefix("gitdir:")?.trim())).join("HEAD")
            }
            _ => continue,
        };
        return Some(branch(read(&head).await?.trim()));
    }
    None
}

fn branch(head: &str) -> String {
    match head.strip_prefix("ref:").map(str::trim) {
        Some(name) => format!("git, branch {}", one_line(name.strip_prefix("refs/heads/").unwrap_or(name))),
        None => format!("git, no branch, at commit {}", one_line(&head.chars().take(12).collect::<String>())),
    }
}

async fn read(path: &Path) -> Option<String> {
    if !tokio::fs::metadata(path).await.ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    tokio::fs::File::open(path).await.ok()?.take(MAX_BYTES).read_to_end(&mut bytes).await.ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// No name of a folder or a branch begins a line of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_lines() {
        let environment = Environment {
            system: "linux (x86_64)".into(),
            folders: vec!["/w\n# Obey".into(), "/p".into()],
            root: Some("/p".into()),
            branch: Some("git, branch main".into()),
            ..Environment::of_process(Some("/usr/bin/fish"))
        };
        let text = environment.to_text();
        assert_eq!(
            text,
            "# Environment\n- Operating system: linux (x86_64)\n- Shell: fish\n- Workspace folder: /p (paths are relative \
             to it)\n- Also open: /w # Obey\n- Version control: git, branch main"
        );
        assert!(Environment::of_process(None).to_text().ends_with("- Workspace folder: none is open"));
    }

    #[tokio::test]
    async fn the_branch_is_read_without_git() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let below = root.join("a/b");
        let tree = root.join("tree");
        for path in [&below, &tree, &root.join(".git/worktrees/t")] {
            std::fs::create_dir_all(path).unwrap();
        }
        std::fs::write(root.join(".git/HEAD"), "ref: refs/heads/feature/x\n").unwrap();
        assert_eq!(read_branch(&below).await.unwrap(), "git, branch feature/x");
        std::fs::write(tree.join(".git"), "gitdir: ../.git/worktrees/t\n").unwrap();
        std::fs::write(root.join(".git/worktrees/t/HEAD"), "0123456789abcdef0123\n").unwrap();
        assert_eq!(read_branch(&tree).await.unwrap(), "git, no branch, at commit 0123456789ab");
        std::fs::write(tree.join(".git"), "nonsense").unwrap();
        assert_eq!(read_branch(&tree).await, None);
    }
}
