//! `green-button`: interval readings of electricity, gas or water in the ESPI Atom form that
//! utilities export as Green Button (绿色按钮用能数据).
//!
//! One record a reading, under the meter's link as subject. A reading is only counted when its
//! ReadingType says in which unit; readings of one meter and direction that repeat or overlap
//! are counted once, the one stated last; a usage summary is never added to the intervals that
//! make it up; cost is not read. The energy's power of ten is the ReadingType's own and has
//! nothing to do with the scale of cost.
//!
//! [`walk`] makes entries of the XML, [`feed`] joins them by their links, [`coverage`] finds
//! overlaps. See `docs/adapters/green-button.md`.

use std::io::BufRead;

use super::{Adapter, Options, Outcome, Seen, xml};
use crate::domain::problem::Problem;

mod coverage;
mod entry;
mod feed;
mod local_days;
mod meter;
mod point;
mod reading;
mod summary;
mod tag;
mod walk;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "green-button",
    default_zone: chrono_tz::UTC,
    derived: &[],
    check,
    read,
};

fn check(options: &Options) -> Result<(), Problem> {
    options.settings.only(&[summary::SETTING])?;
    summary::Summaries::declared(&options.settings).map(drop)
}

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let summaries = summary::Summaries::declared(&options.settings)?;
    let mut feed = feed::Feed::new(summaries);
    xml::read(
        source,
        &mut walk::Walk::new(&mut |entry| feed.take(entry, sink)),
    )?;
    feed.finish(sink);
    Ok(Seen::default())
}

#[cfg(test)]
mod tests;
