use super::*;

use tempfile::tempdir;

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn fails(path: &Path, privacy: Privacy, word: &str) -> UserError {
    let error = read(path, privacy).unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthInvalid);
    assert!(error.message.contains(word), "{}", error.message);
    assert!(error.message.contains(path.to_str().unwrap()), "{}", error.message);
    assert!(!format!("{error:?}").contains("hidden"));
    error
}

#[test]
fn what_is_written_is_read_and_only_by_this_user() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a/b/secret");
    assert_eq!(read(&path, Privacy::Secret), Ok(None));
    write(&path, "one").unwrap();
    let first = stamp(&path).unwrap();
    write(&path, "other").unwrap();
    assert_ne!(stamp(&path).unwrap(), first);
    assert_eq!(read(&path, Privacy::Secret).unwrap().as_deref(), Some("other"));
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left");
}

#[test]
#[cfg(unix)]
fn files_that_others_can_open_are_refused_with_the_remedy() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("secret");
    write(&path, "hidden").unwrap();
    for mode in [0o644, 0o640, 0o604, 0o660, 0o601] {
        set_mode(&path, mode);
        let error = fails(&path, Privacy::Secret, "open to other users");
        assert_eq!(error.hint.unwrap(), format!("run: chmod 600 {}", path.display()));
    }
    set_mode(&path, 0o644);
    assert!(read(&path, Privacy::Config).is_ok() && read(&path, Privacy::Any).is_ok());
    set_mode(&path, 0o664);
    fails(&path, Privacy::Config, "changed by other users");
    set_mode(&path, 0o400);
    assert_eq!(read(&path, Privacy::Secret).unwrap().as_deref(), Some("hidden"));
}

#[test]
#[cfg(unix)]
fn links_are_refused_for_secrets_alone() {
    let folder = tempdir().unwrap();
    let (path, link) = (folder.path().join("secret"), folder.path().join("link"));
    write(&path, "hidden").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    fails(&link, Privacy::Secret, "symbolic link");
    assert_eq!(read(&link, Privacy::Any).unwrap().as_deref(), Some("hidden"));
}

#[test]
fn what_is_no_small_file_of_text_is_refused() {
    let folder = tempdir().unwrap();
    fails(folder.path(), Privacy::Any, "not a plain file");
    let path = folder.path().join("x");
    write(&path, &"h".repeat(LARGEST as usize + 1)).unwrap();
    fails(&path, Privacy::Secret, "too large");
    write(&path, "").unwrap();
    fs::write(&path, [0xff, 0xfe]).unwrap();
    fails(&path, Privacy::Secret, "not text");
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_absent() {
    let folder = tempdir().unwrap();
    // Also for a user whom no permission stops.
    fails(&folder.path().join("x".repeat(5000)), Privacy::Secret, "cannot be read");
    fails(&folder.path().join("x\0y"), Privacy::Any, "cannot be read");
    assert_eq!(read(&folder.path().join("none/secret"), Privacy::Secret), Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_held_once_and_waited_for_with_patience_but_not_for_ever() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("bundle.json");
    let held = lock(&path).await.unwrap();
    let error = lock(&path).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthRefreshFailed);
    assert!(error.message.contains("another program"), "{}", error.message);
    let waiting = tokio::spawn({
        let path = path.clone();
        async move { lock(&path).await.is_ok() }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(held);
    assert!(waiting.await.unwrap());
}
