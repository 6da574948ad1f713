//! How records name a usage point.

use sha2::{Digest, Sha256};

/// Bytes of a meter's key; a longer one is shortened to a hash.
const KEY_MAX: usize = 80;

/// The usage point's link from its last well-known part on, whatever host and root it is served
/// from; a hash of it when that is long.
pub(super) fn key(link: &str) -> String {
    let path = ["RetailCustomer/", "Subscription/", "User/", "UsagePoint/"]
        .iter()
        .find_map(|part| link.find(part).and_then(|at| link.get(at..)))
        .unwrap_or(link);
    let plain = !path.is_empty() && path.bytes().all(|b| b.is_ascii_graphic());
    if plain && path.len() <= KEY_MAX {
        return path.to_owned();
    }
    let digest = hex::encode(Sha256::digest(link.as_bytes()));
    format!("meter:{}", digest.get(..32).unwrap_or_default())
}
