//! My household and vehicles (我的户号与车辆): what is linked to me or shared with me, who shares it,
//! and how last month's reductions were split.

use std::collections::BTreeMap;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use askama::Template;
use chrono_tz::Tz;

use super::{Shell, figure, page};
use crate::api::auth::CitizenAuth;
use crate::api::citizen::subjects::{
    MemberBody, SharesBody, leave_from_tomorrow, share, subjects_of,
};
use crate::api::idempotency::Once;
use crate::api::link_code::LinkCode;
use crate::api::{ApiError, ApiResult, AppState};
use crate::domain::problem::{Code, Problem, detail};
use crate::flow::my_subjects::{Month, MySubject, ShareSeen};

/// Where people are shown what is theirs.
const HERE: &str = "/me/subjects";
/// The width of the bar of a month, in units of the picture.
const BAR: i64 = 300;
/// Fields of the form that name a member begin so.
const MEMBER: &str = "member-";

#[derive(Template)]
#[template(path = "citizen/subjects.html")]
struct Subjects<'a> {
    shell: &'a Shell,
    subjects: Vec<Subject>,
    /// A code that was just made, and until when it is good.
    code: Option<(String, String)>,
    members_max: usize,
}

struct Subject {
    reference: String,
    is_owner: bool,
    /// The owner may state shares: what is counted of it can be shared, and it stays linked.
    may_share: bool,
    /// Nothing of it can be shared: trips of a person.
    is_personal: bool,
    partner: Option<(String, String)>,
    scenes: Vec<Scene>,
    linked_on: String,
    ends_on: Option<String>,
    since: Option<String>,
    is_shared: bool,
    shares: Vec<Share>,
    weights: u32,
    to_come: Vec<(String, Vec<Share>, u32)>,
    /// What the form begins with: who shares from tomorrow on.
    stated: Vec<Share>,
    month: Option<Split>,
    /// Makes one press one statement.
    key: uuid::Uuid,
}

struct Scene {
    name_zh: String,
    name_en: String,
    last_day: Option<String>,
    shared: bool,
}

#[derive(Clone)]
struct Share {
    member: String,
    weight: u32,
    is_me: bool,
    is_owner: bool,
}

/// A month's split as a bar.
struct Split {
    month: String,
    whole_kg: String,
    pieces: Vec<Piece>,
}

struct Piece {
    x: i64,
    width: i64,
    /// `p0` to `p5`: how it is coloured.
    shade: usize,
    share: Share,
    kg: String,
}

/// `GET /me/subjects`.
///
/// # Errors
/// `token_invalid`.
#[get("/subjects")]
pub(super) async fn list(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    show(&request, &citizen, &state, None).await
}

/// `POST /me/subjects/code`: a link code, to show to a partner or to whoever shares with me.
///
/// # Errors
/// `cross_site`.
#[post("/subjects/code")]
pub(super) async fn make_code(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).map_err(ApiError::internal)?;
    let code = LinkCode::new(citizen.account_id, state.now(), salt);
    let until = figure::instant(code.until(), state.redemption.zone);
    let code = code.text(&state.keys.codes);
    show(&request, &citizen, &state, Some((code, until))).await
}

/// `POST /me/subjects/{reference}/shares`: weights of those who share already, `0` to leave one
/// out, and the code of a new one.
///
/// # Errors
/// As `POST /api/citizen/subjects/{reference}/shares`.
#[post("/subjects/{reference}/shares")]
pub(super) async fn state_shares(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    reference: web::Path<String>,
    form: web::Form<BTreeMap<String, String>>,
) -> ApiResult<HttpResponse> {
    let body = asked(&form)?;
    let key = form.get("key").map_or("", String::as_str);
    let once = Once::of_form(key, citizen.caller(), request.path(), &body)?;
    share(&citizen, &state, once, reference.into_inner(), &body).await?;
    Ok(back())
}

/// `POST /me/subjects/{reference}/leave`.
///
/// # Errors
/// As `DELETE /api/citizen/subjects/{reference}`.
#[post("/subjects/{reference}/leave")]
pub(super) async fn leave(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    reference: web::Path<String>,
    form: web::Form<BTreeMap<String, String>>,
) -> ApiResult<HttpResponse> {
    let key = form.get("key").map_or("", String::as_str);
    let once = Once::of_form(key, citizen.caller(), request.path(), &())?;
    leave_from_tomorrow(&citizen, &state, once, reference.into_inner()).await?;
    Ok(back())
}

fn back() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, HERE))
        .finish()
}

async fn show(
    request: &HttpRequest,
    citizen: &CitizenAuth,
    state: &AppState,
    code: Option<(String, String)>,
) -> ApiResult<HttpResponse> {
    let mut ctx = state.ctx(citizen.actor());
    let zone = state.redemption.zone;
    let subjects = subjects_of(citizen, state).await?;
    let mut shell = Shell::of(request);
    // The switch of the print size is a link, and a code is shown once.
    HERE.clone_into(&mut shell.path);
    let template = Subjects {
        shell: &shell,
        subjects: subjects
            .into_iter()
            .map(|subject| Subject::new(subject, zone, ctx.id()))
            .collect(),
        code,
        members_max: state.config.sharing.members_max,
    };
    page(&shell, &template)
}

