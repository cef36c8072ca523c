//! RSA private keys: reading the forms that OCI's tools write, and signing.

use std::fmt;

use md5::{Digest, Md5};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{decrypt, pem};

/// Why a key file cannot be used. None of these texts has anything of the key in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The file has no PEM block of a private key.
    #[error("it has no private key in PEM form")]
    NoKey,
    /// The file has a PEM block, of something else.
    #[error("it holds no private key but a {0}")]
    NotPrivate(String),
    /// The key is encrypted, and no passphrase is known.
    #[error("it is encrypted and there is no passphrase for it")]
    PassphraseNeeded,
    /// The passphrase does not decrypt the key.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Something about the key is not read here.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The file is not what it says it is.
    #[error("{0}")]
    Malformed(&'static str),
    /// It is a key, but not one that can sign requests.
    #[error("it is no RSA key that can sign requests ({0})")]
    NotUsable(String),
}

impl KeyError {
    /// What the user can do about it. `passphrase_place` says where the passphrase is looked for.
    pub fn hint(&self, passphrase_place: &str) -> String {
        match self {
            Self::PassphraseNeeded => format!("the passphrase is looked for in {passphrase_place}"),
            Self::WrongPassphrase => format!("the passphrase is from {passphrase_place}"),
            Self::Unsupported(_) => "encrypt it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc".to_owned(),
            Self::NotPrivate(_) => "the file of the private key is wanted, not that of its public half".to_owned(),
            Self::NoKey | Self::Malformed(_) | Self::NotUsable(_) => {
                "make a new API key in OCI's console and save its private key, an RSA key of at least 2048 bits"
                    .to_owned()
            }
        }
    }
}

/// An RSA key that signs requests.
pub struct PrivateKey {
    pair: RsaKeyPair,
    fingerprint: String,
}

impl PrivateKey {
    /// Reads a key: PKCS#8 or PKCS#1, plain or encrypted, whatever stands around it. A passphrase that is not needed is
    /// ignored, as OCI's own tools do.
    ///
    /// # Errors
    /// A [`KeyError`].
    pub fn from_pem(text: &str, passphrase: Option<&SecretString>) -> Result<Self, KeyError> {
        let block = pem::private_key(text)?;
        let passphrase = || {
            let passphrase = passphrase.filter(|text| !text.expose_secret().is_empty());
            Ok(passphrase.ok_or(KeyError::PassphraseNeeded)?.expose_secret().as_bytes())
        };
        let read = |encrypted: bool, result: Result<RsaKeyPair, ring::error::KeyRejected>| match result {
            // One time in 256 a wrong passphrase leaves a right padding, and nonsense.
            Err(error) if encrypted && error.to_string() == "InvalidEncoding" => Err(KeyError::WrongPassphrase),
            other => other.map_err(|error| KeyError::NotUsable(error.to_string())),
        };
        let pair = match (block.label.as_str(), &block.encryption) {
            ("PRIVATE KEY", None) => read(false, RsaKeyPair::from_pkcs8(&block.data))?,
            ("ENCRYPTED PRIVATE KEY", None) => {
                let data: Zeroizing<_> = decrypt::pkcs8(&block.data, passphrase()?)?;
                read(true, RsaKeyPair::from_pkcs8(&data))?
            }
            ("RSA PRIVATE KEY", None) => read(false, RsaKeyPair::from_der(&block.data))?,
            ("RSA PRIVATE KEY", Some((algorithm, vector))) => {
                let data: Zeroizing<_> = decrypt::legacy(algorithm, vector, &block.data, passphrase()?)?;
                read(true, RsaKeyPair::from_der(&data))?
            }
            (label, _) => return Err(KeyError::NotUsable(format!("it is a {label}"))),
        };
        let fingerprint = fingerprint(pair.public().as_ref());
        Ok(Self { pair, fingerprint })
    }

    /// The MD5 of the public key's DER form, in lower-case hex with colons, as OCI shows it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The RSASSA-PKCS1-v1_5 signature over the SHA-256 of `message`.
    ///
    /// # Errors
    /// [`KeyError::NotUsable`] when the key's parts do not fit each other.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        // The random numbers blind the computation; the signature has none in it.
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map_err(|_| KeyError::NotUsable("signing failed".to_owned()))?;
        Ok(signature)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// The fingerprint of a public key in PKCS#1 form.
fn fingerprint(public: &[u8]) -> String {
    // AlgorithmIdentifier { rsaEncryption, NULL }, RFC 8017.
    const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let mut bits = vec![0];
    bits.extend_from_slice(public);
    let info = tagged(0x30, &[&RSA[..], &tagged(0x03, &bits)].concat());
    let bytes: Vec<String> = Md5::digest(&info).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

/// A DER value.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut value = vec![tag];
    if content.len() >= 0x80 {
        value.push(0x80 | significant.len() as u8);
        value.extend_from_slice(significant);
    } else {
        value.push(content.len() as u8);
    }
    value.extend_from_slice(content);
    value
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
