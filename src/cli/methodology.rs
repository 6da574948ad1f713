//! `tanpuhui methodology`: check documents, and explain how a number comes about.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::domain::methodology::{
    Blocker, Compiled, Defect, EMBEDDED_DOCUMENTS, ExampleResult, Explanation, FactorTable,
    Library, Provenance, SignOffs, Standing, parse_time,
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Parse documents, check units, run their worked examples, and say what blocks going live
    Check(Check),
    /// Compute one reduction and print every look-up, intermediate value and rounding
    Explain(Explain),
}

#[derive(Debug, clap::Args)]
struct Check {
    /// Files or directories; `methodologies/` when there is one, else the built-in documents
    paths: Vec<PathBuf>,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Explain {
    /// CODE or CODE@VERSION
    methodology: String,
    /// Time of the event: RFC 3339, or a date in the document's zone
    #[arg(long)]
    at: String,
    /// An input: `distance=12.5km`, `mode=metro`
    #[arg(long = "input", value_name = "NAME=VALUE")]
    inputs: Vec<String>,
    /// A parameter's value for this calculation alone, where a draft leaves it blank
    #[arg(long = "assume", value_name = "NAME=VALUE")]
    assumed: Vec<String>,
    /// More documents: files or directories
    #[arg(long = "from", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> ExitCode {
    let done = match args.command {
        Command::Check(args) => check(&args),
        Command::Explain(args) => explain(&args),
    };
    done.unwrap_or_else(|message| {
        eprintln!("{message}");
        ExitCode::FAILURE
    })
}

/// What was found about one document.
#[derive(Debug, Serialize)]
struct Row {
    document: String,
    file: String,
    kind: &'static str,
    sha256: String,
    /// `live_able`, `needs_sign_off` or `draft`; absent for a factor table.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    examples_passed: usize,
    examples_failed: usize,
    failures: Vec<ExampleResult>,
    blockers: Vec<Blocker>,
}

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    documents: Vec<Row>,
    defects: Vec<Defect>,
}

