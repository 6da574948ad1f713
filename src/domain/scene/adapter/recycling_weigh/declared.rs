//! What a scene declares about its scales.

use std::collections::HashMap;

use rust_decimal::Decimal;
use toml::Value;

use super::columns::{COLUMNS, Column};
use super::row::Row;
use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::scene::adapter::lines::Fields;
use crate::domain::scene::adapter::settings::{Settings, param};

/// Entries of one table.
const ENTRIES_MAX: usize = 100_000;

/// What the weight of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mass {
    /// Of this drop alone.
    Drop,
    /// Of all drops of the day so far; it begins again at midnight.
    CumulativeDay(DayStart),
}

/// What a day's first running total is measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayStart {
    /// From nothing, at midnight: files hold whole days.
    Zero,
    /// From itself: it earns nothing.
    FirstRow,
}

/// The four sorts and what feeds call them: the numbers that vendors' software uses, the names of
/// GB/T 19095-2019 (厨余垃圾, 其他垃圾), and the older ones (湿垃圾, 干垃圾).
const MATERIALS: [(&str, &[&str]); 4] = [
    (
        "dry",
        &["1", "干", "干垃圾", "其他", "其他垃圾", "dry", "other"],
    ),
    (
        "wet",
        &[
            "2",
            "湿",
            "湿垃圾",
            "厨余",
            "厨余垃圾",
            "易腐垃圾",
            "wet",
            "kitchen",
        ],
    ),
    (
        "recyclable",
        &["3", "可回收", "可回收物", "可回收垃圾", "recyclable"],
    ),
    ("hazardous", &["4", "有害", "有害垃圾", "hazardous"]),
];

/// A scene's declarations, understood.
#[derive(Debug)]
pub(super) struct Declared {
    /// kg in one unit of the scale.
    unit: Decimal,
    pub(super) mass: Mass,
    /// The heaviest drop that is believed, kg.
    drop_max: Decimal,
    /// The lightest drop that is believed, kg; 0 where the scene names none.
    drop_min: Decimal,
    /// Of the bag or vessel, kg; none for running totals.
    tare: Decimal,
    tares: HashMap<String, Decimal>,
    pub(super) columns: [String; 6],
    materials: Option<HashMap<String, String>>,
}

impl Declared {
    /// # Errors
    /// `missing_field` for `unit`, `mass` or `drop_max_kg`, none of which has a default;
    /// `invalid_field` and `unknown_field` at the key.
    pub(super) fn read(settings: &Settings) -> Result<Declared, Problem> {
        const KEYS: [&str; 9] = [
            "unit",
            "mass",
            "drop_max_kg",
            "drop_min_kg",
            "day_start",
            "tare",
            "tares",
            "columns",
            "materials",
        ];
        settings.only(&KEYS)?;
        let units = [("kg", Decimal::ONE), ("g", Decimal::new(1, 3))];
        let unit = required(
            settings.choice("unit", &units)?,
            "unit",
            detail!("须为 g 或 kg", "g or kg"),
        )?;
        let mass = mass(settings)?;
        let drop_max = settings.decimal("drop_max_kg")?;
        let drop_max = required(
            drop_max,
            "drop_max_kg",
            detail!(
                "须声明单次投放可信的最大重量",
                "the heaviest drop that is believed"
            ),
        )?;
        if drop_max <= Decimal::ZERO {
            return Err(refused("drop_max_kg", detail!("须大于零", "above zero")));
        }
        let declared = Declared {
            unit,
            mass,
            drop_max,
            drop_min: drop_min(settings, drop_max)?,
            tare: kilograms(settings.decimal("tare")?.unwrap_or_default(), unit, "tare")?,
            tares: tares(settings, unit)?,
            columns: columns(settings)?,
            materials: materials(settings)?,
        };
        let tared = !declared.tare.is_zero() || !declared.tares.is_empty();
        match mass {
            Mass::CumulativeDay(_) if tared => Err(refused(
                "tare",
                detail!(
                    "累计值不设皮重：前后两行相减已将其抵消",
                    "a running total has no tare: the difference of two rows takes it out"
                ),
            )),
            _ => Ok(declared),
        }
    }

