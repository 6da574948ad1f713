//! The quantities of a row: from a column, from four coordinates, or the same in every row.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::super::great_circle::{self, Datum, Point};
use super::super::interned;
use super::columns::{Columns, Slot};
use super::numeral::{Numerals, times};
use super::row::{Cell, Cells, Fault, Row, sheet_number};
use super::section::Section;
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::unit::Unit;

const QUANTITIES_MAX: usize = 16;
/// Bytes of a quantity's or attribute's name, as in our own format.
pub(super) const NAME_MAX: usize = 64;

#[derive(Debug, Clone, Copy)]
enum From {
    Column(Slot),
    /// Latitude and longitude of the start, then of the end, in degrees of a datum.
    Coordinates([Slot; 4], Datum),
    Value(Decimal),
}

#[derive(Debug, Clone)]
pub(super) struct Measure {
    name: Cow<'static, str>,
    unit: Cow<'static, str>,
    from: From,
    numerals: Numerals,
    /// What one of the column's own units is in `unit`, exactly.
    scale: Option<Decimal>,
    max: Option<Decimal>,
    blank_is_skipped: bool,
}

/// What the quantities of a mapping have in common unless one says otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    numerals: Numerals,
    blank_is_skipped: bool,
    datum: Option<Datum>,
}

impl Defaults {
    /// # Errors
    /// `invalid_field` at the key.
    pub(super) fn declared(root: &Section) -> Result<Defaults, Problem> {
        let plain = Defaults {
            numerals: Numerals::PLAIN,
            blank_is_skipped: false,
            datum: root.choice(Datum::KEY, Datum::WORDS)?,
        };
        plain.refined(root)
    }

    fn refined(self, section: &Section) -> Result<Defaults, Problem> {
        const SIGNS: [(&str, char); 2] = [(".", '.'), (",", ',')];
        const GROUPS: [(&str, Option<char>); 5] = [
            ("none", None),
            (",", Some(',')),
            (".", Some('.')),
            (" ", Some(' ')),
            ("'", Some('\'')),
        ];
        let decimal = section.choice("decimal", &SIGNS)?;
        let thousands = section.choice("thousands", &GROUPS)?;
        let numerals = Numerals {
            decimal: decimal.unwrap_or(self.numerals.decimal),
            thousands: thousands.unwrap_or(self.numerals.thousands),
        };
        if numerals.thousands == Some(numerals.decimal) {
            return Err(section.refused(
                "thousands",
                detail!("与小数点相同", "is the decimal sign too"),
            ));
        }
        let blank = section.choice("blank", &[("refuse", false), ("skip", true)])?;
        Ok(Defaults {
            numerals,
            blank_is_skipped: blank.unwrap_or(self.blank_is_skipped),
            datum: self.datum,
        })
    }
}

impl Measure {
    /// Every quantity that is declared, in the order of the document.
    ///
    /// # Errors
    /// `missing_field` where there is none; `invalid_field`, `unknown_field`, and
    /// `unit_unsupported` for a unit that is not in the table, at the key.
    pub(super) fn all(
        section: &Section,
        defaults: Defaults,
        columns: &mut Columns,
    ) -> Result<Vec<Measure>, Problem> {
        let names: Vec<&str> = section.keys().collect();
        match names.len() {
            0 => Err(section.missing(
                "NAME",
                detail!("至少声明一个量", "declare at least one quantity"),
            )),
            1..=QUANTITIES_MAX => names
                .into_iter()
                .map(|name| Measure::declared(section, name, defaults, columns))
                .collect(),
            _ => Err(section.refused("NAME", detail!("量超过 16 个", "more than 16 quantities"))),
        }
    }

