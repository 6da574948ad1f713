//! One Atom entry, as the file has it.

use chrono::{DateTime, Utc};

use super::local_days::LocalDays;
use super::meter::ReadingType;

/// An entry with its links; what it holds is told by its resource.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) number: u32,
    pub(super) own: String,
    pub(super) up: String,
    pub(super) related: Vec<String>,
    /// When the entry was stated, where it says so with an offset: a later one is a revision.
    pub(super) updated: Option<DateTime<Utc>>,
    pub(super) resource: Resource,
}

#[derive(Debug, Default)]
pub(super) enum Resource {
    #[default]
    Other,
    UsagePoint {
        service: Option<i64>,
    },
    MeterReading,
    ReadingType(ReadingType),
    IntervalBlock(Block),
    Summary(Summary),
    LocalTime(LocalDays),
}

/// The interval blocks of one entry.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) count: u32,
    pub(super) readings_here: u32,
    pub(super) readings: Vec<Reading>,
}

/// 64 bytes, for a great many of them may wait.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    pub(super) block: u32,
    pub(super) number: u32,
    pub(super) start: Number,
    pub(super) duration: Number,
    pub(super) value: Number,
    pub(super) quality: Option<u8>,
}

/// What was used in a billing period, as far as the summary says so.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Summary {
    pub(super) start: Number,
    pub(super) duration: Number,
    /// When the summary was made.
    pub(super) status: Number,
    pub(super) value: Number,
    /// Only unit and power of ten are said.
    pub(super) kind: ReadingType,
    pub(super) quality: Option<u8>,
}

/// A whole number as the file has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Number {
    #[default]
    Absent,
    Unreadable,
    Whole(i64),
}

impl Number {
    pub(super) fn of(text: &str) -> Number {
        match text {
            "" => Number::Absent,
            text => text.parse().map_or(Number::Unreadable, Number::Whole),
        }
    }
}
