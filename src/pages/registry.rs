//! The public registry (登记簿): what was issued, where each serial is, and what was retired.

use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::{Shell, figure, page};
use crate::api::cursor::{cut, place};
use crate::api::{ApiResult, AppState};
use crate::domain::problem::Code;
use crate::domain::registry::{Serial, SerialRange, Series, masked};
use crate::store::registry::{self, BlockRow, IssuanceRow, RetirementRow};
use crate::store::verification::{MethodologyShare, period, period_methodologies};
use crate::store::{Conn, StoreError, StoreResult};

const ROWS: i64 = 20;
/// The most characters of an asked serial that are repeated on the page.
const ASKED_CHARS_MAX: usize = 120;

#[derive(Template)]
#[template(path = "public/registry.html")]
struct Registry<'a> {
    shell: &'a Shell,
    asked: String,
    found: Option<SerialFound>,
    issuances: Vec<IssuanceSeen>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "public/issuance.html")]
struct IssuancePage<'a> {
    shell: &'a Shell,
    issuance: IssuanceSeen,
    ground: Ground,
    blocks: Vec<BlockSeen>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "public/retirements.html")]
struct Retirements<'a> {
    shell: &'a Shell,
    rows: Vec<RetirementSeen>,
    next: Option<String>,
}

struct IssuanceSeen {
    id: String,
    series: String,
    serial: String,
    tonnes: String,
    root: String,
    leaf_count: String,
    issued_at: String,
}

struct BlockSeen {
    first: i64,
    last: i64,
    tonnes: String,
    state: String,
    state_zh: &'static str,
    state_en: &'static str,
    changed_at: String,
}

struct SerialFound {
    issuance: IssuanceSeen,
    block: BlockSeen,
    acts: Vec<ActSeen>,
}

struct ActSeen {
    at: String,
    zh: &'static str,
    en: &'static str,
    first: i64,
    last: i64,
}

/// The period behind an issuance.
pub(super) struct Ground {
    pub from_day: String,
    pub to_day: String,
    pub sum_kg: String,
    pub methodologies: Vec<MethodologyShare>,
}

/// A retirement as anybody may read it.
pub(super) struct RetirementSeen {
    pub certificate_no: String,
    pub range: String,
    pub tonnes: String,
    pub purpose_zh: &'static str,
    pub purpose_en: &'static str,
    pub beneficiary: String,
    pub claim: String,
    pub retired_at: String,
}

#[derive(Debug, Deserialize)]
struct RegistryQuery {
    serial: Option<String>,
    cursor: Option<String>,
}

/// `GET /public/registry`.
///
/// # Errors
/// A cursor that is not ours.
#[get("/registry")]
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<AppState>,
    query: web::Query<RegistryQuery>,
) -> ApiResult<HttpResponse> {
    let after: Option<i64> = query.cursor.as_deref().map(place).transpose()?;
    let asked = query.serial.as_deref().unwrap_or_default().trim();
    let asked: String = asked.chars().take(ASKED_CHARS_MAX).collect();
    let (wanted, zone) = (wanted(&asked), state.redemption.zone);
    let read = move |conn: &mut Conn| {
        let issuances = registry::issuances(conn, after.unwrap_or(0), ROWS + 1)?;
        let found = match &wanted {
            Some((series, serial)) => serial_found(conn, series.as_deref(), *serial, zone)?,
            None => None,
        };
        Ok((issuances, found))
    };
    let (mut issuances, found) = state.pool.read::<_, StoreError>(read).await?;
    let next = cut(&mut issuances, ROWS, |row| row.first_serial);
    let shell = Shell::of(&request);
    let registry = Registry {
        shell: &shell,
        asked,
        found,
        issuances: issuances
            .iter()
            .map(|row| IssuanceSeen::new(row, zone))
            .collect(),
        next,
    };
    page(&shell, &registry)
}

/// A full serial as issued, or a number alone.
fn wanted(asked: &str) -> Option<(Option<String>, i64)> {
    if let Ok(number) = asked.parse() {
        return Some((None, number));
    }
    let serial = Serial::parse(asked).ok()?;
    Some((
        Some(serial.series.as_str().to_owned()),
        serial.range.first(),
    ))
}

fn serial_found(
    conn: &mut Conn,
    series: Option<&str>,
    serial: i64,
    zone: Tz,
) -> StoreResult<Option<SerialFound>> {
    let found = registry::find_serial(conn, serial)?;
    let of_series = |issuance: &IssuanceRow| series.is_none_or(|series| issuance.series == series);
    let Some((block, issuance)) = found.filter(|(_, issuance)| of_series(issuance)) else {
        return Ok(None);
    };
    let acts = registry::acts_of_serial(conn, issuance.id.0, serial)?;
    Ok(Some(SerialFound {
        issuance: IssuanceSeen::new(&issuance, zone),
        block: BlockSeen::new(&block, zone),
        acts: acts
            .into_iter()
            .map(|act| {
                let (zh, en) = act_words(&act.kind);
                ActSeen {
                    at: figure::instant(act.at.0, zone),
                    zh,
                    en,
                    first: act.first_serial,
                    last: act.last_serial,
                }
            })
            .collect(),
    }))
}

#[derive(Debug, Deserialize)]
struct Cursor {
    cursor: Option<String>,
}

