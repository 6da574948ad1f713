//! From where to where, when, and how far.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::super::great_circle::{Datum, Point};
use super::super::json_text::Object;
use super::super::local_time::LocalTime;
use super::super::scalar::Scalar;
use super::super::speed::SpeedLimit;
use super::declared::Declared;
use super::number::Number;
use super::track::{self, Fix};
use super::waybill::{Location, Party, Vehicle, Waybill};
use crate::domain::problem::{Code, Problem, detail};

/// Bytes of a division's code, as the guide has it.
const CODE_MAX: usize = 12;

/// 1 is road alone; 2 to 8 go on by rail, water or air.
const ROAD: &str = "1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Track,
    Table,
}

#[derive(Debug)]
pub(super) struct Journey {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) origin: Option<String>,
    pub(super) destination: Option<String>,
    /// 运输组织类型代码, 1 to 8.
    pub(super) transport_type: Option<String>,
    /// Kilometres, and from where they are known.
    pub(super) distance: Option<(Decimal, Source)>,
}

impl Journey {
    /// The vehicle's own times and places, where it has them; the whole waybill's only where the
    /// waybill has one leg, because they say nothing of a leg.
    ///
    /// # Errors
    /// `missing_field`, `invalid_field`, `time_invalid` at the field.
    pub(super) fn of(
        waybill: &Waybill<'_>,
        vehicle: &Vehicle<'_>,
        number: &Number,
        declared: &Declared,
    ) -> Result<Journey, Problem> {
        let whole = number.leg == 0;
        let (from, to) = times(waybill, vehicle, whole, declared.zone)?;
        let mut journey = Journey {
            from,
            to,
            origin: division(
                or_whole(
                    &vehicle.loading_country_subdivision_code,
                    of_party(waybill.consignor_info.as_ref()),
                    whole,
                ),
                "loadingCountrySubdivisionCode",
            )?,
            destination: division(
                or_whole(
                    &vehicle.receipt_country_subdivision_code,
                    of_party(waybill.consignee_info.as_ref()),
                    whole,
                ),
                "receiptCountrySubdivisionCode",
            )?,
            transport_type: transport_type(&waybill.transport_type_code)?,
            distance: None,
        };
        let fixes = fixes(&waybill.locations.0, declared)?;
        journey.distance = match track::kilometres(&fixes, from, to) {
            Some(km) => Some((km, Source::Track)),
            None => journey
                .by_table(whole, declared)?
                .map(|km| (km, Source::Table)),
        };
        Ok(journey)
    }

    /// Between two divisions, not within one; and not for a waybill that goes on by rail, water or
    /// air and does not say which leg this is.
    ///
    /// # Errors
    /// `quantity_out_of_range` at `goodsReceiptDateTime` for a way by road that cannot be driven
    /// between despatch and receipt.
    fn by_table(&self, whole: bool, declared: &Declared) -> Result<Option<Decimal>, Problem> {
        let (Some(origin), Some(destination)) = (&self.origin, &self.destination) else {
            return Ok(None);
        };
        let road = self.transport_type.as_deref().is_none_or(|it| it == ROAD);
        if origin == destination || (whole && !road) {
            return Ok(None);
        }
        let known = declared.distances.between(origin, destination);
        let too_far = |km: Decimal| {
            let millimetres = (km * Decimal::from(1_000_000)).to_i64().unwrap_or(i64::MAX);
            SpeedLimit::ROAD.exceeded(millimetres, (self.to - self.from).num_milliseconds())
        };
        match known {
            Some(km) if road && too_far(km) => {
                let limit = SpeedLimit::ROAD.text();
                let detail = detail!(
                    "自发货起 {km} km，速度超过 {limit}",
                    "{km} km since despatch are faster than {limit}"
                );
                Err(Problem::at(
                    Code::QuantityOutOfRange,
                    "goodsReceiptDateTime",
                    detail,
                ))
            }
            known => Ok(known),
        }
    }
}

/// What the vehicle states of itself, or the waybill of the whole way.
fn or_whole<'a>(own: &'a Scalar<'_>, of_all: &'a str, whole: bool) -> &'a str {
    match own.is_blank() && whole {
        true => of_all,
        false => own.text(),
    }
}

