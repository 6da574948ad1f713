//! One reduction of mine, explained in full: what was done, by which formula, with which factors
//! from where, each step and rounding, the points, and its place in the public log.

use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;

use super::{Shell, figure, page};
use crate::api::auth::CitizenAuth;
use crate::api::{ApiResult, AppState};
use crate::domain::methodology::{Explanation, Provenance};
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::flow::FlowError;
use crate::flow::explain::{Explained, explain};
use crate::flow::prove::inclusion;

#[derive(Template)]
#[template(path = "citizen/reduction.html")]
struct Reduction<'a> {
    shell: &'a Shell,
    id: String,
    told: Told,
    opening: Opening,
    placed: Option<Placed>,
}

/// What the books say.
struct Told {
    kg: String,
    mg: String,
    points: String,
    day: String,
    scene_zh: String,
    scene_en: String,
    source_id: String,
    from: String,
    to: String,
    digest: String,
    explanation: Explanation,
    /// The recomputed amount is the credited one.
    agrees: bool,
    correction: Option<Correction>,
    share: Option<Shared>,
    rule: Rule,
}

/// A part of what a household or vehicle came to.
struct Shared {
    whole_kg: String,
    whole_mg: String,
    weight: i32,
    weights: i32,
}

/// A counter-entry, as its three rows are shown.
struct Correction {
    /// This page shows the counter-entry itself.
    is_this: bool,
    counter: String,
    reversed: String,
    replaced: Option<String>,
    reason: String,
}

struct Rule {
    name: String,
    title_zh: String,
    title_en: String,
    mg_per_point: String,
    daily_cap: String,
    valid_months: u32,
}

/// What opens the commitment in the leaf.
struct Opening {
    salt: String,
    account: String,
    content: String,
}

struct Placed {
    index: String,
    size: String,
    leaf: String,
}

/// `GET /me/reductions/{id}`.
///
/// # Errors
/// `not_found`, also for another's reduction.
#[get("/reductions/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let id: ReductionId = id.parse().map_err(|_| Code::NotFound)?;
    let (catalogue, keys) = (state.catalogue.get(), state.keys.clone());
    let zone = state.redemption.zone;
    let read = move |conn: &mut crate::store::Conn| {
        let explained = explain(conn, &catalogue, id)?;
        if explained.reduction.account_id.0 != citizen.account_id {
            return Err(Code::NotFound.into());
        }
        let digest = explained.behaviour.digest.as_slice().try_into();
        let digest = digest.map_err(|_| Code::Internal)?;
        let account = *explained.reduction.account_id.0.as_bytes();
        let opening = keys.settings.salt.opening(id, account, digest);
        let opening = Opening {
            salt: hex::encode(opening.salt),
            account: hex::encode(opening.account),
            content: hex::encode(opening.content),
        };
        let placed = match inclusion(conn, id) {
            Ok(proof) => Some(Placed {
                index: proof.index.to_string(),
                size: proof.size.to_string(),
                leaf: hex::encode(proof.leaf),
            }),
            Err(FlowError::Refused(problem)) if problem.code == Code::LogNotPlaced => None,
            Err(error) => return Err(error),
        };
        let scene = catalogue
            .scenes
            .values()
            .find(|scene| scene.row.id == explained.reduction.scene_id)
            .map(|scene| (scene.row.name_zh.clone(), scene.row.name_en.clone()));
        let told = Told::new(explained, scene.unwrap_or_default(), zone);
        Ok((told, opening, placed))
    };
    let (told, opening, placed) = state.pool.read::<_, FlowError>(read).await?;
    let shell = Shell::of(&request);
    let reduction = Reduction {
        shell: &shell,
        id: id.to_string(),
        told,
        opening,
        placed,
    };
    page(&shell, &reduction)
}

impl Told {
    fn new(explained: Explained<'_>, scene: (String, String), zone: chrono_tz::Tz) -> Told {
        let (row, record, rule) = (explained.reduction, explained.behaviour, explained.rule);
        let is_this = explained.takes_back.is_some();
        let correction = explained.takes_back.or(explained.taken_back_by);
        let correction = correction.map(|tie| Correction {
            is_this,
            counter: tie.counter().to_string(),
            reversed: tie.reversed().to_string(),
            replaced: tie.replaced().map(|id| id.to_string()),
            reason: tie.reason,
        });
        Told {
            kg: figure::kilograms(row.mg),
            mg: figure::grouped(row.mg),
            points: figure::grouped(row.points),
            day: figure::day(row.day),
            scene_zh: scene.0,
            scene_en: scene.1,
            source_id: record.source_id,
            from: figure::instant(record.from_at.0, zone),
            to: figure::instant(record.to_at.0, zone),
            digest: hex::encode(record.digest),
            explanation: explained.explanation,
            agrees: explained.agrees,
            correction,
            share: explained.share.map(|share| {
                let sign = if is_this { -1 } else { 1 };
                Shared {
                    whole_kg: figure::kilograms(sign * share.whole_mg),
                    whole_mg: figure::grouped(sign * share.whole_mg),
                    weight: share.weight,
                    weights: share.weights,
                }
            }),
            rule: Rule {
                name: format!("{}@{}", rule.code, rule.version),
                title_zh: rule.title_zh.clone(),
                title_en: rule.title_en.clone(),
                mg_per_point: figure::grouped(rule.mg_per_point),
                daily_cap: figure::grouped(rule.daily_cap_points),
                valid_months: rule.valid_months,
            },
        }
    }
}

/// Where a value comes from, in one line.
fn origin(provenance: &Provenance) -> String {
    let year = provenance.year.map(|year| year.to_string());
    let grade = provenance.grade.map(|grade| format!("等级 grade {grade}"));
    let table = provenance
        .table_document
        .as_ref()
        .map(|table| format!("{}@{}", table.code, table.version));
    [
        year,
        Some(provenance.source.clone()),
        Some(provenance.document_no.clone()),
        table,
        grade,
    ]
    .into_iter()
    .flatten()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join(" · ")
}
