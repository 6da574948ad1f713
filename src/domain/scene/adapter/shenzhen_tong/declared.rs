//! What a scene may declare about its taps, beside the zone and the table of distances.

use super::super::Settings;
use super::super::settings::param;
use super::columns::Field;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// More columns than any layout has.
const COLUMNS_MAX: usize = 64;

/// The unit of the fares in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Money {
    /// 分, whole: what the platform serves.
    Fen,
    /// 元 with up to two decimals: some yearly extracts.
    Yuan,
}

/// What `2018-09-01T11:19:46.000Z` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zulu {
    /// The clock of the zone with a `Z` that is not meant: every public extract of gate taps,
    /// whose times read as UTC would fall in the hours when no train runs.
    Local,
    Utc,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// The columns of a file without a header, in order; `None` for one that is not read.
    pub(super) columns: Option<Vec<Option<Field>>>,
    pub(super) money: Money,
    pub(super) zulu: Zulu,
}

impl Declared {
    /// Reads `columns`, `money` and `z_times`; takes no other key.
    ///
    /// # Errors
    /// `unknown_field`, `invalid_field` at the key.
    pub(super) fn read(settings: &Settings) -> Result<Declared, Problem> {
        settings.only(&["columns", "money", "z_times"])?;
        let money = settings.choice("money", &[("fen", Money::Fen), ("yuan", Money::Yuan)])?;
        let zulu = settings.choice("z_times", &[("local", Zulu::Local), ("utc", Zulu::Utc)])?;
        Ok(Declared {
            columns: settings.text("columns")?.map(columns).transpose()?,
            money: money.unwrap_or(Money::Fen),
            zulu: zulu.unwrap_or(Zulu::Local),
        })
    }
}

/// `card_no,deal_date,-,deal_type,station`: names as the platform has them, `-` for a column that
/// is not read.
fn columns(text: &str) -> Result<Vec<Option<Field>>, Problem> {
    let refused = |detail: Detail| Problem::at(Code::InvalidField, param("columns"), detail);
    let mut found = Vec::new();
    for name in text.split(',').map(str::trim) {
        let field = Field::named(name);
        if field.is_none() && name != "-" && !Field::IGNORED.contains(&name) {
            return Err(refused(detail!(
                "{name:?} 不是已知的列",
                "{name:?} is no column that is known"
            )));
        }
        if field.is_some() && found.contains(&field) {
            return Err(refused(detail!("{name} 重复出现", "{name} stands twice")));
        }
        found.push(field);
    }
    for needed in [Field::Card, Field::Time, Field::Type, Field::Station] {
        if !found.contains(&Some(needed)) {
            return Err(refused(detail!("缺少 {}", "{} is missing", needed.name())));
        }
    }
    if found.len() > COLUMNS_MAX {
        return Err(refused(detail!(
            "超过 {COLUMNS_MAX} 列",
            "more than {COLUMNS_MAX} columns"
        )));
    }
    Ok(found)
}
