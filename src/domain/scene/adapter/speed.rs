//! Speeds that no traveller of a mode keeps up, for feeds whose distances are easily made up.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::settings::{Settings, param};
use crate::domain::problem::{Code, Problem, detail};

/// On foot: the 20 km race-walking record, 1:16:10 of 16 February 2025, is 15.8 km/h
/// (worldathletics.org, "Yamanishi breaks world 20km race walk record in Kobe").
const WALK_KM_H: u32 = 16;
/// Running: the 800 m record, 1:40.91 of 9 August 2012, is 28.5 km/h (worldathletics.org, "Rudisha
/// runs 1:40.91 world 800m record in London"); 29 is the next whole number.
const RUN_KM_H: u32 = 29;
/// On two wheels: the UCI hour record, 56.792 km of 8 October 2022 (olympics.com, "Filippo Ganna
/// smashes cycling one-hour record"). An e-bike may not help above 25 km/h (GB 17761-2018), so it
/// is no faster.
const CYCLE_KM_H: u32 = 57;
/// Anything else: the most that a motorway of the country may allow (道路交通安全法实施条例, article
/// 78: 高速公路最高车速不得超过每小时120公里).
const ROAD_KM_H: u32 = 120;

/// The modes with a limit of their own.
const MODES: &[(&str, u32)] = &[
    ("walk", WALK_KM_H),
    ("run", RUN_KM_H),
    ("bike", CYCLE_KM_H),
    ("ebike", CYCLE_KM_H),
    ("shared_bike", CYCLE_KM_H),
    ("shared_ebike", CYCLE_KM_H),
    ("shared_scooter", CYCLE_KM_H),
];

/// A speed that is not exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpeedLimit {
    metres_per_hour: u32,
}

impl SpeedLimit {
    /// Of a road vehicle in the country.
    pub(super) const ROAD: SpeedLimit = SpeedLimit::km_h(ROAD_KM_H);

    /// The limit of a mode; that of the road for one that is not known here.
    pub(super) fn of_mode(mode: &str) -> SpeedLimit {
        let known = MODES.iter().find(|(name, _)| *name == mode);
        known.map_or(SpeedLimit::ROAD, |(_, limit)| SpeedLimit::km_h(*limit))
    }

    const fn km_h(km: u32) -> SpeedLimit {
        SpeedLimit {
            metres_per_hour: km * 1_000,
        }
    }

    /// The setting `max_speed_kmh`: more than 0 and up to 500, to a thousandth.
    ///
    /// # Errors
    /// `invalid_field` at the setting.
    pub(super) fn declared(settings: &Settings) -> Result<Option<SpeedLimit>, Problem> {
        let Some(km_h) = settings.decimal(KEY)? else {
            return Ok(None);
        };
        km_h.checked_mul(Decimal::ONE_THOUSAND)
            .filter(|metres| metres.is_integer())
            .and_then(|metres| metres.to_u32())
            .filter(|metres| (1..=500_000).contains(metres))
            .map(|metres_per_hour| Some(SpeedLimit { metres_per_hour }))
            .ok_or_else(|| {
                let detail = detail!(
                    "应大于 0、不超过 500 km/h，至多三位小数",
                    "more than 0 and up to 500 km/h, to a thousandth"
                );
                Problem::at(Code::InvalidField, param(KEY), detail)
            })
    }

    /// Whether so many millimetres in so many milliseconds are faster; anything is, in no time.
    pub(super) fn exceeded(self, millimetres: i64, milliseconds: i64) -> bool {
        // mm/ms = m/s; times 3,600 it is m/h.
        i128::from(millimetres) * 3_600
            > i128::from(self.metres_per_hour) * i128::from(milliseconds.max(0))
    }

    /// So many times as fast.
    pub(super) fn times(self, factor: u32) -> SpeedLimit {
        SpeedLimit {
            metres_per_hour: self.metres_per_hour.saturating_mul(factor),
        }
    }

    /// As text: `57 km/h`.
    pub(super) fn text(self) -> String {
        format!(
            "{} km/h",
            Decimal::new(i64::from(self.metres_per_hour), 3).normalize()
        )
    }
}

/// The setting's key.
pub(super) const KEY: &str = "max_speed_kmh";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_exact_to_the_millimetre() {
        let limit = SpeedLimit::of_mode("walk");
        // 16 km/h for nine seconds is 40 m.
        assert!(!limit.exceeded(40_000, 9_000));
        assert!(limit.exceeded(40_001, 9_000));
        assert!(limit.exceeded(1, 0) && !limit.exceeded(0, 0));
        assert!(!limit.times(2).exceeded(80_000, 9_000));
        assert_eq!(SpeedLimit::of_mode("tram").text(), "120 km/h");
    }

    #[test]
    fn a_declared_limit_is_read_or_refused() {
        let of = |text: &str| {
            let settings = Settings::parse(&format!("max_speed_kmh = {text}")).expect("TOML");
            SpeedLimit::declared(&settings).map(|limit| limit.map(SpeedLimit::text))
        };
        assert_eq!(of("\"25.5\""), Ok(Some("25.5 km/h".to_owned())));
        assert_eq!(of("40"), Ok(Some("40 km/h".to_owned())));
        for wrong in [
            "0",
            "-1",
            "501",
            "\"0.0001\"",
            "\"fast\"",
            "2.5",
            "\"79228162514264337593543950335\"",
        ] {
            let problem = of(wrong).expect_err(wrong);
            assert_eq!(problem.param.as_deref(), Some("settings.max_speed_kmh"));
        }
        assert_eq!(SpeedLimit::declared(&Settings::default()), Ok(None));
    }
}
