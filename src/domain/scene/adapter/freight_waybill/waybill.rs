//! A waybill as the document writes it: the fields that are read, under the names that the
//! ministry's guide gives them. Every other field is passed over.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use super::super::json_text::Object;
use super::super::scalar::Scalar;

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Waybill<'a> {
    #[serde(borrow)]
    pub(super) shipping_note_number: Scalar<'a>,
    #[serde(borrow)]
    pub(super) serial_number: Scalar<'a>,
    #[serde(borrow)]
    pub(super) vehicle_amount: Scalar<'a>,
    #[serde(borrow)]
    pub(super) transport_type_code: Scalar<'a>,
    #[serde(borrow)]
    pub(super) send_to_pro_date_time: Scalar<'a>,
    #[serde(borrow)]
    pub(super) despatch_actual_date_time: Scalar<'a>,
    #[serde(borrow)]
    pub(super) goods_receipt_date_time: Scalar<'a>,
    #[serde(borrow)]
    pub(super) consignor_info: Option<Object<Party<'a>>>,
    #[serde(borrow)]
    pub(super) consignee_info: Option<Object<Party<'a>>>,
    #[serde(borrow)]
    pub(super) vehicle_info: Many<Vehicle<'a>>,
    #[serde(borrow)]
    pub(super) goods_info: Many<Goods<'a>>,
    /// The driver's location points.
    #[serde(borrow)]
    pub(super) locations: Many<Location<'a>>,
    #[serde(borrow)]
    pub(super) loaded_kilometres: Scalar<'a>,
    #[serde(borrow)]
    pub(super) empty_kilometres: Scalar<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Party<'a> {
    #[serde(borrow)]
    pub(super) country_subdivision_code: Scalar<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Vehicle<'a> {
    #[serde(borrow)]
    pub(super) vehicle_number: Scalar<'a>,
    #[serde(borrow)]
    pub(super) vehicle_plate_color_code: Scalar<'a>,
    #[serde(borrow)]
    pub(super) vehicle_energy_type: Scalar<'a>,
    /// 核定载质量, t.
    #[serde(borrow)]
    pub(super) vehicle_tonnage: Scalar<'a>,
    /// 总质量, t.
    #[serde(borrow)]
    pub(super) gross_mass: Scalar<'a>,
    #[serde(borrow)]
    pub(super) despatch_actual_date_time: Scalar<'a>,
    #[serde(borrow)]
    pub(super) goods_receipt_date_time: Scalar<'a>,
    #[serde(borrow)]
    pub(super) loading_country_subdivision_code: Scalar<'a>,
    #[serde(borrow)]
    pub(super) receipt_country_subdivision_code: Scalar<'a>,
    #[serde(borrow)]
    pub(super) goods_info: Many<Goods<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Goods<'a> {
    /// kg.
    #[serde(borrow)]
    pub(super) goods_item_gross_weight: Scalar<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Location<'a> {
    #[serde(borrow)]
    pub(super) longitude: Scalar<'a>,
    #[serde(borrow)]
    pub(super) latitude: Scalar<'a>,
    #[serde(borrow)]
    pub(super) time: Scalar<'a>,
}

/// One, or a list of them: uploads differ.
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Many<T> {
        Many(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Many<T>, D::Error> {
        let raw: &'de RawValue = Deserialize::deserialize(deserializer)?;
        let text = raw.get();
        let read: serde_json::Result<Vec<Object<T>>> = match text.as_bytes().first() {
            Some(b'[') => serde_json::from_str(text),
            Some(b'n') => Ok(Vec::new()),
            _ => serde_json::from_str(text).map(|one| vec![one]),
        };
        let all = read.map_err(Error::custom)?;
        Ok(Many(all.into_iter().map(|one| one.0).collect()))
    }
}
