use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn paths(walked: &Walked) -> Vec<&str> {
    walked.entries.iter().map(|entry| entry.path.as_str()).collect()
}

#[test]
fn entries_are_sorted_and_ignored_ones_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for path in ["b/x.rs", "a/z.rs", "a.rs", "a/sub/y.rs", ".git/config", "target/o", "a/made/o", ".github/w.yml"] {
        write(root, path, "12345");
    }
    write(root, ".gitignore", "/target\n");
    write(root, "a/.gitignore", "made/\n");
    let walked = walk(root, &WalkLimits::default());
    let expected = [
        ".github",
        ".github/w.yml",
        ".gitignore",
        "a",
        "a/.gitignore",
        "a/sub",
        "a/sub/y.rs",
        "a/z.rs",
        "a.rs",
        "b",
        "b/x.rs",
    ];
    assert_eq!(paths(&walked), expected);
    assert_eq!((walked.cut, walked.unreadable), (None, 0));
    assert_eq!(walked.entries[6].size, 5);
}

#[test]
fn limits_cut_off_what_lies_deep() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for path in ["a/b/c/d.rs", "a/x.rs", "z.rs"] {
        write(root, path, "");
    }
    let limited = |entries, depth| walk(root, &WalkLimits { entries, depth, ..WalkLimits::default() });
    let three = limited(3, 9);
    assert_eq!((paths(&three), three.cut), (vec!["a", "a/b", "z.rs"], Some(Cut::Entries)));
    let shallow = limited(100, 2);
    assert_eq!((paths(&shallow), shallow.cut), (vec!["a", "a/b", "a/x.rs", "z.rs"], Some(Cut::Depth)));
    let none = walk(root, &WalkLimits { time: Duration::ZERO, ..WalkLimits::default() });
    assert_eq!(none.cut, Some(Cut::Time));
    assert_eq!(walk(&root.join("nowhere"), &WalkLimits::default()).unreadable, 1);
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_files_inside_and_nowhere_else() {
    use std::os::unix::fs::symlink;
    let (directory, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = directory.path();
    write(root, "a/x.rs", "");
    write(outside.path(), "secret", "");
    symlink("a/x.rs", root.join("file")).unwrap();
    symlink("a", root.join("folder")).unwrap();
    symlink(outside.path(), root.join("out")).unwrap();
    symlink(outside.path().join("secret"), root.join("out-file")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    assert_eq!(paths(&walk(root, &WalkLimits::default())), ["a", "a/x.rs", "file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_and_names_that_are_no_text_are_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(root, "x", "");
    std::fs::write(root.join(std::ffi::OsStr::from_bytes(b"b\xff")), "").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let walked = walk(root, &WalkLimits::default());
    assert_eq!((paths(&walked), walked.unreadable), (vec!["x"], 1));
}
