//! What a replay says: how many would get more, how many less, and who most.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::domain::methodology::Span;
use crate::flow::catalogue::Scene;
use crate::flow::replay::{Person, Replay, Stand};

/// How many people are named on either side.
const NAMED: usize = 10;

/// Milligrams, counts and people of a replay.
#[derive(Debug, Serialize)]
pub(super) struct Impact {
    scene: String,
    from: String,
    to: String,
    zone: String,
    records: usize,
    people: usize,
    before: Totals,
    after: Totals,
    difference_mg: i64,
    more: Group,
    less: Group,
    same: Group,
    /// Of those who get more: nothing before. Of those who get less: nothing any more.
    newly_earning: usize,
    no_longer_earning: usize,
    most_gained: Vec<Row>,
    most_lost: Vec<Row>,
}

#[derive(Debug, Default, Serialize)]
struct Totals {
    reduction_mg: i64,
    /// Acts or periods.
    counted: usize,
    refused: usize,
    /// Why, and how often.
    reasons: BTreeMap<String, usize>,
}

/// People with the same sign.
#[derive(Debug, Default, Serialize)]
struct Group {
    people: usize,
    difference_mg: i64,
}

#[derive(Debug, Serialize)]
struct Row {
    person: String,
    before_mg: i64,
    after_mg: i64,
    difference_mg: i64,
}

impl Impact {
    pub fn of(scene: &Scene, days: Span, replay: &Replay) -> Impact {
        let mut rows: Vec<Row> = replay.people.iter().map(Row::of).collect();
        rows.sort_by_key(|row| row.difference_mg);
        let group = |belongs: fn(i64) -> bool| {
            let own = rows.iter().filter(|row| belongs(row.difference_mg));
            own.fold(Group::default(), |group, row| Group {
                people: group.people + 1,
                difference_mg: group.difference_mg.saturating_add(row.difference_mg),
            })
        };
        let (more, less, same) = (group(|mg| mg > 0), group(|mg| mg < 0), group(|mg| mg == 0));
        let count = |of: fn(&Row) -> bool| rows.iter().filter(|row| of(row)).count();
        let newly_earning = count(|row| row.before_mg == 0 && row.after_mg > 0);
        let no_longer_earning = count(|row| row.before_mg > 0 && row.after_mg == 0);
        let [before, after] = [0, 1].map(|side| Totals::of(replay, side));
        let gained = rows.iter().rev().filter(|row| row.difference_mg > 0);
        let most_gained = gained.take(NAMED).map(Row::again).collect();
        let lost = rows.iter().filter(|row| row.difference_mg < 0);
        let most_lost = lost.take(NAMED).map(Row::again).collect();
        Impact {
            scene: scene.row.code.clone(),
            from: days.first.to_string(),
            to: days.out.pred_opt().unwrap_or(days.out).to_string(),
            zone: scene.view.zone.to_string(),
            records: replay.records,
            people: rows.len(),
            difference_mg: after.reduction_mg.saturating_sub(before.reduction_mg),
            before,
            after,
            more,
            less,
            same,
            newly_earning,
            no_longer_earning,
            most_gained,
            most_lost,
        }
    }

