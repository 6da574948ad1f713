//! How much was charged and how much was fed back, from the session's total and its periods.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::field::{self, At, Raw};
use crate::domain::problem::{Code, Problem, detail};

/// The most power of one outlet, in kW: 1,250 V at 3,000 A, the megawatt charging system's
/// (CharIN MCS). A session with more energy than that in its time has its unit wrong.
const POWER_MAX_KW: i64 = 3_750;

/// One Wh: each volume may have been cut to it.
const STEP: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

/// Both in kWh and not negative.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Energy {
    pub(super) charged: Decimal,
    pub(super) exported: Decimal,
}

#[derive(Deserialize)]
struct Period<'a> {
    #[serde(borrow, default)]
    dimensions: Raw<'a>,
}

#[derive(Deserialize)]
struct Dimension<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Raw<'a>,
    #[serde(borrow, default)]
    volume: Raw<'a>,
}

/// Sums over the periods of a session, in kWh.
#[derive(Debug, Default)]
struct Sums {
    /// ENERGY as it stands, negative where more was fed back than charged.
    net: Decimal,
    charged: Decimal,
    exported: Decimal,
    /// How many volumes were added up.
    volumes: u32,
}

/// `total_energy` is what counts; the periods must agree with it, to one Wh a volume, as what was
/// charged or as that less what was fed back. Without an energy dimension nothing is compared.
/// What was charged is never more than either states.
///
/// # Errors
/// `missing_field`, `invalid_field`, `quantity_out_of_range`, each with its pointer.
pub(super) fn of(total: Raw<'_>, periods: Raw<'_>, seconds: i64) -> Result<Energy, Problem> {
    let at = At::ROOT.key("total_energy");
    let total = field::number(field::required(total, at)?, at)?;
    let sums = Sums::of(periods)?;
    let energy = if sums.volumes == 0 {
        Energy {
            charged: total.max(Decimal::ZERO),
            exported: (-total).max(Decimal::ZERO),
        }
    } else {
        sums.agreeing(total, at)?
    };
    let most = Decimal::from(POWER_MAX_KW) * Decimal::from(seconds) / Decimal::from(3_600);
    if energy.charged.max(energy.exported) > most {
        let detail = detail!(
            "充电过程平均超过 {POWER_MAX_KW} kW：应以 kWh 计",
            "more than {POWER_MAX_KW} kW over the session: kWh are expected"
        );
        return Err(at.problem(Code::QuantityOutOfRange, detail));
    }
    Ok(energy)
}

impl Sums {
    fn of(periods: Raw<'_>) -> Result<Sums, Problem> {
        let at = At::ROOT.key("charging_periods");
        let periods: Vec<Period<'_>> = field::array(field::required(periods, at)?, at)?;
        if periods.is_empty() {
            return Err(at.invalid(detail!(
                "至少应有一个时段",
                "at least one period is expected"
            )));
        }
        let mut sums = Sums::default();
        for (index, period) in periods.iter().enumerate() {
            sums.add(period, at.index(index))?;
        }
        Ok(sums)
    }

    fn add(&mut self, period: &Period<'_>, at: At<'_>) -> Result<(), Problem> {
        let at = at.key("dimensions");
        let dimensions: Vec<Dimension<'_>> =
            field::array(field::required(period.dimensions, at)?, at)?;
        let (mut net, mut import, mut export) = (None, None, None);
        for (index, dimension) in dimensions.iter().enumerate() {
            let at = at.index(index);
            let kind = field::text(field::required(dimension.kind, at.key("type"))?, at)?;
            let slot = match kind.as_ref() {
                "ENERGY" => &mut net,
                "ENERGY_IMPORT" => &mut import,
                "ENERGY_EXPORT" => &mut export,
                _ => continue,
            };
            let at = at.key("volume");
            let volume = field::required(dimension.volume, at)?;
            let volume = match kind.as_ref() {
                "ENERGY" => field::number(volume, at)?,
                _ => field::amount(volume, at)?,
            };
            if slot.replace(volume).is_some() {
                return Err(at.invalid(detail!(
                    "{kind} 在同一时段中重复出现",
                    "{kind} stands twice in one period"
                )));
            }
            self.volumes += 1;
        }
        let stated = net.unwrap_or_default();
        let charged = import.unwrap_or(stated.max(Decimal::ZERO));
        let exported = export.unwrap_or((-stated).max(Decimal::ZERO));
        self.charged += charged;
        self.exported += exported;
        self.net += net.unwrap_or(charged - exported);
        Ok(())
    }

