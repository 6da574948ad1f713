//! `tanpuhui methodology diff`: what a new version changes, in its text and, tried on stored
//! behaviour, for whom. Writes nothing to the database.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use indicatif::ProgressBar;
use serde::Serialize;

use super::documents::{Documents, embedded_documents, identity, read_documents};
use super::impact::Impact;
use super::{json, pairs, told, told_defect};
use crate::cli::database::Database;
use crate::cli::with_causes;
use crate::domain::methodology::{Compiled, Difference, Library, Span, at_any_time, differences};
use crate::flow::FlowError;
use crate::flow::catalogue::{Catalogue, Scene};
use crate::flow::replay::{Question, Replay, replay};
use crate::store::Pool;

/// How many differences of one part are printed.
const SLOTS_SHOWN: usize = 40;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// CODE@VERSION, or a document's file
    before: String,
    /// CODE@VERSION, or a document's file
    after: String,
    /// More documents: files or directories; they win over those of the database, and these over
    /// the built-in ones
    #[arg(long = "documents", value_name = "PATH")]
    documents: Vec<PathBuf>,
    /// Try both on what this scene has stored, each as if it were in force all the time
    #[arg(long, value_name = "SCENE", requires = "from", requires = "to")]
    replay: Option<String>,
    /// First day of the replay, in the scene's zone
    #[arg(long, value_name = "DAY", requires = "replay")]
    from: Option<NaiveDate>,
    /// Last day of the replay
    #[arg(long, value_name = "DAY", requires = "replay")]
    to: Option<NaiveDate>,
    /// A parameter's value for the replay, where a draft leaves it blank
    #[arg(long = "assume", value_name = "NAME=VALUE", requires = "replay")]
    assumed: Vec<String>,
    /// Write what each person would get into this CSV file
    #[arg(long, value_name = "FILE", requires = "replay")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    before: Named,
    after: Named,
    differences: Vec<Difference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<Impact>,
}

#[derive(Debug, Serialize)]
struct Named {
    document: String,
    title_zh: String,
    title_en: String,
    sha256: String,
}

impl Named {
    fn of(methodology: &Compiled) -> Named {
        Named {
            document: methodology.name(),
            title_zh: methodology.title_zh().to_owned(),
            title_en: methodology.title_en().to_owned(),
            sha256: methodology.sha256().to_owned(),
        }
    }
}

/// One of the two documents, with the tables it may pin.
struct Side {
    library: Library,
    methodology: Arc<Compiled>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let pool = match args.replay.is_some() || args.database.is_named() {
        true => Some(open(args)?),
        false => None,
    };
    let known = known_documents(args, pool.as_ref())?;
    let (before, after) = (
        side(&args.before, &known, false)?,
        side(&args.after, &known, false)?,
    );
    let replay = match (&args.replay, &pool) {
        (Some(_), Some(pool)) => Some(replayed(args, pool, &known)?),
        _ => None,
    };
    let report = Report {
        before: Named::of(&before.methodology),
        after: Named::of(&after.methodology),
        differences: differences(
            (&before.library, &before.methodology),
            (&after.library, &after.methodology),
        ),
        replay,
    };
    match args.json {
        true => println!("{}", json(&report)?),
        false => print!("{}", page(&report)),
    }
    Ok(ExitCode::SUCCESS)
}

fn open(args: &Args) -> Result<Pool, String> {
    let config = args.database.config();
    let config = config.map_err(|error| with_causes(&error))?;
    let opened = args.database.open(&config);
    opened.map_err(|error| with_causes(&error))
}

/// Every document that can be named, each once: the first that has a code and version wins.
fn known_documents(args: &Args, pool: Option<&Pool>) -> Result<Documents, String> {
    let mut all = read_documents(&args.documents)?;
    if let Some((file, text)) = all.iter().find(|(_, text)| identity(text).is_none()) {
        return Err(nameless(file, text));
    }
    if let Some(pool) = pool {
        let filed = pool.read_now(crate::store::methodology::documents);
        let filed = filed.map_err(|error| with_causes(&error))?;
        all.extend(filed.into_iter().map(|row| {
            let file = format!("{}@{} of the database", row.code, row.version);
            (file, row.document)
        }));
    }
    all.extend(embedded_documents());
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|(_, text)| identity(text).is_some_and(|name| seen.insert(name)));
    Ok(all)
}

/// Why a file has no code and version.
fn nameless(file: &str, text: &str) -> String {
    let (_, defects) = Library::load_what_can_be([(file, text)]);
    let none = || format!("{file}: it has no code and version");
    defects.first().map_or_else(none, told_defect)
}

fn unknown(asked: &str, known: &Documents) -> String {
    let code = asked.split('@').next().unwrap_or_default();
    let same = |name: &String| name.split('@').next() == Some(code);
    let names = known.iter().filter_map(|(_, text)| identity(text));
    let known: Vec<String> = names.filter(same).collect();
    let known = match known.is_empty() {
        true => String::new(),
        false => format!("; known: {}", known.join(", ")),
    };
    format!("`{asked}` is neither a file nor the CODE@VERSION of a document{known}")
}