    /// For people to read.
    pub fn page(&self) -> String {
        let mut text = format!(
            "\n试算 · replay  {} {}…{} ({})  {} 条记录 records, {} 人 people\n",
            self.scene, self.from, self.to, self.zone, self.records, self.people
        );
        let mut line = |label: &str, before: String, after: String, change: String| {
            let wide = label.chars().filter(|c| !c.is_ascii()).count();
            let width = 24usize.saturating_sub(wide);
            text.push_str(&format!(
                "  {label:<width$}{before:>16}{after:>16}{change:>16}\n"
            ));
        };
        line("", "before".into(), "after".into(), "change".into());
        let (before, after) = (&self.before, &self.after);
        line(
            "减排量 reduction, kg",
            kg(before.reduction_mg),
            kg(after.reduction_mg),
            signed_kg(self.difference_mg),
        );
        let change = |before: usize, after: usize| format!("{:+}", after as i128 - before as i128);
        for (label, before, after) in [
            ("计入 counted", before.counted, after.counted),
            ("不计 refused", before.refused, after.refused),
        ] {
            line(
                label,
                before.to_string(),
                after.to_string(),
                change(before, after),
            );
        }
        let mut reasons: Vec<&String> = before.reasons.keys().chain(after.reasons.keys()).collect();
        reasons.sort();
        reasons.dedup();
        for reason in reasons {
            let of = |totals: &Totals| totals.reasons.get(reason).copied().unwrap_or(0);
            let (before, after) = (of(before), of(after));
            line(
                &format!("  {reason}"),
                before.to_string(),
                after.to_string(),
                change(before, after),
            );
        }
        for (label, group) in [
            ("增加 more", &self.more),
            ("减少 less", &self.less),
            ("不变 same", &self.same),
        ] {
            let people = format!("{} 人", group.people);
            line(label, String::new(), people, signed_kg(group.difference_mg));
        }
        text.push_str(&format!(
            "  新获得 newly earning {}, 不再获得 no longer earning {}\n",
            self.newly_earning, self.no_longer_earning
        ));
        for (label, rows) in [
            ("增加最多 gain most", &self.most_gained),
            ("减少最多 lose most", &self.most_lost),
        ] {
            if !rows.is_empty() {
                text.push_str(&format!("  {label}, kg\n"));
            }
            for row in rows {
                text.push_str(&format!(
                    "    {:<40}{:>14} → {:>14}{:>14}\n",
                    row.person,
                    kg(row.before_mg),
                    kg(row.after_mg),
                    signed_kg(row.difference_mg)
                ));
            }
        }
        text.push_str(
            "  未写入任何数据；入库时被拒的记录、每日上限与唯一性不参与试算。\n  \
             Nothing was written; what ingestion refused, daily caps and exclusivity are left aside.\n",
        );
        text
    }
}

impl Totals {
    fn of(replay: &Replay, side: usize) -> Totals {
        let own = |stand: &Stand| if side == 0 { stand.before } else { stand.after };
        let mut totals = Totals {
            reasons: replay.reasons.get(side).cloned().unwrap_or_default(),
            ..Totals::default()
        };
        for stand in replay.people.values() {
            let earned = own(stand);
            totals.reduction_mg = totals.reduction_mg.saturating_add(earned.reduction_mg);
            totals.counted += earned.counted;
            totals.refused += earned.refused;
        }
        totals
    }
}

impl Row {
    fn of((person, stand): (&Person, &Stand)) -> Row {
        let (before_mg, after_mg) = (stand.before.reduction_mg, stand.after.reduction_mg);
        Row {
            person: name(person),
            before_mg,
            after_mg,
            difference_mg: after_mg.saturating_sub(before_mg),
        }
    }

    fn again(&self) -> Row {
        Row {
            person: self.person.clone(),
            ..*self
        }
    }
}

/// The account's pseudonym; a subject that nobody has linked is known by the start of its hash.
fn name(person: &Person) -> String {
    match person {
        Person::Account(account) => account.to_string(),
        Person::Subject(subject) => {
            let (start, _) = subject.split_at(8);
            format!("unlinked:{}", hex::encode(start))
        }
    }
}

/// Kilograms with six places: exact to the milligram.
fn kg(mg: i64) -> String {
    rust_decimal::Decimal::new(mg, 6).to_string()
}

fn signed_kg(mg: i64) -> String {
    format!("{:+}", rust_decimal::Decimal::new(mg, 6))
}

/// One line a person: milligrams, and how many acts or periods count.
pub(super) fn write_csv(path: &Path, replay: &Replay) -> Result<(), csv::Error> {
    let mut file = csv::Writer::from_path(path)?;
    file.write_record([
        "person",
        "before_mg",
        "after_mg",
        "difference_mg",
        "before_counted",
        "after_counted",
        "before_refused",
        "after_refused",
    ])?;
    for (person, stand) in &replay.people {
        let row = Row::of((person, stand));
        file.write_record([
            row.person,
            row.before_mg.to_string(),
            row.after_mg.to_string(),
            row.difference_mg.to_string(),
            stand.before.counted.to_string(),
            stand.after.counted.to_string(),
            stand.before.refused.to_string(),
            stand.after.refused.to_string(),
        ])?;
    }
    Ok(file.flush()?)
}