    /// Where each column stands in the header.
    ///
    /// # Errors
    /// `format_mismatch`: a column other than the id is missing, or stands twice.
    pub(super) fn places(&self, header: &Fields) -> Result<[Option<usize>; 6], Problem> {
        let mut places = [None; 6];
        for ((place, name), title) in places.iter_mut().zip(&self.columns).zip(COLUMNS) {
            let mut found = header.iter().enumerate().filter(|(_, cell)| cell == name);
            *place = found.next().map(|(at, _)| at);
            let detail = match (*place, found.next()) {
                (Some(_), Some(_)) => detail!("有两列 {name:?}", "two columns {name:?}"),
                (None, _) if title != "id" || name != "id" => {
                    detail!("缺少列 {name:?}", "no column {name:?}")
                }
                _ => continue,
            };
            return Err(Problem::at(Code::FormatMismatch, "line 1", detail));
        }
        Ok(places)
    }

    pub(super) fn column(&self, column: Column) -> &str {
        self.columns.get(column as usize).map_or("", String::as_str)
    }

    /// What the feed's type stands for.
    pub(super) fn material(&self, text: &str) -> Option<&str> {
        match &self.materials {
            Some(table) => table.get(text).map(String::as_str),
            None => {
                let known = |(_, words): &&(&'static str, &[&str])| words.contains(&text);
                MATERIALS.iter().find(known).map(|(material, _)| *material)
            }
        }
    }

    /// The weight in kg, as the scale showed it.
    pub(super) fn gross(&self, weight: Decimal) -> Option<Decimal> {
        weight.checked_mul(self.unit)
    }

    /// What was dropped, kg.
    ///
    /// # Errors
    /// `quantity_out_of_range`: nothing is left without the vessel, or too much.
    pub(super) fn net(&self, row: &Row<'_>) -> Result<Decimal, Problem> {
        let tare = self.tares.get(row.bin).unwrap_or(&self.tare);
        let net = row.weight - *tare;
        if net <= Decimal::ZERO {
            let detail = match tare.is_zero() {
                true => detail!("不大于零", "not above zero"),
                false => detail!(
                    "扣除皮重 {} kg 后不大于零",
                    "not above zero without the tare of {} kg",
                    tare.normalize()
                ),
            };
            return Err(self.weight_refused(detail));
        }
        self.believed(net)
    }

    /// # Errors
    /// `quantity_out_of_range`: more than a drop can be, or less than the scene believes.
    pub(super) fn believed(&self, kilograms: Decimal) -> Result<Decimal, Problem> {
        if kilograms < self.drop_min {
            let (drop, min) = (kilograms.normalize(), self.drop_min.normalize());
            let said = detail!(
                "单次投放 {drop} kg，低于场景设定的下限 {min} kg：是否把千克当成了克",
                "{drop} kg in one drop, where the scene believes no less than {min} kg: are kilograms read as grams?"
            );
            let column = self.column(Column::Weight);
            return Err(Problem::at(Code::QuantityOutOfRange, column, said));
        }
        if kilograms <= self.drop_max {
            return Ok(kilograms);
        }
        let (drop, max) = (kilograms.normalize(), self.drop_max.normalize());
        let detail = detail!(
            "单次投放 {drop} kg，超过场景设定的上限 {max} kg",
            "{drop} kg in one drop, where the scene believes {max} kg"
        );
        Err(self.weight_refused(detail))
    }

    pub(super) fn weight_refused(&self, detail: Detail) -> Problem {
        Problem::at(
            Code::QuantityOutOfRange,
            self.column(Column::Weight),
            detail,
        )
    }
}

fn drop_min(settings: &Settings, drop_max: Decimal) -> Result<Decimal, Problem> {
    let drop_min = settings.decimal("drop_min_kg")?.unwrap_or_default();
    if drop_min.is_sign_negative() || drop_min >= drop_max {
        let said = detail!(
            "不能为负，且须小于 drop_max_kg",
            "not negative, and below drop_max_kg"
        );
        let field = param("drop_min_kg");
        return Err(Problem::at(Code::InvalidField, field, said));
    }
    Ok(drop_min)
}

fn mass(settings: &Settings) -> Result<Mass, Problem> {
    let words = [("drop", true), ("cumulative_day", false)];
    let drop = required(
        settings.choice("mass", &words)?,
        "mass",
        detail!("须为 drop 或 cumulative_day", "drop or cumulative_day"),
    )?;
    let starts = [("zero", DayStart::Zero), ("first_row", DayStart::FirstRow)];
    let start = settings.choice("day_start", &starts)?;
    match (drop, start) {
        (true, None) => Ok(Mass::Drop),
        (true, Some(_)) => Err(refused(
            "day_start",
            detail!("只用于累计值", "is of running totals only"),
        )),
        (false, start) => {
            let detail = detail!(
                "每个文件都含完整的一天时用 zero，否则用 first_row",
                "zero where each file holds whole days, otherwise first_row"
            );
            required(start, "day_start", detail).map(Mass::CumulativeDay)
        }
    }
}

fn required<T>(value: Option<T>, key: &str, detail: Detail) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::at(Code::MissingField, param(key), detail))
}

