//! A citizen's wallet (钱包): what there is, how it came, and how the last days went.

use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;
use uuid::Uuid;

use super::chart::{Chart, DAYS};
use super::{Shell, figure, page};
use crate::api::auth::CitizenAuth;
use crate::api::cursor::{PageQuery, cut};
use crate::api::{ApiResult, AppState};
use crate::domain::redemption::day_in;
use crate::domain::wallet::{Day, Lot};
use crate::store::totals::earned_per_day;
use crate::store::wallet::{StatementLine, StatementPlace, lots_of, statement};
use crate::store::{StoreError, redemption};

/// Lines of a statement on one page, if nobody says how many.
const LINES: i64 = 20;

#[derive(Template)]
#[template(path = "citizen/wallet.html")]
struct Wallet<'a> {
    shell: &'a Shell,
    balance: Balance,
    saved_kg: String,
    chart: Chart,
    lines: Vec<Line>,
    next: Option<String>,
    first_page: bool,
}

struct Balance {
    available: String,
    held: String,
    /// Points that expire first, and the last day on which they can be spent.
    expiring: Option<(String, String)>,
}

struct Line {
    day: String,
    zh: &'static str,
    en: &'static str,
    /// How available points changed, with its sign.
    available: String,
    /// How points set aside changed, if they did.
    held: Option<String>,
    kg: Option<String>,
    /// Where the reductions behind a credit are listed.
    credit: Option<String>,
}

/// `GET /me`.
///
/// # Errors
/// `token_invalid`; a cursor that is not ours.
#[get("")]
pub(super) async fn show(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    query: web::Query<LineQuery>,
) -> ApiResult<HttpResponse> {
    let asked = PageQuery {
        cursor: query.cursor.clone(),
        limit: Some(query.limit.unwrap_or(LINES)),
    };
    let (place, limit) = asked.read::<(Day, Uuid, Day)>()?;
    let place = place.map(|(day, transfer, bucket)| StatementPlace {
        day,
        transfer,
        bucket,
    });
    let first_page = place.is_none();
    let account = citizen.account_id;
    let today = day_in(state.now(), state.redemption.zone);
    let read = move |conn: &mut crate::store::Conn| {
        Ok((
            lots_of(conn, account)?,
            redemption::saved_mg(conn, account)?,
            earned_per_day(conn, account, today.saturating_sub(DAYS), today)?,
            statement(conn, account, place, limit + 1)?,
        ))
    };
    let (lots, saved_mg, earned, mut lines) = state.pool.read::<_, StoreError>(read).await?;
    let next = cut(&mut lines, limit, |line| {
        (line.entry.day, line.transfer, line.entry.bucket)
    });
    let shell = Shell::of(&request);
    let wallet = Wallet {
        shell: &shell,
        balance: Balance::new(&lots, today),
        saved_kg: figure::kilograms(saved_mg),
        chart: Chart::new(today, &earned),
        lines: lines.into_iter().map(Line::from).collect(),
        next,
        first_page,
    };
    page(&shell, &wallet)
}

/// Which page; other fields, as `large`, are somebody else's.
#[derive(serde::Deserialize)]
pub(super) struct LineQuery {
    pub cursor: Option<String>,
    pub limit: Option<i64>,
}

impl Balance {
    fn new(lots: &[Lot], today: Day) -> Balance {
        let live = || lots.iter().filter(|lot| lot.bucket >= today);
        let soonest = live().find(|lot| lot.available > 0);
        Balance {
            available: figure::grouped(live().map(|lot| lot.available).sum()),
            held: figure::grouped(lots.iter().map(|lot| lot.held).sum()),
            expiring: soonest.map(|lot| (figure::grouped(lot.available), figure::day(lot.bucket))),
        }
    }
}

impl From<StatementLine> for Line {
    fn from(line: StatementLine) -> Line {
        let (zh, en) = kind(&line.kind);
        let entry = line.entry;
        let earned = entry.records > 0;
        Line {
            day: figure::day(entry.day),
            zh,
            en,
            available: figure::signed(entry.available),
            held: (entry.held != 0).then(|| figure::signed(entry.held)),
            kg: earned.then(|| figure::kilograms(entry.reduction_mg)),
            credit: earned.then(|| {
                let transfer = line.transfer.simple();
                let (from, records) = (entry.first_pos, entry.records);
                format!("/me/credits/{transfer}?from={from}&records={records}")
            }),
        }
    }
}

fn kind(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "credit" => ("入账", "Earned"),
        "hold" => ("冻结", "Set aside"),
        "write_off" => ("核销", "Used"),
        "release" => ("解冻", "Returned"),
        "expire" => ("过期", "Expired"),
        "reverse" => ("冲正", "Reversed"),
        _ => ("变动", "Movement"),
    }
}
