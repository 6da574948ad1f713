//! Tiles: the tree cut into runs of 256 hashes, each an immutable file.
//!
//! # Source
//! C2SP `tlog-tiles`, section "Merkle Tree".

use super::hash::{Hash, node_hash};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Hashes in a full tile.
pub const TILE_WIDTH: u16 = 256;
/// Levels of the tree that one tile spans: 256 is 2 to the 8th.
pub const TILE_HEIGHT: u32 = 8;
/// The highest tile level a tree counted in `u64` reaches; the format itself allows 63.
const LEVEL_MAX: u8 = 7;

/// One tile: hashes `index * 256 ..` of tree level `level * 8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// # Errors
    /// `not_found` if no tree has such a tile: level above 7, width outside 1..=256, or an index
    /// beyond 2^64 leaves.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Tile, Problem> {
        let refused = |what: Detail| Problem::at(Code::NotFound, "tile", what);
        if level > LEVEL_MAX || width == 0 || width > TILE_WIDTH {
            return Err(refused(detail!(
                "没有层级为 {level}、宽度为 {width} 的瓦片",
                "no tile has level {level} and width {width}"
            )));
        }
        // At the top level, 2^64 leaves are one tile; each level below multiplies them by 256.
        let tiles_max = 1u64 << (TILE_HEIGHT * u32::from(LEVEL_MAX - level));
        if index >= tiles_max {
            return Err(refused(detail!(
                "层级 {level} 没有第 {index} 块瓦片",
                "level {level} ends before tile {index}"
            )));
        }
        Ok(Tile {
            level,
            index,
            width,
        })
    }

    /// The tile that holds the node (`level`, `index`) of a tree of `size` leaves, as wide as that
    /// tree has it; `None` if the tree does not have the tile's node yet.
    pub fn holding(level: u32, index: u64, size: u64) -> Option<Tile> {
        let tile_level = u8::try_from(level / TILE_HEIGHT)
            .ok()
            .filter(|level| *level <= LEVEL_MAX)?;
        let below = level % TILE_HEIGHT;
        let first = index.checked_mul(1 << below)?;
        let tile = Tile::at(tile_level, first >> TILE_HEIGHT, entries(size, tile_level))?;
        let end = (first % u64::from(TILE_WIDTH)) + (1 << below);
        (end <= u64::from(tile.width)).then_some(tile)
    }

    /// Tile `index` of a level that has `entries` hashes.
    fn at(level: u8, index: u64, entries: u64) -> Option<Tile> {
        let left = entries.checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?)?;
        let width = u16::try_from(left).map_or(TILE_WIDTH, |left| left.min(TILE_WIDTH));
        (width > 0).then_some(Tile {
            level,
            index,
            width,
        })
    }

    pub fn level(self) -> u8 {
        self.level
    }

    pub fn index(self) -> u64 {
        self.index
    }

    /// Hashes in it, 1 to 256; a tile below 256 is partial.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Bytes of the file: 32 a hash.
    pub fn bytes(self) -> usize {
        usize::from(self.width) * size_of::<Hash>()
    }

    /// The nodes of which the file consists: (`level` in the tree, range of indices there).
    pub fn nodes(self) -> (u32, std::ops::Range<u64>) {
        let start = self.index * u64::from(TILE_WIDTH);
        (
            u32::from(self.level) * TILE_HEIGHT,
            start..start.saturating_add(u64::from(self.width)),
        )
    }

    /// `tile/<level>/<index>[.p/<width>]`, index in zero-padded groups of three digits, all but
    /// the last led by an `x`: `tile/0/x001/234.p/5`.
    pub fn path(self) -> String {
        let mut index = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            index.insert_str(0, &format!("x{:03}/", rest % 1000));
            rest /= 1000;
        }
        match self.width {
            TILE_WIDTH => format!("tile/{}/{index}", self.level),
            width => format!("tile/{}/{index}.p/{width}", self.level),
        }
    }

    /// Reads a path back; only the spelling that [`Tile::path`] writes is a tile.
    ///
    /// # Errors
    /// `not_found`.
    pub fn parse(path: &str) -> Result<Tile, Problem> {
        Tile::read(path)
            .filter(|tile| tile.path() == path)
            .ok_or_else(|| {
                Problem::at(
                    Code::NotFound,
                    "tile",
                    detail!("该路径不对应任何瓦片", "the path names no tile"),
                )
            })
    }

    fn read(path: &str) -> Option<Tile> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let index = index.split('/').try_fold(0u64, |index, group| {
            let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
            index.checked_mul(1000)?.checked_add(digits)
        })?;
        Tile::new(level.parse().ok()?, index, width).ok()
    }
}

/// Complete nodes that a tree of `size` leaves has at tile level `level`.
fn entries(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(level) * TILE_HEIGHT)
        .unwrap_or(0)
}

/// The tiles that are new, or wider, in a tree of `to` leaves compared with one of `from`: what a
/// publisher writes before it signs the checkpoint for `to`. Lower levels first; empty unless
/// `to > from`.
pub fn tiles_of_growth(from: u64, to: u64) -> impl Iterator<Item = Tile> {
    (0..=LEVEL_MAX).flat_map(move |level| {
        let (before, after) = (entries(from, level), entries(to, level));
        let width = u64::from(TILE_WIDTH);
        let range = if before < after {
            before / width..after.div_ceil(width)
        } else {
            0..0
        };
        range.filter_map(move |index| Tile::at(level, index, after))
    })
}

