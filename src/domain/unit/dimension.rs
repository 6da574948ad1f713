//! What a quantity is a quantity of. Kinds that physics would merge are kept apart where merging
//! them has produced wrong reductions: see [`Base`].

use std::fmt;

/// A base dimension (量纲).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// CO₂ alone, as average grid factors and fuel combustion factors count it.
    Co2,
    /// CO₂ equivalent of several gases, released directly.
    Co2e,
    /// CO₂ equivalent over a life cycle, as footprint factors count it.
    Co2eFootprint,
    /// Elementary carbon: becomes CO₂ only through 44/12, written out in the formula.
    Carbon,
    /// Mass of anything else.
    Mass,
    /// Energy, electric or thermal.
    Energy,
    /// Standard coal: whether a kWh is worth 0.1229 kgce or what a power station burns for it is
    /// a choice, so it is a parameter and never a conversion.
    Coal,
    /// Volume as it stands.
    Volume,
    /// Gas volume at standard conditions; to or from a plain m³ needs pressure and temperature.
    NormalVolume,
    Length,
    Area,
    Person,
    Household,
    Vehicle,
    /// Pieces, orders, meals: things counted.
    Count,
    Trip,
    Step,
    Time,
    /// Calendar months, whose length in days differs.
    Month,
    Money,
    /// Masses of the other greenhouse gases, each by itself: they add up only as CO₂ equivalent,
    /// and only a pinned table of warming potentials makes them that.
    Ch4,
    N2o,
    Sf6,
    Nf3,
    Hfc23,
    Hfc32,
    Hfc125,
    Hfc134a,
    Hfc143a,
    Hfc152a,
    Hfc227ea,
    Hfc245fa,
    Cf4,
    C2f6,
}

const BASES: [Base; 34] = [
    Base::Co2,
    Base::Co2e,
    Base::Co2eFootprint,
    Base::Carbon,
    Base::Mass,
    Base::Energy,
    Base::Coal,
    Base::Volume,
    Base::NormalVolume,
    Base::Length,
    Base::Area,
    Base::Person,
    Base::Household,
    Base::Vehicle,
    Base::Count,
    Base::Trip,
    Base::Step,
    Base::Time,
    Base::Month,
    Base::Money,
    Base::Ch4,
    Base::N2o,
    Base::Sf6,
    Base::Nf3,
    Base::Hfc23,
    Base::Hfc32,
    Base::Hfc125,
    Base::Hfc134a,
    Base::Hfc143a,
    Base::Hfc152a,
    Base::Hfc227ea,
    Base::Hfc245fa,
    Base::Cf4,
    Base::C2f6,
];

/// What a table of warming potentials (GWP) turns into CO₂ equivalent; CO₂ is the first.
const GASES: [Base; 15] = [
    Base::Co2,
    Base::Ch4,
    Base::N2o,
    Base::Sf6,
    Base::Nf3,
    Base::Hfc23,
    Base::Hfc32,
    Base::Hfc125,
    Base::Hfc134a,
    Base::Hfc143a,
    Base::Hfc152a,
    Base::Hfc227ea,
    Base::Hfc245fa,
    Base::Cf4,
    Base::C2f6,
];

/// Exponents of the base dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dimension([i8; BASES.len()]);

impl Default for Dimension {
    fn default() -> Dimension {
        Dimension::NONE
    }
}

impl Dimension {
    pub const NONE: Dimension = Dimension([0; BASES.len()]);

    pub fn of(base: Base) -> Dimension {
        let mut exponents = [0; BASES.len()];
        exponents[base as usize] = 1;
        Dimension(exponents)
    }

    pub fn is_none(self) -> bool {
        self == Dimension::NONE
    }

    /// Whether the mass of some greenhouse gas other than CO₂ is part of it.
    pub fn has_gas(self) -> bool {
        GASES.iter().skip(1).any(|gas| self.exponent(*gas) != 0)
    }

    /// Whether it is CO₂ equivalent for a gas: a warming potential, or its inverse.
    pub fn is_warming(self) -> bool {
        GASES.iter().any(|gas| self.warms(*gas))
    }

    fn warms(self, gas: Base) -> bool {
        let gas = self.exponent(gas).signum();
        let equivalent = [Base::Co2e, Base::Co2eFootprint];
        gas != 0
            && equivalent
                .iter()
                .any(|base| self.exponent(*base).signum() == -gas)
    }

    /// Whether a product or quotient of `self` and `other`, which is `result`, makes a warming
    /// potential of what was none, or loses a gas other than by a potential of that very gas.
    pub fn converts_gas(self, other: Dimension, result: Dimension) -> bool {
        GASES.iter().enumerate().any(|(place, gas)| {
            let by_potential = self.warms(*gas) || other.warms(*gas);
            let there = self.exponent(*gas) != 0 || other.exponent(*gas) != 0;
            let lost = place > 0 && there && result.exponent(*gas) == 0;
            !by_potential && (lost || result.warms(*gas))
        })
    }

    /// Whether the masses of other greenhouse gases than CO₂ are in it alike.
    pub fn same_gases(self, other: Dimension) -> bool {
        let mut gases = GASES.iter().skip(1);
        gases.all(|gas| self.exponent(*gas) == other.exponent(*gas))
    }

    fn exponent(self, base: Base) -> i8 {
        self.0[base as usize]
    }

    /// `None` if an exponent leaves `i8`.
    pub fn times(self, other: Dimension) -> Option<Dimension> {
        let mut product = self.0;
        for (exponent, more) in product.iter_mut().zip(other.0) {
            *exponent = exponent.checked_add(more)?;
        }
        Some(Dimension(product))
    }

    /// `None` if an exponent leaves `i8`.
    pub fn power(self, by: i8) -> Option<Dimension> {
        let mut result = self.0;
        for exponent in &mut result {
            *exponent = exponent.checked_mul(by)?;
        }
        Some(Dimension(result))
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (base, exponent) in BASES.iter().zip(self.0) {
            if exponent != 0 {
                write!(f, "{separator}{base:?}")?;
                separator = "·";
            }
            if exponent != 0 && exponent != 1 {
                write!(f, "^{exponent}")?;
            }
        }
        if separator.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    }
}
