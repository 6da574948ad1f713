//! What a scene declares about its waybills.

use std::sync::Arc;

use chrono_tz::Tz;

use super::super::great_circle::Datum;
use super::super::settings::param;
use super::super::{DistanceTable, Options};
use crate::domain::problem::{Code, Problem, detail};

/// A shorter salt can be found by trying.
const SALT_MIN: usize = 16;

/// The unit in which the file states `goodsItemGrossWeight`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MassUnit {
    /// As the guide has it.
    Kilogram,
    /// As some operators' systems have it.
    Tonne,
}

#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) zone: Tz,
    pub(super) distances: Arc<DistanceTable>,
    pub(super) mass_unit: MassUnit,
    /// What the degrees of location points mean; none of them is read where it is not declared.
    pub(super) datum: Option<Datum>,
    /// Makes the pseudonyms of plates this scene's own; blank where it is not declared.
    pub(super) plate_salt: String,
}

impl Declared {
    /// Reads `mass_unit`, `datum` and `plate_salt`; takes no other key.
    ///
    /// # Errors
    /// `unknown_field`, `invalid_field` at the key.
    pub(super) fn read(options: &Options) -> Result<Declared, Problem> {
        let settings = &options.settings;
        settings.only(&["mass_unit", Datum::KEY, "plate_salt"])?;
        let units = [("kg", MassUnit::Kilogram), ("t", MassUnit::Tonne)];
        let salt = settings.text("plate_salt")?;
        if salt.is_some_and(|salt| salt.len() < SALT_MIN) {
            let detail = detail!("至少 {SALT_MIN} 字节", "at least {SALT_MIN} bytes");
            return Err(Problem::at(Code::InvalidField, param("plate_salt"), detail));
        }
        Ok(Declared {
            zone: options.zone.unwrap_or(chrono_tz::Asia::Shanghai),
            distances: options.distances.clone().unwrap_or_default(),
            mass_unit: settings
                .choice("mass_unit", &units)?
                .unwrap_or(MassUnit::Kilogram),
            datum: Datum::declared(settings)?,
            plate_salt: salt.unwrap_or_default().to_owned(),
        })
    }
}
