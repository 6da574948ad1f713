//! `epcis`: visibility events of GS1 EPCIS 2.0 in JSON or JSON-LD, for recycling (回收) and reuse
//! (循环使用): what was collected, taken apart, repaired or dispensed, how much of it, where and when.
//!
//! One record an event. An event with an `errorDeclaration` is the standard's way to take an
//! earlier statement back: it becomes a record without quantities that revises the earlier one.
//! Nothing is kept from one event to the next. See `docs/adapters/epcis.md`.

use std::io::BufRead;

use super::encoding::Decoded;
use super::json_text::breaks_off;
use super::{Adapter, Options, Outcome, Seen, refused, torn};
use crate::domain::problem::{Code, Problem};

mod declaration;
mod declared;
mod event;
mod fields;
mod frame;
mod identity;
mod kind;
mod members;
mod quantity;
mod subject;
mod vocabulary;

use declared::Declared;
use event::Event;
use frame::Events;
use quantity::Tally;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "epcis",
    default_zone: chrono_tz::UTC,
    derived: &[],
    check: |options| Declared::read(&options.settings).map(|_| ()),
    read,
};

fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut events = Events::new(Decoded::new(source))?;
    let declared = Declared::read(&options.settings)?;
    let mut errors = 0;
    let mut reversed = Tally::default();
    while let Some((place, text)) = events.next()? {
        let read = Event::parse(text).and_then(|event| {
            let reading = event.reading(&declared, text)?;
            reading.reversed.map_or(Ok(()), |tally| {
                errors += 1;
                reversed.add(&tally)
            })?;
            Ok(reading.record)
        });
        match read {
            Ok(record) => sink(Outcome::Record(place, record)),
            Err(problem) => {
                let cut = problem.code == Code::RowMalformed && breaks_off(text);
                if cut && events.torn() {
                    return Err(torn(&place));
                }
                sink(refused(place, problem));
            }
        }
    }
    Ok(Seen {
        counts: vec![("error_declarations", errors)],
        totals: reversed.quantities("declared_in_error_"),
    })
}

#[cfg(test)]
mod tests;
