//! How much: lists of objects (EPCs) and of quantities of a class, in units of UN/ECE
//! Recommendation 20, become mass, volume and count.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json_text::object;
use super::super::scalar::can_be_stated;
use super::declared::Declared;
use super::fields::{a_uri, invalid, items, missing, text};
use super::vocabulary::is_uri;
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Characters of a unit's code that a refusal shows.
const CODE_SHOWN: usize = 16;
/// Longer numbers are no measurements.
const DIGITS_MAX: usize = 24;
/// A quantity of one event that is larger than this is a mistake of unit: 10⁹ kg, m³ or pieces.
const AMOUNT_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Mass,
    Volume,
    Count,
}

/// UN/ECE Rec 20 codes: what is measured, and how much of a kg, m³ or piece one is (mantissa and
/// decimals, exact). Pound and ounce avoirdupois by the international definition of 1959; US and
/// UK tons are 2,000 and 2,240 of these pounds; US gallon 231 cubic inches; UK gallon 4.54609 l.
const UNITS: [(&str, Measure, i64, u32); 24] = [
    ("KGM", Measure::Mass, 1, 0),
    ("GRM", Measure::Mass, 1, 3),
    ("MGM", Measure::Mass, 1, 6),
    ("CGM", Measure::Mass, 1, 5),
    ("HGM", Measure::Mass, 1, 1),
    ("DTN", Measure::Mass, 100, 0),
    ("TNE", Measure::Mass, 1_000, 0),
    ("LBR", Measure::Mass, 45_359_237, 8),
    ("ONZ", Measure::Mass, 28_349_523_125, 12),
    ("STN", Measure::Mass, 90_718_474, 5),
    ("LTN", Measure::Mass, 10_160_469_088, 7),
    ("LTR", Measure::Volume, 1, 3),
    ("MLT", Measure::Volume, 1, 6),
    ("CLT", Measure::Volume, 1, 5),
    ("DLT", Measure::Volume, 1, 4),
    ("HLT", Measure::Volume, 1, 1),
    ("MTQ", Measure::Volume, 1, 0),
    ("DMQ", Measure::Volume, 1, 3),
    ("CMQ", Measure::Volume, 1, 6),
    ("GLL", Measure::Volume, 3_785_411_784, 12),
    ("GLI", Measure::Volume, 454_609, 8),
    ("EA", Measure::Count, 1, 0),
    ("H87", Measure::Count, 1, 0),
    ("C62", Measure::Count, 1, 0),
];

/// Sums of one event, or of several: kg, m³ and pieces; `None` where nothing of the kind stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    mass: Option<Decimal>,
    volume: Option<Decimal>,
    count: Option<Decimal>,
}

impl Tally {
    /// # Errors
    /// `quantity_out_of_range`: the sum does not fit a decimal.
    pub(super) fn add(&mut self, other: &Tally) -> Result<(), Problem> {
        for (measure, amount) in [
            (Measure::Mass, other.mass),
            (Measure::Volume, other.volume),
            (Measure::Count, other.count),
        ] {
            amount.map_or(Ok(()), |amount| self.put(measure, amount, "quantity"))?;
        }
        Ok(())
    }

    fn put(&mut self, measure: Measure, amount: Decimal, field: &str) -> Result<(), Problem> {
        let slot = match measure {
            Measure::Mass => &mut self.mass,
            Measure::Volume => &mut self.volume,
            Measure::Count => &mut self.count,
        };
        let sum = slot.unwrap_or_default().checked_add(amount);
        *slot = Some(
            sum.ok_or_else(|| out_of_range(field, detail!("合计过大", "the sum is too large")))?,
        );
        Ok(())
    }

