//! `tanpuhui factors`: other people's emission factors become a factor-table document.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use sha2::{Digest, Sha256};

use crate::domain::methodology::import::{Imported, SourceFile, Statement, Tally, grid, uk_flat};
use crate::domain::methodology::{Grade, Library};

/// How many lines of one kind are printed.
const MOST_LINES: usize = 12;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a source; the document goes to stdout or to --out, what happened to stderr
    Import(Import),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// National average grid factors: region and kgCO2/kWh as CSV, JSON or a PDF's text
    Grid,
    /// UK Government conversion factors, the flat file as CSV, whole or split by category
    Uk,
}

#[derive(Debug, clap::Args)]
struct Import {
    /// The source's form
    #[arg(value_enum)]
    format: Format,
    /// Files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Data year; the UK header says it itself
    #[arg(long, required_if_eq("format", "grid"))]
    year: Option<i32>,
    /// How well the source is known: D, D-part, S2, S, C or M
    #[arg(long)]
    grade: String,
    /// The issued document whose hash is recorded; the files that are read unless stated
    #[arg(long)]
    evidence: Option<PathBuf>,
    /// Where the source comes from
    #[arg(long)]
    source: String,
    /// Number of the issued document
    #[arg(long, default_value = "")]
    document_no: String,
    /// Date of issue
    #[arg(long, default_value = "")]
    published: String,
    /// Date on which the source was fetched
    #[arg(long, default_value = "")]
    retrieved: String,
    /// Code of the table: `grid-factor` or `uk-ghg` unless stated
    #[arg(long)]
    code: Option<String>,
    /// Version of the table: the year and `.1` unless stated
    #[arg(long)]
    version: Option<String>,
    /// First day on which events take these factors: 1 January of the year unless stated
    #[arg(long)]
    from: Option<String>,
    /// First day on which they no longer do
    #[arg(long)]
    to: Option<String>,
    /// Write the document here
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write everything that was left out, and why, here as JSON
    #[arg(long)]
    report: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> ExitCode {
    let Command::Import(args) = args.command;
    match import(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn import(args: &Import) -> Result<(), String> {
    let files: Vec<SourceFile> = args
        .files
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    let year = data_year(args, &files)?;
    let stated = statement(args, year, &files)?;
    let imported = match (args.format, files.as_slice()) {
        (Format::Uk, files) => uk_flat(files, &stated),
        (Format::Grid, [file]) => {
            let library =
                Library::embedded().map_err(|_| "the built-in documents have a defect")?;
            let mut tables = library.tables().iter();
            let known = tables.rfind(|table| table.code() == "grid-factor");
            let known = known.ok_or("there is no built-in grid table")?;
            grid(file, i64::from(year), &stated, known)
        }
        (Format::Grid, _) => return Err("an annex is one file".to_owned()),
    };
    let imported = imported.map_err(|problem| format!("{}\n{problem}", problem.zh()))?;
    loads(&imported)?;
    if let Some(path) = &args.report {
        let report = serde_json::to_string_pretty(&imported.tally);
        write(path, &report.map_err(|error| error.to_string())?)?;
    }
    if let Some(path) = &args.out {
        write(path, &imported.document)?;
    }
    // After the files: whoever reads only its first lines still has them.
    print_tally(&imported.tally);
    if args.out.is_none() {
        print!("{}", imported.document);
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// What was written must be a document that a methodology can pin.
fn loads(imported: &Imported) -> Result<(), String> {
    Library::load([("imported.toml", imported.document.as_str())])
        .map(|_| ())
        .map_err(|defects| {
            defects
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        })
}

fn read(path: &Path) -> Result<SourceFile, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = fs::read(path).map_err(|error| told(&error))?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let text = String::from_utf8(bytes).map_err(|_| {
        let path = path.display();
        format!(
            "{path}：不是 UTF-8 文本；PDF 须先取出其文字\n\
             {path}: it is not UTF-8 text; of a PDF, give its text"
        )
    })?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Ok(SourceFile {
        name: name.unwrap_or_default(),
        text,
        sha256,
    })
}

/// The year that is stated, or that the UK header states.
fn data_year(args: &Import, files: &[SourceFile]) -> Result<i32, String> {
    let header = match args.format {
        Format::Uk => header_year(files),
        Format::Grid => None,
    };
    match (args.year, header) {
        (Some(stated), Some(read)) if stated != read => Err(format!(
            "--year {stated}：文件的表头写的是 {read} 年\n--year {stated}: the file's header says {read}"
        )),
        // A flat file without a year in its header is refused where it is read.
        (stated, read) => Ok(read.or(stated).unwrap_or_default()),
    }
}

/// The year at the end of the UK header.
fn header_year(files: &[SourceFile]) -> Option<i32> {
    let line = files.first()?.text.lines().next()?;
    let (_, last) = line.trim().rsplit_once(' ')?;
    last.trim_end_matches('"').parse().ok()
}

fn statement(args: &Import, year: i32, files: &[SourceFile]) -> Result<Statement, String> {
    let grade: Grade = serde_json::from_value(args.grade.clone().into())
        .map_err(|_| format!("`{}` is no grade: D, D-part, S2, S, C, M", args.grade))?;
    if grade == Grade::X {
        return Err("factors of grade X are not imported".to_owned());
    }
    let code = match args.format {
        Format::Grid => "grid-factor",
        Format::Uk => "uk-ghg",
    };
    Ok(Statement {
        code: args.code.clone().unwrap_or_else(|| code.to_owned()),
        version: args.version.clone().unwrap_or_else(|| format!("{year}.1")),
        from: args.from.clone().unwrap_or_else(|| format!("{year}-01-01")),
        to: args.to.clone(),
        grade,
        source: args.source.clone(),
        document_no: args.document_no.clone(),
        published: args.published.clone(),
        retrieved: args.retrieved.clone(),
        evidence_sha256: evidence(args, files)?,
    })
}

/// The hash of the evidence; of several files, that of their hashes in order, a line each.
fn evidence(args: &Import, files: &[SourceFile]) -> Result<String, String> {
    if let Some(path) = &args.evidence {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(hex::encode(Sha256::digest(bytes)));
    }
    if let [file] = files {
        return Ok(file.sha256.clone());
    }
    let lines: String = files
        .iter()
        .map(|file| format!("{}\n", file.sha256))
        .collect();
    Ok(hex::encode(Sha256::digest(lines)))
}

fn print_tally(tally: &Tally) {
    eprintln!("rows read                     {}", tally.rows_read);
    eprintln!("factors written               {}", tally.rows_written);
    eprintln!("parts compared, not written   {}", tally.parts_read);
    eprintln!("groups whose parts add up     {}", tally.groups_that_add_up);
    print_lines("blank, left out", &tally.blank);
    let units = tally.unmapped_units.iter();
    let units: Vec<String> = units
        .map(|(unit, rows)| format!("{unit}: {rows} rows"))
        .collect();
    print_lines("units not known here, left out", &units);
    print_lines("repeated with the same value", &tally.repeated);
    print_lines("keys with damaged characters", &tally.damaged);
    print_lines("expected and not there", &tally.missing);
    print_lines("text that is no row", &tally.unread);
}

fn print_lines(what: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    eprintln!("{what}: {}", lines.len());
    for line in lines.iter().take(MOST_LINES) {
        eprintln!("    {line}");
    }
    if lines.len() > MOST_LINES {
        eprintln!("    … and {} more", lines.len() - MOST_LINES);
    }
}