    fn declared(
        quantities: &Section,
        name: &str,
        defaults: Defaults,
        columns: &mut Columns,
    ) -> Result<Measure, Problem> {
        named(quantities, name)?;
        let section = quantities.section(name)?;
        section.only(&[
            "column",
            "great_circle",
            "value",
            "unit",
            "scale",
            "decimal",
            "thousands",
            "blank",
            "max",
        ])?;
        let defaults = defaults.refined(&section)?;
        let from = source(&section, columns, defaults.datum)?;
        let scale = section.positive("scale")?;
        if scale.is_some() && !matches!(from, From::Column(_)) {
            return Err(section.refused("scale", detail!("只用于 column", "is about a column")));
        }
        Ok(Measure {
            name: interned(name),
            unit: unit(&section, from)?,
            from,
            numerals: defaults.numerals,
            scale,
            max: section.positive("max")?,
            blank_is_skipped: defaults.blank_is_skipped,
        })
    }

    pub(super) fn is_from_coordinates(&self) -> bool {
        matches!(self.from, From::Coordinates(..))
    }

    /// The quantity of a row; `None` where its cell is blank and blanks are skipped.
    ///
    /// # Errors
    /// `missing_field` for a blank cell, `invalid_field` for what is no number or no point,
    /// `quantity_out_of_range` below zero, above `max` and where scaling is not exact.
    pub(super) fn read<C: Cells>(&self, row: &Row<'_, C>) -> Result<Option<Quantity>, Fault> {
        let (slot, value) = match self.from {
            From::Value(value) => return Ok(Some(self.quantity(value))),
            From::Column(slot) => (slot, self.number(row, slot)?),
            From::Coordinates(slots, datum) => (slots[0], self.between(row, slots, datum)?),
        };
        let Some(value) = value else { return Ok(None) };
        let out = |detail: Detail| row.fault(slot, Code::QuantityOutOfRange, detail);
        if value.is_sign_negative() && !value.is_zero() {
            return Err(out(detail!("小于 0", "below zero")));
        }
        let value = match self.scale {
            Some(scale) => times(value, scale)
                .ok_or_else(|| out(detail!("位数过多，无法换算", "too many digits to scale")))?,
            None => value,
        };
        match self.max {
            Some(max) if value > max => {
                Err(out(detail!("超过 {max} {}", "above {max} {}", self.unit)))
            }
            _ => Ok(Some(self.quantity(value))),
        }
    }

    fn quantity(&self, value: Decimal) -> Quantity {
        Quantity {
            name: self.name.clone(),
            value,
            unit: self.unit.clone(),
        }
    }

    fn number<C: Cells>(&self, row: &Row<'_, C>, slot: Slot) -> Result<Option<Decimal>, Fault> {
        let number = match row.cell(slot)? {
            Cell::Blank => return self.blank(row, slot),
            Cell::Text(text) => self.numerals.read(text),
            Cell::Number(text, _) => {
                sheet_number(text).ok_or_else(|| detail!("超过 18 位数字", "more than 18 digits"))
            }
            Cell::Date(..) => Err(detail!("是日期，不是数", "a date, not a number")),
            Cell::Broken(what) => return Err(row.fault(slot, Code::InvalidField, what.clone())),
        };
        number
            .map(Some)
            .map_err(|detail| row.fault(slot, Code::InvalidField, detail))
    }

    fn blank<C: Cells>(&self, row: &Row<'_, C>, slot: Slot) -> Result<Option<Decimal>, Fault> {
        match self.blank_is_skipped {
            true => Ok(None),
            false => Err(row.fault(
                slot,
                Code::MissingField,
                detail!("空白不等于 0", "blank, which is not zero"),
            )),
        }
    }

