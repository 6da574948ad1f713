//! What a reading measures: service, unit, power of ten, direction.

use rust_decimal::Decimal;

use crate::domain::problem::{Code, Detail, Problem, detail};

/// More than this in one reading is a fault of the meter or the file, in any unit that is read.
const VALUE_MAX: i64 = 1_000_000_000;
/// As in our own form.
const DECIMALS_MAX: u32 = 12;

/// The numbers of a ReadingType, as far as they decide what is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ReadingType {
    pub(super) uom: Option<i64>,
    pub(super) power_of_ten: Option<i64>,
    pub(super) flow_direction: Option<i64>,
    pub(super) accumulation: Option<i64>,
    pub(super) qualifier: Option<i64>,
    /// Seconds; used for a reading that states no duration.
    pub(super) interval_length: Option<i64>,
}

/// A quantity's name and unit, and the power of ten from the file's integer to that unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    power: i64,
}

impl ReadingType {
    /// What readings of this type count, given the usage point's service kind (0 electricity,
    /// 1 gas, 2 water).
    ///
    /// # Errors
    /// `unit_missing` without a uom, or with a volume of nobody knows what; `unit_unsupported`
    /// for anything that is not a used amount per interval.
    pub(super) fn measure(&self, service: Option<i64>) -> Result<Measure, Problem> {
        let uom = self.uom.ok_or_else(|| {
            Problem::at(
                Code::UnitMissing,
                "ReadingType.uom",
                detail!("ReadingType 没有写明单位", "the ReadingType names no unit"),
            )
        })?;
        self.is_an_amount()?;
        let (unit, shift) = match uom {
            72 => ("kWh", -3),
            169 => ("therm", 0),
            119 => ("ft3", 0),
            42 => ("m3", 0),
            128 => ("gal_us", 0),
            134 => ("L", 0),
            _ => return Err(unsupported("ReadingType.uom", uom)),
        };
        let power = self.power_of_ten.unwrap_or(0);
        if !(-12..=12).contains(&power) {
            return Err(unsupported("ReadingType.powerOfTenMultiplier", power));
        }
        Ok(Measure {
            name: self.name(uom, service)?,
            unit,
            power: power + shift,
        })
    }

    fn name(&self, uom: i64, service: Option<i64>) -> Result<&'static str, Problem> {
        let exported = match self.flow_direction.unwrap_or(0) {
            0 | 1 => false,
            19 => true,
            other => return Err(unsupported("ReadingType.flowDirection", other)),
        };
        match (service, uom, exported) {
            (Some(0) | None, 72, false) => Ok("electricity"),
            (Some(0) | None, 72, true) => Ok("electricity_export"),
            (None, 169, false) => Ok("gas"),
            (Some(1), _, false) => Ok("gas"),
            (Some(2), 42 | 119 | 128 | 134, false) => Ok("water"),
            (None, _, false) => Err(Problem::at(
                Code::UnitMissing,
                "ServiceCategory.kind",
                detail!(
                    "是体积，而 UsagePoint 没有说明计量的是什么",
                    "a volume, and the usage point does not say of what"
                ),
            )),
            (Some(kind), _, false) => Err(unsupported("ServiceCategory.kind", kind)),
            (_, _, true) => Err(unsupported("ReadingType.flowDirection", 19)),
        }
    }

    /// Only the difference over an interval can be added up: not a register's standing (1, 3),
    /// not a maximum or an average.
    fn is_an_amount(&self) -> Result<(), Problem> {
        match (self.accumulation.unwrap_or(4), self.qualifier.unwrap_or(12)) {
            (0 | 4, 0 | 12) => Ok(()),
            (0 | 4, qualifier) => Err(unsupported("ReadingType.dataQualifier", qualifier)),
            (kind, _) => Err(unsupported("ReadingType.accumulationBehaviour", kind)),
        }
    }
}

impl Measure {
    /// The integer of the file as an exact decimal in `unit`.
    ///
    /// # Errors
    /// `quantity_out_of_range`: negative, more than 10⁹, or of more than 12 decimals.
    pub(super) fn value(&self, integer: i64) -> Result<Decimal, Problem> {
        let refuse =
            |detail: Detail| Problem::at(Code::QuantityOutOfRange, "IntervalReading.value", detail);
        if integer < 0 {
            return Err(refuse(detail!("为负数", "negative")));
        }
        let ten = |power: i64| {
            u32::try_from(power)
                .ok()
                .and_then(|p| 10i128.checked_pow(p))
        };
        let value = if self.power > 0 {
            ten(self.power)
                .and_then(|factor| factor.checked_mul(i128::from(integer)))
                .and_then(|value| Decimal::try_from_i128_with_scale(value, 0).ok())
        } else {
            u32::try_from(-self.power).ok().and_then(|scale| {
                Decimal::try_from_i128_with_scale(i128::from(integer), scale).ok()
            })
        };
        let value = value.map(|value| value.normalize());
        if value.is_some_and(|value| value.scale() > DECIMALS_MAX) {
            return Err(refuse(detail!("小数超过 12 位", "finer than 12 decimals")));
        }
        value
            .filter(|value| *value <= Decimal::from(VALUE_MAX))
            .ok_or_else(|| {
                refuse(detail!(
                    "一条读数超过 1,000,000,000",
                    "more than 1,000,000,000 in one reading"
                ))
            })
    }
}

