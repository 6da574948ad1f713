//! What a vehicle carries: 货物项毛重, summed over its goods.

use rust_decimal::Decimal;

use super::super::scalar::Scalar;
use super::declared::MassUnit;
use super::waybill::{Vehicle, Waybill};
use crate::domain::problem::{Code, Problem, detail};

/// No road vehicle carries more: the heaviest transports of undivided goods are below.
const MASS_MAX_T: i64 = 1_000;

const NAME: &str = "goodsItemGrossWeight";

/// Tonnes, exact: the goods of the vehicle where they are listed with it, else those of the
/// waybill, which the guide has for the one vehicle alone.
///
/// # Errors
/// `missing_field`, `invalid_field`, `quantity_out_of_range` at `goodsItemGrossWeight`.
pub(super) fn tonnes(
    waybill: &Waybill<'_>,
    vehicle: &Vehicle<'_>,
    unit: MassUnit,
) -> Result<Decimal, Problem> {
    let goods = match vehicle.goods_info.0.as_slice() {
        [] => waybill.goods_info.0.as_slice(),
        goods => goods,
    };
    if goods.is_empty() {
        return Err(Problem::at(
            Code::MissingField,
            NAME,
            detail!("没有货物", "no goods"),
        ));
    }
    let mut sum = Decimal::ZERO;
    for item in goods {
        let weight = &item.goods_item_gross_weight;
        if weight.is_blank() {
            return Err(Problem::on(Code::MissingField, NAME));
        }
        let (value, decimals) = match unit {
            MassUnit::Kilogram => (weight.decimal().and_then(thousandth), 3),
            MassUnit::Tonne => (weight.decimal(), 6),
        };
        let value = value
            .filter(|_| decimal_places(weight) <= decimals)
            .ok_or_else(|| {
                let detail = detail!(
                    "应为数字，最多 {decimals} 位小数",
                    "a number with at most {decimals} decimals is expected"
                );
                Problem::at(Code::InvalidField, NAME, detail)
            })?;
        sum = sum.saturating_add(value);
        if value < Decimal::ZERO || sum > Decimal::from(MASS_MAX_T) {
            let detail = detail!("应在 0 至 {MASS_MAX_T} t 之间", "0 to {MASS_MAX_T} t");
            return Err(Problem::at(Code::QuantityOutOfRange, NAME, detail));
        }
    }
    carried(sum, vehicle)?;
    Ok(sum.normalize())
}

fn thousandth(kilograms: Decimal) -> Option<Decimal> {
    kilograms.checked_mul(Decimal::new(1, 3))
}

/// The load is no heavier than what the vehicle may weigh: a waybill's whole load stated for each
/// of its vehicles, and kilograms taken for tonnes, show here.
fn carried(load: Decimal, vehicle: &Vehicle<'_>) -> Result<(), Problem> {
    let capacity = stated_tonnes(&vehicle.vehicle_tonnage, "vehicleTonnage")?;
    let gross = stated_tonnes(&vehicle.gross_mass, "grossMass")?;
    // A tractor's own papers state no load; operators then write what it may draw.
    let most = capacity.max(gross);
    if most.is_some_and(|most| load > most) {
        let detail = detail!(
            "{load} t 超过车辆允许的质量",
            "{load} t is more than the vehicle may weigh"
        );
        return Err(Problem::at(Code::QuantityOutOfRange, NAME, detail));
    }
    Ok(())
}

/// A mass of the vehicle in tonnes with two decimals; `None` where none is stated, or 0.
///
/// # Errors
/// `invalid_field` at `name`.
pub(super) fn stated_tonnes(text: &Scalar<'_>, name: &str) -> Result<Option<Decimal>, Problem> {
    if text.is_blank() {
        return Ok(None);
    }
    let value = text.decimal().filter(|value| {
        decimal_places(text) <= 2 && *value >= Decimal::ZERO && *value <= Decimal::from(MASS_MAX_T)
    });
    let problem = || {
        let detail = detail!(
            "应为以吨计的数字，两位小数，最多 {MASS_MAX_T}",
            "tonnes with two decimals are expected, at most {MASS_MAX_T}"
        );
        Problem::at(Code::InvalidField, name, detail)
    };
    value
        .map(|value| (!value.is_zero()).then(|| value.normalize()))
        .ok_or_else(problem)
}

fn decimal_places(text: &Scalar<'_>) -> usize {
    text.text()
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len())
}