    fn agreeing(&self, total: Decimal, at: At<'_>) -> Result<Energy, Problem> {
        let slack = STEP * Decimal::from(self.volumes);
        let near = |sum: Decimal| (total - sum).abs() <= slack;
        let charged = if near(self.charged) {
            // Rounding aside, the total is what was charged; it is the session's own word.
            total.max(Decimal::ZERO)
        } else if near(self.net) || near(self.charged - self.exported) {
            self.charged
        } else {
            return Err(at.invalid(detail!(
                "写为 {total} kWh，而各充电时段之和为 {} kWh",
                "{total} kWh, and the charging periods add up to {} kWh",
                self.net.normalize()
            )));
        };
        Ok(Energy {
            charged: charged.normalize(),
            exported: self.exported.normalize(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn energy(total: &str, periods: &[&[(&str, &str)]]) -> Result<(String, String), Problem> {
        let periods: Vec<String> = periods
            .iter()
            .map(|dimensions| {
                let dimensions: Vec<String> = dimensions
                    .iter()
                    .map(|(kind, volume)| format!(r#"{{"type":"{kind}","volume":{volume}}}"#))
                    .collect();
                format!(r#"{{"dimensions":[{}]}}"#, dimensions.join(","))
            })
            .collect();
        let raw = |text: String| RawValue::from_string(text).expect("JSON");
        let (total, periods) = (
            raw(total.to_owned()),
            raw(format!("[{}]", periods.join(","))),
        );
        of(Some(&total), Some(&periods), 3_600)
            .map(|energy| (energy.charged.to_string(), energy.exported.to_string()))
    }

    fn sums(charged: &str, exported: &str) -> Result<(String, String), Problem> {
        Ok((charged.to_owned(), exported.to_owned()))
    }

    #[test]
    fn the_total_stands_where_the_periods_agree_or_say_nothing() {
        assert_eq!(
            energy("15.342", &[&[("TIME", "1.973")]]),
            sums("15.342", "0")
        );
        assert_eq!(
            energy("15.342", &[&[("ENERGY", "10.3415")], &[("ENERGY", "5.0")]]),
            sums("15.342", "0")
        );
        let off = energy("15.345", &[&[("ENERGY", "10.342")], &[("ENERGY", "5.0")]]);
        let off = off.expect_err("3 Wh off over two volumes");
        assert_eq!(off.param.as_deref(), Some("/total_energy"));
        assert_eq!(off.code, Code::InvalidField);
        assert!(off.detail.en().contains("15.342"), "{}", off.detail);
        assert_eq!(
            off.detail.zh(),
            "写为 15.345 kWh，而各充电时段之和为 15.342 kWh"
        );
    }

    #[test]
    fn what_is_fed_back_is_apart_and_never_netted() {
        // A period below zero; the total may be what was charged, or that less what came back.
        for total in ["20", "15"] {
            let both = energy(total, &[&[("ENERGY", "20")], &[("ENERGY", "-5")]]);
            assert_eq!(both, sums("20", "5"), "{total}");
        }
        let stated: &[_] = &[
            ("ENERGY", "15"),
            ("ENERGY_IMPORT", "20"),
            ("ENERGY_EXPORT", "5"),
        ];
        assert_eq!(energy("15", &[stated]), sums("20", "5"));
        assert_eq!(energy("20", &[stated]), sums("20", "5"));
        // An export beside ENERGY alone: whether ENERGY is net is not said, so it is not raised.
        let beside: &[_] = &[("ENERGY", "20"), ("ENERGY_EXPORT", "5")];
        assert_eq!(energy("20", &[beside]), sums("20", "5"));
        assert_eq!(energy("-3", &[&[("TIME", "1")]]), sums("0", "3"));
        assert_eq!(energy("-3", &[&[("ENERGY", "-3")]]), sums("0", "3"));
    }

    #[test]
    fn what_cannot_be_is_refused_by_pointer() {
        let refused = |total: &str, periods: &[&[(&str, &str)]]| {
            let problem = energy(total, periods).expect_err("refused");
            (problem.code, problem.param.unwrap_or_default())
        };
        let at = |index: usize| format!("/charging_periods/0/dimensions/{index}/volume");
        assert_eq!(
            refused("1", &[&[("ENERGY", "1"), ("ENERGY_EXPORT", "-1")]]),
            (Code::QuantityOutOfRange, at(1))
        );
        assert_eq!(
            refused("1", &[&[("ENERGY", "1"), ("ENERGY", "1")]]),
            (Code::InvalidField, at(1))
        );
        assert_eq!(
            refused("15342", &[&[("TIME", "1")]]),
            (Code::QuantityOutOfRange, "/total_energy".to_owned())
        );
        assert_eq!(
            refused("1", &[]),
            (Code::InvalidField, "/charging_periods".to_owned())
        );
    }
}
