//! The reductions behind one credit.

use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::{Shell, figure, page};
use crate::api::auth::CitizenAuth;
use crate::api::{ApiResult, AppState};
use crate::domain::problem::Code;
use crate::store::StoreError;
use crate::store::reduction::{ReductionRow, of_credit};

const ROWS: i64 = 50;

#[derive(Template)]
#[template(path = "citizen/credit.html")]
struct Credit<'a> {
    shell: &'a Shell,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    day: String,
    scene_zh: String,
    scene_en: String,
    kg: String,
    points: String,
}

/// The credit's place in its batch.
#[derive(Debug, Deserialize)]
struct Place {
    #[serde(default)]
    from: i32,
    #[serde(default = "all")]
    records: i32,
}

fn all() -> i32 {
    i32::MAX
}

/// `GET /me/credits/{transfer}`.
///
/// # Errors
/// `not_found` for a credit that is not the caller's.
#[get("/credits/{transfer}")]
pub(super) async fn show(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    transfer: web::Path<Uuid>,
    place: web::Query<Place>,
) -> ApiResult<HttpResponse> {
    let (account, batch, from) = (citizen.account_id, transfer.into_inner(), place.from);
    let end = from.saturating_add(place.records);
    let mut found = state
        .pool
        .read::<_, StoreError>(move |conn| of_credit(conn, account, batch, from, ROWS + 1))
        .await?;
    found.retain(|row| row.pos < end);
    if found.is_empty() {
        return Err(Code::NotFound.into());
    }
    let over = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let next = found.last().filter(|_| over).map(|last| {
        let from = last.pos.saturating_add(1);
        let left = end.saturating_sub(from);
        format!("/me/credits/{}?from={from}&records={left}", batch.simple())
    });
    let catalogue = state.catalogue.get();
    let scene = |row: &ReductionRow| {
        let mut scenes = catalogue.scenes.values();
        let scene = scenes.find(|scene| scene.row.id == row.scene_id);
        scene.map_or_else(Default::default, |scene| {
            (scene.row.name_zh.clone(), scene.row.name_en.clone())
        })
    };
    let rows = found
        .iter()
        .map(|row| {
            let (scene_zh, scene_en) = scene(row);
            Row {
                id: row.id().to_string(),
                day: figure::day(row.day),
                scene_zh,
                scene_en,
                kg: figure::kilograms(row.mg),
                points: figure::grouped(row.points),
            }
        })
        .collect();
    let shell = Shell::of(&request);
    page(
        &shell,
        &Credit {
            shell: &shell,
            rows,
            next,
        },
    )
}
