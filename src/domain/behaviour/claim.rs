//! Claim keys (申领键): 32-byte names of acts. Each is taken once, for ever, across partners.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Leads the bytes of every key; the key's kind and its parts follow, each after its length.
const DOMAIN: &[u8] = b"tanpuhui/claim/v1\0";

/// One act's name in the claim index.
pub type ClaimKey = [u8; 32];

/// The key that every record takes: the partner and the source's own record id.
pub fn source_key(partner: Uuid, source_id: &str) -> ClaimKey {
    key(
        "source",
        [partner.as_bytes().as_slice(), source_id.as_bytes()],
    )
}

/// A key that a methodology declares (`meter` and `day`, a certificate's serial); without the
/// partner, so that two partners cannot both report it. `text` is the key's names and values as
/// the methodology writes them.
pub fn declared_key(text: &str) -> ClaimKey {
    key("declared", [text.as_bytes()])
}

fn key<'a>(kind: &'a str, parts: impl IntoIterator<Item = &'a [u8]>) -> ClaimKey {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    for part in std::iter::once(kind.as_bytes()).chain(parts) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_partners_kinds_and_boundaries_apart() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let keys = [
            source_key(one, "a"),
            source_key(two, "a"),
            source_key(one, "b"),
            declared_key("a"),
            declared_key("b"),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
