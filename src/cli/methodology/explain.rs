//! `tanpuhui methodology explain`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::documents::{load_beside_embedded, read_documents};
use super::{json, pairs, told, told_defect};
use crate::domain::methodology::{Compiled, Explanation, Library, Provenance, parse_time};
use crate::domain::problem::Problem;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
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

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let more = read_documents(&args.paths)?;
    let (library, defects) = load_beside_embedded(&more);
    if let Some(defect) = defects.first() {
        return Err(told_defect(defect));
    }
    let (inputs, assumed) = (pairs(&args.inputs)?, pairs(&args.assumed)?);
    let methodology = chosen(&library, args)?;
    match explained(methodology, &args.at, inputs, assumed) {
        Ok(explanation) if args.json => println!("{}", json(&explanation)?),
        Ok(explanation) => print_explanation(&explanation),
        Err(problem) if args.json => {
            let refused = serde_json::json!({ "refused": {
                "code": problem.code.as_str(), "param": problem.param, "detail": problem.detail.en(),
                "detail_zh": problem.detail.zh(),
                "zh": problem.code.zh(), "en": problem.code.en(),
            } });
            println!("{refused}");
            return Ok(ExitCode::FAILURE);
        }
        Err(problem) => return Err(told(&problem)),
    }
    Ok(ExitCode::SUCCESS)
}

fn explained(
    methodology: &Compiled,
    at: &str,
    inputs: Vec<(&str, &str)>,
    assumed: Vec<(&str, &str)>,
) -> Result<Explanation, Problem> {
    let at = parse_time(at, methodology.window().zone)?;
    let record = methodology.record(at, inputs)?;
    let explained = methodology.explain_assuming(&record, assumed);
    explained.map_err(|refusal| refusal.problem().clone())
}

fn chosen<'l>(library: &'l Library, args: &Args) -> Result<&'l Compiled, String> {
    let asked = args.methodology.as_str();
    if let Some((code, version)) = asked.split_once('@') {
        let found = library.get(code, version).map(|known| &**known);
        return found.ok_or_else(|| format!("there is no methodology `{asked}`"));
    }
    let versions = library
        .methodologies()
        .filter(|known| known.code() == asked);
    // The zone of a bare date is that of the newest version.
    let zone = versions.last().map(|known| known.window().zone);
    let zone = zone.ok_or_else(|| format!("there is no methodology `{asked}`"))?;
    let at = parse_time(&args.at, zone).map_err(|problem| told(&problem))?;
    let found = library.effective(asked, at).map(|known| &**known);
    found.ok_or_else(|| format!("no `{asked}` is in force at {}", args.at))
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