/// What the form says.
fn asked(form: &BTreeMap<String, String>) -> Result<SharesBody, Problem> {
    let weight = |name: &str| -> Result<u32, Problem> {
        let text = form.get(name).map_or("1", |text| text.trim());
        text.parse().map_err(|_| {
            Problem::at(
                Code::InvalidField,
                name,
                detail!("须为整数", "a whole number"),
            )
        })
    };
    let mut members = Vec::new();
    for name in form.keys() {
        let Some(reference) = name.strip_prefix(MEMBER) else {
            continue;
        };
        let weight = weight(name)?;
        if weight > 0 {
            members.push(MemberBody {
                code: None,
                member: Some(reference.to_owned()),
                weight: Some(weight),
            });
        }
    }
    let code = form.get("code").map_or("", |text| text.trim());
    if !code.is_empty() {
        members.push(MemberBody {
            code: Some(code.to_owned()),
            member: None,
            weight: Some(weight("weight")?),
        });
    }
    Ok(SharesBody {
        from: None,
        weight: Some(weight("own")?),
        members,
    })
}

impl Subject {
    fn new(seen: MySubject, zone: Tz, key: uuid::Uuid) -> Subject {
        let shares: Vec<Share> = seen.shares.into_iter().map(Share::from).collect();
        let to_come: Vec<(String, Vec<Share>, u32)> = seen
            .to_come
            .into_iter()
            .map(|(from, shares)| {
                let shares: Vec<Share> = shares.into_iter().map(Share::from).collect();
                let weights = sum(&shares);
                (figure::day(from), shares, weights)
            })
            .collect();
        let stated = to_come.last().map_or(&shares, |(_, shares, _)| shares);
        Subject {
            reference: seen.reference,
            is_owner: seen.is_owner,
            may_share: seen.is_owner && seen.may_be_shared && seen.out_day.is_none(),
            is_personal: !seen.may_be_shared,
            partner: seen.partner.map(|row| (row.name_zh, row.name_en)),
            scenes: seen
                .scenes
                .into_iter()
                .map(|scene| Scene {
                    name_zh: scene.name_zh,
                    name_en: scene.name_en,
                    last_day: scene.last_day.map(figure::day),
                    shared: scene.shared,
                })
                .collect(),
            linked_on: seen
                .linked_at
                .0
                .with_timezone(&zone)
                .date_naive()
                .to_string(),
            ends_on: seen.out_day.map(figure::day),
            since: seen.since.map(figure::day),
            is_shared: shares.len() > 1,
            weights: sum(&shares),
            stated: stated.clone(),
            shares,
            to_come,
            month: seen.last_month.map(Split::new),
            key,
        }
    }
}

fn sum(shares: &[Share]) -> u32 {
    shares.iter().map(|share| share.weight).sum()
}

impl From<ShareSeen> for Share {
    fn from(seen: ShareSeen) -> Share {
        Share {
            member: seen.member,
            weight: seen.weight,
            is_me: seen.is_me,
            is_owner: seen.is_owner,
        }
    }
}

impl Split {
    fn new(month: Month) -> Split {
        let whole = i128::from(month.whole_mg.max(1));
        let edge = |mg: i64| i64::try_from(i128::from(mg) * i128::from(BAR) / whole).unwrap_or(BAR);
        let (mut before, mut pieces) = (0, Vec::new());
        for (place, (share, mg)) in month.parts.into_iter().enumerate() {
            let (left, right) = (edge(before), edge(before + mg));
            before += mg;
            pieces.push(Piece {
                x: left,
                width: right - left,
                shade: place % 6,
                share: share.into(),
                kg: figure::kilograms(mg),
            });
        }
        Split {
            month: month.first.format("%Y-%m").to_string(),
            whole_kg: figure::kilograms(month.whole_mg),
            pieces,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn seen(member: &str) -> ShareSeen {
        ShareSeen {
            member: member.to_owned(),
            weight: 1,
            is_me: false,
            is_owner: false,
        }
    }

    #[test]
    fn the_pieces_of_a_bar_fill_it_without_a_gap() {
        let split = Split::new(Month {
            first: NaiveDate::from_ymd_opt(2026, 10, 1).unwrap(),
            whole_mg: 1_000,
            parts: vec![(seen("a"), 334), (seen("b"), 333), (seen("c"), 333)],
        });
        let edges: Vec<(i64, i64)> = split
            .pieces
            .iter()
            .map(|piece| (piece.x, piece.x + piece.width))
            .collect();
        assert_eq!(edges, [(0, 100), (100, 200), (200, 300)]);
    }

    #[test]
    fn a_form_names_members_and_leaves_out_those_of_weight_nothing() {
        let fields = [
            ("own", "2"),
            ("member-AAAA-BBBB", "1"),
            ("member-CCCC-DDDD", "0"),
            ("code", " xyz "),
            ("weight", "3"),
        ];
        let form = fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let body = asked(&form).unwrap();
        assert_eq!((body.weight, body.members.len()), (Some(2), 2));
        assert_eq!(body.members[0].member.as_deref(), Some("AAAA-BBBB"));
        assert_eq!(
            (body.members[1].code.as_deref(), body.members[1].weight),
            (Some("xyz"), Some(3))
        );
        let wrong = [("own".to_owned(), "many".to_owned())].into();
        assert_eq!(asked(&wrong).unwrap_err().param.as_deref(), Some("own"));
    }
}
