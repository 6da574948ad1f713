//! One charge detail record as the standard writes it, in any of its three shapes, and the rules
//! that make it a record.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Declared;
use super::energy;
use super::field::{self, At, Raw};
use super::location;
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Characters of an id: 36, and 3 more that a credit CDR may append.
const ID_MAX: usize = 39;
const REFERENCE_MAX: usize = 36;

/// Hours by which a stated total may exceed the session's own times, for rounding: one minute.
const SLACK_S: i64 = 60;

/// The members that are read, and those that only other objects have.
#[derive(Deserialize)]
pub(super) struct Cdr<'a> {
    #[serde(borrow, default)]
    country_code: Raw<'a>,
    #[serde(borrow, default)]
    party_id: Raw<'a>,
    #[serde(borrow, default)]
    id: Raw<'a>,
    #[serde(borrow, default)]
    start_date_time: Raw<'a>,
    #[serde(borrow, default)]
    end_date_time: Raw<'a>,
    #[serde(borrow, default)]
    stop_date_time: Raw<'a>,
    #[serde(borrow, default)]
    session_id: Raw<'a>,
    #[serde(borrow, default)]
    booking_id: Raw<'a>,
    #[serde(borrow, default)]
    cdr_token: Raw<'a>,
    #[serde(borrow, default)]
    auth_id: Raw<'a>,
    #[serde(borrow, default)]
    cdr_location: Raw<'a>,
    #[serde(borrow, default)]
    location: Raw<'a>,
    #[serde(borrow, default)]
    meter_id: Raw<'a>,
    #[serde(borrow, default)]
    charging_periods: Raw<'a>,
    #[serde(borrow, default)]
    signed_data: Raw<'a>,
    #[serde(borrow, default)]
    total_cost: Raw<'a>,
    #[serde(borrow, default)]
    total_energy: Raw<'a>,
    #[serde(borrow, default)]
    total_time: Raw<'a>,
    #[serde(borrow, default)]
    total_parking_time: Raw<'a>,
    #[serde(borrow, default)]
    credit: Raw<'a>,
    #[serde(borrow, default)]
    credit_reference_id: Raw<'a>,
    #[serde(borrow, default)]
    home_charging_compensation: Raw<'a>,
    #[serde(borrow, default)]
    last_updated: Raw<'a>,
    /// An answer's envelope around one object.
    #[serde(borrow, default)]
    pub(super) status_code: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) data: Raw<'a>,
    kwh: Option<IgnoredAny>,
    elements: Option<IgnoredAny>,
    whitelist: Option<IgnoredAny>,
    evses: Option<IgnoredAny>,
    coordinates: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Token<'a> {
    #[serde(borrow, default)]
    contract_id: Raw<'a>,
}

/// 2.2 names amounts by VAT, 2.3.0 by taxes; only the sign is read.
#[derive(Deserialize)]
struct Price<'a> {
    #[serde(borrow, default)]
    excl_vat: Raw<'a>,
    #[serde(borrow, default)]
    before_taxes: Raw<'a>,
}

/// The shapes, by the members that only they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V211,
    V221,
    V230,
}

/// A record and what the file's counts say of it.
pub(super) struct Understood {
    pub(super) record: Record,
    pub(super) version: Version,
    pub(super) credit: bool,
    /// What a credit CDR says was charged, in kWh: it takes that back.
    pub(super) credited: Option<Quantity>,
    pub(super) swapped: bool,
}

impl<'a> Cdr<'a> {
    pub(super) fn understood(&self, declared: &Declared) -> Result<Understood, Problem> {
        self.is_a_cdr()?;
        let version = self.version();
        let owner = self.owner(version, declared)?;
        let key = |id: String| format!("{owner}*{id}");
        let id = field::identifier(self.id, ID_MAX, At::ROOT.key("id"))?;
        let subject = self.subject(version)?;
        let (from, to) = self.times(version)?;
        let cancels = self.cancels(&id)?;
        let site = self.site(version)?;
        let mut record = Record {
            source_id: key(id),
            subject,
            from,
            to,
            quantities: Vec::new(),
            attributes: Vec::with_capacity(8),
            revises: None,
        };
        let credit = cancels.is_some();
        match cancels {
            Some(reference) => record.revises = Some(key(reference)),
            None => record.quantities = self.quantities(from, to)?,
        }
        self.describe(&mut record, &site)?;
        Ok(Understood {
            record,
            version,
            credit,
            credited: credit.then(|| self.credited(from, to)).flatten(),
            swapped: site.swapped,
        })
    }

