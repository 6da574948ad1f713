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
use crate::domain::problem::{Code, Problem, detail};

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
        [] => return Err(Problem::on(Code::MissingField, "vehicleInfo")),
        _ => {
            let detail = detail!(
                "每辆车应各有一份运单和自己的分段分单号",
                "each vehicle has a waybill with its own serial number"
            );
            return Err(Problem::at(Code::InvalidField, "vehicleInfo", detail));
        }
    };
    let identity = Identity::of(vehicle)?;
    let tonnes = cargo::tonnes(waybill, vehicle, declared.mass_unit)?;
    let journey = Journey::of(waybill, vehicle, &number, declared)?;
    let mut quantities = vec![Quantity::new("mass", tonnes, "t")];
    quantities.extend(
        journey
            .distance
            .map(|(km, _)| Quantity::new("distance", km, "km")),
    );
    for (name, field, stated) in [
        ("loaded", "loadedKilometres", &waybill.loaded_kilometres),
        ("empty", "emptyKilometres", &waybill.empty_kilometres),
    ] {
        quantities.extend(kilometres(stated, field)?.map(|km| Quantity::new(name, km, "km")));
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

fn kilometres(text: &Scalar<'_>, name: &str) -> Result<Option<Decimal>, Problem> {
    if text.is_blank() {
        return Ok(None);
    }
    let km = text
        .decimal()
        .filter(|km| km.normalize().scale() <= 6)
        .ok_or_else(|| {
            Problem::at(
                Code::InvalidField,
                name,
                detail!("应为公里数", "kilometres are expected"),
            )
        })?;
    if km < Decimal::ZERO || km > Decimal::from(KM_MAX) {
        let detail = detail!("应在 0 至 {KM_MAX} km 之间", "0 to {KM_MAX} km");
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
        ("mode", word(Some("road"))),
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
    Ok(Some(instant.to_rfc3339_opts(SecondsFormat::Secs, true)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::tests::refusals;
    use super::super::tests::{options, outcomes, with};

    #[test]
    fn each_broken_rule_is_named_with_its_field() {
        let rules = [
            (
                "/shippingNoteNumber",
                json!(null),
                "missing_field",
                "shippingNoteNumber",
            ),
            (
                "/shippingNoteNumber",
                json!("123456789012345678901"),
                "invalid_field",
                "shippingNoteNumber",
            ),
            ("/serialNumber", json!(""), "missing_field", "serialNumber"),
            (
                "/serialNumber",
                json!("101"),
                "invalid_field",
                "serialNumber",
            ),
            (
                "/serialNumber",
                json!("0201"),
                "invalid_field",
                "vehicleAmount",
            ),
            ("/vehicleAmount", json!(2), "invalid_field", "vehicleAmount"),
            (
                "/vehicleAmount",
                json!("0"),
                "invalid_field",
                "vehicleAmount",
            ),
            (
                "/transportTypeCode",
                json!(9),
                "invalid_field",
                "transportTypeCode",
            ),
            (
                "/sendToProDateTime",
                json!("yesterday"),
                "time_invalid",
                "sendToProDateTime",
            ),
            (
                "/despatchActualDateTime",
                json!(null),
                "missing_field",
                "despatchActualDateTime",
            ),
            (
                "/despatchActualDateTime",
                json!("20260231083000"),
                "time_invalid",
                "despatchActualDateTime",
            ),
            (
                "/goodsReceiptDateTime",
                json!("20260201082959"),
                "time_invalid",
                "goodsReceiptDateTime",
            ),
            (
                "/consignorInfo/countrySubdivisionCode",
                json!("44 03"),
                "invalid_field",
                "loadingCountrySubdivisionCode",
            ),
            ("/vehicleInfo", json!(null), "missing_field", "vehicleInfo"),
            (
                "/vehicleInfo",
                json!([{}, {}]),
                "invalid_field",
                "vehicleInfo",
            ),
            (
                "/vehicleInfo/vehicleNumber",
                json!(""),
                "missing_field",
                "vehicleNumber",
            ),
            (
                "/vehicleInfo/vehicleNumber",
                json!("粤B/1"),
                "invalid_field",
                "vehicleNumber",
            ),
            (
                "/vehicleInfo/vehiclePlateColorCode",
                json!("6"),
                "invalid_field",
                "vehiclePlateColorCode",
            ),
            (
                "/vehicleInfo/vehicleEnergyType",
                json!("c"),
                "invalid_field",
                "vehicleEnergyType",
            ),
            (
                "/vehicleInfo/vehicleTonnage",
                json!("1.505"),
                "invalid_field",
                "vehicleTonnage",
            ),
            (
                "/vehicleInfo/grossMass",
                json!("-1.00"),
                "invalid_field",
                "grossMass",
            ),
            (
                "/vehicleInfo/goodsInfo",
                json!([]),
                "missing_field",
                "goodsItemGrossWeight",
            ),
            (
                "/vehicleInfo/goodsInfo",
                json!({"goodsItemGrossWeight": null}),
                "missing_field",
                "goodsItemGrossWeight",
            ),
            (
                "/vehicleInfo/goodsInfo",
                json!({"goodsItemGrossWeight": "1.0005"}),
                "invalid_field",
                "goodsItemGrossWeight",
            ),
            (
                "/vehicleInfo/goodsInfo",
                json!({"goodsItemGrossWeight": "-1"}),
                "quantity_out_of_range",
                "goodsItemGrossWeight",
            ),
            (
                "/vehicleInfo/goodsInfo",
                json!({"goodsItemGrossWeight": "4500.001"}),
                "quantity_out_of_range",
                "goodsItemGrossWeight",
            ),
            (
                "/emptyKilometres",
                json!("-1"),
                "quantity_out_of_range",
                "emptyKilometres",
            ),
            (
                "/loadedKilometres",
                json!("far"),
                "invalid_field",
                "loadedKilometres",
            ),
            (
                "/locations",
                json!([{"longitude": "114", "latitude": "91", "time": "20260201083000"}]),
                "invalid_field",
                "locations",
            ),
            (
                "/locations",
                json!([{"longitude": "114", "latitude": "22", "time": ""}]),
                "time_invalid",
                "locations",
            ),
            ("/goodsInfo", json!(7), "row_malformed", ""),
            ("/consignorInfo", json!(["440305"]), "row_malformed", ""),
            (
                "/locations",
                json!([["114", "22", "20260201083000"]]),
                "row_malformed",
                "",
            ),
        ];
        let waybills: Vec<Value> = rules
            .iter()
            .map(|(pointer, value, _, _)| with(pointer, value.clone()))
            .collect();
        let all = outcomes(&waybills, &options(""));
        let expected: Vec<_> = rules
            .iter()
            .zip(1..)
            .map(|((_, _, code, field), line)| {
                (
                    format!("line {line}"),
                    (*code).to_owned(),
                    (*field).to_owned(),
                )
            })
            .collect();
        assert_eq!(refusals(&all), expected);
        let backwards = json!([
            {"longitude": "114", "latitude": "22", "time": "20260201090000"},
            {"longitude": "114", "latitude": "22", "time": "20260201085959"},
        ]);
        let outcomes = outcomes(&[with("/locations", backwards)], &options(""));
        assert_eq!(refusals(&outcomes).len(), 1);
    }
}
