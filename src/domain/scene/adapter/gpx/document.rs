//! The XML of a GPX file, as tracks, segments and points.
//!
//! An element means something only under the parent that it belongs to, by local names: a `time`
//! within `extensions` or `metadata` is not a point's. Versions 1.0 and 1.1 agree on all that is
//! read, but for the author.

use quick_xml::events::BytesStart;

use super::super::great_circle::{Datum, Point};
use super::super::xml::{self, Visit};
use super::super::{Outcome, Place, Seen, refused};
use super::rules::{Rules, Track};
use super::segment::{Bounds, Segment};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Bytes of a name, type or time; what is longer is cut, and then is no time and no subject.
const TEXT_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Gpx,
    Metadata,
    Author,
    AuthorName,
    Track,
    TrackName,
    TrackType,
    Segment,
    Point,
    Time,
    Route,
    RoutePoint,
    Waypoint,
    Other,
}

fn tag(parent: Option<Tag>, name: &str) -> Tag {
    match (parent, name) {
        (None, "gpx") => Tag::Gpx,
        (Some(Tag::Gpx), "metadata") => Tag::Metadata,
        (Some(Tag::Metadata), "author") => Tag::Author,
        (Some(Tag::Author), "name") => Tag::AuthorName,
        // 1.0 has no metadata; its author is a text.
        (Some(Tag::Gpx), "author") => Tag::AuthorName,
        (Some(Tag::Gpx), "trk") => Tag::Track,
        (Some(Tag::Track), "name") => Tag::TrackName,
        (Some(Tag::Track), "type") => Tag::TrackType,
        (Some(Tag::Track), "trkseg") => Tag::Segment,
        (Some(Tag::Segment), "trkpt") => Tag::Point,
        (Some(Tag::Point), "time") => Tag::Time,
        (Some(Tag::Gpx), "rte") => Tag::Route,
        (Some(Tag::Route), "rtept") => Tag::RoutePoint,
        (Some(Tag::Gpx), "wpt") => Tag::Waypoint,
        _ => Tag::Other,
    }
}

/// The state of the walk: one segment's sums, and the few texts of one track.
pub(super) struct Walk<'a> {
    rules: &'a Rules,
    sink: &'a mut dyn FnMut(Outcome),
    open: Vec<Tag>,
    text: String,
    track: Track,
    segment: Segment,
    bounds: Bounds,
    point: Option<Point>,
    time: Option<String>,
    tracks: u64,
    segments: u64,
    routes: u64,
    route_points: u64,
    waypoints: u64,
    points: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(rules: &'a Rules, sink: &'a mut dyn FnMut(Outcome)) -> Walk<'a> {
        Walk {
            rules,
            sink,
            open: Vec::new(),
            text: String::new(),
            track: Track::default(),
            segment: Segment::default(),
            bounds: rules.bounds(&Track::default()),
            point: None,
            time: None,
            tracks: 0,
            segments: 0,
            routes: 0,
            route_points: 0,
            waypoints: 0,
            points: 0,
        }
    }

    pub(super) fn seen(&self) -> Seen {
        Seen {
            counts: vec![
                ("tracks", self.tracks),
                ("points", self.points),
                ("routes", self.routes),
                ("waypoints", self.waypoints),
            ],
            totals: Vec::new(),
        }
    }

    fn root(&self, element: &BytesStart<'_>, tag: Tag) -> Result<(), Problem> {
        let wrong = |detail: Detail| Err(xml::mismatch("/".to_owned(), detail));
        if tag != Tag::Gpx {
            return wrong(detail!("应为 gpx 元素", "a gpx element is expected"));
        }
        match xml::attribute(element, "version", || "/".to_owned())?.as_deref() {
            Some("1.1" | "1.0") => Ok(()),
            other => {
                let shown: String = other.unwrap_or_default().chars().take(16).collect();
                wrong(detail!(
                    "version 应为 1.1 或 1.0，而不是 {shown:?}",
                    "version 1.1 or 1.0 is expected, not {shown:?}"
                ))
            }
        }
    }

    fn open_point(&mut self, element: &BytesStart<'_>) -> Result<(), Problem> {
        let place = || self.place();
        let latitude = xml::attribute(element, "lat", place)?.unwrap_or_default();
        let longitude = xml::attribute(element, "lon", place)?.unwrap_or_default();
        self.point = Point::parse(latitude.trim(), longitude.trim(), Datum::Wgs84);
        self.time = None;
        self.points += 1;
        Ok(())
    }

    fn close_segment(&mut self) {
        let segment = std::mem::take(&mut self.segment);
        let place = Place::Pointer(self.place());
        if let Some(outcome) = self.rules.judge(&segment, &self.track) {
            (self.sink)(match outcome {
                Ok(record) => Outcome::Record(place, record),
                Err(problem) => refused(place, problem),
            });
        }
    }

    fn close_route(&mut self) {
        if self.route_points > 0 {
            let place = format!("/gpx/rte[{}]", self.routes);
            self.refuse(
                place,
                "rtept",
                detail!("路线是计划，不是出行", "a route is a plan and no trip"),
            );
        }
    }

    fn close_waypoint(&mut self) {
        let place = format!("/gpx/wpt[{}]", self.waypoints);
        self.refuse(
            place,
            "wpt",
            detail!("航点是地点，不是出行", "a waypoint is a place and no trip"),
        );
    }

    fn refuse(&mut self, place: String, param: &str, detail: Detail) {
        let problem = Problem::at(Code::Ineligible, param, detail);
        (self.sink)(refused(Place::Pointer(place), problem));
    }
}

