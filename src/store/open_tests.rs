use std::fs;
use std::path::Path;

use super::test_support::*;
use super::*;
use crate::error::ErrorCode;

fn codes(opened: &Opened) -> Vec<&'static str> {
    opened.notices.iter().map(|notice| notice.code).collect()
}

/// The database's file, changed by hand while no store has it open.
fn by_hand(folder: &Path, sql: &str) {
    rusqlite::Connection::open(folder.join("sessions.db")).unwrap().execute_batch(sql).unwrap();
}

/// A store in memory works like any other.
async fn works(store: &Store) {
    store.create(record("ses_m")).await.unwrap();
    turn(store, &SessionId::from("ses_m"), "turn_1", "in memory", "yes", 20).await;
    let found = store.search(SearchQuery { text: "memory".to_owned(), limit: 5, ..SearchQuery::default() }).await;
    assert_eq!((store.file(), found.unwrap().hits.len()), (None, 2));
    assert_eq!(store.load(&SessionId::from("ses_m")).await.unwrap().messages.len(), 2);
}

#[tokio::test]
async fn a_damaged_database_is_set_aside_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = "no database at all. ".repeat(500);
    for round in 0..2 {
        fs::write(folder.path().join("sessions.db"), &damaged).unwrap();
        let opened = open(&folder);
        assert_eq!(codes(&opened), ["store.set_aside"]);
        let kept = folder.path().join(format!("sessions.damaged-{}.db", 1_000 + round));
        assert!(opened.notices[0].message.contains(kept.to_str().unwrap()));
        assert_eq!(fs::read_to_string(kept).unwrap(), damaged);
        opened.store.create(record("ses_1")).await.unwrap();
    }
}

#[tokio::test]
async fn a_damaged_schema_is_found_when_it_is_opened() {
    let (folder, store) = store();
    store.create(record("ses_1")).await.unwrap();
    drop(store);
    let file = folder.path().join("sessions.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[100..4096].fill(0xff);
    fs::write(&file, &bytes).unwrap();
    let opened = open(&folder);
    assert_eq!(codes(&opened), ["store.set_aside"]);
    assert_eq!(fs::read(folder.path().join("sessions.damaged-1000.db")).unwrap(), bytes);
    assert_eq!(opened.store.list(ListQuery::default()).await.unwrap().sessions, []);
}

#[tokio::test]
async fn a_newer_or_foreign_database_is_left_as_it_is() {
    for sql in ["PRAGMA user_version=99", "PRAGMA application_id=7"] {
        let (folder, store) = store();
        store.create(record("ses_1")).await.unwrap();
        drop(store);
        by_hand(folder.path(), sql);
        let before = fs::read(folder.path().join("sessions.db")).unwrap();
        let opened = open(&folder);
        assert_eq!(codes(&opened), ["store.in_memory"], "{sql}");
        works(&opened.store).await;
        drop(opened);
        assert_eq!(fs::read(folder.path().join("sessions.db")).unwrap(), before, "{sql}");
    }
}

#[tokio::test]
async fn a_server_does_not_write_what_a_newer_one_took_over() {
    let (folder, store) = store();
    store.create(record("ses_1")).await.unwrap();
    by_hand(folder.path(), "PRAGMA user_version=99");
    let refused = store.begin_turn(&SessionId::from("ses_1"), start("turn_1", "x", 20)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::StoreFailed);
    assert!(refused.message.contains("newer version"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_means_memory_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for place in [Some(file.join("data")), Some(file), None] {
        let opened = Store::open(place.as_deref(), 1).unwrap();
        assert_eq!(codes(&opened), ["store.in_memory"], "{place:?}");
        works(&opened.store).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_read_only_folder_means_memory_and_says_so() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        // The superuser may write it all the same: what stands in for it is a database that cannot be opened.
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sessions.db")).unwrap();
        let opened = open(&folder);
        assert_eq!(codes(&opened), ["store.in_memory"]);
        return works(&opened.store).await;
    }
    let (folder, store) = store();
    drop(store);
    for mode in [0o500, 0o700] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let opened = open(&folder);
        assert_eq!(opened.store.file().is_none(), mode == 0o500);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_user_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep/data");
    let store = Store::open(Some(&folder), 1).unwrap().store;
    store.create(record("ses_1")).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let databases: Vec<_> = files.iter().filter(|path| path.to_str().unwrap().contains("sessions.db")).collect();
    assert_eq!(databases.len(), 3, "the log and its index are there: {files:?}");
    assert!(databases.iter().all(|path| mode(path) == 0o600));
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sessions.db"), "").unwrap();
    let opened = open(&folder);
    assert_eq!(codes(&opened), [""; 0]);
    opened.store.create(record("ses_1")).await.unwrap();
}

/// The first version of the schema, with a session in it, opened by a program with one step more; and one whose second
/// step fails.
#[test]
fn an_older_database_is_brought_up_to_date_step_by_step() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let version = |connection: &rusqlite::Connection| {
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap()
    };
    let first = schema::STEPS[0];
    schema::migrate(&connection, &[first]).unwrap();
    write::create(&connection, &Presence::alone(), &record("ses_1")).unwrap();
    assert_eq!(version(&connection), 1);
    let broken = "ALTER TABLE sessions ADD COLUMN more TEXT NOT NULL DEFAULT 'x'; SELECT nonsense;";
    assert!(schema::migrate(&connection, &[first, broken]).is_err());
    assert_eq!(version(&connection), 1);
    let columns = |connection: &rusqlite::Connection| {
        connection.query_row("SELECT count(*) FROM pragma_table_info('sessions') WHERE name = 'more'", [], |row| {
            row.get::<_, i64>(0)
        })
    };
    assert_eq!(columns(&connection).unwrap(), 0, "a step is carried out whole or not at all");
    let good = "ALTER TABLE sessions ADD COLUMN more TEXT NOT NULL DEFAULT 'x'";
    schema::migrate(&connection, &[first, good]).unwrap();
    schema::migrate(&connection, &[first, good]).unwrap();
    assert_eq!((version(&connection), columns(&connection).unwrap()), (2, 1));
    assert_eq!(load::record(&connection, &SessionId::from("ses_1")).unwrap().1, record("ses_1"));
    assert_eq!(schema::kind(&connection).unwrap(), schema::Kind::Newer(2));
}
