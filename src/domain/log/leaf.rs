//! What is logged: one accepted reduction, without anything about a person.
//!
//! The account and the behaviour are behind a commitment: SHA-256 over a salt, the account id and
//! the hash of the behaviour's content. Without the salt the commitment cannot be guessed at from a
//! list of accounts; whoever is given the [`Opening`] (the person, an auditor) can check the leaf.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::hash::{Hash, leaf_hash};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::reduction::ReductionId;
use crate::domain::unit::MgCo2e;

/// Leads the bytes that a commitment hashes. The parts after it have fixed lengths (16, 16, 32).
pub const COMMITMENT_DOMAIN: &[u8] = b"tanpuhui/log/commitment/v1\0";
/// Leads the bytes from which a salt is derived; the reduction's id (20) follows.
pub const SALT_DOMAIN: &[u8] = b"tanpuhui/log/salt/v1\0";
/// The shortest salt key taken, in bytes.
pub const SALT_KEY_BYTES_MIN: usize = 32;

/// A salt: 16 bytes, of no use for any other leaf.
pub type Salt = [u8; 16];

/// An accepted reduction as the log shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'a> {
    pub reduction: ReductionId,
    /// `code@version`.
    pub methodology: &'a str,
    /// SHA-256 of the methodology's canonical form.
    pub methodology_hash: Hash,
    /// The scene's code.
    pub scene: &'a str,
    /// The day of the behaviour at the platform's place.
    pub day: NaiveDate,
    /// Milligrams; a correction is a leaf of its own and may be negative.
    pub amount: MgCo2e,
    pub commitment: Hash,
}

impl Leaf<'_> {
    /// Appends the leaf's bytes: an RFC 8785 canonical JSON object, members in the order of their
    /// names, amounts as decimal strings. Written by hand since every reduction passes here.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"commitment\":\"");
        write_hex(out, &self.commitment);
        out.extend_from_slice(b"\",\"day\":\"");
        write_day(out, self.day);
        out.extend_from_slice(b"\",\"methodology\":\"");
        write_text(out, self.methodology);
        out.extend_from_slice(b"\",\"methodology_hash\":\"");
        write_hex(out, &self.methodology_hash);
        out.extend_from_slice(b"\",\"mg\":\"");
        write_integer(out, self.amount.0);
        out.extend_from_slice(b"\",\"reduction\":\"");
        let mut batch = Uuid::encode_buffer();
        out.extend_from_slice(
            self.reduction
                .batch
                .simple()
                .encode_lower(&mut batch)
                .as_bytes(),
        );
        out.push(b'-');
        write_integer(out, i64::from(self.reduction.pos));
        out.extend_from_slice(b"\",\"scene\":\"");
        write_text(out, self.scene);
        out.extend_from_slice(b"\",\"v\":1}");
    }

    /// The leaf hash; `buffer` is overwritten and kept for the next leaf.
    pub fn hash(&self, buffer: &mut Vec<u8>) -> Hash {
        buffer.clear();
        self.write(buffer);
        leaf_hash(buffer)
    }
}

fn write_hex(out: &mut Vec<u8>, bytes: &Hash) {
    let mut text = [0; 64];
    // Cannot fail: the buffer is twice the hash.
    if hex::encode_to_slice(bytes, &mut text).is_ok() {
        out.extend_from_slice(&text);
    }
}

fn write_day(out: &mut Vec<u8>, day: NaiveDate) {
    let Ok(year @ 0..=9999) = u32::try_from(day.year()) else {
        // Outside four digits chrono writes a sign; such a day is refused long before the log.
        return out.extend_from_slice(day.to_string().as_bytes());
    };
    write_digits(out, year / 100);
    write_digits(out, year % 100);
    out.push(b'-');
    write_digits(out, day.month());
    out.push(b'-');
    write_digits(out, day.day());
}

/// Two digits of a number below 100.
fn write_digits(out: &mut Vec<u8>, number: u32) {
    for digit in [number / 10, number % 10] {
        out.push(b'0' + u8::try_from(digit % 10).unwrap_or(0));
    }
}

fn write_integer(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    let mut digits = [0u8; 20];
    let (mut rest, mut count) = (number.unsigned_abs(), 0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(20 - count));
}

/// The inside of a JSON string as RFC 8785, section 3.2.2.2 has it: only quote, backslash and
/// control characters are escaped, those with a short form by it.
fn write_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in text.bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                let nibbles = [byte >> 4, byte & 0xf];
                out.extend(
                    nibbles
                        .iter()
                        .filter_map(|nibble| HEX.get(usize::from(*nibble))),
                );
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}

/// The secret from which every leaf's salt is derived; wiped when dropped, never printed. Losing it
/// loses no proof, only the ease of making openings again; leaking it lets others test guesses.
pub struct SaltKey(SecretBox<[u8]>);

impl SaltKey {
    /// # Errors
    /// `invalid_field` below 32 bytes.
    pub fn new(secret: Vec<u8>) -> Result<SaltKey, Problem> {
        let secret = SecretBox::new(secret.into_boxed_slice());
        if secret.expose_secret().len() < SALT_KEY_BYTES_MIN {
            let what = detail!(
                "加盐密钥至少 {SALT_KEY_BYTES_MIN} 字节",
                "a salt key has at least {SALT_KEY_BYTES_MIN} bytes"
            );
            return Err(Problem::at(Code::InvalidField, "salt_key", what));
        }
        Ok(SaltKey(secret))
    }