/// `GET /public/registry/issuances/{id}`.
///
/// # Errors
/// `not_found`; a cursor that is not ours.
#[get("/registry/issuances/{id}")]
pub(super) async fn show_issuance(
    request: HttpRequest,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    query: web::Query<Cursor>,
) -> ApiResult<HttpResponse> {
    let after: i64 = query.cursor.as_deref().map(place).transpose()?.unwrap_or(0);
    let id = id.into_inner();
    let read = move |conn: &mut Conn| {
        let Some(issuance) = registry::issuance(conn, id)? else {
            return Ok(None);
        };
        let ground = Ground::read(conn, issuance.period_id.0)?;
        let blocks = registry::live_blocks(conn, Some(id), after, ROWS + 1)?;
        Ok(Some((issuance, ground, blocks)))
    };
    let found = state.pool.read::<_, StoreError>(read).await?;
    let (issuance, ground, mut blocks) = found.ok_or(Code::NotFound)?;
    let next = cut(&mut blocks, ROWS, |row| row.first_serial);
    let zone = state.redemption.zone;
    let shell = Shell::of(&request);
    let page_of_issuance = IssuancePage {
        shell: &shell,
        issuance: IssuanceSeen::new(&issuance, zone),
        ground,
        blocks: blocks.iter().map(|row| BlockSeen::new(row, zone)).collect(),
        next,
    };
    page(&shell, &page_of_issuance)
}

/// `GET /public/registry/retirements`.
///
/// # Errors
/// A cursor that is not ours.
#[get("/registry/retirements")]
pub(super) async fn list_retirements(
    request: HttpRequest,
    state: web::Data<AppState>,
    query: web::Query<Cursor>,
) -> ApiResult<HttpResponse> {
    let after: Option<Uuid> = query.cursor.as_deref().map(place).transpose()?;
    let read = move |conn: &mut Conn| registry::retirements(conn, after, ROWS + 1);
    let mut found = state.pool.read::<_, StoreError>(read).await?;
    let next = cut(&mut found, ROWS, |row| row.id.0);
    let zone = state.redemption.zone;
    let shell = Shell::of(&request);
    let rows = found.iter().map(|row| RetirementSeen::new(row, zone));
    let retirements = Retirements {
        shell: &shell,
        rows: rows.collect(),
        next,
    };
    page(&shell, &retirements)
}

impl IssuanceSeen {
    fn new(row: &IssuanceRow, zone: Tz) -> IssuanceSeen {
        IssuanceSeen {
            id: row.id.0.simple().to_string(),
            series: row.series.clone(),
            serial: written(&row.series, row.first_serial, row.last_serial),
            tonnes: figure::grouped(row.last_serial - row.first_serial + 1),
            root: hex::encode(&row.root),
            leaf_count: figure::grouped(row.leaf_count),
            issued_at: figure::instant(row.issued_at.0, zone),
        }
    }
}

impl BlockSeen {
    fn new(row: &BlockRow, zone: Tz) -> BlockSeen {
        let (state_zh, state_en) = state_words(&row.state);
        BlockSeen {
            first: row.first_serial,
            last: row.last_serial,
            tonnes: figure::grouped(row.last_serial - row.first_serial + 1),
            state: row.state.clone(),
            state_zh,
            state_en,
            changed_at: figure::instant(row.changed_at.0, zone),
        }
    }
}

impl Ground {
    /// # Errors
    /// There is no such period, or the query failed.
    pub(super) fn read(conn: &mut Conn, id: Uuid) -> StoreResult<Ground> {
        let period = period(conn, id)?.ok_or(StoreError::NotFound)?;
        Ok(Ground {
            from_day: figure::day(period.from_day),
            to_day: figure::day(period.to_day),
            sum_kg: figure::kilograms(period.sum_mg.unwrap_or(0)),
            methodologies: period_methodologies(conn, id)?,
        })
    }
}

impl RetirementSeen {
    pub(super) fn new(row: &RetirementRow, zone: Tz) -> RetirementSeen {
        let (purpose_zh, purpose_en) = purpose_words(&row.purpose);
        let beneficiary = match row.purpose.as_str() {
            "personal" => masked(&row.beneficiary),
            _ => row.beneficiary.clone(),
        };
        RetirementSeen {
            certificate_no: row.certificate_no.clone(),
            range: format!("{}–{}", row.first_serial, row.last_serial),
            tonnes: figure::grouped(row.last_serial - row.first_serial + 1),
            purpose_zh,
            purpose_en,
            beneficiary,
            claim: row.claim.clone(),
            retired_at: figure::instant(row.retired_at.0, zone),
        }
    }
}

/// A serial as it is written; the tables hold no range that cannot be.
pub(super) fn written(series: &str, first: i64, last: i64) -> String {
    let series = Series::stored(series.to_owned());
    match SerialRange::new(first, last) {
        Ok(range) => Serial { series, range }.to_string(),
        Err(_) => series.as_str().to_owned(),
    }
}

fn state_words(state: &str) -> (&'static str, &'static str) {
    match state {
        "held" => ("持有", "Held"),
        "listed" => ("挂牌", "Listed"),
        "retired" => ("已注销（用于声明）", "Retired"),
        "cancelled" => ("已注销（无声明）", "Cancelled"),
        _ => ("已拆分", "Split"),
    }
}

fn act_words(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "issue" => ("签发", "Issued"),
        "split" => ("拆分", "Split"),
        "transfer" => ("划转", "Transferred"),
        "list" => ("挂牌", "Listed"),
        "unlist" => ("撤牌", "Taken off the market"),
        "sell" => ("成交过户", "Sold"),
        "retire" => ("注销", "Retired"),
        "cancel" => ("注销（无声明）", "Cancelled"),
        _ => ("变动", "Changed"),
    }
}

fn purpose_words(purpose: &str) -> (&'static str, &'static str) {
    match purpose {
        "compliance" => ("抵销履约", "Compliance"),
        "event" => ("活动碳中和", "An event"),
        "organisation" => ("组织碳中和", "An organisation"),
        "personal" => ("个人", "A person"),
        "charity" => ("公益", "Charity"),
        "compensation" => ("替代性修复赔偿", "Compensation"),
        _ => ("其他", "Other"),
    }
}
