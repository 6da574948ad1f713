//! The bureau settles whose a household or vehicle is, when people or partners disagree.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::BureauAuth;
use crate::api::idempotency::Once;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::redemption::day_in;
use crate::domain::wallet::Day;
use crate::flow::end_link::end_link_by_officer;
use crate::flow::show_links::{History, show_links, subject_named};

/// Which subject, and why an officer asks; the reason stands in the audit chain.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedSubjectBody {
    /// The partner's code.
    pub partner: String,
    /// The partner's own name for it: a number of an electricity account, of a vehicle.
    pub subject: String,
    pub reason: String,
}

/// Everything that was linked and stated of one subject; nothing of it is ever edited.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LinksBody {
    /// As its people see it.
    pub reference: String,
    pub links: Vec<BureauLinkBody>,
    pub statements: Vec<StatedBody>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BureauLinkBody {
    pub account: Uuid,
    pub linked_at: DateTime<Utc>,
    /// The first day; absent for a first link, which covers everything before too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The first day that is out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<NaiveDate>,
    /// `citizen`, `partner` or `bureau`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StatedBody {
    pub from: Option<NaiveDate>,
    pub stated_at: DateTime<Utc>,
    /// The account that stated it: the owner's, or that of a member who left.
    pub stated_by: Uuid,
    pub shares: Vec<StatedShareBody>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StatedShareBody {
    pub account: Uuid,
    pub weight: u32,
}

/// From when on the subject is nobody's.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EndedBody {
    pub reference: String,
    pub ends_on: Option<NaiveDate>,
}

/// Who a subject was linked to and shared by
///
/// Looking is an act: it stands in the audit chain with its reason.
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = NamedSubjectBody,
    responses((status = OK, body = LinksBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody)))]
#[post("/api/bureau/links/show")]
pub async fn show(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    body: web::Json<NamedSubjectBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let ctx = state.ctx(officer.actor());
    let body = body.into_inner();
    once.run(&state, move |tx| {
        let subject = subject_named(tx, &body.partner, &body.subject)?;
        let history = show_links(tx, &ctx, &subject, &body.reason)?;
        Ok((StatusCode::OK, LinksBody::from(history)))
    })
    .await
}

/// End a subject's link, from tomorrow
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = NamedSubjectBody,
    responses((status = OK, body = EndedBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody),
    (status = UNPROCESSABLE_ENTITY, body = ProblemBody, description = "subject_not_linked")))]
#[post("/api/bureau/links/end")]
pub async fn end(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    body: web::Json<NamedSubjectBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let ctx = state.ctx(officer.actor());
    let today = day_in(ctx.now, state.redemption.zone);
    let body = body.into_inner();
    once.run(&state, move |tx| {
        let subject = subject_named(tx, &body.partner, &body.subject)?;
        let ended = end_link_by_officer(tx, &ctx, &subject, today, &body.reason)?;
        let told = EndedBody {
            reference: crate::domain::wallet::sharing::subject_reference(&subject),
            ends_on: ended.out_day.and_then(NaiveDate::from_epoch_days),
        };
        Ok((StatusCode::OK, told))
    })
    .await
}

fn date(day: Day) -> Option<NaiveDate> {
    // A first link begins before any calendar that people use.
    NaiveDate::from_epoch_days(day).filter(|_| day > crate::store::link::FROM_THE_START)
}

impl From<History> for LinksBody {
    fn from(history: History) -> LinksBody {
        let links = history.links.into_iter().map(|link| BureauLinkBody {
            account: link.account_id.0,
            linked_at: link.linked_at.0,
            from: date(link.from_day),
            ends_on: link.out_day.and_then(date),
            ended_by: link.ended_role,
        });
        let statements = history
            .statements
            .into_iter()
            .map(|(row, stated)| StatedBody {
                from: date(row.from_day),
                stated_at: row.stated_at.0,
                stated_by: row.stated_by.0,
                shares: stated
                    .shares
                    .iter()
                    .map(|share| StatedShareBody {
                        account: share.account,
                        weight: share.weight,
                    })
                    .collect(),
            });
        LinksBody {
            reference: history.reference,
            links: links.collect(),
            statements: statements.collect(),
        }
    }
}
