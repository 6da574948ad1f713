//! Linking a partner's name for a person to that person's account, with a code that the person
//! was shown.

use actix_web::{HttpRequest, HttpResponse, delete, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::api::link_code::LinkCode;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::behaviour::subject_hash;
use crate::domain::context::Actor;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::redemption::day_in;
use crate::flow::FlowError;
use crate::flow::end_link::end_link;
use crate::flow::link_subject::{link_subject as link, release_held};

use super::proof::prove;

/// Which person, and the code that they gave.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    /// The partner's own name for the person, as its records say it.
    pub subject: String,
    /// The code from `POST /api/citizen/link-codes`.
    pub code: String,
}

/// What linking brought.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LinkedBody {
    /// Held records that were credited now.
    pub released: usize,
    pub reduction_mg: i64,
    pub points: i64,
}

/// Link a subject to a citizen's account
#[utoipa::path(tag = "partner", security(("signature" = [])), request_body = LinkBody,
    responses((status = OK, body = LinkedBody), (status = UNAUTHORIZED, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody)))]
#[post("/api/partner/links")]
pub async fn link_subject(
    request: HttpRequest,
    state: web::Data<AppState>,
    body: web::Bytes,
) -> ApiResult<HttpResponse> {
    let proof = prove(&request, &state, &body).await?;
    let body: LinkBody = serde_json::from_slice(&body).map_err(|error| unreadable(&error))?;
    let now = state.now();
    let code = LinkCode::read(&body.code, &state.keys.codes, now)?;
    LinkCode::use_up(&body.code, &state.short_lived).await?;
    let actor = Actor {
        role: "partner",
        id: proof.partner,
    };
    let mut ctx = state.ctx(actor.clone());
    let (catalogue, keys) = (state.catalogue.get(), state.keys.clone());
    let subject = subject_hash(proof.partner, &body.subject);
    let mut linked = state
        .pool
        .write::<_, FlowError>(move |tx| {
            link(
                tx,
                &mut ctx,
                &catalogue,
                &keys,
                proof.partner,
                &body.subject,
                code.account,
            )
        })
        .await?;
    // One transaction credits so many records; what is left is credited by the next ones.
    let mut last = linked;
    while last.released > 0 {
        let mut ctx = state.ctx(actor.clone());
        let (catalogue, keys) = (state.catalogue.get(), state.keys.clone());
        last = state
            .pool
            .write::<_, FlowError>(move |tx| {
                release_held(tx, &mut ctx, &catalogue, &keys, &subject)
            })
            .await?;
        linked.released += last.released;
        linked.reduction_mg += last.reduction_mg;
        linked.points += last.points;
    }
    Ok(HttpResponse::Ok().json(LinkedBody {
        released: linked.released,
        reduction_mg: linked.reduction_mg,
        points: linked.points,
    }))
}

/// Whose link ends.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlinkBody {
    /// The partner's own name for the person, as its records say it.
    pub subject: String,
}

/// From when on the subject is nobody's.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UnlinkedBody {
    /// Records of this day and later are held for the next link. Sent again, the same.
    pub ends_on: NaiveDate,
}

/// End a subject's link, from tomorrow
///
/// What was recorded for the days until then stays with the account that it was linked to; records
/// that were sent by mistake are cancelled by revisions. A new link takes over on `ends_on`.
#[utoipa::path(tag = "partner", security(("signature" = [])), request_body = UnlinkBody,
    responses((status = OK, body = UnlinkedBody), (status = UNAUTHORIZED, body = ProblemBody),
    (status = UNPROCESSABLE_ENTITY, body = ProblemBody, description = "subject_not_linked")))]
#[delete("/api/partner/links")]
pub async fn unlink_subject(
    request: HttpRequest,
    state: web::Data<AppState>,
    body: web::Bytes,
) -> ApiResult<HttpResponse> {
    let proof = prove(&request, &state, &body).await?;
    let body: UnlinkBody = serde_json::from_slice(&body).map_err(|error| unreadable(&error))?;
    let ctx = state.ctx(Actor {
        role: "partner",
        id: proof.partner,
    });
    let subject = subject_hash(proof.partner, &body.subject);
    let today = day_in(ctx.now, state.redemption.zone);
    let ended = state
        .pool
        .write::<_, FlowError>(move |tx| end_link(tx, &ctx, &subject, today))
        .await?;
    let ends_on = ended.out_day.and_then(NaiveDate::from_epoch_days);
    let ends_on = ends_on.ok_or(Code::Internal)?;
    Ok(HttpResponse::Ok().json(UnlinkedBody { ends_on }))
}

fn unreadable(error: &serde_json::Error) -> Problem {
    let detail = detail!("无法解析：{error}", "{error}");
    Problem::at(Code::InvalidField, "body", detail)
}
