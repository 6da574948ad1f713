//! One waybill's record.

use std::borrow::Cow;

use chrono::SecondsFormat;
use rust_decimal::Decimal;

use super::super::pseudonym::pseudonym;
use super::super::scalar::Scalar;
use super::super::{Held, Outcome, Place};
use super::cargo;
use super::declared::Declared;
use super::journey::{self, Journey, Source};
use super::number::Number;
use super::vehicle::{Agreement, Identity};
use super::waybill::{Vehicle, Waybill};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem};

/// No waybill's vehicle drives farther: once around the Earth.
const KM_MAX: i64 = 40_000;

/// A record, or all of one but its distance.
pub(super) struct Made {
    record: Record,
    pub(super) source: Option<Source>,
    pub(super) tonnes: Decimal,
    /// The tonnes of a later leg were counted with its first.
    pub(super) first_leg: bool,
}

impl Made {
    pub(super) fn outcome(self, place: Place) -> Outcome {
        match self.source {
            Some(_) => Outcome::Record(place, self.record),
            None => Outcome::Held(Held {
                place,
                code: Code::DistanceUnknown,
            }),
        }
    }
}

/// # Errors
/// The field and the rule that it breaks.
pub(super) fn make(waybill: &Waybill<'_>, declared: &Declared) -> Result<Made, Problem> {
    let number = Number::of(waybill)?;
    let vehicle = match waybill.vehicle_info.0.as_slice() {
        [vehicle] => vehicle,
        [] => return Err(Problem::at(Code::MissingField, "vehicleInfo", "")),
        _ => {
            let detail = "each vehicle has a waybill with its own serial number";
            return Err(Problem::at(Code::InvalidField, "vehicleInfo", detail));
        }
    };
    let identity = Identity::of(vehicle)?;
    let tonnes = cargo::tonnes(waybill, vehicle, declared.mass_unit)?;
    let journey = Journey::of(waybill, vehicle, &number, declared)?;
    let mut quantities = vec![quantity("mass", tonnes, "t")];
    quantities.extend(
        journey
            .distance
            .map(|(km, _)| quantity("distance", km, "km")),
    );
    for (name, field, stated) in [
        ("loaded", "loadedKilometres", &waybill.loaded_kilometres),
        ("empty", "emptyKilometres", &waybill.empty_kilometres),
    ] {
        quantities.extend(kilometres(stated, field)?.map(|km| quantity(name, km, "km")));
    }
    let source = journey.distance.map(|(_, source)| source);
    let record = Record {
        source_id: format!("{}/{}", number.note, number.serial),
        subject: match identity.colour_code {
            "" => identity.plate.clone(),
            code => format!("{}_{code}", identity.plate),
        },
        from: journey.from,
        to: journey.to,
        quantities,
        attributes: attributes(waybill, vehicle, &number, &identity, &journey, declared)?,
        revises: None,
    };
    Ok(Made {
        record,
        source,
        tonnes,
        first_leg: number.leg <= 1,
    })
}

fn quantity(name: &'static str, value: Decimal, unit: &'static str) -> Quantity {
    Quantity {
        name: Cow::Borrowed(name),
        value,
        unit: Cow::Borrowed(unit),
    }
}

fn kilometres(text: &Scalar<'_>, name: &str) -> Result<Option<Decimal>, Problem> {
    if text.is_blank() {
        return Ok(None);
    }
    let km = text
        .decimal()
        .filter(|km| km.normalize().scale() <= 6)
        .ok_or_else(|| Problem::at(Code::InvalidField, name, "kilometres are expected"))?;
    if km < Decimal::ZERO || km > Decimal::from(KM_MAX) {
        let detail = format!("0 to {KM_MAX} km");
        return Err(Problem::at(Code::QuantityOutOfRange, name, detail));
    }
    Ok(Some(km.normalize()))
}

type Attributes = Vec<(Cow<'static, str>, String)>;

fn attributes(
    waybill: &Waybill<'_>,
    vehicle: &Vehicle<'_>,
    number: &Number,
    identity: &Identity,
    journey: &Journey,
    declared: &Declared,
) -> Result<Attributes, Problem> {
    let parts = [identity.plate.as_str(), identity.colour_code];
    let tonnes = |text, name| -> Result<Option<String>, Problem> {
        let stated = cargo::stated_tonnes(text, name)?;
        Ok(stated.map(|tonnes| tonnes.to_string()))
    };
    let word = |word: Option<&str>| word.map(str::to_owned);
    let all = [
        ("mode", word(Some("truck"))),
        ("evidence", word(Some("platform"))),
        (
            "vehicle",
            Some(pseudonym("plate", &declared.plate_salt, &parts)),
        ),
        ("plate_colour", word(identity.colour)),
        ("energy", word(identity.energy)),
        ("quality", word(quality(identity.agreement))),
        ("origin", journey.origin.clone()),
        ("destination", journey.destination.clone()),
        ("transport_type", journey.transport_type.clone()),
        ("leg", Some(number.leg.to_string())),
        (
            "distance_source",
            word(journey.distance.map(|(_, it)| source_word(it))),
        ),
        (
            "capacity_t",
            tonnes(&vehicle.vehicle_tonnage, "vehicleTonnage")?,
        ),
        ("gross_mass_t", tonnes(&vehicle.gross_mass, "grossMass")?),
        ("stated_at", stated_at(waybill, declared)?),
    ];
    let known = all
        .into_iter()
        .filter_map(|(name, value)| Some((Cow::Borrowed(name), value?)));
    Ok(known.collect())
}

fn quality(agreement: Agreement) -> Option<&'static str> {
    match agreement {
        Agreement::Agrees => Some("plate_agrees"),
        Agreement::Unconfirmed => Some("plate_unconfirmed"),
        Agreement::Nothing => None,
    }
}

fn source_word(source: Source) -> &'static str {
    match source {
        Source::Track => "track",
        Source::Table => "table",
    }
}

/// 运单上传时间: an upload of the same number at a later time replaces the earlier.
fn stated_at(waybill: &Waybill<'_>, declared: &Declared) -> Result<Option<String>, Problem> {
    let sent = &waybill.send_to_pro_date_time;
    if sent.is_blank() {
        return Ok(None);
    }
    let instant = journey::instant(sent.text(), "sendToProDateTime", declared.zone)?;
    Ok(Some(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
}
