//! What an HTTP status means for a feed that is pulled (RFC 9110; MDS Provider for 202 and 404).

use chrono::{DateTime, TimeDelta, Utc};

use super::plan::Shape;
use super::{Declaration, Window};

/// For so long after an hour's end a 404 says that it is not there yet.
const NOT_THERE_YET: TimeDelta = TimeDelta::hours(24);

/// What is to be done about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Read the body.
    Body,
    /// There is nothing in this window, or no such page: the window is done.
    Nothing,
    /// It is as it was when it was last taken in.
    Unchanged,
    /// The source has not got it yet: ask again at the next turn.
    Later,
    /// The source cannot, or not now: back off.
    Failed,
    /// The source will not have us: an officer must look.
    Denied,
}

impl Declaration {
    /// The meaning of a status; `further_page` tells whether it answers a page after the first. Only
    /// a feed of hours may answer 404 for an hour that it has not got yet.
    pub fn meaning(
        &self,
        status: u16,
        window: &Window,
        further_page: bool,
        now: DateTime<Utc>,
    ) -> Meaning {
        let young = self.shape == Shape::Hours && now < window.to + NOT_THERE_YET;
        match status {
            200 => Meaning::Body,
            204 => Meaning::Nothing,
            304 => Meaning::Unchanged,
            202 | 425 => Meaning::Later,
            401 | 403 => Meaning::Denied,
            404 if further_page => Meaning::Nothing,
            404 if young => Meaning::Later,
            _ => Meaning::Failed,
        }
    }
}
