//! The number of a waybill: 运单号 and 分段分单号.

use super::waybill::Waybill;
use crate::domain::problem::{Code, Problem, detail};

/// Bytes of a waybill's number, as the guide has it.
const NOTE_MAX: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) note: String,
    /// Four digits: vehicle and leg.
    pub(super) serial: String,
    /// 1, 2, … of a waybill in legs; 0 of one that is not.
    pub(super) leg: u32,
}

impl Number {
    /// Two digits for the vehicle, two for the leg; `0000` for one vehicle and one leg. With
    /// several vehicles each has its own number.
    ///
    /// # Errors
    /// `missing_field`, `invalid_field` at the field.
    pub(super) fn of(waybill: &Waybill<'_>) -> Result<Number, Problem> {
        let note = waybill.shipping_note_number.text();
        let serial = waybill.serial_number.text();
        for (name, text) in [("shippingNoteNumber", note), ("serialNumber", serial)] {
            if text.is_empty() {
                return Err(Problem::on(Code::MissingField, name));
            }
        }
        if note.len() > NOTE_MAX || !note.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = detail!("应为 1 至 20 个可见字符", "1 to 20 visible characters");
            return Err(Problem::at(
                Code::InvalidField,
                "shippingNoteNumber",
                detail,
            ));
        }
        let (vehicle, leg) = parts(serial).ok_or_else(|| {
            let detail = detail!(
                "应为四位数字：前两位是车辆序号，后两位是分段序号",
                "four digits: two of the vehicle, two of the leg"
            );
            Problem::at(Code::InvalidField, "serialNumber", detail)
        })?;
        counted(waybill, vehicle)?;
        Ok(Number {
            note: note.to_owned(),
            serial: serial.to_owned(),
            leg,
        })
    }
}

fn parts(serial: &str) -> Option<(u32, u32)> {
    let digits = serial.len() == 4 && serial.bytes().all(|byte| byte.is_ascii_digit());
    let (vehicle, leg) = digits.then(|| serial.split_at_checked(2))??;
    Some((vehicle.parse().ok()?, leg.parse().ok()?))
}

/// The vehicle is one of as many as the waybill says it has.
fn counted(waybill: &Waybill<'_>, vehicle: u32) -> Result<(), Problem> {
    let stated = &waybill.vehicle_amount;
    if stated.is_blank() {
        return Ok(());
    }
    let problem = |detail| Problem::at(Code::InvalidField, "vehicleAmount", detail);
    let text = stated.text();
    let digits = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let amount: u32 = digits
        .then(|| text.parse().ok())
        .flatten()
        .filter(|amount| *amount > 0)
        .ok_or_else(|| {
            problem(detail!(
                "应为 1 至 9999 的整数",
                "a whole number from 1 to 9999"
            ))
        })?;
    if vehicle == 0 && amount > 1 {
        return Err(problem(detail!(
            "车辆不止一辆，而分段分单号没有车辆序号",
            "several vehicles, and a serial number of none"
        )));
    }
    // Two digits count to 99 only.
    if vehicle > amount && amount <= 99 {
        return Err(problem(detail!(
            "车辆数少于分段分单号中的车辆序号",
            "fewer vehicles than the serial number counts"
        )));
    }
    Ok(())
}
