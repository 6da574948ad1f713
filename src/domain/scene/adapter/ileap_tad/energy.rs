//! What a transport ran on: energy carriers and their feedstocks, whose shares must add up.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json_text::{Object, Text};
use super::activity::{decimal, out, refused};
use crate::domain::problem::{Code, Problem, detail};

/// The words of TR 2025-05-27. It says that more will come; until they are known here, a
/// transport on something else is refused.
const CARRIERS: [&str; 12] = [
    "Diesel",
    "HVO",
    "Petrol",
    "CNG",
    "LNG",
    "LPG",
    "HFO",
    "MGO",
    "Aviation fuel",
    "Hydrogen",
    "Methanol",
    "Electric",
];
const FEEDSTOCKS: [&str; 5] = [
    "Fossil",
    "Natural gas",
    "Grid",
    "Renewable electricity",
    "Cooking oil",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnergyCarrier<'a> {
    #[serde(borrow)]
    energy_carrier: Text<'a>,
    #[serde(borrow, default)]
    relative_share: Option<&'a RawValue>,
    #[serde(borrow, default)]
    feedstocks: Option<Vec<Object<Feedstock<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Feedstock<'a> {
    #[serde(borrow)]
    feedstock: Text<'a>,
    /// The JSON schema's name of the share; the text has `feedstockShare`. Both are 0 to 1.
    #[serde(borrow, default)]
    feedstock_percentage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    feedstock_share: Option<&'a RawValue>,
}

/// `energy_carrier` and `feedstock`, each with `|` between several, in the order of the document.
///
/// # Errors
/// `invalid_field` for an empty list, an unknown word and carriers' shares that do not add up to
/// 1; `quantity_out_of_range` for a share outside 0 to 1 and feedstocks of more than 1.
pub(super) fn attributes(
    carriers: Option<&[Object<EnergyCarrier<'_>>]>,
    feedstocks: Option<&[Object<Feedstock<'_>>]>,
) -> Result<Vec<(Cow<'static, str>, String)>, Problem> {
    let mut names = Vec::new();
    let mut stocks = Vec::new();
    if let Some(carriers) = carriers {
        carried(carriers, &mut names, &mut stocks)?;
    }
    if let Some(feedstocks) = feedstocks {
        fed("feedstocks", feedstocks, &mut stocks)?;
    }
    let facts = [("energy_carrier", names), ("feedstock", stocks)];
    let stated = facts.into_iter().filter(|(_, words)| !words.is_empty());
    Ok(stated
        .map(|(name, words)| (Cow::Borrowed(name), words.join("|")))
        .collect())
}

fn carried(
    carriers: &[Object<EnergyCarrier<'_>>],
    names: &mut Vec<&'static str>,
    stocks: &mut Vec<&'static str>,
) -> Result<(), Problem> {
    const FIELD: &str = "energyCarriers";
    if carriers.is_empty() {
        return Err(refused(FIELD, detail!("不能为空", "must not be empty")));
    }
    let mut sum = Decimal::ZERO;
    for (at, Object(carrier)) in carriers.iter().enumerate() {
        let within = |field: &str| format!("{FIELD}/{at}/{field}");
        let name = word(&within("energyCarrier"), &CARRIERS, &carrier.energy_carrier)?;
        let field = within("relativeShare");
        let share = carrier
            .relative_share
            .ok_or_else(|| Problem::on(Code::MissingField, field.clone()))?;
        let share = decimal(&field, share)?;
        if share <= Decimal::ZERO || share > Decimal::ONE {
            return Err(out(
                &field,
                detail!("须大于 0 且不超过 1", "must be above 0 and at most 1"),
            ));
        }
        sum += share;
        if !names.contains(&name) {
            names.push(name);
        }
        if let Some(feedstocks) = &carrier.feedstocks {
            fed(&within("feedstocks"), feedstocks, stocks)?;
        }
    }
    match sum == Decimal::ONE {
        true => Ok(()),
        false => {
            let sum = sum.normalize();
            let detail = detail!(
                "相对份额之和为 {sum}，不是 1",
                "the relative shares come to {sum}, not 1"
            );
            Err(refused(FIELD, detail))
        }
    }
}

fn fed(
    field: &str,
    feedstocks: &[Object<Feedstock<'_>>],
    stocks: &mut Vec<&'static str>,
) -> Result<(), Problem> {
    if feedstocks.is_empty() {
        return Err(refused(field, detail!("不能为空", "must not be empty")));
    }
    let mut sum = Decimal::ZERO;
    for Object(feedstock) in feedstocks {
        let name = word(field, &FEEDSTOCKS, &feedstock.feedstock)?;
        let share = match (feedstock.feedstock_percentage, feedstock.feedstock_share) {
            (Some(_), Some(_)) => {
                return Err(refused(
                    field,
                    detail!("同时写了份额和百分比", "states a share and a percentage"),
                ));
            }
            (stated, other) => stated.or(other),
        };
        if let Some(share) = share {
            let share = decimal(field, share)?;
            if share < Decimal::ZERO || share > Decimal::ONE {
                return Err(out(
                    field,
                    detail!(
                        "份额为 0 至 1，名为百分比时也一样",
                        "a share is 0 to 1, also where it is called percentage"
                    ),
                ));
            }
            sum += share;
        }
        if !stocks.contains(&name) {
            stocks.push(name);
        }
    }
    match sum <= Decimal::ONE {
        true => Ok(()),
        false => Err(out(
            field,
            detail!("份额之和大于 1", "the shares come to more than 1"),
        )),
    }
}

fn word<const N: usize>(
    field: &str,
    known: &[&'static str; N],
    stated: &Text<'_>,
) -> Result<&'static str, Problem> {
    let found = known.iter().find(|word| **word == stated.as_str());
    found.copied().ok_or_else(|| {
        let known = known.join(", ");
        refused(field, detail!("不在可选值之内：{known}", "none of {known}"))
    })
}
