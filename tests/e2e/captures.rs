//! What real editors send in `initialize`, whole, where recordings of it are at hand.

use std::io::Write;
use std::path::Path;

use crate::support::setup::Setup;

#[test]
fn the_server_understands_what_real_editors_send() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/capabilities");
    let Ok(entries) = std::fs::read_dir(&directory) else {
        // Not by `println`, which a passing test does not show.
        let _ = writeln!(std::io::stderr(), "skipped: no recordings of real editors are at hand");
        return;
    };
    let mut seen = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let params = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let editor = Setup::sim().recorded(params).start();
        let utf8 = ["Eglot", "helix", "kakoune", "Neovim-0.12"].iter().any(|known| name.contains(known));
        assert_eq!(editor.position_encoding(), if utf8 { "utf-8" } else { "utf-16" }, "{name}");
        let session = editor.new_session();
        assert_eq!(editor.ask(&session, "sim> text hello").text(), "hello", "{name}");
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} recordings were found");
}
