use super::*;
use proptest::prelude::*;

fn file(path: &str, lines: Option<(usize, usize)>, text: &str) -> Attachment {
    let lines = lines.map(|(first, last)| LineRange { first, last });
    Attachment::File { path: path.into(), lines, text: text.into(), unsaved: false }
}

fn selection(path: &str, first: usize, last: usize, text: &str) -> Attachment {
    Attachment::Selection { path: path.into(), lines: LineRange { first, last }, text: text.into() }
}

#[test]
fn each_kind_has_its_form() {
    let diagnostic = |severity, line, message: &str| Diagnostic {
        severity,
        line,
        source: Some("rustc".into()),
        message: message.into(),
    };
    let items = vec![diagnostic(Severity::Warning, 1, "w"), diagnostic(Severity::Error, 9, "e\nmore")];
    let attachments = [
        Attachment::Date("2026-01-31".into()),
        Attachment::OpenFiles(vec!["a.rs".into(), "b.rs".into()]),
        Attachment::Cursor { path: "a.rs".into(), line: 3, column: 4 },
        Attachment::File { path: "a.rs".into(), lines: None, text: "fn a() {}\n".into(), unsaved: true },
        Attachment::Diagnostics { path: "a.rs".into(), items },
        Attachment::Diff { title: "staged".into(), text: "-a\n+b".into() },
        Attachment::Terminal { command: Some("cargo \"t\"".into()), exit_code: Some(1), text: "no".into() },
        Attachment::OpenFiles(Vec::new()),
    ];
    let expected = "<context>\n<date today=\"2026-01-31\"/>\n<open-files>\na.rs\nb.rs\n</open-files>\n<cursor path=\"a.rs\" line=\"3\" \
                    column=\"4\"/>\n<file path=\"a.rs\" unsaved=\"true\">\nfn a() {}\n</file>\n<diagnostics path=\"a.rs\">\nerror line 9 \
                    [rustc]: e\n  more\nwarning line 1 [rustc]: w\n</diagnostics>\n<diff of=\"staged\">\n-a\n+b\n</diff>\n<terminal \
                    command=\"cargo &quot;t&quot;\" exit-code=\"1\">\nno\n</terminal>\n</context>";
    assert_eq!(format_context(&attachments).unwrap(), expected);
    assert_eq!(format_context(&[]), None);
}

#[test]
fn nothing_is_told_twice() {
    let whole = file("a.rs", None, "1\n2\n3\n");
    let attachments = [
        selection("a.rs", 1, 2, "1\n2"),
        file("a.rs", Some((2, 3)), "2\n3"),
        whole.clone(),
        whole,
        selection("b.rs", 1, 1, "x"),
        selection("a.rs", 3, 3, "3"),
    ];
    assert_eq!(
        format_context(&attachments).unwrap(),
        "<context>\n<selection path=\"a.rs\" lines=\"1-2\"/>\n<file path=\"a.rs\">\n1\n2\n3\n</file>\n<selection path=\"b.rs\" \
         lines=\"1\">\nx\n</selection>\n<selection path=\"a.rs\" lines=\"3\">\n3\n</selection>\n</context>"
    );
    let ranges =
        [file("a.rs", Some((1, 2)), "1\n2"), file("a.rs", Some((1, 2)), "1\n2"), file("a.rs", Some((1, 1)), "1")];
    assert_eq!(format_context(&ranges).unwrap().matches("<file").count(), 1);
}

#[test]
fn large_texts_are_cut_where_it_matters_least() {
    let long = "a line\n".repeat(40_000) + "the end";
    let shown = format_context(&[file("a", None, &long)]).unwrap();
    assert!(shown.contains("[cut here:") && shown.len() < MAX_BYTES + 300 && !shown.contains("the end"));
    let terminal = Attachment::Terminal { command: None, exit_code: None, text: long };
    assert!(format_context(&[terminal]).unwrap().contains("\nthe end\n</terminal>"));
}

proptest! {
    /// No content ends its own fence or the one around all.
    #[test]
    fn nothing_breaks_out(contents in proptest::collection::vec("(</?(context|file|selection|diff)|>|/|\n|x| |\")", 1..9),
                          tail in "(</context>|</file>|</file|<file path=\"x\">|\n|y){0,8}") {
        let text = contents.concat() + &tail;
        let attachments = [file("a", None, &text), Attachment::Diff { title: tail.clone(), text: text.clone() }];
        let shown = format_context(&attachments).unwrap();
        let outer = shown[1..].split('>').next().unwrap();
        let close = format!("</{outer}>");
        prop_assert!(shown.ends_with(&close));
        prop_assert_eq!(shown.matches(&close).count(), 1);
        let inner = shown.lines().nth(1).unwrap()[1..].split(' ').next().unwrap();
        prop_assert_eq!(shown.matches(&format!("</{inner}>")).count(), 1);
    }
}
