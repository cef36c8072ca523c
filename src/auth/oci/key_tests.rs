//! Reading keys; how the fixtures were made is in `tests/fixtures/oci/README.md`.

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/oci/", $name))
    };
}

const FINGERPRINT: &str = "96:16:03:94:e4:75:9f:d1:09:05:32:7e:61:66:d1:da";
const ENCRYPTED: [(&str, &str); 5] = [
    ("PBES2", fixture!("pkcs8-encrypted.pem")),
    ("PBES2 with SHA-1", fixture!("pkcs8-encrypted-sha1.pem")),
    ("AES-256", fixture!("pkcs1-aes256.pem")),
    ("AES-128", fixture!("pkcs1-aes128.pem")),
    ("3DES", fixture!("pkcs1-des3.pem")),
];

fn passphrase() -> SecretString {
    SecretString::from("open-sesame")
}

#[test]
fn every_form_gives_the_same_key_and_signature() {
    let expected = PrivateKey::from_pem(fixture!("pkcs8.pem"), None).unwrap().sign(b"x").unwrap();
    let plain = [("PKCS#1", fixture!("pkcs1.pem")), ("console", fixture!("console.pem"))];
    for (name, text) in plain.into_iter().chain(ENCRYPTED) {
        // A passphrase that is not needed is no error.
        let key = PrivateKey::from_pem(text, Some(&passphrase())).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(key.fingerprint(), FINGERPRINT, "{name}");
        assert_eq!(key.sign(b"x").unwrap(), expected, "{name}");
    }
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    for (name, text) in ENCRYPTED {
        let open = |passphrase: Option<&str>| {
            PrivateKey::from_pem(text, passphrase.map(SecretString::from).as_ref()).unwrap_err()
        };
        assert_eq!(open(None), KeyError::PassphraseNeeded, "{name}");
        assert_eq!(open(Some("")), KeyError::PassphraseNeeded, "{name}");
        // Enough of them that some leave a right padding by chance.
        for number in 0..600 {
            assert_eq!(open(Some(&format!("wrong {number}"))), KeyError::WrongPassphrase, "{name} {number}");
            if name.starts_with("PBES2") && number > 5 {
                break;
            }
        }
    }
}

#[test]
fn what_cannot_sign_is_refused_with_the_reason() {
    for (text, reason) in [
        (fixture!("public.pem"), "a PUBLIC KEY"),
        (fixture!("ec.pem"), "EC PRIVATE KEY"),
        (fixture!("small.pem"), "TooSmall"),
        (fixture!("pkcs8-scrypt.pem"), "PBKDF2"),
        ("", "no private key"),
    ] {
        let error = PrivateKey::from_pem(text, Some(&passphrase())).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!error.hint("pass_phrase").is_empty());
    }
}

#[test]
fn a_damaged_key_is_refused() {
    let whole = fixture!("pkcs1-aes256.pem");
    for (from, to) in [("AES-256-CBC,", "AES-256-CBC,00"), ("AES-256-CBC", "RC2-CBC"), ("AES-256-CBC", "DES-EDE3-CBC")]
    {
        let text = whole.replacen(from, to, 1);
        assert_ne!(text, whole);
        assert!(PrivateKey::from_pem(&text, Some(&passphrase())).is_err(), "{to}");
    }
    let lines: Vec<&str> = fixture!("pkcs8.pem").lines().collect();
    for missing in 1..lines.len() {
        let text: Vec<&str> =
            lines.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, line)| *line).collect();
        assert!(PrivateKey::from_pem(&text.join("\n"), None).is_err(), "without line {missing}");
    }
}

#[test]
fn debug_shows_nothing_of_the_key() {
    let key = PrivateKey::from_pem(fixture!("pkcs8.pem"), None).unwrap();
    assert_eq!(format!("{key:?}"), format!("PrivateKey {{ fingerprint: \"{FINGERPRINT}\", .. }}"));
}
