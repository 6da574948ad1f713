//! The vehicle: its plate, its plate's colour and its energy, and whether these go together.

use super::super::scalar::Scalar;
use super::waybill::Vehicle;
use crate::domain::problem::{Code, Problem, detail};

/// 车牌颜色代码, with the word that stands in the record.
const COLOURS: [(&str, &str); 10] = [
    ("1", "blue"),
    ("2", "yellow"),
    ("3", "black"),
    ("4", "white"),
    ("5", "green"),
    ("9", "other"),
    ("91", "farm_yellow"),
    ("92", "farm_green"),
    ("93", "yellow_green"),
    ("94", "gradient_green"),
];

/// Plates that new-energy vehicles alone are given: electric, plug-in hybrid, fuel cell.
const NEW_ENERGY: [&str; 3] = ["green", "yellow_green", "gradient_green"];

/// 车辆能源类型, with the word that stands in the record.
const ENERGIES: [(&str, &str); 12] = [
    ("A", "petrol"),
    ("B", "diesel"),
    ("C", "electric"),
    ("D", "mixed_oil"),
    ("E", "natural_gas"),
    ("F", "lpg"),
    ("L", "methanol"),
    ("M", "ethanol"),
    ("N", "solar"),
    ("O", "hybrid"),
    ("Y", "none"),
    ("Z", "other"),
];

/// What runs without burning alone; fuel cells have no code of their own but `Z`.
const NEW: [&str; 4] = ["electric", "hybrid", "solar", "other"];

/// Characters of a plate.
const PLATE_MAX: usize = 12;

/// Whether plate and energy say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// A new-energy plate and a new energy.
    Agrees,
    /// An electric or hybrid vehicle on a plate that any vehicle may have.
    Unconfirmed,
    /// Neither claims anything, or one of them is not stated.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// In capitals, without spaces.
    pub(super) plate: String,
    /// The colour's code as it was stated; two vehicles may have one number in two colours.
    pub(super) colour_code: &'static str,
    pub(super) colour: Option<&'static str>,
    pub(super) energy: Option<&'static str>,
    pub(super) agreement: Agreement,
}

impl Identity {
    /// # Errors
    /// `missing_field`, `invalid_field` at the field; a new-energy plate on a vehicle that burns
    /// fuel alone is refused at `vehicleEnergyType`, because nobody can say which is wrong.
    pub(super) fn of(vehicle: &Vehicle<'_>) -> Result<Identity, Problem> {
        let plate = plate(vehicle.vehicle_number.text())?;
        let colour = code(
            &vehicle.vehicle_plate_color_code,
            &COLOURS,
            "vehiclePlateColorCode",
        )?;
        let energy = code(&vehicle.vehicle_energy_type, &ENERGIES, "vehicleEnergyType")?;
        Ok(Identity {
            plate,
            colour_code: colour.map_or("", |(code, _)| code),
            colour: colour.map(|(_, word)| word),
            energy: energy.map(|(_, word)| word),
            agreement: agreement(colour.map(|(_, word)| word), energy.map(|(_, word)| word))?,
        })
    }
}

fn plate(text: &str) -> Result<String, Problem> {
    const NAME: &str = "vehicleNumber";
    if text.is_empty() {
        return Err(Problem::on(Code::MissingField, NAME));
    }
    let plate: String = text
        .chars()
        .filter(|c| *c != ' ')
        .flat_map(char::to_uppercase)
        .collect();
    let sound = plate.chars().all(|c| c.is_alphanumeric() || c == '-');
    if !sound || plate.chars().count() > PLATE_MAX {
        let detail = detail!(
            "应为文字和数字，最多 12 个字符",
            "letters and digits, at most 12"
        );
        return Err(Problem::at(Code::InvalidField, NAME, detail));
    }
    Ok(plate)
}

type Coded = Option<(&'static str, &'static str)>;

