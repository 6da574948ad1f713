//! The first page: what the city has done so far, and where to look closer.

use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;

use super::refusal::for_people;
use super::{Shell, figure, page};
use crate::api::{ApiResult, AppState};
use crate::store::totals::city_totals;
use crate::store::{Conn, StoreError, log};

#[derive(Template)]
#[template(path = "public/home.html")]
struct Home<'a> {
    shell: &'a Shell,
    behaviours: String,
    kg: String,
    points: String,
    issued: String,
    retired: String,
    log_size: String,
}

/// `GET /`.
///
/// # Errors
/// The store failed.
#[get("/", wrap = "from_fn(for_people)")]
pub(super) async fn home(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let read = |conn: &mut Conn| Ok((city_totals(conn)?, log::size(conn)?));
    let (totals, size) = state.pool.read::<_, StoreError>(read).await?;
    let shell = Shell::of(&request);
    let home = Home {
        shell: &shell,
        behaviours: figure::grouped(totals.behaviours),
        kg: figure::kilograms(totals.reduction.0),
        points: figure::grouped(totals.points.0),
        issued: figure::grouped(totals.issued.0),
        retired: figure::grouped(totals.retired.0),
        log_size: figure::grouped(size),
    };
    page(&shell, &home)
}
