//! Where a session took place: only what a methodology may ask for.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::country;
use super::field::{self, At, Raw};
use crate::domain::problem::{Problem, detail};

/// Of the location, the ids and the kind of current; its coordinates are looked at and not kept.
pub(super) struct Site {
    pub(super) location: Option<String>,
    pub(super) evse: Option<String>,
    /// `ac` or `dc`.
    pub(super) power: Option<&'static str>,
    /// The coordinates fit only the other way round.
    pub(super) swapped: bool,
}

/// The members of both forms: `cdr_location` of 2.2 and later names the outlet itself, `location` of
/// 2.1.1 is a Location object with only the outlet that was used.
#[derive(Deserialize)]
struct Location<'a> {
    #[serde(borrow, default)]
    id: Raw<'a>,
    #[serde(borrow, default)]
    country: Raw<'a>,
    #[serde(borrow, default)]
    coordinates: Raw<'a>,
    #[serde(borrow, default)]
    evse_uid: Raw<'a>,
    #[serde(borrow, default)]
    evse_id: Raw<'a>,
    #[serde(borrow, default)]
    connector_power_type: Raw<'a>,
    #[serde(borrow, default)]
    evses: Raw<'a>,
}

#[derive(Deserialize)]
struct Evse<'a> {
    #[serde(borrow, default)]
    uid: Raw<'a>,
    #[serde(borrow, default)]
    evse_id: Raw<'a>,
    #[serde(borrow, default)]
    connectors: Raw<'a>,
}

#[derive(Deserialize)]
struct Connector<'a> {
    #[serde(borrow, default)]
    power_type: Raw<'a>,
}

#[derive(Deserialize)]
struct Coordinates<'a> {
    #[serde(borrow, default)]
    latitude: Raw<'a>,
    #[serde(borrow, default)]
    longitude: Raw<'a>,
}

/// `cdr_location` of 2.2 and later.
///
/// # Errors
/// `missing_field` for the location or its power type; `invalid_field`.
pub(super) fn of_cdr(raw: Raw<'_>, at: At<'_>) -> Result<Site, Problem> {
    let location: Location<'_> = field::object(field::required(raw, at)?, at)?;
    let kind = at.key("connector_power_type");
    Ok(Site {
        location: field::name(location.id, 36, at.key("id"))?,
        evse: evse(
            location.evse_id,
            "evse_id",
            location.evse_uid,
            "evse_uid",
            at,
        )?,
        power: Some(power(
            field::required(location.connector_power_type, kind)?,
            kind,
        )?),
        swapped: swapped(location.country, location.coordinates),
    })
}

/// `location` of 2.1.1; the kind of current where the outlets in it are all of one.
///
/// # Errors
/// `missing_field` for the location; `invalid_field`.
pub(super) fn whole(raw: Raw<'_>, at: At<'_>) -> Result<Site, Problem> {
    let location: Location<'_> = field::object(field::required(raw, at)?, at)?;
    let mut site = Site {
        location: field::name(location.id, 39, at.key("id"))?,
        evse: None,
        power: None,
        swapped: swapped(location.country, location.coordinates),
    };
    let at = at.key("evses");
    let evses: Vec<Evse<'_>> = match location.evses {
        None => return Ok(site),
        Some(evses) => field::array(evses, at)?,
    };
    let mut mixed = false;
    for (index, outlet) in evses.iter().enumerate() {
        let at = at.index(index);
        if evses.len() == 1 {
            site.evse = evse(outlet.evse_id, "evse_id", outlet.uid, "uid", at)?;
        }
        let Some(connectors) = outlet.connectors else {
            continue;
        };
        let at = at.key("connectors");
        let connectors: Vec<Connector<'_>> = field::array(connectors, at)?;
        for (index, connector) in connectors.iter().enumerate() {
            if let Some(kind) = connector.power_type {
                let found = power(kind, at.index(index).key("power_type"))?;
                mixed = mixed || site.power.is_some_and(|known| known != found);
                site.power = Some(found);
            }
        }
    }
    if mixed {
        site.power = None;
    }
    Ok(site)
}

/// The outlet's public id, or the operator's own where it has none.
fn evse(
    id: Raw<'_>,
    id_key: &'static str,
    uid: Raw<'_>,
    uid_key: &'static str,
    at: At<'_>,
) -> Result<Option<String>, Problem> {
    match field::name(id, 48, at.key(id_key))? {
        Some(id) => Ok(Some(id)),
        None => field::name(uid, 39, at.key(uid_key)),
    }
}

fn power(raw: &RawValue, at: At<'_>) -> Result<&'static str, Problem> {
    match field::text(raw, at)?.as_ref() {
        "AC_1_PHASE" | "AC_2_PHASE" | "AC_2_PHASE_SPLIT" | "AC_3_PHASE" => Ok("ac"),
        "DC" => Ok("dc"),
        _ => Err(at.invalid(detail!(
            "不是标准中的电源类型",
            "none of the standard's power types"
        ))),
    }
}

/// Coordinates bear on no quantity, so one that cannot be read costs nothing.
fn swapped(of_country: Raw<'_>, coordinates: Raw<'_>) -> bool {
    let plain = |raw: Raw<'_>| {
        let raw = raw.map(RawValue::get).unwrap_or_default();
        raw.trim_matches('"').to_owned()
    };
    let point = coordinates.map(|raw| serde_json::from_str::<Coordinates<'_>>(raw.get()));
    match point {
        Some(Ok(point)) => country::swapped(
            &plain(point.latitude),
            &plain(point.longitude),
            &plain(of_country),
        ),
        _ => false,
    }
}
