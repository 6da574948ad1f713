//! The unit symbols that documents and feeds may use. One table; every scale is exact.

use super::dimension::{Base, Dimension};
use super::ratio::Ratio;

/// One row: the symbol that is printed, other spellings that are read, what it measures and how
/// much of the base unit it is.
#[derive(Debug)]
pub(super) struct Row {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    base: Base,
    numerator: i128,
    denominator: i128,
    /// Power units are energy over time.
    per_time: bool,
}

const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    base: Base,
    numerator: i128,
    denominator: i128,
) -> Row {
    Row {
        name,
        aliases,
        base,
        numerator,
        denominator,
        per_time: false,
    }
}

const fn power(name: &'static str, watts: i128) -> Row {
    Row {
        name,
        aliases: &[],
        base: Base::Energy,
        numerator: watts,
        denominator: 1,
        per_time: true,
    }
}

/// An index into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Symbol(u8);

impl Symbol {
    pub fn find(text: &str) -> Option<Symbol> {
        let place = ROWS
            .iter()
            .position(|row| row.name == text || row.aliases.contains(&text))?;
        u8::try_from(place).ok().map(Symbol)
    }

    pub fn all() -> impl Iterator<Item = Symbol> {
        (0..u8::MAX).map(Symbol).take(ROWS.len())
    }

    pub fn row(self) -> &'static Row {
        &ROWS[usize::from(self.0)]
    }

    pub fn dimension(self) -> Dimension {
        let row = self.row();
        let mut dimension = Dimension::of(row.base);
        if row.per_time {
            let per_time = Dimension::of(Base::Time).power(-1);
            dimension = per_time
                .and_then(|time| dimension.times(time))
                .unwrap_or(dimension);
        }
        dimension
    }

    pub fn scale(self) -> Ratio {
        let row = self.row();
        Ratio::new(row.numerator, row.denominator).unwrap_or(Ratio::ONE)
    }
}