fn check(args: &Check) -> Result<ExitCode, String> {
    let asked = asked_documents(&args.paths)?;
    let (library, defects) = load_beside_embedded(&asked);
    let is_asked = |file: &str| asked.iter().any(|(known, _)| known == file);
    let tables = library
        .tables()
        .iter()
        .filter(|table| is_asked(table.file()));
    let methodologies = library
        .methodologies()
        .filter(|known| is_asked(known.file()));
    let documents: Vec<Row> = tables
        .map(table_row)
        .chain(methodologies.map(|known| methodology_row(known)))
        .collect();
    let failed: usize = documents.iter().map(|row| row.examples_failed).sum();
    let report = Report {
        ok: failed == 0 && defects.is_empty(),
        documents,
        defects,
    };
    if args.json {
        println!("{}", json(&report)?);
    } else {
        print_report(&report);
    }
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn table_row(table: &FactorTable) -> Row {
    Row {
        document: table.name(),
        file: table.file().to_owned(),
        kind: "factor-table",
        sha256: table.sha256().to_owned(),
        standing: None,
        examples_passed: 0,
        examples_failed: 0,
        failures: Vec::new(),
        blockers: Vec::new(),
    }
}

fn methodology_row(methodology: &Compiled) -> Row {
    let results = methodology.run_examples();
    let (passed, failures): (Vec<_>, Vec<_>) =
        results.into_iter().partition(|result| result.passed);
    Row {
        document: methodology.name(),
        file: methodology.file().to_owned(),
        kind: "methodology",
        sha256: methodology.sha256().to_owned(),
        standing: Some(methodology.standing()),
        examples_passed: passed.len(),
        examples_failed: failures.len(),
        failures,
        blockers: methodology.blockers(&SignOffs::new()),
    }
}

fn print_report(report: &Report) {
    println!(
        "{:<34} {:<15} {:>8} {:>7}  sha256",
        "document", "standing", "passed", "failed"
    );
    for row in &report.documents {
        let standing = row.standing.map_or("table", Standing::as_str);
        let hash = row.sha256.get(..12).unwrap_or("");
        println!(
            "{:<34} {standing:<15} {:>8} {:>7}  {hash}",
            row.document, row.examples_passed, row.examples_failed
        );
        for failure in &row.failures {
            println!("    FAILED  {}: {}", failure.name, failure.detail);
        }
        print_blockers(&row.blockers);
    }
    for defect in &report.defects {
        println!("DEFECT  {defect}");
    }
    println!("{}", if report.ok { "ok" } else { "NOT ok" });
}

/// What stands in the way: what to obtain first, then what only waits for a signature. Items of
/// one document are named without it.
fn print_blockers(blockers: &[Blocker]) {
    let (sign, obtain): (Vec<_>, Vec<_>) =
        blockers.iter().partition(|blocker| blocker.reviewer_needed);
    for blocker in obtain {
        println!("    obtain  {}: {}", own_name(&blocker.item), blocker.why);
        if !blocker.obtain.is_empty() {
            println!("            {}", blocker.obtain);
        }
    }
    for blocker in sign {
        println!("    sign    {}: {}", own_name(&blocker.item), blocker.why);
    }
}

fn own_name(item: &str) -> &str {
    item.split_once('#').map_or(item, |(_, own)| own)
}

fn explain(args: &Explain) -> Result<ExitCode, String> {
    let more = read_documents(&args.paths)?;
    let (library, defects) = load_beside_embedded(&more);
    if let Some(defect) = defects.first() {
        return Err(defect.to_string());
    }
    let methodology = chosen(&library, args)?;
    let zone = methodology.window().zone;
    let at = parse_time(&args.at, zone).map_err(|problem| problem.to_string())?;
    let record = methodology
        .record(at, pairs(&args.inputs)?)
        .map_err(|problem| problem.to_string())?;
    let explained = methodology.explain_assuming(&record, pairs(&args.assumed)?);
    let explanation = match explained {
        Ok(explanation) => explanation,
        Err(refusal) if args.json => {
            let problem = refusal.problem();
            let refused = serde_json::json!({ "refused": {
                "code": problem.code.as_str(), "param": problem.param, "detail": problem.detail,
                "zh": problem.code.zh(), "en": problem.code.en(),
            } });
            println!("{refused}");
            return Ok(ExitCode::FAILURE);
        }
        Err(refusal) => return Err(refusal.problem().to_string()),
    };
    if args.json {
        println!("{}", json(&explanation)?);
    } else {
        print_explanation(&explanation);
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen<'l>(library: &'l Library, args: &Explain) -> Result<&'l Compiled, String> {
    let found = match args.methodology.split_once('@') {
        Some((code, version)) => library.get(code, version),
        None => {
            let code = args.methodology.as_str();
            let versions = library.methodologies().filter(|known| known.code() == code);
            // The zone of a bare date is that of the newest version.
            let zone = versions.last().map(|known| known.window().zone);
            let zone = zone.ok_or_else(|| format!("there is no methodology `{code}`"))?;
            let at = parse_time(&args.at, zone).map_err(|problem| problem.to_string())?;
            library.effective(code, at)
        }
    };
    let found =
        found.ok_or_else(|| format!("no `{}` is in force at {}", args.methodology, args.at))?;
    Ok(found)
}

fn pairs(given: &[String]) -> Result<Vec<(&str, &str)>, String> {
    let given = given.iter();
    given
        .map(|text| {
            text.split_once('=')
                .ok_or_else(|| format!("`{text}` is not NAME=VALUE"))
        })
        .collect()
}

fn print_explanation(explanation: &Explanation) {
    let Explanation {
        methodology,
        title_zh,
        title_en,
        ..
    } = explanation;
    println!(
        "{}@{}  {title_zh} · {title_en}",
        methodology.code, methodology.version
    );
    println!("sha256      {}", methodology.sha256);
    println!("at          {}", explanation.at);
    for formula in &explanation.formulas {
        println!("formula     {} = {}", formula.name, formula.text);
    }
    for input in &explanation.inputs {
        let counted = input.counts_as.as_ref();
        let counted = counted.map(|amount| format!("  counts as {} {}", amount.value, amount.unit));
        println!(
            "input       {} = {}{}",
            input.name,
            input.given,
            counted.unwrap_or_default()
        );
    }
    for check in &explanation.applicability {
        println!("condition   {}  met", check.require);
    }
    for parameter in &explanation.parameters {
        let assumed = if parameter.assumed { "  (assumed)" } else { "" };
        println!(
            "parameter   {} = {} {}{assumed}",
            parameter.name, parameter.value, parameter.unit
        );
        print_provenance(&parameter.provenance);
    }
    for look_up in &explanation.lookups {
        println!(
            "look-up     {}[{}] = {} {}",
            look_up.table,
            look_up.key.join(", "),
            look_up.value,
            look_up.unit
        );
        for step in &look_up.fallback {
            println!("            fallback from {} to {}", step.from, step.to);
        }
        print_provenance(&look_up.provenance);
    }
    for curve in &explanation.curves {
        let (x, y) = (&curve.x, &curve.y);
        println!(
            "curve       {}({} {}) = {} {}",
            curve.curve, x.value, x.unit, y.value, y.unit
        );
        print_provenance(&curve.provenance);
    }
    for step in &explanation.steps {
        println!("value       {} = {} {}", step.name, step.value, step.unit);
    }
    for rounding in &explanation.roundings {
        let (what, mode) = (&rounding.what, &rounding.mode);
        println!(
            "rounding    {what}: {} to {} ({mode}, {})",
            rounding.from, rounding.to, rounding.place
        );
    }
    let result = &explanation.result;
    println!(
        "result      {} {}  ({})",
        result.value, result.unit, explanation.quantity_kind
    );
    println!("ledger      {} mg", explanation.reduction_mg);
}

fn print_provenance(from: &Provenance) {
    let year = from
        .year
        .map_or_else(|| "-".to_owned(), |year| year.to_string());
    let grade = from.grade.map_or("none", |grade| grade.as_str());
    let document = if from.document_no.is_empty() {
        "-"
    } else {
        &from.document_no
    };
    println!("            year {year}, grade {grade}, document {document}");
    println!("            source {}", from.source);
    if let Some(table) = &from.table_document {
        println!(
            "            table {}@{} sha256 {}",
            table.code, table.version, table.sha256
        );
    }
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|error| error.to_string())
}

