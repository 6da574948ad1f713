//! What makes a track segment a record, and what refuses it.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};

use super::super::great_circle;
use super::super::pseudonym::pseudonym;
use super::super::settings::{Settings, param};
use super::super::speed::{self, SpeedLimit};
use super::segment::{Bounds, Segment};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Between two points farther apart in time nobody knows what happened. Ours to choose; a scene
/// may say otherwise.
const GAP_S: i64 = 300;
/// One point or step in so many may be bad; more, and the recording is not to be trusted.
const BAD_ONE_IN: u64 = 20;
/// Bytes of a subject; with a time the record's id is made of it.
const SUBJECT_MAX: usize = 80;
/// Bytes of the track's own type.
const KIND_MAX: usize = 64;

/// The modes that a scene may declare.
const MODES: &[(&str, &str)] = &[
    ("walk", "walk"),
    ("run", "run"),
    ("bike", "bike"),
    ("ebike", "ebike"),
    ("shared_bike", "shared_bike"),
    ("shared_ebike", "shared_ebike"),
];

/// What recorders write as a track's type, for scenes that take the mode from there.
const KINDS: &[(&str, &str)] = &[
    ("walking", "walk"),
    ("walk", "walk"),
    ("hiking", "walk"),
    ("hike", "walk"),
    ("running", "run"),
    ("run", "run"),
    ("cycling", "bike"),
    ("biking", "bike"),
    ("bike", "bike"),
    ("ride", "bike"),
    ("e_biking", "ebike"),
    ("ebike", "ebike"),
];

/// Where a track's person is named, for scenes of more than one.
#[derive(Debug, Clone, Copy)]
enum SubjectField {
    Author,
    TrackName,
}

/// What the scene declares.
pub(super) struct Rules {
    subject: Option<String>,
    subject_field: SubjectField,
    mode: Option<&'static str>,
    limit: Option<SpeedLimit>,
    gap_ms: i64,
}

/// The texts that a track and its file state.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) author: String,
    pub(super) name: String,
    pub(super) kind: String,
}

impl Rules {
    pub(super) fn of(settings: &Settings) -> Result<Rules, Problem> {
        let keys = ["subject", "subject_field", "mode", speed::KEY, "max_gap_s"];
        settings.only(&keys)?;
        let declared = settings.text("subject")?.map(subject).transpose();
        let fields = [
            ("author", SubjectField::Author),
            ("track_name", SubjectField::TrackName),
        ];
        Ok(Rules {
            subject: declared
                .map_err(|detail| Problem::at(Code::InvalidField, param("subject"), detail))?,
            subject_field: settings
                .choice("subject_field", &fields)?
                .unwrap_or(SubjectField::Author),
            mode: settings.choice("mode", MODES)?,
            limit: SpeedLimit::declared(settings)?,
            gap_ms: settings.whole("max_gap_s", 1..=3_600)?.unwrap_or(GAP_S) * 1_000,
        })
    }

    fn mode(&self, track: &Track) -> Option<&'static str> {
        let kind = || {
            let plain = track.kind.to_ascii_lowercase().replace([' ', '-'], "_");
            let known = KINDS.iter().find(|(kind, _)| *kind == plain);
            known.map(|(_, mode)| *mode)
        };
        self.mode.or_else(kind)
    }

    fn limit(&self, track: &Track) -> SpeedLimit {
        let of_mode = || SpeedLimit::of_mode(self.mode(track).unwrap_or_default());
        self.limit.unwrap_or_else(of_mode)
    }

    pub(super) fn bounds(&self, track: &Track) -> Bounds {
        Bounds {
            limit: self.limit(track),
            gap_ms: self.gap_ms,
        }
    }

    /// A record or a refusal; nothing for a segment without points.
    pub(super) fn judge(
        &self,
        segment: &Segment,
        track: &Track,
    ) -> Option<Result<Record, Problem>> {
        (segment.points > 0).then(|| self.record(segment, track))
    }

    fn record(&self, segment: &Segment, track: &Track) -> Result<Record, Problem> {
        let (from, to) = span(segment)?;
        trusted(segment)?;
        let mode = self.mode(track).ok_or_else(|| {
            let detail = detail!(
                "活动类型未知，也没有声明 settings.mode",
                "no known activity, and settings.mode is not declared"
            );
            Problem::at(Code::MissingField, "trk.type", detail)
        })?;
        let limit = self.limit(track);
        if segment.too_fast(limit) {
            let detail = detail!(
                "有一分钟快于 {}：不是 {mode}",
                "faster than {} for a minute: not {mode}",
                limit.text()
            );
            return Err(Problem::at(Code::QuantityOutOfRange, "trkseg", detail));
        }
        let subject = self.subject(track)?;
        let start = from.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let mut attributes = vec![
            (Cow::Borrowed("mode"), mode.to_owned()),
            (Cow::Borrowed("evidence"), "self_declared".to_owned()),
            (Cow::Borrowed("quality"), quality(segment).to_owned()),
            (Cow::Borrowed("points"), segment.points.to_string()),
        ];
        if (1..=KIND_MAX).contains(&track.kind.len()) && !track.kind.chars().any(char::is_control) {
            attributes.push((Cow::Borrowed("activity"), track.kind.clone()));
        }
        Ok(Record {
            source_id: pseudonym("track", "", &[&subject, &start]),
            subject,
            from,
            to,
            quantities: vec![great_circle::distance(segment.millimetres)],
            attributes,
            revises: None,
        })
    }

    fn subject(&self, track: &Track) -> Result<String, Problem> {
        if let Some(declared) = &self.subject {
            return Ok(declared.clone());
        }
        let (text, field) = match self.subject_field {
            SubjectField::Author => (track.author.as_str(), "metadata.author.name"),
            SubjectField::TrackName => (track.name.as_str(), "trk.name"),
        };
        if text.is_empty() {
            let detail = detail!(
                "文件没有指明用户，也没有声明 settings.subject",
                "the file names nobody, and settings.subject is not declared"
            );
            return Err(Problem::at(Code::MissingField, field, detail));
        }
        subject(text).map_err(|detail| Problem::at(Code::InvalidField, field, detail))
    }
}

