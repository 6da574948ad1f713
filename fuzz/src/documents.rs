//! What officers write: methodologies, factor tables, formulas, settings, pull feeds; and the
//! header fields by which partners sign.

use std::sync::OnceLock;

use tanpuhui::domain::methodology::{
    Defect, EMBEDDED_DOCUMENTS, Library, formula, import, parse_time,
};
use tanpuhui::domain::party::content_digest::ContentDigest;
use tanpuhui::domain::party::http_signature::{Body, FieldList, Policy, Request, verify};
use tanpuhui::domain::party::key::VerifyKey;
use tanpuhui::domain::problem::Problem;
use tanpuhui::domain::scene::adapter::{Adapter, DistanceTable, Envelope, Options, Settings};
use tanpuhui::domain::scene::pull;

use crate::bounds::bounded;
use crate::workbook::CUT;
use crate::{feeds, scenes};

/// The formula language: a fault lies within the text, and what is printed is read as the same.
pub fn formula(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else {
        return;
    };
    match bounded(data.len(), || formula::printed(source)) {
        Ok(text) => match formula::printed(&text) {
            Ok(again) => assert_eq!(again, text, "{source}"),
            Err(fault) => {
                let longer = text.len() > formula::MAX_SOURCE || fault.message.en().contains("deep");
                assert!(longer, "{fault:?} in {text}");
            }
        },
        Err(fault) => {
            assert!(
                fault.from <= fault.to && fault.to <= source.len(),
                "{fault:?}"
            );
            assert!(
                source.is_char_boundary(fault.from) && source.is_char_boundary(fault.to),
                "{fault:?}"
            );
            assert!(!fault.message.is_empty());
        }
    }
}

/// A methodology beside the tables of the program that it names. Whatever loads can be run: its
/// examples, its blockers and its standing.
pub fn methodology(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (library, defects) = bounded(data.len(), || load(text));
    for defect in &defects {
        assert!(defect.line >= 1 && defect.column >= 1);
        assert!(defect.line <= text.split('\n').count(), "{defect}");
        assert!(!defect.message.is_empty());
    }
    bounded(data.len() * 4, || {
        for compiled in library
            .methodologies()
            .filter(|compiled| compiled.file() == FILE)
        {
            let _ = compiled.run_examples();
            let _ = compiled.standing();
            let _ = compiled.formulas();
        }
    });
}

const FILE: &str = "fuzzed.toml";

fn load(text: &str) -> (Library, Vec<Defect>) {
    let named = |(file, _): &&(&str, &str)| {
        ["gwp", "grid-factor"]
            .iter()
            .any(|code| file.contains(code) && text.contains(code))
    };
    let tables = EMBEDDED_DOCUMENTS.iter().filter(named).copied();
    Library::load_what_can_be(tables.chain([(FILE, text)]))
}

/// Settings of a scene and its first file: a byte names the adapter, then TOML, then the file
/// after a line of `=====`. Settings that were checked can always be read with.
pub fn settings(data: &[u8]) {
    let Some((adapter, settings, file)) = bounded(data.len(), || scene(data)) else {
        return;
    };
    match settings {
        Err(problem) => named(&problem),
        Ok(options) => feeds::file(Envelope::None, &adapter, &options, file),
    }
}

/// Adapter, checked settings and file of such an input.
pub fn scene(data: &[u8]) -> Option<(Adapter, Result<Options, Problem>, &[u8])> {
    let (choice, rest) = data.split_first()?;
    let at = rest.windows(CUT.len()).position(|bytes| bytes == CUT);
    let (toml, file) = rest.split_at(at.unwrap_or(rest.len()));
    let toml = std::str::from_utf8(toml).ok()?;
    let adapter = scenes::adapter(*choice);
    let settings = Settings::parse(toml).and_then(|settings| {
        let options = Options {
            settings,
            ..Options::default()
        };
        (adapter.check)(&options).map(|()| options)
    });
    Some((adapter, settings, file.get(CUT.len()..).unwrap_or_default()))
}

/// Each fault of what an officer declares names the field.
fn named(problem: &Problem) {
    assert!(
        problem
            .param
            .as_ref()
            .is_some_and(|param| !param.is_empty()),
        "{problem:?}"
    );
}

/// A pull feed's declaration, a `Link` field and a cursor, and a scene's table of distances.
pub fn pull_feed(data: &[u8]) {
    bounded(data.len(), || pulled(data));
}