/// Base units: g, J, gce, L, Nm³, m, m², person, household, vehicle, item, trip, step, s, month,
/// fen. 亩 is taken as the 666.67 m² that carbon-inclusion texts print, not as 1/15 ha (2000/3
/// m², 5 parts in a million less); 斤 is 500 g by law; a kWh is 3.6 MJ; a year is 12 months.
/// A therm is the US one, 105.4804 MJ; a foot is 0.3048 m; a US gallon is 231 cubic inches of
/// 25.4 mm (NIST SP 811, appendix B).
/// A mile is the international one of 1,609.344 m.
static ROWS: &[Row] = &[
    row("mgCO2", &["mgCO₂"], Base::Co2, 1, 1_000),
    row("gCO2", &["gCO₂"], Base::Co2, 1, 1),
    row("kgCO2", &["kgCO₂"], Base::Co2, 1_000, 1),
    row("tCO2", &["tCO₂"], Base::Co2, 1_000_000, 1),
    row("mgCO2e", &["mgCO₂e"], Base::Co2e, 1, 1_000),
    row("gCO2e", &["gCO₂e"], Base::Co2e, 1, 1),
    row("kgCO2e", &["kgCO₂e"], Base::Co2e, 1_000, 1),
    row("tCO2e", &["tCO₂e"], Base::Co2e, 1_000_000, 1),
    row("mgCO2e_footprint", &[], Base::Co2eFootprint, 1, 1_000),
    row("gCO2e_footprint", &[], Base::Co2eFootprint, 1, 1),
    row("kgCO2e_footprint", &[], Base::Co2eFootprint, 1_000, 1),
    row("tCO2e_footprint", &[], Base::Co2eFootprint, 1_000_000, 1),
    row("gC", &[], Base::Carbon, 1, 1),
    row("kgC", &[], Base::Carbon, 1_000, 1),
    row("tC", &[], Base::Carbon, 1_000_000, 1),
    row("mg", &["毫克"], Base::Mass, 1, 1_000),
    row("g", &["克"], Base::Mass, 1, 1),
    row("kg", &["千克", "公斤"], Base::Mass, 1_000, 1),
    row("t", &["吨"], Base::Mass, 1_000_000, 1),
    row("jin", &["斤"], Base::Mass, 500, 1),
    row("J", &[], Base::Energy, 1, 1),
    row("kJ", &[], Base::Energy, 1_000, 1),
    row("MJ", &[], Base::Energy, 1_000_000, 1),
    row("GJ", &[], Base::Energy, 1_000_000_000, 1),
    row("TJ", &[], Base::Energy, 1_000_000_000_000, 1),
    row("Wh", &[], Base::Energy, 3_600, 1),
    row("kWh", &["度", "千瓦时"], Base::Energy, 3_600_000, 1),
    row("MWh", &["兆瓦时"], Base::Energy, 3_600_000_000, 1),
    row("GWh", &[], Base::Energy, 3_600_000_000_000, 1),
    row("therm", &[], Base::Energy, 105_480_400, 1),
    power("W", 1),
    power("kW", 1_000),
    power("MW", 1_000_000),
    row("gce", &[], Base::Coal, 1, 1),
    row("kgce", &[], Base::Coal, 1_000, 1),
    row("tce", &[], Base::Coal, 1_000_000, 1),
    row("mL", &["毫升"], Base::Volume, 1, 1_000),
    row("L", &["升"], Base::Volume, 1, 1),
    row("m3", &["m³", "立方米"], Base::Volume, 1_000, 1),
    row("ft3", &["ft³"], Base::Volume, 28_316_846_592, 1_000_000_000),
    row("gal_us", &[], Base::Volume, 3_785_411_784, 1_000_000_000),
    row("ML", &[], Base::Volume, 1_000_000, 1),
    row("Nm3", &["Nm³", "标准立方米"], Base::NormalVolume, 1, 1),
    row("m", &["米"], Base::Length, 1, 1),
    row("km", &["千米", "公里"], Base::Length, 1_000, 1),
    row("mile", &["英里"], Base::Length, 1_609_344, 1_000),
    row("m2", &["m²", "平方米"], Base::Area, 1, 1),
    row("km2", &["km²"], Base::Area, 1_000_000, 1),
    row("ha", &["公顷"], Base::Area, 10_000, 1),
    row("mu", &["亩"], Base::Area, 66_667, 100),
    row("person", &["人"], Base::Person, 1, 1),
    row("household", &["户"], Base::Household, 1, 1),
    row("vehicle", &["辆"], Base::Vehicle, 1, 1),
    row(
        "item",
        &["count", "piece", "order", "meal", "件", "单", "次"],
        Base::Count,
        1,
        1,
    ),
    row("trip", &["趟"], Base::Trip, 1, 1),
    row("step", &["步"], Base::Step, 1, 1),
    row("s", &["秒"], Base::Time, 1, 1),
    row("min", &["分钟"], Base::Time, 60, 1),
    row("h", &["小时"], Base::Time, 3_600, 1),
    row("day", &["天", "日"], Base::Time, 86_400, 1),
    row("month", &["月"], Base::Month, 1, 1),
    row("year", &["年"], Base::Month, 12, 1),
    row("fen", &["分"], Base::Money, 1, 1),
    row("yuan", &["元"], Base::Money, 100, 1),
    row("gCH4", &["gCH₄"], Base::Ch4, 1, 1),
    row("kgCH4", &["kgCH₄"], Base::Ch4, 1_000, 1),
    row("tCH4", &["tCH₄"], Base::Ch4, 1_000_000, 1),
    row("gN2O", &["gN₂O"], Base::N2o, 1, 1),
    row("kgN2O", &["kgN₂O"], Base::N2o, 1_000, 1),
    row("tN2O", &["tN₂O"], Base::N2o, 1_000_000, 1),
    row("gSF6", &["gSF₆"], Base::Sf6, 1, 1),
    row("kgSF6", &["kgSF₆"], Base::Sf6, 1_000, 1),
    row("tSF6", &["tSF₆"], Base::Sf6, 1_000_000, 1),
    row("gNF3", &["gNF₃"], Base::Nf3, 1, 1),
    row("kgNF3", &["kgNF₃"], Base::Nf3, 1_000, 1),
    row("tNF3", &["tNF₃"], Base::Nf3, 1_000_000, 1),
    row("gHFC23", &[], Base::Hfc23, 1, 1),
    row("kgHFC23", &[], Base::Hfc23, 1_000, 1),
    row("tHFC23", &[], Base::Hfc23, 1_000_000, 1),
    row("gHFC32", &[], Base::Hfc32, 1, 1),
    row("kgHFC32", &[], Base::Hfc32, 1_000, 1),
    row("tHFC32", &[], Base::Hfc32, 1_000_000, 1),
    row("gHFC125", &[], Base::Hfc125, 1, 1),
    row("kgHFC125", &[], Base::Hfc125, 1_000, 1),
    row("tHFC125", &[], Base::Hfc125, 1_000_000, 1),
    row("gHFC134a", &[], Base::Hfc134a, 1, 1),
    row("kgHFC134a", &[], Base::Hfc134a, 1_000, 1),
    row("tHFC134a", &[], Base::Hfc134a, 1_000_000, 1),
    row("gHFC143a", &[], Base::Hfc143a, 1, 1),
    row("kgHFC143a", &[], Base::Hfc143a, 1_000, 1),
    row("tHFC143a", &[], Base::Hfc143a, 1_000_000, 1),
    row("gHFC152a", &[], Base::Hfc152a, 1, 1),
    row("kgHFC152a", &[], Base::Hfc152a, 1_000, 1),
    row("tHFC152a", &[], Base::Hfc152a, 1_000_000, 1),
    row("gHFC227ea", &[], Base::Hfc227ea, 1, 1),
    row("kgHFC227ea", &[], Base::Hfc227ea, 1_000, 1),
    row("tHFC227ea", &[], Base::Hfc227ea, 1_000_000, 1),
    row("gHFC245fa", &[], Base::Hfc245fa, 1, 1),
    row("kgHFC245fa", &[], Base::Hfc245fa, 1_000, 1),
    row("tHFC245fa", &[], Base::Hfc245fa, 1_000_000, 1),
    row("gCF4", &["gCF₄"], Base::Cf4, 1, 1),
    row("kgCF4", &["kgCF₄"], Base::Cf4, 1_000, 1),
    row("tCF4", &["tCF₄"], Base::Cf4, 1_000_000, 1),
    row("gC2F6", &["gC₂F₆"], Base::C2f6, 1, 1),
    row("kgC2F6", &["kgC₂F₆"], Base::C2f6, 1_000, 1),
    row("tC2F6", &["tC₂F₆"], Base::C2f6, 1_000_000, 1),
];
