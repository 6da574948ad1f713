//! What is linked to me or shared with me: households, vehicles, cards.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::api::auth::CitizenAuth;
use crate::api::idempotency::Once;
use crate::api::link_code::LinkCode;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::redemption::day_in;
use crate::domain::wallet::Day;
use crate::flow::my_subjects::{MySubject, ShareSeen, my_subjects};
use crate::flow::share_subject::{
    Named, SharingRules, Wanted, leave_subject, plan_shares, share_subject,
};
use crate::flow::{FlowError, FlowResult};

/// Everything that is linked to the caller or shared with the caller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SubjectsBody {
    pub subjects: Vec<SubjectBody>,
}

/// A household, vehicle, card or account. The partner's own name for it is not kept, only a hash.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SubjectBody {
    /// By which name to speak of it.
    #[schema(example = "7K3M-9Q2X")]
    pub reference: String,
    /// `owner`, to whom it is linked, or `member`, with whom it is shared.
    pub role: &'static str,
    /// Unknown for links made before this was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<PartnerBody>,
    /// Where records of it are known.
    pub scenes: Vec<SceneBody>,
    pub linked_at: DateTime<Utc>,
    /// The first day on which it is no longer linked, once somebody ended the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<NaiveDate>,
    /// Since when the caller has had a share without a break.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// Who shares what is recorded for today.
    pub shares: Vec<ShareBody>,
    /// Who will share from a day on.
    pub upcoming: Vec<UpcomingBody>,
    /// How the last calendar month's shared reductions were split so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_month: Option<MonthBody>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PartnerBody {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SceneBody {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// The last day that a record covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_day: Option<NaiveDate>,
    /// Whether what it earns is shared: what a person did counts for that person alone.
    pub shared: bool,
}

/// One who shares; accounts are not told to each other.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShareBody {
    /// What the people of this household call each other here.
    #[schema(example = "M4T0-2HSB")]
    pub member: String,
    /// The part of the sum of all weights.
    pub weight: u32,
    pub me: bool,
    pub owner: bool,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UpcomingBody {
    pub from: NaiveDate,
    pub shares: Vec<ShareBody>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MonthBody {
    /// `2026-10`.
    pub month: String,
    pub reduction_mg: i64,
    pub parts: Vec<MonthPartBody>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MonthPartBody {
    pub member: String,
    pub me: bool,
    pub reduction_mg: i64,
}

/// Who shall share from a day on. Whoever is not named has no share from then; a later statement
/// replaces every earlier one from its first day on.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharesBody {
    /// The first day, tomorrow at the earliest and if not said. Earlier days stay as they were.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// The caller's own weight, 1 to 100; 1 if not said.
    #[serde(default)]
    pub weight: Option<u32>,
    /// Everybody else.
    pub members: Vec<MemberBody>,
}

/// One other member, by `code` or by `member`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberBody {
    /// For somebody new: a code that they made with `POST /api/citizen/link-codes`. It proves that
    /// they agree, and is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For somebody who shares already: their reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// 1 to 100; 1 if not said, so that nobody's saying makes all shares equal.
    #[serde(default)]
    pub weight: Option<u32>,
}

/// From when on the caller has nothing more of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LeftBody {
    pub reference: String,
    /// The first day of which nothing is the caller's.
    pub ends_on: NaiveDate,
}

/// What is linked to me or shared with me
#[utoipa::path(tag = "citizen", security(("bearer" = [])), responses(
    (status = OK, body = SubjectsBody), (status = UNAUTHORIZED, body = ProblemBody)))]
#[get("/api/citizen/subjects")]
pub async fn list_subjects(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let subjects = subjects_of(&citizen, &state).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(SubjectsBody {
            subjects: subjects.into_iter().map(SubjectBody::from).collect(),
        }))
}

/// State who shares a household, vehicle or site of mine
///
/// Each new member proves consent by a link code, as for a partner. Nothing before the first day
/// changes. With an `Idempotency-Key` a request that was answered is answered the same again.
#[utoipa::path(tag = "citizen", security(("bearer" = [])), request_body = SharesBody,
    params(("reference" = String, Path, description = "As GET /api/citizen/subjects says it")),
    responses((status = OK, body = SubjectBody),
    (status = FORBIDDEN, body = ProblemBody, description = "not_owner"),
    (status = NOT_FOUND, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody, description = "member_twice, link_ended"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemBody, description =
     "link_code_invalid, member_unknown, member_limit, share_day, subject_personal")))]
#[post("/api/citizen/subjects/{reference}/shares")]
pub async fn state_shares(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    reference: web::Path<String>,
    body: web::Json<SharesBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, citizen.caller(), &*body)?;
    share(&citizen, &state, once, reference.into_inner(), &body).await
}

/// Leave: my share of a household or vehicle ends tomorrow; if it is mine, its link does
#[utoipa::path(tag = "citizen", security(("bearer" = [])),
    params(("reference" = String, Path, description = "As GET /api/citizen/subjects says it")),
    responses((status = OK, body = LeftBody), (status = NOT_FOUND, body = ProblemBody)))]
#[delete("/api/citizen/subjects/{reference}")]
pub async fn leave(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    reference: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, citizen.caller(), &())?;
    leave_from_tomorrow(&citizen, &state, once, reference.into_inner()).await
}

/// As [`list_subjects`], for pages too.
///
/// # Errors
/// The store failed.
pub async fn subjects_of(citizen: &CitizenAuth, state: &AppState) -> ApiResult<Vec<MySubject>> {
    let (catalogue, account) = (state.catalogue.get(), citizen.account_id);
    let today = rules(state).today;
    let read = move |conn: &mut crate::store::Conn| my_subjects(conn, &catalogue, account, today);
    Ok(state.pool.read::<_, FlowError>(read).await?)
}

