//! Keys that sign requests: Ed25519 (preferred, we hold only the public half) and HMAC-SHA256.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

use crate::domain::problem::{Code, Detail, Problem, detail};

/// The shortest HMAC secret taken, in bytes: 128 bits. We issue 32.
pub const HMAC_SECRET_BYTES_MIN: usize = 16;
/// The longest, well above any use.
pub const HMAC_SECRET_BYTES_MAX: usize = 1024;

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

/// The two algorithms, by their names in the HTTP Signature Algorithms registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Ed25519,
    HmacSha256,
}

impl Algorithm {
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Ed25519 => "ed25519",
            Algorithm::HmacSha256 => "hmac-sha256",
        }
    }
}

/// A shared secret; wiped when dropped, never printed.
pub struct HmacSecret(SecretBox<[u8]>);

impl HmacSecret {
    /// # Errors
    /// `invalid_field` if shorter than 16 or longer than 1,024 bytes.
    pub fn new(secret: Vec<u8>) -> Result<HmacSecret, Problem> {
        let secret = SecretBox::new(secret.into_boxed_slice());
        match secret.expose_secret().len() {
            HMAC_SECRET_BYTES_MIN..=HMAC_SECRET_BYTES_MAX => Ok(HmacSecret(secret)),
            _ => Err(unreadable(detail!(
                "HMAC 密钥须为 16 至 1024 字节",
                "an HMAC secret has 16 to 1024 bytes"
            ))),
        }
    }

    /// Reads base64, of either alphabet, padded or not.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn parse(text: &str) -> Result<HmacSecret, Problem> {
        HmacSecret::new(
            base64_bytes(text).ok_or_else(|| {
                unreadable(detail!("密钥不是 base64", "the secret is not base64"))
            })?,
        )
    }

    /// A MAC under this secret, to be fed; `None` never happens, HMAC takes any length.
    fn mac(&self) -> Option<Hmac<Sha256>> {
        <Hmac<Sha256>>::new_from_slice(self.0.expose_secret()).ok()
    }
}

impl Clone for HmacSecret {
    fn clone(&self) -> HmacSecret {
        HmacSecret(SecretBox::new(self.0.expose_secret().into()))
    }
}

impl fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSecret(redacted)")
    }
}

/// What checks a signature.
#[derive(Debug, Clone)]
pub enum VerifyKey {
    Ed25519(VerifyingKey),
    HmacSha256(HmacSecret),
}

impl VerifyKey {
    /// An Ed25519 public key: PEM (`BEGIN PUBLIC KEY`), or base64 of its 32 bytes.
    ///
    /// # Errors
    /// `invalid_field`, also for a weak key, under which one signature fits many messages.
    pub fn ed25519(text: &str) -> Result<VerifyKey, Problem> {
        let key = if text.contains("-----BEGIN") {
            VerifyingKey::from_public_key_pem(text.trim()).ok()
        } else {
            base64_bytes(text).and_then(|bytes| VerifyingKey::try_from(&bytes[..]).ok())
        };
        key.filter(|key| !key.is_weak())
            .map(VerifyKey::Ed25519)
            .ok_or_else(|| {
                unreadable(detail!(
                    "不是 PEM 或 base64 形式的 Ed25519 公钥",
                    "not an Ed25519 public key in PEM or base64"
                ))
            })
    }

    /// # Errors
    /// As [`HmacSecret::parse`].
    pub fn hmac_sha256(text: &str) -> Result<VerifyKey, Problem> {
        HmacSecret::parse(text).map(VerifyKey::HmacSha256)
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            VerifyKey::Ed25519(_) => Algorithm::Ed25519,
            VerifyKey::HmacSha256(_) => Algorithm::HmacSha256,
        }
    }

    /// What is stored of the key: the public key's 32 bytes, or the secret itself.
    pub fn material(&self) -> Vec<u8> {
        match self {
            VerifyKey::Ed25519(key) => key.to_bytes().to_vec(),
            VerifyKey::HmacSha256(secret) => secret.0.expose_secret().to_vec(),
        }
    }

    /// Whether `signature` is this key's over `message`. MACs are compared in constant time.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            VerifyKey::Ed25519(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            VerifyKey::HmacSha256(secret) => secret
                .mac()
                .is_some_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok()),
        }
    }
}

/// What makes a signature; wiped when dropped, never printed.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "a process holds a handful of keys"
)]
pub enum SignKey {
    Ed25519(SigningKey),
    HmacSha256(HmacSecret),
}

