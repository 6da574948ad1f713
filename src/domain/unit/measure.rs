//! Units of measure: parsing, algebra, and exact conversion.

use std::fmt;

use rust_decimal::Decimal;

use super::dimension::Dimension;
use super::ratio::Ratio;
use super::symbol::Symbol;

/// A unit of measure (计量单位): `km`, `gCO2/person-km`, `kgCO2/person/day`.
///
/// Text form: symbols joined by `-` or `·` are multiplied; each `/` divides by the group after
/// it; `^n` raises one symbol. `1` is the unit of a pure number, `%` a hundredth of it.
#[derive(Debug, Clone)]
pub struct Unit {
    factors: Vec<(Symbol, i8)>,
    /// What the symbols do not say: only `%` has one.
    extra: Ratio,
    dimension: Dimension,
    scale: Ratio,
}

/// Two units are equal when they measure the same thing on the same scale, however written.
impl PartialEq for Unit {
    fn eq(&self, other: &Unit) -> bool {
        self.dimension == other.dimension && self.scale == other.scale
    }
}

impl Eq for Unit {}

/// Why a unit or a conversion was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("`{0}` is not a unit known here")]
    Unknown(String),
    #[error("`{0}` is too large a unit")]
    TooLarge(String),
    #[error("`{from}` cannot become `{to}`: {from_dimension} is not {to_dimension}")]
    Unlike {
        from: String,
        to: String,
        from_dimension: String,
        to_dimension: String,
    },
    #[error("`{0}` is not a decimal number followed by a unit")]
    NotAQuantity(String),
}

impl Unit {
    /// The unit of a pure number.
    pub fn one() -> Unit {
        Unit {
            factors: Vec::new(),
            extra: Ratio::ONE,
            dimension: Dimension::NONE,
            scale: Ratio::ONE,
        }
    }

    /// # Errors
    /// [`UnitError::Unknown`] names the symbol that is not in the table.
    pub fn parse(text: &str) -> Result<Unit, UnitError> {
        let text = text.trim();
        let mut unit = Unit::one();
        for (place, group) in text.split('/').enumerate() {
            for part in group.split(['-', '·']) {
                let part = parse_part(part, text)?;
                let part = if place == 0 {
                    Some(part)
                } else {
                    part.power(-1)
                };
                unit = part
                    .and_then(|part| unit.times(&part))
                    .ok_or_else(|| UnitError::TooLarge(text.to_owned()))?;
            }
        }
        Ok(unit)
    }

    pub fn dimension(&self) -> Dimension {
        self.dimension
    }

    pub fn is_number(&self) -> bool {
        self.dimension.is_none()
    }

    /// `None` if an exponent or the scale leaves its type.
    pub fn times(&self, other: &Unit) -> Option<Unit> {
        let mut factors = self.factors.clone();
        for &(symbol, exponent) in &other.factors {
            match factors.iter_mut().find(|(known, _)| *known == symbol) {
                Some((_, sum)) => *sum = sum.checked_add(exponent)?,
                None => factors.push((symbol, exponent)),
            }
        }
        factors.retain(|&(_, exponent)| exponent != 0);
        Some(Unit {
            factors,
            extra: self.extra.times(other.extra)?,
            dimension: self.dimension.times(other.dimension)?,
            scale: self.scale.times(other.scale)?,
        })
    }

    /// `None` if an exponent or the scale leaves its type.
    pub fn per(&self, other: &Unit) -> Option<Unit> {
        self.times(&other.power(-1)?)
    }

    /// `None` if an exponent or the scale leaves its type.
    pub fn power(&self, by: i8) -> Option<Unit> {
        let mut factors = self.factors.clone();
        for (_, exponent) in &mut factors {
            *exponent = exponent.checked_mul(by)?;
        }
        factors.retain(|&(_, exponent)| exponent != 0);
        Some(Unit {
            factors,
            extra: self.extra.power(by)?,
            dimension: self.dimension.power(by)?,
            scale: self.scale.power(by)?,
        })
    }

    /// # Errors
    /// [`UnitError::Unlike`] if the two measure different things.
    pub fn conversion_to(&self, to: &Unit) -> Result<Conversion, UnitError> {
        if self.dimension != to.dimension {
            return Err(UnitError::Unlike {
                from: self.to_string(),
                to: to.to_string(),
                from_dimension: self.dimension.to_string(),
                to_dimension: to.dimension.to_string(),
            });
        }
        self.scale
            .times(to.scale.inverse())
            .and_then(Conversion::of)
            .ok_or_else(|| UnitError::TooLarge(self.to_string()))
    }

    /// Every spelling of a single symbol that measures the same thing, with the unit it names.
    pub(crate) fn like_spellings(&self) -> impl Iterator<Item = (&'static str, Unit)> {
        let dimension = self.dimension;
        Symbol::all()
            .filter(move |symbol| symbol.dimension() == dimension)
            .flat_map(|symbol| {
                let row = symbol.row();
                std::iter::once(row.name)
                    .chain(row.aliases.iter().copied())
                    .map(move |spelling| (spelling, of_symbol(symbol)))
            })
    }