fn unsupported(field: &str, code: i64) -> Problem {
    Problem::at(
        Code::UnitUnsupported,
        field,
        detail!("此处不计量 {code}", "{code} is not counted here"),
    )
}

/// ESPI's QualityOfReading code for a reading of several qualities.
pub(super) const MIXED: u8 = 13;

/// The words for ESPI's QualityOfReading codes.
pub(super) fn quality(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "valid",
        7 => "edited",
        8 | 9 => "estimated",
        10 => "questionable",
        11 => "derived",
        12 => "projected",
        MIXED => "mixed",
        14 => "raw",
        15 => "normalised",
        16 => "other",
        17 => "validated",
        18 => "verified",
        19 => "revenue",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uom: i64, power: i64) -> ReadingType {
        ReadingType {
            uom: Some(uom),
            power_of_ten: Some(power),
            ..ReadingType::default()
        }
    }

    fn value(
        kind: ReadingType,
        service: Option<i64>,
        integer: i64,
    ) -> (String, &'static str, &'static str) {
        let measure = kind.measure(service).expect("a measure");
        (
            measure.value(integer).expect("a value").to_string(),
            measure.unit,
            measure.name,
        )
    }

    #[test]
    fn the_power_of_ten_scales_exactly() {
        assert_eq!(
            value(of(72, 0), Some(0), 450),
            ("0.45".into(), "kWh", "electricity")
        );
        assert_eq!(
            value(of(72, 3), None, 2),
            ("2".into(), "kWh", "electricity")
        );
        assert_eq!(
            value(of(72, 6), Some(0), 2),
            ("2000".into(), "kWh", "electricity")
        );
        assert_eq!(
            value(of(72, -3), Some(0), 1),
            ("0.000001".into(), "kWh", "electricity")
        );
        assert_eq!(
            value(of(169, -3), None, 12_000),
            ("12".into(), "therm", "gas")
        );
        assert_eq!(value(of(119, 2), Some(1), 7), ("700".into(), "ft3", "gas"));
        assert_eq!(
            value(of(42, -2), Some(2), 1_234),
            ("12.34".into(), "m3", "water")
        );
        assert_eq!(
            value(of(128, 0), Some(2), 9),
            ("9".into(), "gal_us", "water")
        );
        let export = ReadingType {
            flow_direction: Some(19),
            ..of(72, 0)
        };
        assert_eq!(value(export, Some(0), 1_000).2, "electricity_export");
    }

    #[test]
    fn a_value_finer_than_our_own_form_is_refused() {
        let measure = of(72, -12).measure(Some(0)).expect("a measure");
        assert_eq!(
            measure.value(1).expect_err("fine").code,
            Code::QuantityOutOfRange
        );
        assert_eq!(
            measure.value(5_000).expect("12 decimals").to_string(),
            "0.000000000005"
        );
    }

    #[test]
    fn what_cannot_be_added_up_is_refused() {
        let code = |kind: ReadingType, service| kind.measure(service).expect_err("refused").code;
        assert_eq!(code(ReadingType::default(), Some(0)), Code::UnitMissing);
        assert_eq!(code(of(42, 0), None), Code::UnitMissing);
        assert_eq!(code(of(38, 0), Some(0)), Code::UnitUnsupported);
        assert_eq!(code(of(72, 13), Some(0)), Code::UnitUnsupported);
        assert_eq!(code(of(72, 0), Some(5)), Code::UnitUnsupported);
        assert_eq!(
            code(
                ReadingType {
                    accumulation: Some(1),
                    ..of(72, 0)
                },
                Some(0)
            ),
            Code::UnitUnsupported
        );
        assert_eq!(
            code(
                ReadingType {
                    qualifier: Some(8),
                    ..of(72, 0)
                },
                Some(0)
            ),
            Code::UnitUnsupported
        );
        assert_eq!(
            code(
                ReadingType {
                    flow_direction: Some(4),
                    ..of(72, 0)
                },
                Some(0)
            ),
            Code::UnitUnsupported
        );
        let measure = of(72, 12).measure(None).expect("a measure");
        for integer in [-1, 2, i64::MAX] {
            assert_eq!(
                measure.value(integer).expect_err("range").code,
                Code::QuantityOutOfRange
            );
        }
    }
}