fn refused(key: &str, detail: Detail) -> Problem {
    Problem::at(Code::InvalidField, param(key), detail)
}

fn kilograms(weight: Decimal, unit: Decimal, key: &str) -> Result<Decimal, Problem> {
    let kilograms = weight.checked_mul(unit).filter(|kg| !kg.is_sign_negative());
    kilograms.ok_or_else(|| refused(key, detail!("须为重量，不能为负", "a weight, not negative")))
}

fn tares(settings: &Settings, unit: Decimal) -> Result<HashMap<String, Decimal>, Problem> {
    let mut tares = HashMap::new();
    for (bin, value) in settings.table("tares")?.into_iter().flatten() {
        let weight = match value {
            Value::Integer(whole) => Some(Decimal::from(*whole)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let weight = weight.ok_or_else(|| {
            refused(
                "tares",
                detail!("须为以文本书写的重量", "a weight, written as a text"),
            )
        })?;
        tares.insert(bin.clone(), kilograms(weight, unit, "tares")?);
    }
    bounded(tares.len(), "tares")?;
    Ok(tares)
}

fn columns(settings: &Settings) -> Result<[String; 6], Problem> {
    let mut columns = COLUMNS.map(str::to_owned);
    for (column, value) in settings.table("columns")?.into_iter().flatten() {
        let at = COLUMNS.iter().position(|known| known == column);
        let slot = at.and_then(|at| columns.get_mut(at));
        let (Some(slot), Some(name)) = (slot, value.as_str().map(str::trim)) else {
            let known = COLUMNS.join(", ");
            let detail = detail!(
                "{column} 不在可选值之内：{known}",
                "{column} is none of {known}"
            );
            return Err(refused("columns", detail));
        };
        name.clone_into(slot);
    }
    let mut sorted = columns.clone();
    sorted.sort_unstable();
    let twice = sorted.array_windows().any(|[a, b]| a == b);
    if twice || columns.iter().any(String::is_empty) {
        return Err(refused(
            "columns",
            detail!("各列名称不得重复或为空", "each has a name of its own"),
        ));
    }
    Ok(columns)
}

fn materials(settings: &Settings) -> Result<Option<HashMap<String, String>>, Problem> {
    let Some(table) = settings.table("materials")? else {
        return Ok(None);
    };
    bounded(table.len(), "materials")?;
    let read = |(kind, material): (&String, &Value)| match material.as_str().map(str::trim) {
        Some(material) if !material.is_empty() && material.len() <= 64 => {
            Ok((kind.trim().to_owned(), material.to_owned()))
        }
        _ => Err(refused(
            "materials",
            detail!("须为 1 至 64 字节的文本", "1 to 64 bytes of text"),
        )),
    };
    table.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn bounded(length: usize, key: &str) -> Result<(), Problem> {
    if length <= ENTRIES_MAX {
        return Ok(());
    }
    Err(refused(
        key,
        detail!("超过 {ENTRIES_MAX} 项", "more than {ENTRIES_MAX} entries"),
    ))
}
