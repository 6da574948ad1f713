//! What the platform answered, added up.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reasons::Reasons;
use super::row;
use crate::gateway::partner_client::RecordAnswer;

/// Answers so far; of a resumed post, those of the earlier runs too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) replayed: u64,
    /// Milligrams of CO₂e of what was accepted.
    reduction_mg: i64,
    points: i64,
    /// Accepted records whose points the day's cap cut.
    capped: u64,
    refused: Reasons,
    held: Reasons,
}

impl Tally {
    /// One record's answer.
    pub(super) fn count(&mut self, answer: &RecordAnswer, place: impl Fn() -> String) {
        match answer {
            RecordAnswer::Accepted {
                mg, points, capped, ..
            } => {
                self.accepted += 1;
                self.reduction_mg = self.reduction_mg.saturating_add(*mg);
                self.points = self.points.saturating_add(*points);
                self.capped += u64::from(*capped);
            }
            RecordAnswer::Replayed { .. } => self.replayed += 1,
            RecordAnswer::Refused { problem } => {
                let titles = (problem.title_zh.as_str(), problem.title.as_str());
                self.refused.count_titled(&problem.code, titles, || {
                    let field = problem.param.as_deref().unwrap_or_default();
                    let parts = [&place(), field, &problem.detail_zh, &problem.detail];
                    let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                    said.join(" ")
                });
            }
            RecordAnswer::Held { reason } => self.held.count(reason, place),
        }
    }

    /// Adds another file's.
    pub(super) fn add(&mut self, other: Tally) {
        self.accepted += other.accepted;
        self.replayed += other.replayed;
        self.reduction_mg = self.reduction_mg.saturating_add(other.reduction_mg);
        self.points = self.points.saturating_add(other.points);
        self.capped += other.capped;
        self.refused.add(other.refused);
        self.held.add(other.held);
    }

    /// Records answered.
    pub(super) fn records(&self) -> u64 {
        self.accepted + self.replayed + self.refused.total() + self.held.total()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        json!({
            "records": self.records(),
            "accepted": self.accepted,
            "replayed": self.replayed,
            "refused": self.refused.json(),
            "held": self.held.json(),
            "reduction_mg": self.reduction_mg,
            "points": self.points,
            "capped": self.capped,
        })
    }

    pub(super) fn table(&self) -> String {
        let mut lines = vec![
            row("answered 平台已答复", self.records()),
            row("accepted 计入", self.accepted),
            row("replayed 重复提交", self.replayed),
            row("refused 拒绝", self.refused.total()),
        ];
        lines.extend(self.refused.lines());
        lines.push(row("held 挂起", self.held.total()));
        lines.extend(self.held.lines());
        lines.push(row("reduction 减排量", format!("{} mg", self.reduction_mg)));
        let capped = match self.capped {
            0 => String::new(),
            capped => format!(" (capped 封顶 {capped})"),
        };
        lines.push(row("points 积分", format!("{}{capped}", self.points)));
        lines.push(String::new());
        lines.join("\n")
    }
}