/// As [`state_shares`], for pages too.
///
/// # Errors
/// As [`state_shares`].
pub async fn share(
    citizen: &CitizenAuth,
    state: &web::Data<AppState>,
    once: Once,
    reference: String,
    body: &SharesBody,
) -> ApiResult<HttpResponse> {
    if let Some(answer) = once.answered(state).await? {
        return Ok(answer);
    }
    let (owner, rules) = (citizen.account_id, rules(state));
    let wanted = wanted(body, state)?;
    let catalogue = state.catalogue.get();
    let plan = {
        let (catalogue, wanted, reference) = (catalogue.clone(), wanted.clone(), reference.clone());
        move |conn: &mut crate::store::Conn| {
            plan_shares(conn, &catalogue, rules, owner, &reference, &wanted)
        }
    };
    // What would be refused uses up no code.
    state.pool.read::<_, FlowError>(plan).await?;
    for code in body
        .members
        .iter()
        .filter_map(|member| member.code.as_ref())
    {
        LinkCode::use_up(code, &state.short_lived).await?;
    }
    let ctx = state.ctx(citizen.actor());
    once.run(state, move |tx| {
        share_subject(tx, &ctx, &catalogue, rules, owner, &reference, &wanted)?;
        let mine = my_subjects(tx, &catalogue, owner, rules.today)?;
        let told = mine
            .into_iter()
            .find(|subject| subject.reference.eq_ignore_ascii_case(&reference));
        let told = told.ok_or(Code::Internal)?;
        Ok((StatusCode::OK, SubjectBody::from(told)))
    })
    .await
}

/// As [`leave`], for pages too.
///
/// # Errors
/// As [`leave`].
pub async fn leave_from_tomorrow(
    citizen: &CitizenAuth,
    state: &AppState,
    once: Once,
    reference: String,
) -> ApiResult<HttpResponse> {
    let (ctx, account) = (state.ctx(citizen.actor()), citizen.account_id);
    let today = rules(state).today;
    once.run(state, move |tx| {
        let out = leave_subject(tx, &ctx, account, &reference, today)?;
        let left = LeftBody {
            reference: reference.clone(),
            ends_on: date(out)?,
        };
        Ok((StatusCode::OK, left))
    })
    .await
}

fn rules(state: &AppState) -> SharingRules {
    SharingRules {
        members_max: state.config.sharing.members_max,
        today: day_in(state.now(), state.redemption.zone),
    }
}

/// What the body asks for; codes are read, not yet used.
fn wanted(body: &SharesBody, state: &AppState) -> Result<Wanted, Problem> {
    let mut others = Vec::with_capacity(body.members.len());
    for member in &body.members {
        let named = match (&member.code, &member.member) {
            (Some(code), None) => {
                let code = LinkCode::read(code, &state.keys.codes, state.now())?;
                Named::Proved(code.account)
            }
            (None, Some(reference)) => Named::Known(reference.clone()),
            _ => {
                let detail = detail!(
                    "每个成员须有 `code` 或 `member`，且只能有其一",
                    "each member has a code or a reference, and not both"
                );
                return Err(Problem::at(Code::InvalidField, "members", detail));
            }
        };
        others.push((named, member.weight.unwrap_or(1)));
    }
    Ok(Wanted {
        from: body.from.map(|from| from.to_epoch_days()),
        own: body.weight.unwrap_or(1),
        others,
    })
}

fn date(day: Day) -> FlowResult<NaiveDate> {
    NaiveDate::from_epoch_days(day).ok_or_else(|| Code::Internal.into())
}

impl From<MySubject> for SubjectBody {
    fn from(seen: MySubject) -> SubjectBody {
        let shares = |shares: Vec<ShareSeen>| shares.into_iter().map(ShareBody::from).collect();
        SubjectBody {
            reference: seen.reference,
            role: if seen.is_owner { "owner" } else { "member" },
            partner: seen.partner.map(|row| PartnerBody {
                code: row.code,
                name_zh: row.name_zh,
                name_en: row.name_en,
            }),
            scenes: seen
                .scenes
                .into_iter()
                .map(|scene| SceneBody {
                    code: scene.code,
                    name_zh: scene.name_zh,
                    name_en: scene.name_en,
                    last_day: scene.last_day.and_then(NaiveDate::from_epoch_days),
                    shared: scene.shared,
                })
                .collect(),
            linked_at: seen.linked_at.0,
            ends_on: seen.out_day.and_then(NaiveDate::from_epoch_days),
            since: seen.since.and_then(NaiveDate::from_epoch_days),
            shares: shares(seen.shares),
            upcoming: seen
                .to_come
                .into_iter()
                .filter_map(|(from, stated)| {
                    Some(UpcomingBody {
                        from: NaiveDate::from_epoch_days(from)?,
                        shares: shares(stated),
                    })
                })
                .collect(),
            last_month: seen.last_month.map(|month| MonthBody {
                month: month.first.format("%Y-%m").to_string(),
                reduction_mg: month.whole_mg,
                parts: month
                    .parts
                    .into_iter()
                    .map(|(share, mg)| MonthPartBody {
                        member: share.member,
                        me: share.is_me,
                        reduction_mg: mg,
                    })
                    .collect(),
            }),
        }
    }
}

impl From<ShareSeen> for ShareBody {
    fn from(seen: ShareSeen) -> ShareBody {
        ShareBody {
            member: seen.member,
            weight: seen.weight,
            me: seen.is_me,
            owner: seen.is_owner,
        }
    }
}