/// Answers a node of the tree of `size` leaves from tiles: the node reader of [`super::proof`].
/// `read` gives a tile's hashes; a partial tile may be answered by a wider one.
///
/// # Errors
/// `log_size_invalid` if the tree has no such node or `read` gives too few hashes; those of `read`.
pub fn node_from_tiles(
    level: u32,
    index: u64,
    size: u64,
    read: impl FnOnce(Tile) -> Result<Vec<Hash>, Problem>,
) -> Result<Hash, Problem> {
    let absent = || {
        let detail = detail!(
            "大小为 {size} 的树在层级 {level} 没有第 {index} 个节点",
            "no node {index} at level {level} in a tree of {size}"
        );
        Problem::at(Code::LogSizeInvalid, "tile", detail)
    };
    let tile = Tile::holding(level, index, size).ok_or_else(absent)?;
    let mut hashes = read(tile)?;
    let count = 1usize << (level % TILE_HEIGHT);
    let first = usize::try_from((index << (level % TILE_HEIGHT)) % u64::from(TILE_WIDTH));
    let first = first.map_err(|_| absent())?;
    if hashes.len() < first + count {
        return Err(absent());
    }
    hashes.drain(..first);
    hashes.truncate(count);
    fold(hashes).ok_or_else(absent)
}

/// The root over a power-of-two count of hashes, pair by pair.
fn fold(mut hashes: Vec<Hash>) -> Option<Hash> {
    while hashes.len() > 1 {
        let pairs = hashes.as_chunks::<2>().0.iter();
        hashes = pairs.map(|[left, right]| node_hash(left, right)).collect();
    }
    hashes.pop()
}

#[cfg(test)]
mod tests {
    use super::super::hash::{leaf_hash, root};
    use super::super::proof::{inclusion_proof, root_of, verify_inclusion};
    use super::super::tree::Frontier;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn triples(from: u64, to: u64) -> Vec<(u8, u64, u16)> {
        tiles_of_growth(from, to)
            .map(|t| (t.level, t.index, t.width))
            .collect()
    }

    #[test]
    fn a_tree_of_70_000_is_cut_as_the_format_says() {
        let tiles = triples(0, 70_000);
        let full = |level| tiles.iter().filter(|t| t.0 == level && t.2 == 256).count();
        assert_eq!((full(0), full(1), full(2)), (273, 1, 0));
        let partial: Vec<_> = tiles.iter().filter(|t| t.2 < 256).copied().collect();
        assert_eq!(partial, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
    }

    #[test]
    fn growth_names_only_what_changed() {
        assert_eq!(triples(0, 1), [(0, 0, 1)]);
        assert_eq!(triples(255, 256), [(0, 0, 256), (1, 0, 1)]);
        assert_eq!(triples(256, 257), [(0, 1, 1)]);
        assert_eq!(triples(257, 514), [(0, 1, 256), (0, 2, 2), (1, 0, 2)]);
        assert_eq!(triples(9, 9), []);
        assert_eq!(triples(9, 3), []);
        assert_eq!(tiles_of_growth(u64::MAX - 1, u64::MAX).count(), 1);
    }

    #[test]
    fn paths_are_those_of_the_format() {
        let path = |level, index, width| Tile::new(level, index, width).unwrap().path();
        assert_eq!(path(0, 1234, 5), "tile/0/x001/234.p/5");
        assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(2, 0, 256), "tile/2/000");
    }

    #[test]
    fn other_spellings_are_no_tiles() {
        for path in [
            "tile/0/0",
            "tile/00/000",
            "tile/0/x000/000",
            "tile/0/1234",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/05",
            "tile/8/000",
            "tile/0/x001",
            "tile/0/001/002",
            "tile/0/+01",
            "tile/0/",
            "tile//000",
            "tile/0/000.p/",
            "tile/entries/000",
            "",
            "tile/0/x099/x999/x999/x999/x999/x999/999",
            "tile/7/001",
        ] {
            assert!(Tile::parse(path).is_err(), "{path} is not canonical");
        }
    }

    #[test]
    fn proofs_come_out_of_tiles_alone() {
        let leaves: Vec<Hash> = (0u32..1000).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut files = BTreeMap::<String, Vec<Hash>>::new();
        let mut nodes = BTreeMap::new();
        let mut frontier = Frontier::new();
        let mut size = 0;
        for step in [1, 254, 1, 1, 300, 443] {
            let from = usize::try_from(size).unwrap();
            frontier.extend(&leaves[from..from + step], |level, index, hash| {
                nodes.insert((level, index), hash);
            });
            for tile in tiles_of_growth(size, frontier.size()) {
                let (level, range) = tile.nodes();
                let hashes = range.map(|index| nodes[&(level, index)]).collect();
                files.insert(tile.path(), hashes);
            }
            size = frontier.size();
        }
        let node = |level, index| {
            node_from_tiles(level, index, size, |tile| Ok(files[&tile.path()].clone()))
        };
        assert_eq!(root_of(size, node), Ok(root(&leaves)));
        for index in [0, 255, 256, 511, 700, 999] {
            let proof = inclusion_proof(index, size, node).unwrap();
            let leaf = &leaves[usize::try_from(index).unwrap()];
            verify_inclusion(leaf, index, size, &proof, &frontier.root()).unwrap();
        }
        assert!(node(0, 1000).is_err());
        assert!(node(9, 1).is_err());
    }

    proptest! {
        #[test]
        fn a_path_reads_back(level in 0u8..=7, index: u64, width in 1u16..=256) {
            let index = index % (1 << (8 * (7 - u32::from(level))));
            let tile = Tile::new(level, index, width).unwrap();
            prop_assert_eq!(Tile::parse(&tile.path()), Ok(tile));
        }

        #[test]
        fn any_path_is_read_without_panic(path in "tile/[0-9x/.p]{0,30}") {
            if let Ok(tile) = Tile::parse(&path) {
                prop_assert_eq!(tile.path(), path);
            }
        }
    }
}