fn code(
    text: &Scalar<'_>,
    table: &'static [(&'static str, &'static str)],
    name: &str,
) -> Result<Coded, Problem> {
    if text.is_blank() {
        return Ok(None);
    }
    let found = table.iter().find(|(code, _)| *code == text.text());
    found.copied().map(Some).ok_or_else(|| {
        let known: Vec<_> = table.iter().map(|(code, _)| *code).collect();
        let detail = detail!("应为以下之一：{}", "one of {}", known.join(", "));
        Problem::at(Code::InvalidField, name, detail)
    })
}

fn agreement(
    colour: Option<&'static str>,
    energy: Option<&'static str>,
) -> Result<Agreement, Problem> {
    let (Some(colour), Some(energy)) = (colour, energy) else {
        return Ok(Agreement::Nothing);
    };
    match (NEW_ENERGY.contains(&colour), NEW.contains(&energy)) {
        (true, true) => Ok(Agreement::Agrees),
        (true, false) => {
            let detail = detail!(
                "能源类型为 {energy}，而 {colour} 车牌只发给新能源车",
                "{energy} on a {colour} plate, which new-energy vehicles alone have"
            );
            Err(Problem::at(Code::InvalidField, "vehicleEnergyType", detail))
        }
        (false, _) if matches!(energy, "electric" | "hybrid") => Ok(Agreement::Unconfirmed),
        (false, _) => Ok(Agreement::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::Outcome;
    use super::super::super::tests::refusals;
    use super::super::tests::{options, outcomes, put, with};
    use crate::domain::behaviour::Record;

    #[test]
    fn plate_and_energy_must_go_together() {
        let of = |colour: &str, energy: Value| {
            let mut waybill = with("/vehicleInfo/vehiclePlateColorCode", json!(colour));
            put(&mut waybill, "/vehicleInfo/vehicleEnergyType", energy);
            outcomes(&[waybill], &options(""))
        };
        for colour in ["5", "93", "94"] {
            for energy in ["A", "B", "D", "E", "F", "L", "M", "Y"] {
                let refused = refusals(&of(colour, json!(energy)));
                assert_eq!(refused.len(), 1, "{colour} {energy}");
                assert_eq!(refused[0].2, "vehicleEnergyType");
            }
        }
        for (colour, energy, quality) in [
            ("5", json!("C"), Some("plate_agrees")),
            ("93", json!("O"), Some("plate_agrees")),
            ("94", json!("Z"), Some("plate_agrees")),
            ("1", json!("C"), Some("plate_unconfirmed")),
            ("2", json!("O"), Some("plate_unconfirmed")),
            ("2", json!("B"), None),
            ("93", json!(null), None),
            ("", json!("C"), None),
        ] {
            let outcomes = of(colour, energy.clone());
            let [Outcome::Record(_, record)] = outcomes.as_slice() else {
                panic!("{outcomes:?}");
            };
            assert_eq!(record.attribute("quality"), quality, "{colour} {energy}");
        }
    }

    #[test]
    fn a_plate_stands_in_no_id_and_no_attribute() {
        let of = |settings: &str, plate: &str| {
            let waybill = with("/vehicleInfo/vehicleNumber", json!(plate));
            match outcomes(&[waybill], &options(settings)).pop() {
                Some(Outcome::Record(_, record)) => record,
                other => panic!("{other:?}"),
            }
        };
        let plain = of("", "粤B00000D");
        let vehicle = |record: &Record| record.attribute("vehicle").map(str::to_owned);
        let seen = plain
            .attributes
            .iter()
            .any(|(_, value)| value.contains("B00000D"));
        assert!(!seen && !plain.source_id.contains("B00000D"));
        assert_eq!(vehicle(&of("", "粤b 00000d")), vehicle(&plain));
        assert_ne!(vehicle(&of("", "粤B00001D")), vehicle(&plain));
        assert_ne!(
            vehicle(&of("plate_salt = 'sixteen bytes or more'", "粤B00000D")),
            vehicle(&plain)
        );
    }
}
