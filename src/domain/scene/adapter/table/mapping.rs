//! What a scene declares of its table: understood as a whole before any file is read.

use chrono_tz::Tz;

use super::super::Options;
use super::super::great_circle::Datum;
use super::attribute::{Attribute, Only};
use super::columns::{Columns, Slot};
use super::identity::Identity;
use super::quantity::{Defaults, Measure};
use super::section::Section;
use super::times::Times;
use crate::domain::problem::{Code, Problem, detail};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// Text, with this byte between the fields.
    Csv { delimiter: u8 },
    /// The sheet of that name; the only one where none is named.
    Xlsx { sheet: Option<String> },
}

#[derive(Debug, Clone)]
pub(super) struct Mapping {
    pub(super) format: Format,
    /// The row of titles, counted from 1; 0 where there is none.
    pub(super) header: u32,
    pub(super) zone: Option<Tz>,
    pub(super) columns: Columns,
    pub(super) id: Identity,
    pub(super) subject: Identity,
    pub(super) times: Times,
    pub(super) quantities: Vec<Measure>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) revises: Option<Slot>,
    pub(super) stated_at: Option<Slot>,
    pub(super) only: Vec<Only>,
    pub(super) blank_words: Vec<String>,
}

impl Mapping {
    /// # Errors
    /// The first fault in the document, at its key: `missing_field`, `invalid_field`,
    /// `unknown_field`, `unit_unsupported`.
    pub(super) fn declared(options: &Options) -> Result<Mapping, Problem> {
        let root = Section::root(&options.settings);
        root.only(&[
            "format",
            "delimiter",
            "sheet",
            "header",
            "zone",
            Datum::KEY,
            "decimal",
            "thousands",
            "blank",
            "blank_words",
            "columns",
            "time",
            "quantities",
            "attributes",
            "constants",
            "only",
        ])?;
        let format = format(&root)?;
        let header = root.row("header")?.unwrap_or(1);
        let mut columns = Columns::new(header > 0);
        let named = root.section("columns")?;
        named.only(&["id", "subject", "at", "from", "to", "revises", "stated_at"])?;
        let constants = root.section("constants")?;
        let others = constants.without(&["id", "subject"]);
        let mapping = Mapping {
            zone: zone(&root)?.or(options.zone),
            id: Identity::id(&named, &constants, &mut columns)?,
            subject: Identity::subject(&named, &constants, &mut columns)?,
            times: Times::declared(&named, &root.section("time")?, &mut columns)?,
            quantities: Measure::all(
                &root.section("quantities")?,
                Defaults::declared(&root)?,
                &mut columns,
            )?,
            attributes: Attribute::all(&root.section("attributes")?, &others, &mut columns)?,
            revises: columns.one(&named, "revises")?,
            stated_at: columns.one(&named, "stated_at")?,
            only: Only::all(&root.section("only")?, &mut columns)?,
            blank_words: root
                .texts("blank_words")?
                .iter()
                .map(|word| word.trim().to_owned())
                .collect(),
            format,
            header,
            columns,
        };
        mapping.agree(&root)?;
        Ok(mapping)
    }

    /// Rules between the parts.
    fn agree(&self, root: &Section) -> Result<(), Problem> {
        let sheet = matches!(self.format, Format::Xlsx { .. });
        if self.zone.is_none() && (sheet || self.times.need_zone()) {
            let detail = detail!(
                "时间不带时差，须声明 IANA 时区",
                "times without an offset need an IANA zone"
            );
            return Err(root.missing("zone", detail));
        }
        let located = self.quantities.iter().any(Measure::is_from_coordinates);
        match root.value(Datum::KEY).is_some() && !located {
            true => Err(root.refused(
                Datum::KEY,
                detail!("没有按大圆距离计算的量", "no quantity is a great circle"),
            )),
            false => Ok(()),
        }
    }
}

fn format(root: &Section) -> Result<Format, Problem> {
    const DELIMITERS: [(&str, u8); 6] = [
        (",", b','),
        (";", b';'),
        ("|", b'|'),
        ("\t", b'\t'),
        ("tab", b'\t'),
        ("^", b'^'),
    ];
    let words = [("csv", false), ("xlsx", true)];
    let sheet = root.text("sheet")?.map(str::to_owned);
    let delimiter = root.choice("delimiter", &DELIMITERS)?;
    match root.choice("format", &words)? {
        None => Err(root.missing("format", detail!("应为 csv 或 xlsx", "csv or xlsx"))),
        Some(false) if sheet.is_some() => {
            Err(root.refused("sheet", detail!("只用于 xlsx", "is about xlsx")))
        }
        Some(true) if delimiter.is_some() => {
            Err(root.refused("delimiter", detail!("只用于 csv", "is about csv")))
        }
        Some(false) => Ok(Format::Csv {
            delimiter: delimiter.unwrap_or(b','),
        }),
        Some(true) => Ok(Format::Xlsx { sheet }),
    }
}

fn zone(root: &Section) -> Result<Option<Tz>, Problem> {
    let Some(text) = root.text("zone")? else {
        return Ok(None);
    };
    text.trim().parse().map(Some).map_err(|_| {
        Problem::at(
            Code::InvalidField,
            root.param("zone"),
            detail!(
                "应为 IANA 时区，例如 Asia/Shanghai",
                "must be an IANA zone such as Asia/Shanghai"
            ),
        )
    })
}