fn subject(text: &str) -> Result<String, Detail> {
    match text.len() <= SUBJECT_MAX && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(detail!(
            "应为 1 至 {SUBJECT_MAX} 字节，不含控制字符",
            "1 to {SUBJECT_MAX} bytes without control characters"
        )),
    }
}

/// From the first time to the last.
fn span(segment: &Segment) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
    if segment.untimed == segment.points {
        let detail = detail!(
            "所有点都没有时间：是画的，不是记录的",
            "no point has a time: drawn, not recorded"
        );
        return Err(Problem::at(Code::MissingField, "trkpt.time", detail));
    }
    let too_few = || {
        let detail = detail!(
            "有位置且时间在后的点不足两个",
            "fewer than two points with a place and a later time"
        );
        Problem::at(Code::MissingField, "trkpt", detail)
    };
    let (first, last) = segment.span_ms().ok_or_else(too_few)?;
    DateTime::from_timestamp_millis(first)
        .zip(DateTime::from_timestamp_millis(last))
        .ok_or_else(too_few)
}

/// Whether few enough points and steps are bad.
fn trusted(segment: &Segment) -> Result<(), Problem> {
    let (points, steps) = (segment.points, segment.steps.saturating_add(segment.jumps));
    let too_many = |bad: u64, all: u64| bad.saturating_mul(BAD_ONE_IN) > all;
    let (untimed, unreadable) = (segment.untimed, segment.unreadable);
    let (backward, jumps) = (segment.backward, segment.jumps);
    let (code, field, detail) = if too_many(untimed, points) {
        let detail = detail!(
            "{points} 个点中有 {untimed} 个没有时间",
            "{untimed} of {points} points have no time"
        );
        (Code::MissingField, "trkpt.time", detail)
    } else if too_many(unreadable, points) {
        let detail = detail!(
            "{points} 个点中有 {unreadable} 个没有位置，或时间无法读取",
            "{unreadable} of {points} points have no place, or a time that cannot be read"
        );
        (Code::InvalidField, "trkpt", detail)
    } else if too_many(backward, points) {
        let detail = detail!(
            "{points} 个点中有 {backward} 个时间倒退",
            "{backward} of {points} points go back in time"
        );
        (Code::TimeInvalid, "trkpt.time", detail)
    } else if too_many(jumps, steps) {
        let detail = detail!(
            "{steps} 步中有 {jumps} 步是跳变",
            "{jumps} of {steps} steps are jumps"
        );
        (Code::QuantityOutOfRange, "trkpt", detail)
    } else {
        return Ok(());
    };
    Err(Problem::at(code, field, detail))
}

/// In words: what a methodology may want to know of the recording.
fn quality(segment: &Segment) -> &'static str {
    let left_out = segment.untimed + segment.unreadable + segment.backward + segment.jumps;
    match () {
        () if segment.even_pace() => "computed_times",
        () if segment.gaps > 0 => "gaps",
        () if left_out > 0 => "points_left_out",
        () => "complete",
    }
}
