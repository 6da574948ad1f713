//! A name in place of a number that points at a person or a household: where a record needs an id
//! or an attribute made from one, it is this and never the number.

use sha2::{Digest, Sha256};

/// Leads the bytes that are hashed.
const DOMAIN: &[u8] = b"tanpuhui/pseudonym/v1\0";

/// The first 16 bytes of SHA-256 in hexadecimal: over the domain, then each part after its length
/// as eight bytes, the more significant first. One name for one number, across files and scenes
/// that use one `salt`; without a salt, whoever can list all numbers can find the number.
pub(super) fn pseudonym(kind: &str, salt: &str, parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    for part in [kind, salt].iter().chain(parts) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hasher.update(length.to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    hex::encode(digest.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_salts_and_boundaries_are_told_apart() {
        let names = [
            pseudonym("plate", "", &["ab", "c"]),
            pseudonym("plate", "", &["a", "bc"]),
            pseudonym("plate", "a", &["b", "c"]),
            pseudonym("meter", "", &["ab", "c"]),
        ];
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.iter().all(|name| name.len() == 32));
    }
}
