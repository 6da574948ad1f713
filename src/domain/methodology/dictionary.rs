//! The words a document's tables and choices use, numbered once when it is loaded, so that a
//! look-up compares numbers.

/// A word's number; [`UNKNOWN`] for a word that no table and no choice has.
pub(crate) type Word = u32;

pub(crate) const UNKNOWN: Word = u32::MAX;

#[derive(Debug, Clone, Default)]
pub(crate) struct Dictionary {
    words: Vec<String>,
}

impl Dictionary {
    pub fn new(mut words: Vec<String>) -> Dictionary {
        words.sort_unstable();
        words.dedup();
        Dictionary { words }
    }

    pub fn find(&self, text: &str) -> Word {
        self.words
            .binary_search_by(|word| word.as_str().cmp(text))
            .ok()
            .and_then(|place| Word::try_from(place).ok())
            .unwrap_or(UNKNOWN)
    }

    pub fn text(&self, word: Word) -> &str {
        usize::try_from(word)
            .ok()
            .and_then(|place| self.words.get(place))
            .map_or("?", String::as_str)
    }
}
