//! One transport, and what ISO 14083 and iLEAP ask of it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json_text::{Object, Text};
use super::super::local_time::rfc3339;
use super::energy::{EnergyCarrier, Feedstock, attributes};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Bytes of an id, and of an attribute's value.
const ID_MAX: usize = 128;
const VALUE_MAX: usize = 256;
/// Digits before and after the decimal point, as in our own format.
const WHOLE_DIGITS_MAX: usize = 18;
const DECIMALS_MAX: usize = 12;

/// iLEAP's word, and ours.
const MODES: [(&str, &str); 5] = [
    ("Road", "road"),
    ("Rail", "rail"),
    ("Air", "air"),
    ("Sea", "sea"),
    ("InlandWaterway", "inland_waterway"),
];

/// Transport Activity Data. Properties that are not named here say nothing that is counted; the
/// last three belong to other iLEAP types, and are read because an activity that states them
/// must not contradict itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Activity<'a> {
    #[serde(borrow)]
    activity_id: Text<'a>,
    #[serde(borrow)]
    consignment_ids: Vec<Text<'a>>,
    #[serde(borrow)]
    distance: Object<Distance<'a>>,
    #[serde(borrow, default)]
    mass: Option<&'a RawValue>,
    #[serde(borrow, default)]
    load_factor: Option<&'a RawValue>,
    #[serde(borrow, default)]
    empty_distance_factor: Option<&'a RawValue>,
    #[serde(borrow)]
    origin: Object<Location<'a>>,
    #[serde(borrow)]
    destination: Object<Location<'a>>,
    #[serde(borrow, default)]
    departure_at: Option<Text<'a>>,
    #[serde(borrow, default)]
    arrival_at: Option<Text<'a>>,
    #[serde(borrow, default)]
    mode: Option<Text<'a>>,
    #[serde(borrow, default)]
    energy_carriers: Option<Vec<Object<EnergyCarrier<'a>>>>,
    /// The JSON schema's place for them; the text has them within a carrier.
    #[serde(borrow, default)]
    feedstocks: Option<Vec<Object<Feedstock<'a>>>>,
    #[serde(borrow, default)]
    transport_activity: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "co2eIntensityWTW")]
    intensity: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "co2eWTW")]
    emissions: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Distance<'a> {
    #[serde(borrow, default)]
    actual: Option<&'a RawValue>,
    #[serde(borrow, default)]
    gcd: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sfd: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow, default)]
    lat: Option<&'a RawValue>,
    #[serde(borrow, default)]
    lng: Option<&'a RawValue>,
}

