//! Private keys under a passphrase: PBES2 (RFC 8018) inside PKCS#8, and OpenSSL's old way around PKCS#1.
//!
//! The key derivation is ring's, so that a passphrase costs no second set of hash functions in the binary.

use std::num::NonZeroU32;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use md5::{Digest, Md5};
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{EncryptionScheme as Cipher, Kdf, Pbkdf2Prf};
use ring::pbkdf2;
use zeroize::Zeroizing;

use super::key::KeyError;

/// More rounds than any tool writes; a file that asks for more would hold up a thread for minutes.
const MAX_ROUNDS: u32 = 10_000_000;

/// The PKCS#8 key inside of an `EncryptedPrivateKeyInfo`.
pub(super) fn pkcs8(data: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let info =
        EncryptedPrivateKeyInfoRef::try_from(data).map_err(|_| KeyError::Unsupported("its encryption".into()))?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(KeyError::Unsupported("its encryption (PBES1)".into()));
    };
    let Kdf::Pbkdf2(derivation) = &parameters.kdf else {
        return Err(KeyError::Unsupported("its key derivation (not PBKDF2)".into()));
    };
    let hash = match derivation.prf {
        Pbkdf2Prf::HmacWithSha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Pbkdf2Prf::HmacWithSha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Pbkdf2Prf::HmacWithSha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Pbkdf2Prf::HmacWithSha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return Err(KeyError::Unsupported("the hash function of its key derivation".into())),
    };
    let rounds = NonZeroU32::new(derivation.iteration_count).filter(|rounds| rounds.get() <= MAX_ROUNDS);
    let rounds = rounds.ok_or(KeyError::Malformed("its key derivation has an absurd number of rounds"))?;
    let derive = |length: usize| {
        let mut key = Zeroizing::new(vec![0; length]);
        pbkdf2::derive(hash, rounds, derivation.salt.as_ref(), passphrase, &mut key);
        key
    };
    let data = info.encrypted_data.as_bytes();
    match &parameters.encryption {
        Cipher::Aes128Cbc { iv } => cbc::<aes::Aes128>(&derive(16), iv, data),
        Cipher::Aes192Cbc { iv } => cbc::<aes::Aes192>(&derive(24), iv, data),
        Cipher::Aes256Cbc { iv } => cbc::<aes::Aes256>(&derive(32), iv, data),
        _ => Err(KeyError::Unsupported("its cipher (not AES in CBC mode)".into())),
    }
}

/// The PKCS#1 key inside of a block with `DEK-Info`.
pub(super) fn legacy(
    algorithm: &str,
    vector: &[u8],
    data: &[u8],
    passphrase: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let salt = vector.get(..8).ok_or(KeyError::Malformed("its initial vector is too short"))?;
    let key = |length| bytes_to_key(passphrase, salt, length);
    match algorithm {
        "AES-128-CBC" => cbc::<aes::Aes128>(&key(16), vector, data),
        "AES-192-CBC" => cbc::<aes::Aes192>(&key(24), vector, data),
        "AES-256-CBC" => cbc::<aes::Aes256>(&key(32), vector, data),
        "DES-EDE3-CBC" => cbc::<des::TdesEde3>(&key(24), vector, data),
        other => Err(KeyError::Unsupported(format!("its cipher ({other})"))),
    }
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn bytes_to_key(passphrase: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut last = Vec::new();
    while key.len() < length {
        last = Md5::new().chain_update(&last).chain_update(passphrase).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

/// Undoes a cipher in CBC mode and the padding. A wrong key nearly always spoils the padding.
fn cbc<C>(key: &[u8], vector: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let cipher = C::new_from_slice(key).map_err(|_| KeyError::Malformed("its key has the wrong length"))?;
    let mode = cbc::Decryptor::<C>::inner_iv_slice_init(cipher, vector)
        .map_err(|_| KeyError::Malformed("its initial vector has the wrong length"))?;
    let mut data = Zeroizing::new(data.to_vec());
    let length = mode.decrypt_padded::<Pkcs7>(&mut data).map_err(|_| KeyError::WrongPassphrase)?.len();
    data.truncate(length);
    Ok(data)
}
