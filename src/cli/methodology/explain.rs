//! `tanpuhui methodology explain`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::documents::{load_beside_embedded, read_documents};
use super::{json, pairs};
use crate::domain::methodology::{Compiled, Explanation, Library, Provenance, parse_time};

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
                "code": problem.code.as_str(), "param": problem.param, "detail": problem.detail.en(),
                "detail_zh": problem.detail.zh(),
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

fn chosen<'l>(library: &'l Library, args: &Args) -> Result<&'l Compiled, String> {
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