type Documents = Vec<(String, String)>;

fn asked_documents(paths: &[PathBuf]) -> Result<Documents, String> {
    if !paths.is_empty() {
        return read_documents(paths);
    }
    let here = PathBuf::from("methodologies");
    if here.is_dir() {
        return read_documents(&[here]);
    }
    let embedded = EMBEDDED_DOCUMENTS.iter();
    Ok(embedded
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect())
}

fn read_documents(paths: &[PathBuf]) -> Result<Documents, String> {
    let mut files = Vec::new();
    for path in paths {
        collect_files(path, &mut files).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    files.sort();
    files.dedup();
    let files = files.iter();
    files
        .map(|path| {
            let text =
                fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok((path.display().to_string(), text))
        })
        .collect()
}

fn collect_files(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let inner = entry?.path();
        if inner.is_dir()
            || inner
                .extension()
                .is_some_and(|extension| extension == "toml")
        {
            collect_files(&inner, files)?;
        }
    }
    Ok(())
}

/// The asked documents, and beside them the built-in ones of other identity, so that a document
/// outside the tree can pin a built-in table.
fn load_beside_embedded(asked: &Documents) -> (Library, Vec<Defect>) {
    let own: Vec<String> = asked
        .iter()
        .filter_map(|(_, text)| identity(text))
        .collect();
    let beside = EMBEDDED_DOCUMENTS
        .iter()
        .copied()
        .filter(|(_, text)| identity(text).is_none_or(|name| !own.contains(&name)));
    let asked = asked
        .iter()
        .map(|(file, text)| (file.as_str(), text.as_str()));
    Library::load_what_can_be(asked.chain(beside))
}

/// Code and version of a document, if it has them.
fn identity(text: &str) -> Option<String> {
    let document: toml::Table = toml::from_str(text).ok()?;
    let identity = document.get("identity")?;
    let name = |key: &str| identity.get(key)?.as_str().map(str::to_owned);
    Some(format!("{}@{}", name("code")?, name("version")?))
}
