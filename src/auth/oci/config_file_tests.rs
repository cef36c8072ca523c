//! Reading `~/.oci/config`.

use super::*;

fn parse(text: &str) -> Result<ConfigFile, UserError> {
    ConfigFile::parse(text, PathBuf::from("/home/u/.oci/config"))
}

fn get(text: &str, profile: &str, key: &str) -> Option<String> {
    parse(text).unwrap().profile(profile).unwrap().get(key).map(str::to_owned)
}

#[test]
fn values_are_read_as_the_sdk_reads_them() {
    let text = "\u{feff}# top\n[DEFAULT]\nUser = ocid1.user\r\nregion:us-ashburn-1\n; note\npass_phrase = a=b:c # %(x)s\nempty=\n\
                \n[Work]\n  tenancy = t \n  key_file = a\n    b\n\n  region=eu-frankfurt-1\n[x]y] trailing\nuser=u\n";
    for (profile, key, value) in [
        ("DEFAULT", "user", Some("ocid1.user")),
        ("DEFAULT", "region", Some("us-ashburn-1")),
        // No comment begins in the middle of a line, and nothing is put in for `%(x)s`.
        ("DEFAULT", "pass_phrase", Some("a=b:c # %(x)s")),
        ("DEFAULT", "empty", None),
        ("Work", "user", Some("ocid1.user")),
        ("Work", "region", Some("eu-frankfurt-1")),
        ("Work", "tenancy", Some("t")),
        ("Work", "key_file", Some("a\nb")),
        ("x]y", "user", Some("u")),
    ] {
        assert_eq!(get(text, profile, key).as_deref(), value, "{profile} {key}");
    }
}

#[test]
fn a_missing_profile_lists_those_there_are() {
    let hint = |text: &str, name: &str| parse(text).unwrap().profile(name).unwrap_err().hint.unwrap();
    assert!(hint("[DEFAULT]\na=b\n[One]\n[Two]\n", "one").contains("DEFAULT, One, Two"));
    assert!(hint("[One]\n", "DEFAULT").contains("are One;"));
    assert!(hint("# nothing\n", "DEFAULT").contains("no profiles"));
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_not_shown() {
    for (text, line, what) in [
        ("user=x\n", 1, "brackets"),
        ("[A]\n\nMIIEvQIBADANBg\n", 3, "name = value"),
        ("[A]\na=1\nA=2\n", 3, "twice"),
        ("[A]\na=1\n[A]\n", 3, "twice"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigInvalid);
        assert!(error.message.contains(&format!("line {line}:")) && error.message.contains(what), "{}", error.message);
        assert!(!error.message.contains("MIIE"));
    }
}

#[test]
fn required_keys_are_named_and_a_key_in_the_file_is_refused() {
    let profile = |text: &str| parse(text).unwrap().profile("DEFAULT").unwrap();
    let error = profile("[DEFAULT]\nuser=u\ntenancy=\n").require(&["user", "tenancy", "key_file"]).unwrap_err();
    assert!(error.message.ends_with("lacks tenancy, key_file"), "{}", error.message);
    let error = profile("[DEFAULT]\nuser=u\nkey_content=MIIE\n").require(&["user"]).unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthInvalid);
    assert!(error.message.contains("key_content") && !error.message.contains("MIIE"));
    profile("[DEFAULT]\nuser=u\n").require(&["user"]).unwrap();
}

#[test]
fn the_file_is_looked_for_in_order() {
    let home = Path::new("/home/u");
    let find = |explicit: Option<&str>, named: &str| -> Vec<String> {
        let environment = Environment::from([("OCI_CONFIG_FILE", named)]);
        candidates(explicit, &environment, home).iter().map(|path| path.to_string_lossy().replace('\\', "/")).collect()
    };
    assert_eq!(find(Some("~/elsewhere"), "/env"), ["/home/u/elsewhere"]);
    for explicit in [None, Some(" "), Some("~/.oci/config")] {
        assert_eq!(find(explicit, "/env"), ["/home/u/.oci/config", "/env", "/home/u/.oraclebmc/config"]);
    }
    assert_eq!(find(None, ""), ["/home/u/.oci/config", "/home/u/.oraclebmc/config"]);
}

#[test]
fn only_a_leading_tilde_is_the_home_directory() {
    let home = Path::new("/home/u");
    for (path, expanded) in [("~", "/home/u"), ("~/a/b", "/home/u/a/b"), ("~other/a", "~other/a"), ("a/~", "a/~")] {
        assert_eq!(expand(path, home), Path::new(expanded));
    }
}

#[test]
fn debug_shows_no_value() {
    let file = parse("[DEFAULT]\npass_phrase=hidden\n").unwrap();
    let profile = file.profile("DEFAULT").unwrap();
    assert!(!format!("{file:?} {profile:?}").contains("hidden"));
}