impl SignKey {
    /// An Ed25519 secret key: PEM (`BEGIN PRIVATE KEY`, PKCS#8), or base64 of its 32-byte seed.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn ed25519(text: &str) -> Result<SignKey, Problem> {
        ed25519_secret(text).map(SignKey::Ed25519)
    }

    /// # Errors
    /// As [`HmacSecret::parse`].
    pub fn hmac_sha256(text: &str) -> Result<SignKey, Problem> {
        HmacSecret::parse(text).map(SignKey::HmacSha256)
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            SignKey::Ed25519(_) => Algorithm::Ed25519,
            SignKey::HmacSha256(_) => Algorithm::HmacSha256,
        }
    }

    /// The key that checks what this one signs.
    pub fn verify_key(&self) -> VerifyKey {
        match self {
            SignKey::Ed25519(key) => VerifyKey::Ed25519(key.verifying_key()),
            SignKey::HmacSha256(secret) => VerifyKey::HmacSha256(secret.clone()),
        }
    }

    /// 64 bytes for Ed25519, 32 for HMAC-SHA256.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            SignKey::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            SignKey::HmacSha256(secret) => secret
                .mac()
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
                .unwrap_or_default(),
        }
    }
}

impl fmt::Debug for SignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignKey({}, redacted)", self.algorithm().as_str())
    }
}

/// Reads an Ed25519 secret as [`SignKey::ed25519`] does; also for the log's own signer.
///
/// # Errors
/// `invalid_field`.
pub fn ed25519_secret(text: &str) -> Result<SigningKey, Problem> {
    let key = if text.contains("-----BEGIN") {
        SigningKey::from_pkcs8_pem(text.trim()).ok()
    } else {
        base64_bytes(text).and_then(|mut seed| {
            let key = SigningKey::try_from(&seed[..]).ok();
            seed.zeroize();
            key
        })
    };
    key.ok_or_else(|| {
        unreadable(detail!(
            "不是 PEM 或 base64 形式的 Ed25519 私钥",
            "not an Ed25519 secret key in PEM or base64"
        ))
    })
}

fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .ok()
}

fn unreadable(what: Detail) -> Problem {
    Problem::at(Code::InvalidField, "key", what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        seed: String,
        public: String,
        message: String,
        signature: String,
    }

    #[test]
    fn the_ed25519_vectors_hold() {
        let Some(path) = super::super::vectors::path("rfc8032-ed25519/rfc8032-7.1.json") else {
            return;
        };
        let file: File = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert!(file.vectors.len() >= 3);
        for vector in file.vectors {
            let bytes = |text: &str| hex::decode(text).unwrap();
            let key = SignKey::ed25519(&STANDARD.encode(bytes(&vector.seed))).unwrap();
            let public = VerifyKey::ed25519(&URL_SAFE.encode(bytes(&vector.public))).unwrap();
            let (message, signature) = (bytes(&vector.message), bytes(&vector.signature));
            assert_eq!(key.sign(&message), signature);
            assert!(public.verifies(&message, &signature));
            assert!(!public.verifies(&[&message[..], b"!"].concat(), &signature));
            assert!(!public.verifies(&message, &signature[1..]));
        }
    }

    #[test]
    fn the_first_hmac_vector_of_rfc_4231_holds() {
        let key = SignKey::HmacSha256(HmacSecret::new(vec![0x0b; 20]).unwrap());
        let mac = key.sign(b"Hi There");
        assert_eq!(
            hex::encode(&mac),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert!(key.verify_key().verifies(b"Hi There", &mac));
        assert!(!key.verify_key().verifies(b"Hi There", &mac[..31]));
        assert!(!key.verify_key().verifies(b"Hi There", &[]));
    }

    #[test]
    fn unusable_keys_are_refused_and_secrets_not_printed() {
        for text in [
            "",
            "AAAA",
            "not base64!",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n",
        ] {
            assert!(VerifyKey::ed25519(text).is_err(), "{text}");
            assert!(SignKey::ed25519(text).is_err(), "{text}");
            assert!(HmacSecret::parse(text).is_err(), "{text}");
        }
        let weak = STANDARD.encode([&[1u8][..], &[0; 31]].concat());
        assert!(
            VerifyKey::ed25519(&weak).is_err(),
            "the neutral point is a weak key"
        );
        let secret = SignKey::ed25519(&STANDARD.encode([5; 32])).unwrap();
        assert_eq!(format!("{secret:?}"), "SignKey(ed25519, redacted)");
        let shared = SignKey::hmac_sha256(&STANDARD.encode([5; 32])).unwrap();
        assert_eq!(
            format!("{:?}", shared.verify_key()),
            "HmacSha256(HmacSecret(redacted))"
        );
    }
}