impl Visit for Walk<'_> {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Problem> {
        let tag = tag(self.open.last().copied(), element.local_name().as_ref());
        if self.open.is_empty() {
            self.root(element, tag)?;
        }
        match tag {
            Tag::Track => {
                self.tracks += 1;
                self.segments = 0;
                self.track.name.clear();
                self.track.kind.clear();
            }
            Tag::Segment => {
                self.segments += 1;
                self.bounds = self.rules.bounds(&self.track);
            }
            Tag::Point => self.open_point(element)?,
            Tag::Route => {
                self.routes += 1;
                self.route_points = 0;
            }
            Tag::RoutePoint => self.route_points += 1,
            Tag::Waypoint => self.waypoints += 1,
            _ => {}
        }
        self.text.clear();
        self.open.push(tag);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let text = self.text.trim();
        match self.open.last() {
            Some(Tag::Time) => self.time = Some(text.to_owned()),
            Some(Tag::AuthorName) => self.track.author = text.to_owned(),
            Some(Tag::TrackName) => self.track.name = text.to_owned(),
            Some(Tag::TrackType) => self.track.kind = text.to_owned(),
            Some(Tag::Point) => {
                let time = self.time.as_deref();
                self.segment.add(self.point, time, self.bounds);
            }
            Some(Tag::Segment) => self.close_segment(),
            Some(Tag::Route) => self.close_route(),
            Some(Tag::Waypoint) => self.close_waypoint(),
            _ => {}
        }
        self.open.pop();
        self.text.clear();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Problem> {
        let meant = matches!(
            self.open.last(),
            Some(Tag::Time | Tag::AuthorName | Tag::TrackName | Tag::TrackType)
        );
        if meant && self.text.len() <= TEXT_MAX {
            let room = TEXT_MAX + 1 - self.text.len();
            self.text.extend(text.chars().take(room));
        }
        Ok(())
    }

    fn place(&self) -> String {
        match (self.tracks, self.segments) {
            (0, _) => "/gpx".to_owned(),
            (track, 0) => format!("/gpx/trk[{track}]"),
            (track, segment) => format!("/gpx/trk[{track}]/trkseg[{segment}]"),
        }
    }
}
