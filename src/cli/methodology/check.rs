//! `tanpuhui methodology check`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::documents::{asked_documents, load_beside_embedded};
use super::json;
use crate::domain::methodology::{
    Blocker, Compiled, Defect, ExampleResult, FactorTable, SignOffs, Standing,
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files or directories; `methodologies/` when there is one, else the built-in documents
    paths: Vec<PathBuf>,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
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

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
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
        println!("        {}", defect.message_zh);
    }
    println!("{}", if report.ok { "ok" } else { "NOT ok" });
}

/// What stands in the way: what to obtain first, then what only waits for a signature. Items of
/// one document are named without it.
fn print_blockers(blockers: &[Blocker]) {
    let (sign, obtain): (Vec<_>, Vec<_>) =
        blockers.iter().partition(|blocker| blocker.reviewer_needed);
    for blocker in obtain {
        println!("    obtain 取得  {}", reason(blocker));
        if blocker.obtain_zh != blocker.obtain {
            println!("            {}", blocker.obtain_zh);
        }
        if !blocker.obtain.is_empty() {
            println!("            {}", blocker.obtain);
        }
    }
    for blocker in sign {
        println!("    sign 签字    {}", reason(blocker));
    }
}

fn reason(blocker: &Blocker) -> String {
    let Blocker {
        item, why, why_zh, ..
    } = blocker;
    format!("{}: {why_zh} · {why}", own_name(item))
}

fn own_name(item: &str) -> &str {
    item.split_once('#').map_or(item, |(_, own)| own)
}
