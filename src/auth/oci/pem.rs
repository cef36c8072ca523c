//! Finding the private key in the text of a key file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::key::KeyError;

/// What the first line of a block begins with.
const BEGIN: &str = "-----BEGIN ";
/// What the last line of a block begins with.
const END: &str = "-----END ";

/// A PEM block that says it is a private key.
pub(super) struct Block {
    /// What it calls itself, e.g. `RSA PRIVATE KEY`.
    pub(super) label: String,
    /// The algorithm and the initial vector of `DEK-Info`, where the block is encrypted in OpenSSL's old way.
    pub(super) encryption: Option<(String, Vec<u8>)>,
    /// The bytes of the block.
    pub(super) data: Zeroizing<Vec<u8>>,
}

/// The first private key of `text`. What stands outside of its block is ignored: OCI's console writes a label below it.
pub(super) fn private_key(text: &str) -> Result<Block, KeyError> {
    let mut lines = text.lines().map(str::trim);
    let mut other = None;
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix("-----")) else { continue };
        if !label.ends_with("PRIVATE KEY") {
            other.get_or_insert_with(|| label.to_owned());
            continue;
        }
        return block(label, &mut lines);
    }
    Err(other.map_or(KeyError::NoKey, KeyError::NotPrivate))
}

/// The rest of a block whose first line was read.
fn block<'a>(label: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Block, KeyError> {
    let mut encoded = Zeroizing::new(String::new());
    let mut encryption = None;
    for line in lines {
        if line.starts_with(END) {
            let data = STANDARD.decode(encoded.as_bytes()).map_err(|_| KeyError::Malformed("it is not base64"))?;
            return Ok(Block { label: label.to_owned(), encryption, data: Zeroizing::new(data) });
        }
        match line.split_once(':') {
            // Base64 has no colon.
            Some(("DEK-Info", value)) => encryption = Some(dek_info(value)?),
            Some(_) => {}
            None => encoded.push_str(line),
        }
    }
    Err(KeyError::Malformed("its last line is missing"))
}

/// `AES-256-CBC,0123…` in parts.
fn dek_info(value: &str) -> Result<(String, Vec<u8>), KeyError> {
    let malformed = KeyError::Malformed("its DEK-Info is not an algorithm and an initial vector");
    let Some((algorithm, digits)) = value.trim().split_once(',') else { return Err(malformed) };
    let Some(vector) = unhex(digits.trim()) else { return Err(malformed) };
    Ok((algorithm.trim().to_ascii_uppercase(), vector))
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digits: Vec<u8> = digits.chars().map(|c| Some(c.to_digit(16)? as u8)).collect::<Option<_>>()?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_around_and_before_a_key_is_ignored() {
        let text = "note\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n  -----BEGIN PRIVATE KEY-----\r\n\
                    AQID\r\nBAU=\r\n-----END PRIVATE KEY-----\r\nOCI_API_KEY\n";
        let block = private_key(text).unwrap();
        assert_eq!((block.label.as_str(), block.data.as_slice()), ("PRIVATE KEY", &[1, 2, 3, 4, 5][..]));
        assert!(block.encryption.is_none());
    }

    #[test]
    fn what_is_no_key_says_so() {
        let error = |text: &str| private_key(text).err().unwrap().to_string();
        assert!(error("").contains("no private key"));
        assert!(error("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----").contains("CERTIFICATE"));
        assert!(error("-----BEGIN PRIVATE KEY-----\nAAAA\n").contains("last line"));
        assert!(error("-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----").contains("base64"));
        for bad in ["AES", "AES-128-CBC,0", "AES-128-CBC,é", "AES-128-CBC,0x"] {
            let text =
                format!("-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: {bad}\n\nAAAA\n-----END RSA PRIVATE KEY-----");
            assert!(error(&text).contains("DEK-Info"), "{bad}");
        }
    }
}
