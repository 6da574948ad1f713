//! Why rows were not taken: each reason once, with its count and the first places.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::problem::Code;

/// Places shown for each reason.
const PLACES_SHOWN: usize = 3;

/// Reasons by code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reasons(BTreeMap<String, Reason>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Reason {
    /// What the platform says of a code that this program does not know.
    zh: String,
    en: String,
    count: u64,
    first: Vec<String>,
}

impl Reasons {
    /// One more row; `place` is asked for the first few.
    pub(super) fn count(&mut self, code: &str, place: impl FnOnce() -> String) {
        self.count_titled(code, ("", ""), place);
    }

    /// One more row, with the code's Chinese and English text as the platform has it.
    pub(super) fn count_titled(
        &mut self,
        code: &str,
        (zh, en): (&str, &str),
        place: impl FnOnce() -> String,
    ) {
        if !self.0.contains_key(code) {
            let known = Code::ALL.iter().find(|known| known.as_str() == code);
            let reason = Reason {
                zh: known.map_or(zh, |code| code.zh()).to_owned(),
                en: known.map_or(en, |code| code.en()).to_owned(),
                ..Reason::default()
            };
            self.0.insert(code.to_owned(), reason);
        }
        if let Some(reason) = self.0.get_mut(code) {
            reason.count += 1;
            if reason.first.len() < PLACES_SHOWN {
                reason.first.push(place());
            }
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0.values().map(|reason| reason.count).sum()
    }

    /// Adds another file's.
    pub(super) fn add(&mut self, other: Reasons) {
        for (code, more) in other.0 {
            match self.0.get_mut(&code) {
                Some(reason) => {
                    reason.count += more.count;
                    reason.first.extend(more.first);
                    reason.first.truncate(PLACES_SHOWN);
                }
                None => drop(self.0.insert(code, more)),
            }
        }
    }

    /// Counts by code.
    pub(super) fn json(&self) -> serde_json::Value {
        let counts = self.0.iter();
        counts
            .map(|(code, reason)| (code.as_str(), reason.count))
            .collect()
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().flat_map(|(code, reason)| reason.lines(code))
    }
}

impl Reason {
    fn lines(&self, code: &str) -> Vec<String> {
        let mut lines = vec![format!(
            "  {code:<26}{:<8}{} {}",
            self.count, self.zh, self.en
        )];
        lines.extend(self.first.iter().map(|place| format!("      {place}")));
        if self.count > u64::try_from(self.first.len()).unwrap_or(0) {
            lines.push("      …".to_owned());
        }
        lines
    }
}