    /// `HMAC-SHA256(key, domain || reduction id)`, the first 16 bytes.
    pub fn salt(&self, reduction: ReductionId) -> Salt {
        let mut salt = [0; 16];
        // HMAC takes a key of any length, so this is never `Err`.
        if let Ok(mac) = <Hmac<Sha256>>::new_from_slice(self.0.expose_secret()) {
            let mac = mac
                .chain_update(SALT_DOMAIN)
                .chain_update(reduction.to_bytes());
            let code = mac.finalize().into_bytes();
            salt.iter_mut().zip(code).for_each(|(to, from)| *to = from);
        }
        salt
    }

    /// What opens the leaf of `reduction`.
    pub fn opening(&self, reduction: ReductionId, account: [u8; 16], content: Hash) -> Opening {
        Opening {
            salt: self.salt(reduction),
            account,
            content,
        }
    }
}

impl fmt::Debug for SaltKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltKey(redacted)")
    }
}

/// What a commitment hides; shown to the person it is about and to auditors only.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    pub salt: Salt,
    /// The pseudonymous account id.
    pub account: [u8; 16],
    /// SHA-256 of the behaviour's content.
    pub content: Hash,
}

impl Opening {
    /// `SHA-256(domain || salt || account || content)`.
    pub fn commitment(&self) -> Hash {
        Sha256::new()
            .chain_update(COMMITMENT_DOMAIN)
            .chain_update(self.salt)
            .chain_update(self.account)
            .chain_update(self.content)
            .finalize()
            .into()
    }

    /// Whether this opens `commitment`.
    pub fn opens(&self, commitment: &Hash) -> bool {
        self.commitment().ct_eq(commitment).into()
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn canonical(leaf: &Leaf<'_>) -> Vec<u8> {
        let value = json!({
            "v": 1,
            "reduction": leaf.reduction.to_string(),
            "methodology": leaf.methodology,
            "methodology_hash": hex::encode(leaf.methodology_hash),
            "scene": leaf.scene,
            "day": leaf.day.format("%Y-%m-%d").to_string(),
            "mg": leaf.amount.0.to_string(),
            "commitment": hex::encode(leaf.commitment),
        });
        serde_json_canonicalizer::to_vec(&value).unwrap()
    }

    proptest! {
        #[test]
        fn the_hand_written_bytes_are_the_canonical_ones(
            batch: u128, pos: u32, hash: Hash, commitment: Hash, mg: i64,
            methodology: String, scene in "(\\PC|[\\x00-\\x20\"\\\\]){0,20}",
            days in -400_000i32..4_000_000,
        ) {
            let leaf = Leaf {
                reduction: ReductionId { batch: Uuid::from_u128(batch), pos },
                methodology: &methodology,
                methodology_hash: hash,
                scene: &scene,
                day: NaiveDate::from_epoch_days(days).unwrap(),
                amount: MgCo2e(mg),
                commitment,
            };
            let mut buffer = b"left over".to_vec();
            let hash = leaf.hash(&mut buffer);
            prop_assert_eq!(&buffer, &canonical(&leaf));
            prop_assert_eq!(hash, leaf_hash(&buffer));
        }

        #[test]
        fn only_the_right_opening_opens(pos: u32, account: [u8; 16], content: Hash, bit in 0..512) {
            let key = SaltKey::new(vec![7; 32]).unwrap();
            let opening = key.opening(ReductionId { batch: Uuid::nil(), pos }, account, content);
            let commitment = opening.commitment();
            prop_assert!(opening.opens(&commitment));
            let mut bent = opening.clone();
            let at = usize::try_from(bit / 8).unwrap();
            let byte = match at {
                0..16 => &mut bent.salt[at],
                16..32 => &mut bent.account[at - 16],
                _ => &mut bent.content[at - 32],
            };
            *byte ^= 1u8 << (bit % 8);
            prop_assert!(!bent.opens(&commitment));
        }
    }

    #[test]
    fn every_ascii_character_is_escaped_as_the_standard_says() {
        for byte in 0..0x80u8 {
            let text = format!("碳{}", char::from(byte));
            let mut out = vec![b'"'];
            write_text(&mut out, &text);
            out.push(b'"');
            assert_eq!(
                out,
                serde_json_canonicalizer::to_vec(&text).unwrap(),
                "{byte:#x}"
            );
        }
    }

    #[test]
    fn the_integers_at_the_ends_are_written() {
        for number in [0, 9, 10, -1, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_integer(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }

    #[test]
    fn salts_differ_by_reduction_and_key_and_are_not_printed() {
        let (one, two) = (
            SaltKey::new(vec![1; 32]).unwrap(),
            SaltKey::new(vec![2; 32]).unwrap(),
        );
        let [a, b] = [1, 2].map(|pos| ReductionId {
            batch: Uuid::nil(),
            pos,
        });
        assert_eq!(one.salt(a), one.salt(a));
        assert_ne!(one.salt(a), one.salt(b));
        assert_ne!(one.salt(a), two.salt(a));
        assert_eq!(format!("{one:?}"), "SaltKey(redacted)");
        assert!(SaltKey::new(vec![1; 31]).is_err());
    }
}