    /// `mass` in kg, `volume` in m³, `count` in pieces, each name with `prefix` before it.
    pub(super) fn quantities(&self, prefix: &str) -> Vec<Quantity> {
        let parts = [
            ("mass", "kg", self.mass),
            ("volume", "m3", self.volume),
            ("count", "1", self.count),
        ];
        let quantity = |(name, unit, value): (&'static str, &'static str, Option<Decimal>)| {
            Some(Quantity {
                name: match prefix {
                    "" => Cow::Borrowed(name),
                    prefix => Cow::Owned(format!("{prefix}{name}")),
                },
                value: value?.normalize(),
                unit: Cow::Borrowed(unit),
            })
        };
        parts.into_iter().filter_map(quantity).collect()
    }
}

/// The lists of one side of an event.
#[derive(Debug, Default)]
pub(super) struct Goods<'a> {
    pub(super) tally: Tally,
    /// The EPCs, sorted.
    pub(super) epcs: Vec<Cow<'a, str>>,
    pub(super) elements: Vec<Element<'a>>,
}

/// An amount of a class, checked.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) class: Cow<'a, str>,
    /// As stated; absent where the event does not say how many.
    pub(super) amount: Option<Decimal>,
    pub(super) uom: Option<Cow<'a, str>>,
}

impl<'a> Goods<'a> {
    /// # Errors
    /// The first entry that breaks a rule, by its place in the list.
    pub(super) fn read(
        (epc_field, epcs): (&str, Option<&'a RawValue>),
        (class_field, elements): (&str, Option<&'a RawValue>),
        declared: &Declared,
    ) -> Result<Goods<'a>, Problem> {
        let mut goods = Goods {
            epcs: epc_list(epc_field, epcs)?,
            ..Goods::default()
        };
        if !goods.epcs.is_empty() {
            let count = i64::try_from(goods.epcs.len()).unwrap_or(i64::MAX);
            goods.tally.put(Measure::Count, count.into(), epc_field)?;
        }
        for (index, raw) in items(class_field, elements)?.into_iter().enumerate() {
            let field = format!("{class_field}/{index}");
            let element = Element::read(&field, raw)?;
            goods.take(&field, element, declared)?;
        }
        Ok(goods)
    }

    fn take(
        &mut self,
        field: &str,
        element: Element<'a>,
        declared: &Declared,
    ) -> Result<(), Problem> {
        if element.uom.is_none() && declared.is_weighed(&element.class) {
            return Err(Problem::at(
                Code::UnitMissing,
                format!("{field}.uom"),
                detail!(
                    "场景声明这一类按重量计",
                    "the scene declares this class to be weighed"
                ),
            ));
        }
        if let Some((measure, amount)) = element.measured(field)? {
            self.tally.put(measure, amount, field)?;
        }
        self.elements.push(element);
        Ok(())
    }

    /// Nothing at all is named, counted or not.
    pub(super) fn is_empty(&self) -> bool {
        self.epcs.is_empty() && self.elements.is_empty()
    }

    /// What each entry is of: EPCs, then classes.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let classes = self.elements.iter().map(|element| element.class.as_ref());
        self.epcs.iter().map(AsRef::as_ref).chain(classes)
    }
}

fn epc_list<'a>(field: &str, raw: Option<&'a RawValue>) -> Result<Vec<Cow<'a, str>>, Problem> {
    let mut epcs = Vec::new();
    for (index, raw) in items(field, raw)?.into_iter().enumerate() {
        let place = format!("{field}/{index}");
        let epc = text(&place, Some(raw))?.unwrap_or_default();
        if !is_uri(&epc) {
            return Err(invalid(
                &place,
                detail!(
                    "应为 EPC 或 GS1 Digital Link URI",
                    "an EPC or GS1 Digital Link URI is expected"
                ),
            ));
        }
        epcs.push(epc);
    }
    epcs.sort_unstable();
    if epcs.array_windows().any(|[a, b]| a == b) {
        let detail = detail!("同一对象重复出现", "an object stands twice");
        return Err(Problem::at(Code::DuplicateReading, field, detail));
    }
    Ok(epcs)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawElement<'a> {
    #[serde(borrow, default, rename = "epcClass")]
    class: Option<&'a RawValue>,
    #[serde(borrow, default)]
    quantity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    uom: Option<&'a RawValue>,
}

