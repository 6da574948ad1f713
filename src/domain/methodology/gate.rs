//! The go-live gate: every value used must be read from the issued document, or be reported alike
//! by two sources and signed by a named reviewer.

use std::collections::BTreeSet;

use serde::Serialize;

use super::compiled::{Compiled, key_texts};
use super::grade::{Demand, Grade};
use super::table::NoteText;
use crate::domain::problem::{Detail, detail};

/// Who signed what: item and reviewer. Items are named as [`Blocker::item`] names them; the item
/// of a factor table (`grid-factor@2022.1`) is signed once for every methodology that pins it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignOffs(BTreeSet<(String, String)>);

impl SignOffs {
    pub fn new() -> SignOffs {
        SignOffs::default()
    }

    pub fn sign(&mut self, item: impl Into<String>, reviewer: impl Into<String>) {
        self.0.insert((item.into(), reviewer.into()));
    }

    fn reviewers(&self, item: &str) -> usize {
        let signed = self.0.iter();
        signed
            .filter(|(known, reviewer)| known == item && !reviewer.trim().is_empty())
            .count()
    }
}

impl FromIterator<(String, String)> for SignOffs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(signed: I) -> SignOffs {
        SignOffs(signed.into_iter().collect())
    }
}

/// One thing that stands between a document and going live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// `sz-public-transport@2021.1#tables.rf[mode = metro]`, `…#text`, `grid-factor@2022.1`.
    pub item: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// Whether a reviewer's signature would remove it; else only a better source does.
    pub reviewer_needed: bool,
    pub why: String,
    pub why_zh: String,
    /// What to obtain and from whom, as the value's note says, or else the document's; empty where
    /// a signature is all that is wanted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub obtain: String,
    /// The same in Chinese; the note as it stands where the document has no Chinese one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub obtain_zh: String,
}

impl Blocker {
    /// One line: what, why, and what to obtain.
    pub fn told(&self) -> Detail {
        let Blocker {
            item,
            why,
            why_zh,
            obtain,
            obtain_zh,
            ..
        } = self;
        match obtain.is_empty() {
            true => Detail::told(
                format_args!("{item}：{why_zh}"),
                format_args!("{item}: {why}"),
            ),
            false => Detail::told(
                format_args!("{item}：{why_zh}；需取得：{obtain_zh}"),
                format_args!("{item}: {why}; obtain: {obtain}"),
            ),
        }
    }
}

/// Where a document stands before anybody has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It can go live as it is.
    LiveAble,
    /// It can go live once reviewers have signed.
    NeedsSignOff,
    /// It cannot go live: a value is blank, or not known well enough.
    Draft,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::LiveAble => "live-able",
            Standing::NeedsSignOff => "needs sign-off",
            Standing::Draft => "draft",
        }
    }
}

impl Compiled {
    /// What keeps this document from going live, given who has signed what; empty when it may.
    pub fn blockers(&self, signed: &SignOffs) -> Vec<Blocker> {
        let mut blockers = Vec::new();
        let name = self.name();
        let demand = self.text_grade().map_or(Demand::Never, Grade::of_text);
        let text = Weighed {
            item: format!("{name}#text"),
            grade: self.text_grade(),
            blank: false,
            note: self.own_note(),
        };
        self.weigh(text, demand, signed, &mut blockers);
        for parameter in &self.parameters {
            let weighed = Weighed {
                item: format!("{name}#parameters.{}", parameter.name),
                grade: parameter.origin.grade,
                blank: parameter.value.is_none(),
                note: parameter.origin.note.told(),
            };
            self.value(weighed, signed, &mut blockers);
        }
        for curve in &self.program.curves {
            let weighed = Weighed {
                item: format!("{name}#curves.{}", curve.name),
                grade: curve.origin.grade,
                blank: false,
                note: curve.origin.note.told(),
            };
            self.value(weighed, signed, &mut blockers);
        }
        for calendar in &self.program.calendars {
            let Some(grade) = calendar.grade else {
                continue;
            };
            let weighed = Weighed {
                item: format!("{name}#calendars.{}", calendar.name),
                grade: Some(grade),
                blank: false,
                note: calendar.note.told(),
            };
            self.value(weighed, signed, &mut blockers);
        }
        self.table_blockers(&name, signed, &mut blockers);
        blockers
    }