    /// The symbol without its kind, for a mass of CO₂: `g` for `gCO2`.
    pub fn mass_prefix(&self) -> Option<String> {
        let text = self.to_string();
        let (prefix, _) = text.split_once("CO2")?;
        (!prefix.is_empty() && prefix.len() <= 2).then(|| prefix.to_owned())
    }
}

fn of_symbol(symbol: Symbol) -> Unit {
    Unit {
        factors: vec![(symbol, 1)],
        extra: Ratio::ONE,
        dimension: symbol.dimension(),
        scale: symbol.scale(),
    }
}

fn parse_part(part: &str, whole: &str) -> Result<Unit, UnitError> {
    let part = part.trim();
    if part == "1" {
        return Ok(Unit::one());
    }
    if part == "%" {
        let hundredth = Ratio::new(1, 100).unwrap_or(Ratio::ONE);
        return Ok(Unit {
            extra: hundredth,
            scale: hundredth,
            ..Unit::one()
        });
    }
    let (name, exponent) = match part.split_once('^') {
        Some((name, exponent)) => (name, exponent.parse::<i8>().ok()),
        None => (part, Some(1)),
    };
    let unknown = || {
        UnitError::Unknown(if part == whole {
            part.to_owned()
        } else {
            format!("{part}` in `{whole}")
        })
    };
    let exponent = exponent
        .filter(|exponent| (-9..=9).contains(exponent) && *exponent != 0)
        .ok_or_else(unknown)?;
    let symbol = Symbol::find(name).ok_or_else(unknown)?;
    of_symbol(symbol)
        .power(exponent)
        .ok_or_else(|| UnitError::TooLarge(whole.to_owned()))
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let above = group(&self.factors, 1);
        let below = group(&self.factors, -1);
        let percent = self.extra != Ratio::ONE;
        match (above.is_empty(), percent) {
            (true, true) => f.write_str("%")?,
            (true, false) => f.write_str("1")?,
            (false, true) => write!(f, "%-{above}")?,
            (false, false) => f.write_str(&above)?,
        }
        if !below.is_empty() {
            write!(f, "/{below}")?;
        }
        Ok(())
    }
}

fn group(factors: &[(Symbol, i8)], sign: i8) -> String {
    let parts: Vec<String> = factors
        .iter()
        .filter(|(_, exponent)| exponent.signum() == sign)
        .map(|(symbol, exponent)| match exponent.unsigned_abs() {
            1 => symbol.row().name.to_owned(),
            more => format!("{}^{more}", symbol.row().name),
        })
        .collect();
    parts.join("-")
}

/// How a number in one unit becomes a number in another: times a factor, then over a divisor
/// where the factor is no finite decimal.
///
/// Exact whenever the ratio of the two scales is a finite decimal (every step among mg, g, kg,
/// t; m, km; kWh to GJ; 斤 to kg) and the digits fit in 28; otherwise (GJ to kWh, s to h) the
/// quotient is rounded half to even at the 28th digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    times: Decimal,
    over: Option<Decimal>,
}

impl Conversion {
    pub const IDENTITY: Conversion = Conversion {
        times: Decimal::ONE,
        over: None,
    };

    fn of(ratio: Ratio) -> Option<Conversion> {
        let above = Decimal::try_from_i128_with_scale(ratio.numerator(), 0).ok()?;
        let below = Decimal::try_from_i128_with_scale(ratio.denominator(), 0).ok()?;
        if ratio.is_finite_decimal() {
            let times = above.checked_div(below)?;
            if times.checked_mul(below) == Some(above) {
                return Some(Conversion { times, over: None });
            }
        }
        Some(Conversion {
            times: above,
            over: Some(below),
        })
    }

    pub fn is_identity(&self) -> bool {
        *self == Conversion::IDENTITY
    }

    /// Whether no rounding can occur but at the 28th digit of the value itself.
    pub fn is_exact(&self) -> bool {
        self.over.is_none()
    }

    /// `None` if the number leaves `Decimal`.
    #[inline]
    pub fn apply(&self, value: Decimal) -> Option<Decimal> {
        if self.is_identity() {
            return Some(value);
        }
        let value = value.checked_mul(self.times)?;
        match self.over {
            None => Some(value),
            Some(over) => value.checked_div(over),
        }
    }
}

/// Reads `12.5 km` or `12.5km`; a bare `12.5` is a pure number.
///
/// # Errors
/// No decimal number at the front, more than 28 digits, or an unknown unit after it.
pub fn parse_quantity(text: &str) -> Result<(Decimal, Unit), UnitError> {
    let text = text.trim();
    let number_ends = text
        .char_indices()
        .find(|&(place, c)| !(c.is_ascii_digit() || c == '.' || (place == 0 && c == '-')))
        .map_or(text.len(), |(place, _)| place);
    let (number, unit) = text.split_at(number_ends);
    let value =
        Decimal::from_str_exact(number).map_err(|_| UnitError::NotAQuantity(text.to_owned()))?;
    let unit = unit.trim();
    if unit.is_empty() {
        return Ok((value, Unit::one()));
    }
    Ok((value, Unit::parse(unit)?))
}

/// The number as people read it: no needless zeros, and at least one decimal place (`585.0`).
pub fn display_decimal(value: Decimal) -> String {
    let value = value.normalize();
    if value.scale() == 0 {
        format!("{value}.0")
    } else {
        value.to_string()
    }
}