    /// Other objects of the standard are told by a member that no CDR has.
    fn is_a_cdr(&self) -> Result<(), Problem> {
        let others = [
            (&self.kwh, "kwh", "Session"),
            (&self.elements, "elements", "Tariff"),
            (&self.whitelist, "whitelist", "Token"),
            (&self.evses, "evses", "Location"),
            (&self.coordinates, "coordinates", "Location"),
        ];
        let other = others.into_iter().find(|(member, ..)| member.is_some());
        match other {
            Some((_, key, what)) if self.total_energy.is_none() => {
                let detail = detail!("是 {what}，不是 CDR", "a {what}, not a CDR");
                Err(Problem::at(Code::FormatMismatch, format!("/{key}"), detail))
            }
            _ => Ok(()),
        }
    }

    fn version(&self) -> Version {
        let old = self.auth_id.is_some() || self.stop_date_time.is_some();
        let taxes = || {
            let price = self.total_cost.map(RawValue::get).unwrap_or_default();
            price.contains("\"before_taxes\"")
        };
        if old && self.cdr_token.is_none() && self.end_date_time.is_none() {
            Version::V211
        } else if self.booking_id.is_some() || taxes() {
            Version::V230
        } else {
            Version::V221
        }
    }

    /// Country and party of the operator, within which ids are unique; 2.1.1 says neither.
    fn owner(&self, version: Version, declared: &Declared) -> Result<String, Problem> {
        let stated = self.country_code.is_some() || self.party_id.is_some();
        if version == Version::V211 && !stated {
            return declared.owner.clone().ok_or_else(|| {
                let detail = detail!(
                    "OCPI 2.1.1 没有此字段：场景设置须声明 country_code 和 party_id",
                    "OCPI 2.1.1 has none: the scene's settings must declare \
                     country_code and party_id"
                );
                Problem::at(Code::MissingField, "/country_code", detail)
            });
        }
        let country = field::identifier(self.country_code, 2, At::ROOT.key("country_code"))?;
        let party = field::identifier(self.party_id, 3, At::ROOT.key("party_id"))?;
        owner(&country, &party).map_err(|key| {
            At::ROOT
                .key(key)
                .invalid(detail!("只能是字母和数字", "letters and digits only"))
        })
    }

    /// The contract is compared without case; 2.1.1's `auth_id` is a string, and is not.
    fn subject(&self, version: Version) -> Result<String, Problem> {
        if version == Version::V211 {
            let at = At::ROOT.key("auth_id");
            let name = field::name(self.auth_id, REFERENCE_MAX, at)?;
            return name.ok_or_else(|| at.problem(Code::MissingField, Detail::default()));
        }
        let at = At::ROOT.key("cdr_token");
        let token: Token<'_> = field::object(field::required(self.cdr_token, at)?, at)?;
        field::identifier(token.contract_id, REFERENCE_MAX, at.key("contract_id"))
    }