/// Loads the document that was asked for beside all others, as it is or as if it were in force at
/// any time.
fn side(asked: &str, known: &Documents, at_all_times: bool) -> Result<Side, String> {
    let path = PathBuf::from(asked);
    let (file, text) = match path.is_file() {
        true => read_documents(&[path])?.remove(0),
        false => {
            let mut all = known.iter();
            let found = all.find(|(_, text)| identity(text).as_deref() == Some(asked));
            found.cloned().ok_or_else(|| unknown(asked, known))?
        }
    };
    let name = identity(&text).ok_or_else(|| nameless(&file, &text))?;
    let text = match at_all_times {
        true => at_any_time(&text).map_err(|error| format!("{file}: {error}"))?,
        false => text,
    };
    let others = known
        .iter()
        .filter(|(_, text)| identity(text).as_ref() != Some(&name))
        .map(|(file, text)| (file.as_str(), text.as_str()));
    let own = std::iter::once((file.as_str(), text.as_str()));
    let (library, defects) = Library::load_what_can_be(own.chain(others));
    let (code, version) = name.split_once('@').unwrap_or((&name, ""));
    match library.get(code, version).cloned() {
        Some(methodology) => Ok(Side {
            library,
            methodology,
        }),
        None => {
            let mut defects = defects.iter();
            let defect = defects.find(|defect| defect.file == file);
            Err(defect.map_or_else(
                || format!("{file}: {name} is a factor table, not a methodology"),
                told_defect,
            ))
        }
    }
}

fn replayed(args: &Args, pool: &Pool, known: &Documents) -> Result<Impact, String> {
    let days = days(args)?;
    let assumed = pairs(&args.assumed)?;
    let (before, after) = (
        side(&args.before, known, true)?,
        side(&args.after, known, true)?,
    );
    let both = [&before.methodology, &after.methodology];
    let used = |name: &str| both.iter().any(|one| one.is_blank(name));
    if let Some((name, _)) = assumed.iter().find(|(name, _)| !used(name)) {
        return Err(format!(
            "--assume {name}: neither document has a blank parameter of that name"
        ));
    }
    let tried = |side: &Side| {
        let assuming = side.methodology.assuming(&assumed);
        assuming.map_err(|problem| told(&problem))
    };
    let (before, after) = (tried(&before)?, tried(&after)?);
    let (scene, replay) = asked_of(args, pool, &before, &after, days)?;
    if let Some(path) = &args.csv {
        let written = super::impact::write_csv(path, &replay);
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(Impact::of(&scene, days, &replay))
}

fn days(args: &Args) -> Result<Span, String> {
    let (Some(first), Some(last)) = (args.from, args.to) else {
        return Err("--replay needs --from and --to".to_owned());
    };
    let out = last.checked_add_days(Days::new(1));
    match out.filter(|out| first < *out) {
        Some(out) => Ok(Span { first, out }),
        None => Err("--to is before --from".to_owned()),
    }
}

fn asked_of(
    args: &Args,
    pool: &Pool,
    before: &Compiled,
    after: &Compiled,
    days: Span,
) -> Result<(Arc<Scene>, Replay), String> {
    let code = args.replay.as_deref().unwrap_or_default();
    let bar = ProgressBar::new_spinner();
    let found = pool.read_snapshot::<_, FlowError>(|conn| {
        let catalogue = Catalogue::load(conn)?;
        let Some(scene) = catalogue.scenes.get(code).cloned() else {
            return Ok(None);
        };
        let question = Question {
            scene: &scene.view,
            before,
            after,
            days,
        };
        let told = |records| {
            bar.set_message(format!("{records} records"));
            bar.tick();
        };
        let replay = replay(conn, &question, told)?;
        Ok(Some((scene, replay)))
    });
    bar.finish_and_clear();
    let found = found.map_err(|error| match error {
        FlowError::Refused(problem) => told(&problem),
        other => with_causes(&other),
    })?;
    found.ok_or_else(|| format!("there is no scene `{code}`"))
}

fn page(report: &Report) -> String {
    let mut text = String::new();
    for (sign, named) in [("-", &report.before), ("+", &report.after)] {
        text.push_str(&format!(
            "{sign} {}  {} · {}\n  sha256 {}\n",
            named.document, named.title_zh, named.title_en, named.sha256
        ));
    }
    if report.differences.is_empty() {
        text.push_str("\n两份文件没有差别 · the documents do not differ\n");
    }
    for own in report.differences.chunk_by(|a, b| a.part == b.part) {
        text.push_str(&chapter(own));
    }
    if let Some(impact) = &report.replay {
        text.push_str(&impact.page());
    }
    text
}

/// The differences of one part; a long factor table is cut short.
fn chapter(differences: &[Difference]) -> String {
    let Some(first) = differences.first() else {
        return String::new();
    };
    let (zh, en) = first.part.name();
    let moves = match first.part.moves_numbers() {
        true => "影响数值 · can move numbers",
        false => "不影响数值 · moves no number",
    };
    let mut text = format!("\n{zh} · {en}  ({moves})\n");
    for difference in differences.iter().take(SLOTS_SHOWN) {
        text.push_str(&lines(difference));
    }
    let more = differences.len().saturating_sub(SLOTS_SHOWN);
    if more > 0 {
        text.push_str(&format!(
            "  … 另有 {more} 处 · {more} more, all with --json\n"
        ));
    }
    text
}

fn lines(difference: &Difference) -> String {
    let percent = difference
        .percent
        .map(|percent| format!("  ({percent:+} %)"));
    let mut text = format!("  {}{}\n", difference.slot, percent.unwrap_or_default());
    for (sign, side) in [("-", &difference.before), ("+", &difference.after)] {
        for line in side.iter().flat_map(|side| side.lines()) {
            text.push_str(&format!("    {sign} {line}\n"));
        }
    }
    text
}
