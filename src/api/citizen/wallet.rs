//! A citizen's points: what there is, and how it came.

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::api::auth::CitizenAuth;
use crate::api::cursor::{PageQuery, cut};
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::redemption::day_in;
use crate::domain::wallet::{Day, Lot};
use crate::store::wallet::{StatementLine, StatementPlace, lots_of, statement};
use crate::store::{StoreError, redemption};

/// What an account has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BalanceBody {
    /// Points that can be spent today.
    pub available: i64,
    /// Points set aside for vouchers.
    pub held: i64,
    /// The points that expire soonest, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiring: Option<ExpiringBody>,
    /// All reductions ever recorded, in mg CO₂e; not a balance, it cannot be spent.
    pub saved_mg: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExpiringBody {
    pub points: i64,
    /// The last day on which they can be spent.
    pub last_day: NaiveDate,
}

/// One page of a statement, newest day first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StatementBody {
    pub lines: Vec<LineBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LineBody {
    pub transfer: Uuid,
    /// `credit`, `hold`, `write_off`, `release`, `expire` or `reverse`.
    pub kind: String,
    pub at: DateTime<Utc>,
    /// The day of the act.
    pub day: NaiveDate,
    /// The last day of the lot.
    pub lot: NaiveDate,
    pub available: i64,
    pub held: i64,
    /// For a credit: the reductions behind it, in mg CO₂e.
    pub reduction_mg: i64,
    /// For a credit: how many reductions.
    pub records: i32,
}

/// What the caller's account has
#[utoipa::path(tag = "citizen", security(("bearer" = [])), responses(
    (status = OK, body = BalanceBody), (status = UNAUTHORIZED, body = ProblemBody)))]
#[get("/api/citizen/balance")]
pub async fn show_balance(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let account = citizen.account_id;
    let (lots, saved_mg) = state
        .pool
        .read::<_, StoreError>(move |conn| {
            Ok((
                lots_of(conn, account)?,
                redemption::saved_mg(conn, account)?,
            ))
        })
        .await?;
    let today = day_in(state.now(), state.redemption.zone);
    Ok(HttpResponse::Ok().json(balance(&lots, today, saved_mg)))
}

fn balance(lots: &[Lot], today: Day, saved_mg: i64) -> BalanceBody {
    let live = || lots.iter().filter(|lot| lot.bucket >= today);
    let soonest = live().find(|lot| lot.available > 0);
    BalanceBody {
        available: live().map(|lot| lot.available).sum(),
        held: lots.iter().map(|lot| lot.held).sum(),
        expiring: soonest.map(|lot| ExpiringBody {
            points: lot.available,
            last_day: date(lot.bucket),
        }),
        saved_mg,
    }
}

/// The caller's account, movement by movement
#[utoipa::path(tag = "citizen", security(("bearer" = [])), params(PageQuery), responses(
    (status = OK, body = StatementBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/citizen/statement")]
pub async fn show_statement(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    let (place, limit) = page.read::<(Day, Uuid, Day)>()?;
    let place = place.map(|(day, transfer, bucket)| StatementPlace {
        day,
        transfer,
        bucket,
    });
    let account = citizen.account_id;
    let mut lines = state
        .pool
        .read::<_, StoreError>(move |conn| statement(conn, account, place, limit + 1))
        .await?;
    let next = cut(&mut lines, limit, |line| {
        (line.entry.day, line.transfer, line.entry.bucket)
    });
    let lines = lines.into_iter().map(LineBody::from).collect();
    Ok(HttpResponse::Ok().json(StatementBody { lines, next }))
}

impl From<StatementLine> for LineBody {
    fn from(line: StatementLine) -> LineBody {
        LineBody {
            transfer: line.transfer,
            kind: line.kind,
            at: line.at,
            day: date(line.entry.day),
            lot: date(line.entry.bucket),
            available: line.entry.available,
            held: line.entry.held,
            reduction_mg: line.entry.reduction_mg,
            records: line.entry.records,
        }
    }
}

fn date(day: Day) -> NaiveDate {
    NaiveDate::from_epoch_days(day).unwrap_or_default()
}