/// The same without its bounds.
pub fn pulled(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match choice % 4 {
        0 => declaration(text),
        1 => {
            let link = pull::next_link(text.lines());
            assert!(link.is_none_or(|link| text.contains(link)));
        }
        2 => {
            let (pointer, json) = text.split_once('\n').unwrap_or_default();
            let _ = pull::at_pointer(json.as_bytes(), pointer);
        }
        _ => {
            let mut source = bytes;
            if let Err(problem) = DistanceTable::read(&mut source) {
                assert!(!problem.detail.is_empty(), "{problem:?}");
            }
        }
    }
}

fn declaration(text: &str) {
    match pull::parse(text) {
        Err(problem) => named(&problem),
        Ok(declared) => {
            for hours in [0, 1, 49, 24 * 400, 24 * 40_000] {
                let Some(now) = declared
                    .start
                    .checked_add_signed(chrono::TimeDelta::hours(hours))
                else {
                    continue;
                };
                let plan = declared.plan(declared.start, now);
                for window in &plan.windows {
                    assert!(window.from < window.to, "{window:?}");
                    assert!(!declared.url.fill(window, declared.page.first()).is_empty());
                }
            }
        }
    }
}

/// The signature and digest fields of a request, a line each: input, signature, digest, path.
pub fn signature(data: &[u8]) {
    bounded(data.len(), || judge_signature(data));
}

/// The same without its bounds.
pub fn judge_signature(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let fields = [
        ("Signature-Input", line()),
        ("Signature", line()),
        ("Content-Digest", line()),
        ("Date", "Sat, 21 Nov 2026 08:00:00 GMT"),
    ];
    let path = line();
    let request = Request {
        method: "POST",
        scheme: "https",
        authority: "example.com",
        path: path.split('?').next().unwrap_or_default(),
        query: path.split_once('?').map(|(_, query)| query),
        fields: &FieldList(&fields),
    };
    let key =
        VerifyKey::hmac_sha256("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").expect("a key");
    let now = parse_time("2026-11-21T08:00:00Z", chrono_tz::UTC).expect("a time");
    let judged = verify(&request, Body::Whole(b"[]"), &Policy::PARTNER, now, |_| {
        Some(&key)
    });
    assert!(judged.is_err(), "nobody can have made this signature");
    if let Ok(digest) = ContentDigest::parse(fields[2].1.as_bytes()) {
        assert_eq!(
            ContentDigest::parse(digest.field().as_bytes()).as_ref(),
            Ok(&digest)
        );
    }
}

/// Factor sources of other people. What is written of them loads again as a table.
pub fn import(data: &[u8]) {
    bounded(data.len() * 4, || import_source(data));
}

/// The same without its bounds.
pub fn import_source(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let file = import::SourceFile {
        name: "source".to_owned(),
        text: text.to_owned(),
        sha256: "0".repeat(64),
    };
    let imported = match choice % 2 {
        0 => import::uk_flat(std::slice::from_ref(&file), &statement()),
        _ => {
            let library = grids();
            let known = library.tables().first().expect("a grid table");
            import::grid(&file, 2024, &statement(), known)
        }
    };
    if let Ok(imported) = imported {
        let loaded = Library::load([(FILE, imported.document.as_str())]);
        assert!(
            loaded.is_ok(),
            "{:?} in {}",
            loaded.err(),
            imported.document
        );
    }
}

fn grids() -> &'static Library {
    static GRIDS: OnceLock<Library> = OnceLock::new();
    GRIDS.get_or_init(|| {
        let grid = |(name, _): &(&str, &str)| name.contains("grid");
        let tables = EMBEDDED_DOCUMENTS.iter().copied().filter(grid);
        Library::load_what_can_be(tables).0
    })
}

fn statement() -> import::Statement {
    import::Statement {
        code: "fuzzed".to_owned(),
        version: "1".to_owned(),
        from: "2024-01-01".to_owned(),
        to: None,
        grade: tanpuhui::domain::methodology::Grade::D,
        source: "source".to_owned(),
        document_no: String::new(),
        published: String::new(),
        retrieved: String::new(),
        evidence_sha256: "0".repeat(64),
    }
}

/// Loads a document and no more.
pub fn only_load(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        std::hint::black_box(Library::load([(FILE, text)]).is_ok());
    }
}