    /// Kilometres, in whole millimetres, half-even.
    fn between<C: Cells>(
        &self,
        row: &Row<'_, C>,
        slots: [Slot; 4],
        datum: Datum,
    ) -> Result<Option<Decimal>, Fault> {
        for slot in slots {
            if row.cell(slot)? == Cell::Blank {
                return self.blank(row, slot);
            }
        }
        let [a, b, c, d] = slots;
        let point = |latitude: Slot, longitude: Slot| {
            let (north, east) = (self.degrees(row, latitude)?, self.degrees(row, longitude)?);
            Point::parse(&north, &east, datum).ok_or_else(|| {
                row.fault(
                    latitude,
                    Code::InvalidField,
                    detail!("不是以度表示的点", "not a point in degrees"),
                )
            })
        };
        let millimetres = great_circle::millimetres(point(a, b)?, point(c, d)?);
        Ok(Some(great_circle::kilometres(millimetres)))
    }

    fn degrees<C: Cells>(&self, row: &Row<'_, C>, slot: Slot) -> Result<String, Fault> {
        let number = match row.cell(slot)? {
            // A phone writes more decimals than any other number has; they are not counted here.
            Cell::Text(text) if self.numerals == Numerals::PLAIN => return Ok(text.to_owned()),
            Cell::Text(text) => self.numerals.read(text).ok(),
            Cell::Number(text, _) => sheet_number(text),
            _ => None,
        };
        number.map(|number| number.to_string()).ok_or_else(|| {
            row.fault(
                slot,
                Code::InvalidField,
                detail!("不是以度表示的数", "not a number of degrees"),
            )
        })
    }
}

fn source(section: &Section, columns: &mut Columns, datum: Option<Datum>) -> Result<From, Problem> {
    let column = columns.one(section, "column")?;
    let value = section.positive("value")?;
    let corners = columns.all(section, "great_circle")?;
    match (column, value, corners.as_slice()) {
        (Some(column), None, []) => Ok(From::Column(column)),
        (None, Some(value), []) => Ok(From::Value(value)),
        (None, None, [a, b, c, d]) => {
            let datum = datum.ok_or_else(Datum::missing)?;
            Ok(From::Coordinates([*a, *b, *c, *d], datum))
        }
        (None, None, []) => Err(section.missing(
            "column",
            detail!("或 great_circle，或 value", "or great_circle, or value"),
        )),
        (None, None, _) => Err(section.refused(
            "great_circle",
            detail!(
                "应为四列：起点的纬度、经度，终点的纬度、经度",
                "must be four columns: latitude and longitude of the start, then of the end"
            ),
        )),
        _ => Err(section.refused(
            "column",
            detail!(
                "column、great_circle、value 只能写一个",
                "one of column, great_circle and value, not several"
            ),
        )),
    }
}

fn unit(section: &Section, from: From) -> Result<Cow<'static, str>, Problem> {
    let text = section.text("unit")?;
    let text = text.ok_or_else(|| {
        section.missing(
            "unit",
            detail!("请声明这个量的单位", "what the quantity is measured in"),
        )
    })?;
    if Unit::parse(text).is_err() {
        let detail = detail!(
            "单位表里没有 {text:?}",
            "{text:?} is not in the table of units"
        );
        return Err(Problem::at(
            Code::UnitUnsupported,
            section.param("unit"),
            detail,
        ));
    }
    if matches!(from, From::Coordinates(..)) && text != "km" {
        return Err(section.refused(
            "unit",
            detail!("大圆距离的单位是 km", "a great circle is measured in km"),
        ));
    }
    Ok(interned(text))
}

/// # Errors
/// `invalid_field` for a name that no methodology could use.
pub(super) fn named(section: &Section, name: &str) -> Result<(), Problem> {
    let plain = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    // A member of a set, as methodologies name it: `mass.hdpe`.
    let (base, member) = name.split_once('.').unwrap_or((name, "x"));
    match name.len() <= NAME_MAX && plain(base) && plain(member) {
        true => Ok(()),
        false => Err(section.refused(
            name,
            detail!(
                "名称为 1 至 64 个 a-z、0-9 或 _，至多含一个点",
                "a name is 1 to 64 of a-z, 0-9 and _, with at most one point"
            ),
        )),
    }
}
