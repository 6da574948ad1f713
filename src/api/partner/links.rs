//! Linking a partner's name for a person to that person's account, with a code that the person
//! was shown.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};

use crate::api::link_code::LinkCode;
use crate::api::{ApiError, ApiResult, AppState, ProblemBody};
use crate::domain::behaviour::subject_hash;
use crate::domain::context::Actor;
use crate::domain::problem::{Code, Problem};
use crate::flow::FlowError;
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
    let body: LinkBody = serde_json::from_slice(&body)
        .map_err(|error| Problem::at(Code::InvalidField, "body", error.to_string()))?;
    let now = state.now();
    let code = LinkCode::read(&body.code, &state.keys.codes, now)?;
    let first = state
        .short_lived
        .once(&format!("link:{}", body.code), LinkCode::LIFE)
        .await;
    if !first.map_err(ApiError::unavailable)? {
        return Err(Problem::at(Code::LinkCodeInvalid, "code", "it was used before").into());
    }
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