    pub fn standing(&self) -> Standing {
        let blockers = self.blockers(&SignOffs::new());
        if blockers.is_empty() {
            Standing::LiveAble
        } else if blockers.iter().all(|blocker| blocker.reviewer_needed) {
            Standing::NeedsSignOff
        } else {
            Standing::Draft
        }
    }

    fn table_blockers(&self, name: &str, signed: &SignOffs, blockers: &mut Vec<Blocker>) {
        for table in &self.program.tables {
            if table.rows.is_empty() {
                let weighed = Weighed {
                    item: format!("{name}#tables.{}", table.name),
                    grade: None,
                    blank: true,
                    note: NoteText::default(),
                };
                self.value(weighed, signed, blockers);
            }
            for row in &table.rows {
                let Some(origin) = table.origins.get(row.origin) else {
                    continue;
                };
                let item = match &origin.document {
                    Some((code, version, _)) => format!("{code}@{version}"),
                    None => {
                        let key = key_texts(table, &row.key, &self.dictionary).join(", ");
                        format!("{name}#tables.{}[{key}]", table.name)
                    }
                };
                let weighed = Weighed {
                    item,
                    grade: origin.grade,
                    blank: row.value.is_none(),
                    note: origin.note.told(),
                };
                self.value(weighed, signed, blockers);
            }
        }
    }

    fn value(&self, weighed: Weighed<'_>, signed: &SignOffs, blockers: &mut Vec<Blocker>) {
        let demand = weighed.grade.map_or(Demand::Never, Grade::of_value);
        self.weigh(weighed, demand, signed, blockers);
    }

    fn weigh(
        &self,
        weighed: Weighed<'_>,
        demand: Demand,
        signed: &SignOffs,
        blockers: &mut Vec<Blocker>,
    ) {
        let Weighed {
            item,
            grade,
            blank,
            note,
        } = weighed;
        let (reviewer_needed, why) = match demand {
            _ if blank => (false, detail!("没有值", "it has no value")),
            Demand::Nothing => return,
            Demand::Reviewer if signed.reviewers(&item) >= self.reviewers => return,
            Demand::Reviewer => (true, must_sign(grade, self.reviewers)),
            Demand::Never => (false, never(grade)),
        };
        let note = match (reviewer_needed, note.en.is_empty()) {
            (true, _) => NoteText::default(),
            (false, true) => self.own_note(),
            (false, false) => note,
        };
        let blocker = Blocker {
            item,
            grade,
            reviewer_needed,
            why: why.en().to_owned(),
            why_zh: why.zh().to_owned(),
            obtain: note.en.to_owned(),
            obtain_zh: note.zh.to_owned(),
        };
        // The rows of a factor table share one item.
        if !blockers.contains(&blocker) {
            blockers.push(blocker);
        }
    }
}

fn must_sign(grade: Option<Grade>, count: usize) -> Detail {
    let grade = grade.map_or("?", Grade::as_str);
    detail!(
        "等级 {grade}：须由 {count} 名具名审核人签字",
        "grade {grade}: {count} named reviewer(s) must sign"
    )
}

fn never(grade: Option<Grade>) -> Detail {
    match grade.map(Grade::as_str) {
        Some(grade) => detail!("等级 {grade} 不得上线", "grade {grade} never goes live"),
        None => detail!("没有等级，不得上线", "no grade: never goes live"),
    }
}

/// One thing that the gate looks at.
struct Weighed<'a> {
    item: String,
    grade: Option<Grade>,
    blank: bool,
    note: NoteText<'a>,
}