impl<'a> Element<'a> {
    fn read(field: &str, raw: &'a RawValue) -> Result<Element<'a>, Problem> {
        let raw: RawElement<'a> = object(raw.get()).map_err(|_| {
            invalid(
                field,
                detail!(
                    "应为 epcClass、quantity 和 uom",
                    "epcClass, quantity and uom are expected"
                ),
            )
        })?;
        let class_field = format!("{field}.epcClass");
        let class = text(&class_field, raw.class)?.ok_or_else(|| missing(&class_field))?;
        if !is_uri(&class) {
            return Err(invalid(&class_field, a_uri()));
        }
        let amount_field = format!("{field}.quantity");
        let amount = raw.quantity.map(|raw| amount(&amount_field, raw.get()));
        let element = Element {
            class,
            amount: amount.transpose()?,
            uom: text(&format!("{field}.uom"), raw.uom)?,
        };
        match (&element.amount, &element.uom) {
            (None, Some(_)) => Err(missing(&amount_field)),
            _ => Ok(element),
        }
    }

    /// In kg, m³ or pieces; `None` where the amount is not stated.
    fn measured(&self, field: &str) -> Result<Option<(Measure, Decimal)>, Problem> {
        let Some(amount) = self.amount else {
            return Ok(None);
        };
        let (measure, size) = match &self.uom {
            None => (Measure::Count, Decimal::ONE),
            Some(uom) => unit(uom).ok_or_else(|| {
                let uom: String = uom.chars().take(CODE_SHOWN).collect();
                let detail = detail!(
                    "{uom:?} 不是 UN/ECE Rec 20 的质量、体积或计数单位",
                    "{uom:?} is no mass, volume or count of UN/ECE Rec 20"
                );
                Problem::at(Code::UnitUnsupported, format!("{field}.uom"), detail)
            })?,
        };
        if measure == Measure::Count && !amount.fract().is_zero() {
            let rule = detail!(
                "没有计量单位时是件数，应为整数",
                "without a unit of measure it is a count, and whole"
            );
            return Err(invalid(&format!("{field}.quantity"), rule));
        }
        let scaled = amount.checked_mul(size).filter(|sum| *sum <= AMOUNT_MAX);
        let scaled = scaled.ok_or_else(|| {
            out_of_range(
                field,
                detail!(
                    "超过 1,000,000,000 kg、m3 或件",
                    "more than 1,000,000,000 kg, m3 or pieces"
                ),
            )
        })?;
        if !can_be_stated(scaled) {
            return Err(out_of_range(
                field,
                detail!(
                    "按 kg 或 m3 计，小数超过 12 位",
                    "finer than 12 decimals of kg or m3"
                ),
            ));
        }
        Ok(Some((measure, scaled)))
    }
}

fn unit(code: &str) -> Option<(Measure, Decimal)> {
    let known = UNITS.iter().find(|(known, ..)| *known == code);
    known.map(|(_, measure, mantissa, scale)| (*measure, Decimal::new(*mantissa, *scale)))
}

/// A JSON number above zero, exactly as it is written.
fn amount(field: &str, json: &str) -> Result<Decimal, Problem> {
    if json.len() > DIGITS_MAX {
        return Err(out_of_range(
            field,
            detail!("超过 24 个字符", "more than 24 characters"),
        ));
    }
    let number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let parsed = match json.contains(['e', 'E']) {
        true => Decimal::from_scientific(json),
        false => Decimal::from_str_exact(json),
    };
    match parsed {
        Ok(amount) if number && amount > Decimal::ZERO => Ok(amount),
        Ok(_) if number => Err(out_of_range(field, detail!("不大于 0", "not above zero"))),
        _ => Err(invalid(field, detail!("应为数", "a number is expected"))),
    }
}

fn out_of_range(field: &str, detail: Detail) -> Problem {
    Problem::at(Code::QuantityOutOfRange, field, detail)
}