impl Activity<'_> {
    /// # Errors
    /// The first rule that is broken, at its property.
    pub(super) fn record(&self, subject: Option<&str>) -> Result<Record, Problem> {
        let source_id = identifier("activityId", self.activity_id.as_str())?;
        let (consignments, subject) = self.consignments(subject)?;
        let (from, to) = self.times()?;
        let mass = match self.mass {
            Some(mass) => above_zero("mass", mass)?,
            None => return Err(Problem::on(Code::MissingField, "mass")),
        };
        let (kind, distance) = self.distance()?;
        self.agrees(mass, distance)?;
        let mut facts = vec![
            (Cow::Borrowed("mode"), self.mode()?.to_owned()),
            (Cow::Borrowed("distance_type"), kind.to_owned()),
            (Cow::Borrowed("consignment"), consignments),
            (Cow::Borrowed("origin"), self.origin.0.checked("origin")?),
            (
                Cow::Borrowed("destination"),
                self.destination.0.checked("destination")?,
            ),
        ];
        facts.extend(self.shares()?);
        facts.extend(attributes(
            self.energy_carriers.as_deref(),
            self.feedstocks.as_deref(),
        )?);
        Ok(Record {
            source_id,
            subject,
            from,
            to,
            quantities: vec![
                Quantity::new("mass", mass, "kg"),
                Quantity::new("distance", distance, "km"),
            ],
            attributes: facts,
            revises: None,
        })
    }

    /// All consignments, and whose act it is: the scene's subject, or the only consignment.
    fn consignments(&self, subject: Option<&str>) -> Result<(String, String), Problem> {
        const FIELD: &str = "consignmentIds";
        let mut all = String::new();
        for id in &self.consignment_ids {
            let id = identifier(FIELD, id.as_str())?;
            if !all.is_empty() {
                all.push('|');
            }
            all.push_str(&id);
            if all.len() > VALUE_MAX {
                return Err(refused(
                    FIELD,
                    detail!("合计超过 256 字节", "more than 256 bytes in all"),
                ));
            }
        }
        let subject = match (subject, self.consignment_ids.as_slice()) {
            (_, []) => {
                return Err(Problem::at(
                    Code::MissingField,
                    FIELD,
                    detail!("不能为空", "must not be empty"),
                ));
            }
            (Some(subject), _) => identifier("settings.subject", subject)?,
            (None, [only]) => only.as_str().to_owned(),
            (None, _) => {
                let detail = detail!(
                    "托运单不止一个：场景须声明该行为归谁",
                    "several consignments: the scene must declare whose act it is"
                );
                return Err(refused(FIELD, detail));
            }
        };
        Ok((all, subject))
    }

    fn times(&self) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
        let from = instant("departureAt", self.departure_at.as_ref())?;
        let to = instant("arrivalAt", self.arrival_at.as_ref())?;
        match to > from {
            true => Ok((from, to)),
            false => Err(Problem::at(
                Code::TimeInvalid,
                "arrivalAt",
                detail!("不晚于 departureAt", "not after departureAt"),
            )),
        }
    }

    fn distance(&self) -> Result<(&'static str, Decimal), Problem> {
        let Distance { actual, gcd, sfd } = self.distance.0;
        match (actual, gcd, sfd) {
            (Some(km), None, None) => Ok(("actual", above_zero("distance.actual", km)?)),
            (None, Some(km), None) => Ok(("gcd", above_zero("distance.gcd", km)?)),
            (None, None, Some(km)) => Ok(("sfd", above_zero("distance.sfd", km)?)),
            (None, None, None) => Err(Problem::at(
                Code::MissingField,
                "distance",
                detail!("须有 actual、gcd、sfd 之一", "one of actual, gcd and sfd"),
            )),
            _ => Err(refused(
                "distance",
                detail!(
                    "actual、gcd、sfd 只能有一个",
                    "exactly one of actual, gcd and sfd"
                ),
            )),
        }
    }

    fn mode(&self) -> Result<&'static str, Problem> {
        let Some(stated) = &self.mode else {
            return Err(Problem::on(Code::MissingField, "mode"));
        };
        let known = MODES.iter().find(|(theirs, _)| *theirs == stated.as_str());
        known.map(|(_, ours)| *ours).ok_or_else(|| {
            refused(
                "mode",
                detail!(
                    "须为 Road、Rail、Air、Sea 或 InlandWaterway",
                    "none of Road, Rail, Air, Sea, InlandWaterway"
                ),
            )
        })
    }

    fn shares(&self) -> Result<Vec<(Cow<'static, str>, String)>, Problem> {
        let mut facts = Vec::new();
        if let Some(stated) = self.load_factor {
            let share = decimal("loadFactor", stated)?;
            if share <= Decimal::ZERO || share > Decimal::ONE {
                return Err(out(
                    "loadFactor",
                    detail!("须大于 0 且不超过 1", "must be above 0 and at most 1"),
                ));
            }
            facts.push((Cow::Borrowed("load_factor"), share.normalize().to_string()));
        }
        if let Some(stated) = self.empty_distance_factor {
            let share = decimal("emptyDistanceFactor", stated)?;
            if share < Decimal::ZERO || share >= Decimal::ONE {
                return Err(out(
                    "emptyDistanceFactor",
                    detail!("须不小于 0 且小于 1", "must be at least 0 and below 1"),
                ));
            }
            let text = share.normalize().to_string();
            facts.push((Cow::Borrowed("empty_distance_factor"), text));
        }
        Ok(facts)
    }

    /// What an activity states twice must be the same: tonne-kilometres are mass times distance,
    /// and emissions are tonne-kilometres times their intensity. Exact, but for as many decimals
    /// as the sender wrote.
    fn agrees(&self, mass: Decimal, distance: Decimal) -> Result<(), Problem> {
        let Some(activity) = mass
            .checked_mul(distance)
            .and_then(|product| product.checked_div(Decimal::ONE_THOUSAND))
        else {
            return Err(out(
                "mass",
                detail!("质量与里程之积过大", "mass times distance is too large"),
            ));
        };
        if let Some(stated) = self.transport_activity {
            let stated = decimal("transportActivity", stated)?;
            if !same(activity, stated) {
                let detail = detail!(
                    "{mass} kg 运送 {distance} km 为 {} t·km，不是 {stated}",
                    "{mass} kg over {distance} km is {} t·km, not {stated}",
                    activity.normalize()
                );
                return Err(refused("transportActivity", detail));
            }
        }
        if let (Some(intensity), Some(emissions)) = (self.intensity, self.emissions) {
            let intensity = decimal("co2eIntensityWTW", intensity)?;
            let emissions = decimal("co2eWTW", emissions)?;
            let product = activity.checked_mul(intensity);
            if !product.is_some_and(|product| same(product, emissions)) {
                let detail = detail!(
                    "{} t·km 按 {intensity} kg/t·km 计，不是 {emissions} kg",
                    "{} t·km at {intensity} kg/t·km is not {emissions} kg",
                    activity.normalize()
                );
                return Err(refused("co2eWTW", detail));
            }
        }
        Ok(())
    }
}

