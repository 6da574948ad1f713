//! One row as a feed writes it: a flat object or line with the standard's fields, or a message of
//! an MQTT gateway (`Cmd`, `Vin`, `Data` with `Time` and `Infos`).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json_text::{self, Text};
use super::super::lines::Fields;
use crate::domain::problem::{Code, Problem, detail};

type Raw<'a> = Option<&'a RawValue>;

/// The texts of one row; blank where the row has none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) vin: Cow<'a, str>,
    pub(super) time: Cow<'a, str>,
    pub(super) mileage: Cow<'a, str>,
    pub(super) run_mode: Cow<'a, str>,
}

/// The columns that are read, and every name they have: case, spaces and underscores do not count.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("vin", &["vin", "车架号", "vin码", "车辆识别代号"]),
    (
        "time",
        &[
            "time",
            "terminaltime",
            "datatime",
            "数据采集时间",
            "采集时间",
            "时间",
        ],
    ),
    ("mileage", &["mileage", "totalmileage", "累计里程"]),
    ("runMode", &["runmode", "mode", "运行模式"]),
];

/// Where each column of a CSV file stands; the mode may be missing.
pub(super) struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    /// # Errors
    /// `format_mismatch`: the header lacks the vehicle, the time or the odometer, or has two
    /// columns of one kind: which of them counts, nobody can say.
    pub(super) fn of(header: &Fields) -> Result<Columns, Problem> {
        let names: Vec<String> = header.iter().map(plain).collect();
        let mut at = [None; COLUMNS.len()];
        for (slot, (title, known)) in at.iter_mut().zip(COLUMNS) {
            let mut places = names
                .iter()
                .enumerate()
                .filter(|(_, name)| known.contains(&name.as_str()))
                .map(|(place, _)| place);
            *slot = places.next();
            if places.next().is_some() {
                let detail = detail!("{title} 有两列", "two columns are {title}");
                return Err(Problem::at(Code::FormatMismatch, "line 1", detail));
            }
            if slot.is_none() && title != "runMode" {
                let detail = detail!("缺少列 {title}", "no column {title}");
                return Err(Problem::at(Code::FormatMismatch, "line 1", detail));
            }
        }
        Ok(Columns(at))
    }

    pub(super) fn row<'f>(&self, fields: &'f Fields) -> Row<'f> {
        let [vin, time, mileage, run_mode] = self
            .0
            .map(|at| Cow::Borrowed(at.map_or("", |at| fields.get(at))));
        Row {
            vin,
            time,
            mileage,
            run_mode,
        }
    }
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, ' ' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, default, alias = "Vin", alias = "VIN")]
    vin: Raw<'a>,
    #[serde(borrow, default, alias = "terminalTime", alias = "dataTime")]
    time: Raw<'a>,
    #[serde(borrow, default, alias = "totalMileage")]
    mileage: Raw<'a>,
    #[serde(borrow, default, rename = "runMode", alias = "run_mode")]
    run_mode: Raw<'a>,
    #[serde(borrow, default, rename = "Data")]
    data: Raw<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(default, rename = "Time")]
    time: Option<Clock>,
    #[serde(borrow, default, rename = "Infos")]
    infos: Vec<Info<'a>>,
}

#[derive(Deserialize)]
struct Clock {
    #[serde(rename = "Year")]
    year: u16,
    #[serde(rename = "Month")]
    month: u8,
    #[serde(rename = "Day")]
    day: u8,
    #[serde(rename = "Hour")]
    hour: u8,
    #[serde(rename = "Minute")]
    minute: u8,
    #[serde(rename = "Second")]
    second: u8,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow, default, rename = "Type")]
    kind: Option<Text<'a>>,
    #[serde(borrow, default, rename = "Mileage")]
    mileage: Raw<'a>,
    #[serde(borrow, default, rename = "Mode")]
    mode: Raw<'a>,
}

/// The row of a JSON object; `None` for a gateway's message that says nothing of the vehicle
/// itself (a login, a position).
///
/// # Errors
/// `row_malformed`, or `file_truncated` where the row ends too early: whether the file ends with
/// it, the caller knows. `invalid_field` for a member that is neither text nor number.
pub(super) fn of_json(text: &str) -> Result<Option<Row<'_>>, Problem> {
    let object: Object<'_> = json_text::row(text)?;
    let Some(data) = object.data else {
        return Ok(Some(Row {
            vin: scalar(object.vin, "vin")?,
            time: scalar(object.time, "time")?,
            mileage: scalar(object.mileage, "mileage")?,
            run_mode: scalar(object.run_mode, "runMode")?,
        }));
    };
    let data: Data<'_> = json_text::row(data.get())?;
    let of_vehicle = |info: &&Info<'_>| {
        let kind = info.kind.as_ref().map(Text::as_str);
        kind == Some("Vehicle")
    };
    let Some(info) = data.infos.iter().find(of_vehicle) else {
        return Ok(None);
    };
    Ok(Some(Row {
        vin: scalar(object.vin, "vin")?,
        time: Cow::Owned(data.time.map_or_else(String::new, Clock::written)),
        mileage: scalar(info.mileage, "mileage")?,
        run_mode: scalar(info.mode, "runMode")?,
    }))
}

impl Clock {
    /// The standard's year has two digits; a gateway may have written four.
    fn written(self) -> String {
        let century = if self.year < 100 { 2_000 } else { 0 };
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            self.year + century,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second
        )
    }
}

/// A text or a number, as it is written; blank where there is none.
fn scalar<'a>(raw: Raw<'a>, field: &str) -> Result<Cow<'a, str>, Problem> {
    let Some(json) = raw.map(RawValue::get) else {
        return Ok(Cow::Borrowed(""));
    };
    if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Ok(Cow::Borrowed(json));
    }
    match serde_json::from_str::<Text<'a>>(json) {
        Ok(Text(Cow::Borrowed(text))) => Ok(Cow::Borrowed(text.trim())),
        Ok(Text(Cow::Owned(text))) => Ok(Cow::Owned(text.trim().to_owned())),
        Err(_) => {
            let detail = detail!("应为文本或数字", "a text or a number is expected");
            Err(Problem::at(Code::InvalidField, field, detail))
        }
    }
}
