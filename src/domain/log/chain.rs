//! A hash chain: each audit event names the hash of the one before, so that none can be taken out,
//! put in or edited without every later hash changing.

use sha2::{Digest, Sha256};

use super::hash::Hash;

/// Leads every link's bytes, so that a link is never a leaf, a node or a commitment.
pub const CHAIN_DOMAIN: &[u8] = b"tanpuhui/audit/chain/v1\0";
/// What the first event names as the one before it.
pub const GENESIS: Hash = [0; 32];

/// `SHA-256(domain || previous || event)`; `event` is canonical bytes (RFC 8785) and comes last, so
/// that the fixed lengths before it leave one reading.
pub fn chain_hash(previous: &Hash, event: &[u8]) -> Hash {
    Sha256::new()
        .chain_update(CHAIN_DOMAIN)
        .chain_update(previous)
        .chain_update(event)
        .finalize()
        .into()
}

/// The end of a chain: how many events, and the last one's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    pub length: u64,
    pub head: Hash,
}

impl Chain {
    /// The chain without events.
    pub const EMPTY: Chain = Chain {
        length: 0,
        head: GENESIS,
    };

    /// The chain with one event more.
    #[must_use]
    pub fn with(self, event: &[u8]) -> Chain {
        Chain {
            length: self.length + 1,
            head: chain_hash(&self.head, event),
        }
    }

    /// Walks stored events with the hashes recorded for them, on from this end.
    ///
    /// # Errors
    /// The position (from 0) of the first event whose recorded hash is not its own.
    pub fn walk<'e>(
        self,
        mut events: impl Iterator<Item = (&'e [u8], Hash)>,
    ) -> Result<Chain, u64> {
        events.try_fold(self, |chain, (event, recorded)| {
            let next = chain.with(event);
            if next.head == recorded {
                Ok(next)
            } else {
                Err(chain.length)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(events: &[&'static [u8]]) -> Vec<(&'static [u8], Hash)> {
        let mut chain = Chain::EMPTY;
        let link = |event: &&'static [u8]| {
            chain = chain.with(event);
            (*event, chain.head)
        };
        events.iter().map(link).collect()
    }

    #[test]
    fn an_edited_moved_or_missing_event_is_found_where_it_is() {
        let rows = written(&[b"{\"a\":1}", b"{\"b\":2}", b"{\"c\":3}", b"{\"d\":4}"]);
        let end = Chain::EMPTY.walk(rows.iter().copied()).unwrap();
        assert_eq!((end.length, end.head), (4, rows[3].1));

        let mut edited = rows.clone();
        edited[2].0 = b"{\"c\":4}";
        assert_eq!(Chain::EMPTY.walk(edited.into_iter()), Err(2));
        let mut moved = rows.clone();
        moved.swap(1, 2);
        assert_eq!(Chain::EMPTY.walk(moved.into_iter()), Err(1));
        let mut missing = rows;
        missing.remove(0);
        assert_eq!(Chain::EMPTY.walk(missing.into_iter()), Err(0));
    }

    #[test]
    fn a_link_is_no_leaf() {
        assert_ne!(
            chain_hash(&GENESIS, b"x"),
            super::super::hash::leaf_hash(b"x")
        );
        assert_ne!(chain_hash(&GENESIS, b"x"), Chain::EMPTY.with(b"y").head);
    }
}