/// Whether `stated` is `exact` at the decimals it is written with: rounded, cut off or not.
fn same(exact: Decimal, stated: Decimal) -> bool {
    let last_place = Decimal::new(1, stated.scale());
    (exact - stated).abs() < last_place
}

impl Location<'_> {
    /// The city.
    fn checked(&self, field: &str) -> Result<String, Problem> {
        let city = self.city.as_str().trim();
        if city.is_empty() || city.len() > ID_MAX || city.chars().any(char::is_control) {
            return Err(refused(
                &format!("{field}.city"),
                detail!("应为 1 至 128 字节", "1 to 128 bytes"),
            ));
        }
        if self.lat.is_some() != self.lng.is_some() {
            return Err(refused(
                &format!("{field}.lat"),
                detail!("lat 与 lng 须同时给出，或都不给", "lat and lng, or neither"),
            ));
        }
        for (name, stated, bound) in [("lat", self.lat, 90), ("lng", self.lng, 180)] {
            let Some(stated) = stated else { continue };
            let name = format!("{field}.{name}");
            let degrees = decimal(&name, stated)?;
            if degrees.abs() > Decimal::from(bound) {
                return Err(out(
                    &name,
                    detail!("超出经纬度的范围", "beyond the Earth's degrees"),
                ));
            }
        }
        Ok(city.to_owned())
    }
}

fn identifier(field: &str, text: &str) -> Result<String, Problem> {
    if text.is_empty() || text.len() > ID_MAX || text.chars().any(char::is_control) {
        return Err(refused(
            field,
            detail!(
                "应为 1 至 128 字节，不含控制字符",
                "1 to 128 bytes without control characters"
            ),
        ));
    }
    Ok(text.to_owned())
}

/// A time in UTC, as the specification asks.
fn instant(field: &str, text: Option<&Text<'_>>) -> Result<DateTime<Utc>, Problem> {
    let text = text.ok_or_else(|| Problem::on(Code::MissingField, field))?;
    let wrong = |detail| Problem::at(Code::TimeInvalid, field, detail);
    let time = rfc3339(text.as_str()).ok_or_else(|| {
        wrong(detail!(
            "不是带时区的日期时间",
            "not a date and time with its zone"
        ))
    })?;
    match time.offset().local_minus_utc() {
        0 => Ok(time.to_utc()),
        _ => Err(wrong(detail!("须为 UTC 时间", "must be in UTC"))),
    }
}

fn above_zero(field: &str, stated: &RawValue) -> Result<Decimal, Problem> {
    match decimal(field, stated)? {
        number if number > Decimal::ZERO => Ok(number),
        _ => Err(out(field, detail!("须大于 0", "must be above 0"))),
    }
}

/// A decimal in a JSON string (`-?\d+(\.\d+)?`); a JSON number is refused, as it may have been
/// through binary floating point.
pub(super) fn decimal(field: &str, stated: &RawValue) -> Result<Decimal, Problem> {
    let wrong = || {
        refused(
            field,
            detail!(
                "须为写在字符串中的十进制数，例如 \"12.5\"",
                "must be a decimal number in a string, like \"12.5\""
            ),
        )
    };
    let text: Text = serde_json::from_str(stated.get()).map_err(|_| wrong())?;
    let text = text.as_str();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = match digits.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
        Some(_) => return Err(wrong()),
        None => (digits, ""),
    };
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(decimals) {
        return Err(wrong());
    }
    if whole.len() > WHOLE_DIGITS_MAX || decimals.len() > DECIMALS_MAX {
        return Err(out(
            field,
            detail!(
                "整数超过 18 位，或小数超过 12 位",
                "more than 18 digits, or more than 12 decimals"
            ),
        ));
    }
    Decimal::from_str_exact(text)
        .map_err(|_| out(field, detail!("超过 28 位数字", "more than 28 digits")))
}

pub(super) fn refused(field: &str, detail: Detail) -> Problem {
    Problem::at(Code::InvalidField, field, detail)
}

pub(super) fn out(field: &str, detail: Detail) -> Problem {
    Problem::at(Code::QuantityOutOfRange, field, detail)
}
