//! Where the fields of a tap stand in a line: by the header, by what the scene declares, or by
//! one of the orders in which the data was passed on without a header.

use std::ops::RangeInclusive;

use super::super::lines::Fields;
use super::super::local_time::LocalTime;
use super::super::malformed;
use super::declared::Declared;
use super::row::KINDS;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// The fields that are read, in the order of [`super::row::Row`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Card,
    Time,
    Type,
    Money,
    Company,
    Station,
    Car,
}

/// Chinese and English header of each.
const NAMES: [(Field, &str, &str); 7] = [
    (Field::Card, "卡号", "card_no"),
    (Field::Time, "交易日期时间", "deal_date"),
    (Field::Type, "交易类型", "deal_type"),
    (Field::Money, "交易金额", "deal_money"),
    (Field::Company, "公司名称", "company_name"),
    (Field::Station, "线路站点", "station"),
    (Field::Car, "车牌号", "car_no"),
];

impl Field {
    /// Fields of the platform that no record carries.
    pub(super) const IGNORED: [&'static str; 4] =
        ["deal_value", "equ_no", "conn_mark", "close_date"];

    pub(super) fn named(name: &str) -> Option<Field> {
        let row = NAMES
            .iter()
            .find(|(_, zh, en)| *zh == name || en.eq_ignore_ascii_case(name));
        row.map(|(field, _, _)| *field)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(_, _, name)| name)
    }
}

/// One order of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    at: [Option<usize>; 7],
    width: RangeInclusive<usize>,
    /// The first line is a header and no tap.
    pub(super) header: bool,
}

/// An order that the first line shows: which columns it has, and how many.
type Order = (&'static [(Field, usize)], RangeInclusive<usize>);

/// 卡号, 交易日期时间, 交易类型, 交易金额, 交易值, 设备编码, 公司名称, 线路站点, 车牌号[, 联程标记[, 结算日期]]:
/// the city's own table, passed on without its header and at times without its last columns.
const TABLE: Order = (
    &[
        (Field::Card, 0),
        (Field::Time, 1),
        (Field::Type, 2),
        (Field::Money, 3),
        (Field::Company, 6),
        (Field::Station, 7),
        (Field::Car, 8),
    ],
    9..=11,
);

/// deal_date, close_date, card_no, deal_value, deal_type, company_name, car_no, station,
/// conn_mark, deal_money, equ_no: the platform's answers written as CSV in the order of their keys.
const ANSWER: Order = (
    &[
        (Field::Card, 2),
        (Field::Time, 0),
        (Field::Type, 4),
        (Field::Money, 9),
        (Field::Company, 5),
        (Field::Station, 7),
        (Field::Car, 6),
    ],
    11..=11,
);

/// 记录编码, 卡号, 终端编码, 21 or 22, 交易时间, 线路[, 站点[, 闸机]]: the metro's gates. No fare, and
/// a row whose station is unknown ends early.
const GATES: Order = (
    &[
        (Field::Card, 1),
        (Field::Time, 4),
        (Field::Type, 3),
        (Field::Company, 5),
        (Field::Station, 6),
    ],
    5..=8,
);

impl Columns {
    /// By the first line of the file.
    ///
    /// # Errors
    /// `format_mismatch`: the header lacks a column, or there is none and no order fits.
    pub(super) fn of(first: &Fields, declared: &Declared) -> Result<Columns, Problem> {
        if let Some(order) = &declared.columns {
            return Ok(Columns::declared(first, order));
        }
        let named = |field: &str| Field::named(field) == Some(Field::Card);
        if first.iter().any(named) {
            return Columns::headed(first);
        }
        for order in [&TABLE, &ANSWER, &GATES] {
            let columns = Columns::ordered(order);
            if columns.show(first) {
                return Ok(columns.narrowed(first.len()));
            }
        }
        Err(absent(detail!(
            "既不是已知的表头，也不是已知的列顺序；可在 settings.columns 中说明",
            "neither a header nor an order of columns that is known; settings.columns can name it"
        )))
    }

    fn declared(first: &Fields, order: &[Option<Field>]) -> Columns {
        let of = |(field, _, _): (Field, &str, &str)| order.iter().position(|o| *o == Some(field));
        let at = NAMES.map(of);
        let card = at.first().copied().flatten().map(|index| first.get(index));
        Columns {
            at,
            width: order.len()..=order.len(),
            header: card.and_then(Field::named) == Some(Field::Card),
        }
    }

    fn headed(first: &Fields) -> Result<Columns, Problem> {
        let mut at = [None; 7];
        for (slot, (field, chinese, english)) in at.iter_mut().zip(NAMES) {
            *slot = first
                .iter()
                .position(|name| Field::named(name) == Some(field));
            if slot.is_none() {
                return Err(absent(detail!(
                    "缺少列 {english}（{chinese}）",
                    "no column {english} ({chinese})"
                )));
            }
        }
        Ok(Columns {
            at,
            width: first.len()..=first.len(),
            header: true,
        })
    }

    fn ordered((order, width): &Order) -> Columns {
        let of = |(field, _, _): (Field, &str, &str)| {
            let place = order.iter().find(|(known, _)| *known == field);
            place.map(|(_, index)| *index)
        };
        Columns {
            at: NAMES.map(of),
            width: width.clone(),
            header: false,
        }
    }

    /// Whether a line has a tap's type and time where this order has them.
    fn show(&self, line: &Fields) -> bool {
        let get = |field| self.index(field).map_or("", |index| line.get(index));
        let time = get(Field::Time);
        self.width.contains(&line.len())
            && KINDS.iter().any(|(word, _)| *word == get(Field::Type))
            && LocalTime::parse(time.strip_suffix('Z').unwrap_or(time)).is_some()
    }

    /// Rows of the city's table are all as wide as the first; those of the gates are not.
    fn narrowed(mut self, width: usize) -> Columns {
        if self.has(Field::Money) {
            self.width = width..=width;
        }
        self
    }

    pub(super) fn index(&self, field: Field) -> Option<usize> {
        self.at.get(field as usize).copied().flatten()
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.index(field).is_some()
    }

    /// Whether a line has as many columns as it should.
    ///
    /// # Errors
    /// `row_malformed`.
    pub(super) fn fit(&self, line: &Fields) -> Result<(), Problem> {
        if self.width.contains(&line.len()) {
            return Ok(());
        }
        let (least, most) = (self.width.start(), self.width.end());
        let detail = match least == most {
            true => detail!("应有 {least} 列", "{least} columns are expected"),
            false => detail!(
                "应有 {least} 至 {most} 列",
                "{least} to {most} columns are expected"
            ),
        };
        Err(malformed(detail))
    }
}

pub(super) fn absent(detail: Detail) -> Problem {
    Problem::at(Code::FormatMismatch, "line 1", detail)
}
