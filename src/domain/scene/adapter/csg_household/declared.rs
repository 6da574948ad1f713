//! What a scene declares about its households' data.

use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::super::Options;
use super::super::settings::param;
use super::document::Kind;
use crate::domain::problem::{Code, Problem, detail};

#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) zone: Tz,
    /// 日电量 or 账单; by the file's first document where the scene does not say.
    pub(super) kind: Option<Kind>,
    /// 抄表日: the last day that a month's bill covers, 1 to 31; a month with fewer days ends it.
    pub(super) billing_day: Option<u32>,
}

impl Declared {
    /// Reads `kind` and `billing_day`; takes no other key.
    ///
    /// # Errors
    /// `unknown_field`, `invalid_field` at the key.
    pub(super) fn read(options: &Options) -> Result<Declared, Problem> {
        let settings = &options.settings;
        settings.only(&["kind", "billing_day"])?;
        let words = [("daily", Kind::Daily), ("bills", Kind::Bills)];
        Ok(Declared {
            zone: options.zone.unwrap_or(chrono_tz::Asia::Shanghai),
            kind: settings.choice("kind", &words)?,
            billing_day: settings.decimal("billing_day")?.map(day).transpose()?,
        })
    }
}

fn day(value: Decimal) -> Result<u32, Problem> {
    let whole = value.normalize();
    let day = (whole.scale() == 0).then(|| u32::try_from(whole).ok());
    day.flatten()
        .filter(|day| (1..=31).contains(day))
        .ok_or_else(|| {
            let detail = detail!(
                "须为账单所含的最后一天，1 至 31",
                "the last day that a bill covers, 1 to 31"
            );
            Problem::at(Code::InvalidField, param("billing_day"), detail)
        })
}
