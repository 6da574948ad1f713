//! Methodologies (方法学) and factor tables, open to everybody: text, factors, sources, signatures.

use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;

use super::factor::{Factor, factors};
use super::{Shell, figure, page};
use crate::api::{ApiResult, AppState};
use crate::domain::methodology::{Compiled, FactorTable, SourceEntry, Text};
use crate::domain::problem::Code;
use crate::flow::catalogue::{Catalogue, Filed};
use crate::store::methodology::{SignoffRow, signoffs};
use crate::store::{Conn, StoreError, StoreResult};

#[derive(Template)]
#[template(path = "public/methodologies.html")]
struct List<'a> {
    shell: &'a Shell,
    methodologies: Vec<Row>,
    tables: Vec<Row>,
}

#[derive(Template)]
#[template(path = "public/methodology.html")]
struct Methodology<'a> {
    shell: &'a Shell,
    row: Row,
    compiled: Option<&'a Compiled>,
    factors: Vec<Factor>,
    signed: Vec<Signature>,
    document: &'a str,
}

struct Row {
    code: String,
    version: String,
    title_zh: String,
    title_en: String,
    hash: String,
    state_zh: &'static str,
    state_en: &'static str,
    state: String,
    live_at: Option<String>,
}

struct Signature {
    item: String,
    reviewer: String,
    basis: String,
    at: String,
}

/// `GET /public/methodologies`.
///
/// # Errors
/// The template failed.
#[get("/methodologies")]
pub(super) async fn list(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let catalogue = state.catalogue.get();
    let mut filed: Vec<&Filed> = catalogue.filed.values().collect();
    filed.sort_by(|a, b| (&a.row.code, &a.row.version).cmp(&(&b.row.code, &b.row.version)));
    let rows = |wanted: bool| {
        let kind = filed.iter().filter(|it| it.compiled.is_some() == wanted);
        kind.map(|it| Row::new(&catalogue, it, state.redemption.zone))
            .collect()
    };
    let shell = Shell::of(&request);
    let list = List {
        shell: &shell,
        methodologies: rows(true),
        tables: rows(false),
    };
    page(&shell, &list)
}

/// `GET /public/methodologies/{code}/{version}`.
///
/// # Errors
/// `not_found`.
#[get("/methodologies/{code}/{version}")]
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<AppState>,
    name: web::Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    let (code, version) = name.into_inner();
    let catalogue = state.catalogue.get();
    let mut filed = catalogue.filed.values();
    let filed = filed.find(|it| it.row.code == code && it.row.version == version);
    let filed = filed.ok_or(Code::NotFound)?;
    let (id, zone) = (filed.row.id, state.redemption.zone);
    let read = move |conn: &mut Conn| -> StoreResult<Vec<SignoffRow>> {
        let mut rows = signoffs(conn)?;
        rows.retain(|row| row.methodology_id == id);
        Ok(rows)
    };
    let signed = state.pool.read::<_, StoreError>(read).await?;
    let shell = Shell::of(&request);
    let methodology = Methodology {
        shell: &shell,
        row: Row::new(&catalogue, filed, zone),
        compiled: filed.compiled.as_deref(),
        factors: factors(&filed.row.document),
        signed: signed
            .into_iter()
            .map(|row| Signature {
                item: row.parameter,
                reviewer: row.reviewer,
                basis: row.basis,
                at: figure::instant(row.signed_at.0, zone),
            })
            .collect(),
        document: &filed.row.document,
    };
    page(&shell, &methodology)
}

impl Row {
    fn new(catalogue: &Catalogue, filed: &Filed, zone: chrono_tz::Tz) -> Row {
        let row = &filed.row;
        let table = catalogue.library.table(&row.code, &row.version);
        let titles = filed
            .compiled
            .as_deref()
            .map(|it| (it.title_zh(), it.title_en()));
        let titles = titles.or_else(|| table.map(titles_of)).unwrap_or_default();
        let state = match (&filed.compiled, row.state.as_str()) {
            (Some(_), state) => state,
            (None, _) if pinned(catalogue, filed) => "in_use",
            (None, _) => "filed",
        };
        let (state_zh, state_en) = state_words(state);
        Row {
            code: row.code.clone(),
            version: row.version.clone(),
            title_zh: titles.0.to_owned(),
            title_en: titles.1.to_owned(),
            hash: hex::encode(filed.hash),
            state_zh,
            state_en,
            state: state.to_owned(),
            live_at: row.live_at.map(|at| figure::instant(at.0, zone)),
        }
    }
}

/// A factor table is in use when a methodology in force pins it.
fn pinned(catalogue: &Catalogue, table: &Filed) -> bool {
    let mut live = catalogue.filed.values().filter(|it| it.row.state == "live");
    live.any(|it| {
        let mut pins = it.compiled.iter().flat_map(|it| it.pinned_tables());
        pins.any(|(code, version, _)| *code == table.row.code && *version == table.row.version)
    })
}

fn state_words(state: &str) -> (&'static str, &'static str) {
    match state {
        "live" => ("生效", "In force"),
        "draft" => ("草案", "Draft"),
        "in_use" => ("使用中", "In use"),
        "filed" => ("已备案", "Filed"),
        "suspended" => ("暂停", "Suspended"),
        _ => ("撤销", "Withdrawn"),
    }
}

fn titles_of(table: &FactorTable) -> (&str, &str) {
    (table.title_zh(), table.title_en())
}

/// The prose of a document, each part under its name.
fn parts(text: &Text) -> Vec<(&'static str, &'static str, String)> {
    let parts = [
        ("边界", "Boundary", text.boundary.clone()),
        ("基准情景", "Baseline", text.baseline.clone()),
        ("项目情景", "Project", text.project.clone()),
        ("普惠性", "Inclusiveness", text.inclusiveness.clone()),
        ("额外性", "Additionality", text.additionality.clone()),
        (
            "避免重复计算",
            "Double counting",
            text.double_counting.clone(),
        ),
        ("汇总", "Aggregation", text.aggregation.clone()),
        ("不计入", "Exclusions", text.exclusions.join("; ")),
        ("监测", "Monitoring", text.monitoring.join("; ")),
        ("核查", "Verification", text.verification.join("; ")),
    ];
    let told = parts.into_iter().filter(|(_, _, text)| !text.is_empty());
    told.collect()
}

/// What of a source's address a page shows: it is text, never a link to outside.
fn source_line(source: &SourceEntry) -> String {
    match source.url.is_empty() {
        true => source.title.clone(),
        false => format!("{} ({})", source.title, bare(&source.url)),
    }
}

fn bare(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}