    fn times(&self, version: Version) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
        let (stop, key) = match version {
            Version::V211 => (self.stop_date_time, "stop_date_time"),
            _ => (self.end_date_time, "end_date_time"),
        };
        let (begin, end) = (At::ROOT.key("start_date_time"), At::ROOT.key(key));
        let from = field::instant(field::required(self.start_date_time, begin)?, begin)?;
        let to = field::instant(field::required(stop, end)?, end)?;
        if to < from {
            return Err(end.invalid(detail!("早于 start_date_time", "before start_date_time")));
        }
        Ok((from, to))
    }

    /// The id that a credit CDR takes back.
    fn cancels(&self, id: &str) -> Result<Option<String>, Problem> {
        let (at, of) = (At::ROOT.key("credit"), At::ROOT.key("credit_reference_id"));
        let credit = field::flag(self.credit, at)?.unwrap_or(false);
        let reference = field::name(self.credit_reference_id, ID_MAX, of)?;
        match (credit, reference) {
            (false, None) => Ok(None),
            (true, None) => Err(of.problem(
                Code::MissingField,
                detail!(
                    "冲销 CDR 须指明所冲销的记录",
                    "a credit CDR names what it credits"
                ),
            )),
            (false, Some(_)) => Err(at.invalid(detail!(
                "已有 credit_reference_id，而此项不是 true",
                "credit_reference_id is set, and this is not true"
            ))),
            (true, Some(reference)) if reference.eq_ignore_ascii_case(id) => {
                Err(of.invalid(detail!(
                    "冲销 CDR 不能冲销自身",
                    "a credit CDR does not credit itself"
                )))
            }
            (true, Some(reference)) => Ok(Some(reference.to_ascii_uppercase())),
        }
    }

    /// None where the credit's energy cannot be read: what it cancels does not depend on it.
    fn credited(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<Quantity> {
        let seconds = (to - from).num_seconds();
        let energy = energy::of(self.total_energy, self.charging_periods, seconds).ok()?;
        let most = energy.charged.max(energy.exported);
        Some(quantity("credited_electricity", most, "kWh"))
    }

    fn site(&self, version: Version) -> Result<location::Site, Problem> {
        match version {
            Version::V211 => location::whole(self.location, At::ROOT.key("location")),
            _ => location::of_cdr(self.cdr_location, At::ROOT.key("cdr_location")),
        }
    }

    fn quantities(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Quantity>, Problem> {
        let seconds = (to - from).num_seconds();
        let energy = energy::of(self.total_energy, self.charging_periods, seconds)?;
        if energy.exported.is_zero() && self.costs_less_than_nothing()? {
            let detail = detail!(
                "为负，却既不是冲销 CDR，也不是向电网回馈的充电过程：更正未说明所更正的记录",
                "negative, and neither a credit CDR nor a session that fed energy back: \
                 a correction that does not say what it corrects"
            );
            return Err(Problem::at(Code::QuantityOutOfRange, "/total_cost", detail));
        }
        let mut quantities = vec![
            quantity("electricity", energy.charged, "kWh"),
            quantity("duration", self.charging_hours(seconds)?, "h"),
        ];
        if !energy.exported.is_zero() {
            quantities.push(quantity("electricity_export", energy.exported, "kWh"));
        }
        Ok(quantities)
    }

    /// Hours of the session without those in which nothing was charged.
    fn charging_hours(&self, seconds: i64) -> Result<Decimal, Problem> {
        let (at, parked) = (
            At::ROOT.key("total_time"),
            At::ROOT.key("total_parking_time"),
        );
        let total = field::amount(field::required(self.total_time, at)?, at)?;
        let most = Decimal::from(seconds + SLACK_S) / Decimal::from(3_600);
        if total > most {
            let detail = detail!(
                "写为 {total} h，而起止相距 {seconds} s",
                "{total} h, and start to end is {seconds} s"
            );
            return Err(at.problem(Code::DurationMismatch, detail));
        }
        let parking = match self.total_parking_time {
            None => Decimal::ZERO,
            Some(parking) => field::amount(parking, parked)?,
        };
        if parking > total {
            let detail = detail!(
                "写为 {parking} h，而 total_time 为 {total} h",
                "{parking} h, and total_time is {total} h"
            );
            return Err(parked.problem(Code::DurationMismatch, detail));
        }
        Ok((total - parking).normalize())
    }

    fn costs_less_than_nothing(&self) -> Result<bool, Problem> {
        let at = At::ROOT.key("total_cost");
        let Some(cost) = self.total_cost else {
            return Ok(false);
        };
        let amount = if cost.get().starts_with('{') {
            let price: Price<'_> = field::object(cost, at)?;
            price.excl_vat.or(price.before_taxes)
        } else {
            Some(cost)
        };
        match amount {
            None => Ok(false),
            Some(amount) => Ok(field::number(amount, at)? < Decimal::ZERO),
        }
    }

    fn describe(&self, record: &mut Record, site: &location::Site) -> Result<(), Problem> {
        let mut add = |name, value: Option<String>| {
            if let Some(value) = value {
                record.attributes.push((Cow::Borrowed(name), value));
            }
        };
        add("location", site.location.clone());
        add("evse", site.evse.clone());
        add("power", site.power.map(str::to_owned));
        add(
            "meter",
            field::name(self.meter_id, 255, At::ROOT.key("meter_id"))?,
        );
        add(
            "session",
            field::name(self.session_id, REFERENCE_MAX, At::ROOT.key("session_id"))?,
        );
        let home = At::ROOT.key("home_charging_compensation");
        let home = field::flag(self.home_charging_compensation, home)?;
        add(
            "home_charging_compensation",
            home.map(|home| home.to_string()),
        );
        let signed = self.signed_data.is_some();
        add(
            "evidence",
            Some(if signed { "meter" } else { "platform" }.to_owned()),
        );
        let at = At::ROOT.key("last_updated");
        let updated = field::instant(field::required(self.last_updated, at)?, at)?;
        add("quality", quality(site.swapped, updated < record.to));
        Ok(())
    }
}

/// What is odd about a CDR that is taken all the same.
fn quality(swapped: bool, early: bool) -> Option<String> {
    let words: Vec<&str> = [
        (swapped, "coordinates_swapped"),
        (early, "updated_before_end"),
    ]
    .into_iter()
    .filter_map(|(said, word)| said.then_some(word))
    .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// `BE*BEC`, or the key that is not of its form.
pub(super) fn owner(country: &str, party: &str) -> Result<String, &'static str> {
    let sound = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    if country.len() != 2 || !sound(country) {
        return Err("country_code");
    }
    if !(1..=3).contains(&party.len()) || !sound(party) {
        return Err("party_id");
    }
    Ok(format!("{country}*{party}").to_ascii_uppercase())
}

fn quantity(name: &'static str, value: Decimal, unit: &'static str) -> Quantity {
    Quantity {
        name: Cow::Borrowed(name),
        value,
        unit: Cow::Borrowed(unit),
    }
}
