//! `csg-household`: a household's electricity as China Southern Power Grid's (南方电网) online hall
//! answers it: daily reads (日电量, `queryDayElectricByMPoint`) and bills (电费账单,
//! `getAnalyzeFeeDetails`), told apart by their shape.
//!
//! An answer names neither household nor meter, so each stands in an envelope with what was asked
//! ([`document`]). A day that is not published yet is held, not zero; a bill covers the days it
//! names, or those that the scene's reading day gives it ([`bills`]); whatever the answer says of
//! price steps is of the current month and is not read. See `docs/adapters/csg-household.md`.
//!
//! Memory: one document of at most [`super::ROW_MAX`] bytes at a time.

use std::io::BufRead;

use super::encoding::Decoded;
use super::json_records::misread;
use super::json_rows::{DATA, JsonRows};
use super::json_text::breaks_off;
use super::{Adapter, Options, Outcome, Place, Seen, refused, torn};
use crate::domain::problem::{Code, Problem, detail};

mod bills;
mod calendar;
mod daily;
mod declared;
mod document;
mod household;

use declared::Declared;
use document::{Document, Kind};
use household::Household;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "csg-household",
    default_zone: chrono_tz::Asia::Shanghai,
    derived: &[],
    check: |options| Declared::read(options).map(drop),
    read,
};

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut reader = Reader {
        declared: Declared::read(options)?,
        kind: None,
        counts: [0; 3],
    };
    let mut rows = JsonRows::spread(Decoded::new(source), DATA)?;
    loop {
        let taken = match rows.next()? {
            None => return Ok(reader.seen()),
            Some((place, text)) => reader
                .take(&place, text, sink)
                .map_err(|error| (place, breaks_off(text), error)),
        };
        let Err((place, cut, error)) = taken else {
            continue;
        };
        if rows.torn() && cut {
            return Err(torn(&place));
        }
        sink(refused(place, misread(&error)));
    }
}

struct Reader {
    declared: Declared,
    /// The kind of the first document: the other kind says the same days again.
    kind: Option<Kind>,
    /// Documents, days, bills.
    counts: [u64; 3],
}

impl Reader {
    fn take(
        &mut self,
        place: &Place,
        text: &str,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), serde_json::Error> {
        let document = Document::read(text)?;
        self.counts[0] += 1;
        let outcomes = self.outcomes(place, &document);
        match outcomes {
            Ok(outcomes) => outcomes.into_iter().for_each(sink),
            Err(problem) => sink(refused(place.clone(), problem)),
        }
        Ok(())
    }

    /// What one document gives, or why it gives nothing: a total that its parts do not make up
    /// leaves no part to be believed.
    fn outcomes(
        &mut self,
        place: &Place,
        document: &Document<'_>,
    ) -> Result<Vec<Outcome>, Problem> {
        let kind = document.kind()?;
        let first = *self
            .declared
            .kind
            .as_ref()
            .or(self.kind.as_ref())
            .unwrap_or(&kind);
        if kind != first {
            let (zh, en) = first.words();
            let detail = detail!(
                "该场景或文件已用{zh}；两者并用会把同样的日子计两次",
                "the scene or the file has {en}; both would count the same days twice"
            );
            return Err(Problem::at(Code::InvalidField, kind.array(), detail));
        }
        self.kind = Some(first);
        let mut household = Household::of(document, &self.declared)?;
        let (rows, outcomes) = match kind {
            Kind::Daily => (1, daily::outcomes(place, document, &mut household)?),
            Kind::Bills => (
                2,
                bills::outcomes(place, document, &mut household, &self.declared)?,
            ),
        };
        if let Some(count) = self.counts.get_mut(rows) {
            *count += u64::try_from(outcomes.len()).unwrap_or(u64::MAX);
        }
        Ok(outcomes)
    }

    fn seen(&self) -> Seen {
        let [documents, days, bills] = self.counts;
        Seen {
            counts: vec![("documents", documents), ("days", days), ("bills", bills)],
            totals: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