fn of_party<'a>(party: Option<&'a Object<Party<'_>>>) -> &'a str {
    party.map_or("", |party| party.0.country_subdivision_code.text())
}

/// Despatch and receipt.
///
/// # Errors
/// `missing_field`, `time_invalid` at the field.
fn times(
    waybill: &Waybill<'_>,
    vehicle: &Vehicle<'_>,
    whole: bool,
    zone: Tz,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
    let (despatch, receipt) = ("despatchActualDateTime", "goodsReceiptDateTime");
    let from = or_whole(
        &vehicle.despatch_actual_date_time,
        waybill.despatch_actual_date_time.text(),
        whole,
    );
    let to = or_whole(
        &vehicle.goods_receipt_date_time,
        waybill.goods_receipt_date_time.text(),
        whole,
    );
    let (from, to) = (
        required_instant(from, despatch, zone)?,
        required_instant(to, receipt, zone)?,
    );
    match to < from {
        true => {
            let detail = detail!("收货早于发货", "received before it was despatched");
            Err(Problem::at(Code::TimeInvalid, receipt, detail))
        }
        false => Ok((from, to)),
    }
}

fn required_instant(text: &str, name: &str, zone: Tz) -> Result<DateTime<Utc>, Problem> {
    if text.is_empty() {
        return Err(Problem::on(Code::MissingField, name));
    }
    instant(text, name, zone)
}

/// `20260201083000` on the clock of the zone.
///
/// # Errors
/// `time_invalid` at `name`.
pub(super) fn instant(text: &str, name: &str, zone: Tz) -> Result<DateTime<Utc>, Problem> {
    LocalTime::parse(text)
        .and_then(|time| time.instants(zone).into_iter().flatten().next())
        .ok_or_else(|| {
            let detail = detail!(
                "应为 {zone} 时区的 YYYYMMDDhhmmss",
                "YYYYMMDDhhmmss in {zone} is expected"
            );
            Problem::at(Code::TimeInvalid, name, detail)
        })
}

fn division(text: &str, name: &str) -> Result<Option<String>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > CODE_MAX || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let detail = detail!(
            "应为代码，最多 12 个字母和数字",
            "a code of at most 12 letters and digits"
        );
        return Err(Problem::at(Code::InvalidField, name, detail));
    }
    Ok(Some(text.to_owned()))
}

fn transport_type(text: &Scalar<'_>) -> Result<Option<String>, Problem> {
    match text.text() {
        "" => Ok(None),
        code if matches!(code.as_bytes(), [b'1'..=b'8']) => Ok(Some(code.to_owned())),
        _ => Err(Problem::at(
            Code::InvalidField,
            "transportTypeCode",
            detail!("应为 1 至 8", "1 to 8"),
        )),
    }
}

/// # Errors
/// At `locations`; `missing_field` at `settings.datum` where there are points and nobody said what
/// their degrees mean.
fn fixes(locations: &[Location<'_>], declared: &Declared) -> Result<Vec<Fix>, Problem> {
    if locations.is_empty() {
        return Ok(Vec::new());
    }
    let datum = declared.datum.ok_or_else(Datum::missing)?;
    let mut fixes: Vec<Fix> = Vec::with_capacity(locations.len());
    for location in locations {
        let (latitude, longitude) = (location.latitude.text(), location.longitude.text());
        let point = Point::parse(latitude, longitude, datum).ok_or_else(|| {
            let detail = detail!(
                "有点位不是以度表示的经纬度",
                "a point is no longitude and latitude in degrees"
            );
            Problem::at(Code::InvalidField, "locations", detail)
        })?;
        let at = instant(location.time.text(), "locations", declared.zone)?;
        if fixes.last().is_some_and(|before| at < before.at) {
            let detail = detail!(
                "点位未按时间先后排列",
                "the points are not in the order of their times"
            );
            return Err(Problem::at(Code::InvalidField, "locations", detail));
        }
        fixes.push(Fix { at, point });
    }
    Ok(fixes)
}
