//! The rules of the house that a compiler does not know: who may call whom, what may stand where.
//!
//! Arrows are read from `use` lines and from `crate::…` and `super::…` paths in bodies, so a
//! forbidden name cannot hide behind a full path. Tests inside `src` are exempt: what a test knows
//! the product does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Floors and what each may import. `cli`, `server`, `lib` and `main` are wiring and import
/// everything.
const FLOORS: [(&str, &[&str]); 9] = [
    ("domain", &["domain"]),
    ("config", &["config", "domain::unit"]),
    ("telemetry", &["telemetry", "domain::unit"]),
    ("store", &["store", "domain"]),
    ("gateway", &["gateway", "domain", "config"]),
    // Never `gateway`: nothing waits on a network with a transaction open.
    ("flow", &["flow", "domain", "store"]),
    // The short-lived store is not a client of another party: limits and nonces are HTTP's own.
    (
        "api",
        &[
            "api",
            "flow",
            "domain",
            "store",
            "config",
            "telemetry",
            "gateway::ShortLived",
            "gateway::ShortLivedError",
            "gateway::Verdict",
        ],
    ),
    (
        "pages",
        &[
            "pages",
            "api",
            "flow",
            "domain",
            "store",
            "config",
            "telemetry",
        ],
    ),
    (
        "jobs",
        &[
            "jobs",
            "flow",
            "gateway",
            "store",
            "domain",
            "config",
            "telemetry",
        ],
    ),
];

/// Nouns of `domain` in the order in which a behaviour meets them: a later one may know an earlier
/// one. `problem` and `context` lie below all of them.
const NOUNS: [&str; 14] = [
    "problem",
    "context",
    "unit",
    "party",
    "governance",
    "scene",
    "behaviour",
    "methodology",
    "reduction",
    "wallet",
    "redemption",
    "verification",
    "registry",
    "market",
];
/// The public log stands beside the line. A leaf names its reduction, so the log knows that noun
/// and what lies below all; it is known by those that commit to its leaves.
const LOG_KNOWS: [&str; 4] = ["problem", "context", "unit", "reduction"];
const LOG_IS_KNOWN_BY: [&str; 3] = ["verification", "registry", "market"];
/// Adapters stand in `scene`, before `behaviour`, and know its normal form: it is what they make.
const ADAPTERS: &str = "domain::scene::adapter";

/// Text that may stand only in files whose path begins with one of these.
const ONLY_IN: [(&str, &str, &[&str]); 6] = [
    ("diesel::", "src/", &["src/store/"]),
    (
        "f64",
        "src/domain/",
        &["src/domain/scene/adapter/great_circle.rs"],
    ),
    ("f32", "src/domain/", &[]),
    ("std::env", "src/", &["src/config/"]),
    (
        "Utc::now",
        "src/",
        &["src/config/clock.rs", "src/server.rs", "src/cli/"],
    ),
    (
        "SystemTime::now",
        "src/",
        &["src/config/clock.rs", "src/server.rs", "src/cli/"],
    ),
];
/// Written apart so that this file does not find itself.
const NOWHERE: [&str; 3] = [
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
    concat!("#[ign", "ore"),
];
const NO_NAMES: [&str; 8] = [
    "utils", "util", "helpers", "helper", "common", "manager", "managers", "misc",
];

struct Source {
    /// From the root of the repository, with slashes.
    path: String,
    /// Without comments.
    code: String,
    /// A module of tests by itself: `#[cfg(test)] mod tests;`.
    is_test: bool,
}

impl Source {
    /// What runs outside tests; inline tests stand at the end of a file.
    fn product(&self) -> &str {
        let end = self
            .code
            .find("#[cfg(test)]\nmod tests {")
            .unwrap_or(self.code.len());
        if self.is_test { "" } else { &self.code[..end] }
    }
}

#[test]
fn arrows_point_down() {
    let faults: Vec<_> = sources("src").iter().flat_map(arrows_up).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn words_stand_where_they_may() {
    let faults: Vec<_> = sources("src").iter().flat_map(misplaced).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn nothing_is_left_undone() {
    let all = ["src", "tests", "benches"].into_iter().flat_map(sources);
    let faults: Vec<_> = all.flat_map(|source| undone(&source)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_have_names_of_nouns() {
    let vague = |path: &Path| {
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        NO_NAMES.contains(&stem)
    };
    let found: Vec<_> = ["src", "tests", "templates"]
        .into_iter()
        .flat_map(|folder| walk(&root().join(folder)))
        .flat_map(|path| {
            path.ancestors()
                .map(Path::to_owned)
                .take(4)
                .collect::<Vec<_>>()
        })
        .filter(|path| path.starts_with(root()) && vague(path))
        .collect();
    assert!(found.is_empty(), "names that say nothing: {found:?}");
}

#[test]
fn each_migration_is_there_for_both_databases() {
    let files = |database: &str| -> BTreeSet<PathBuf> {
        let folder = root().join("migrations").join(database);
        let relative = |path: PathBuf| path.strip_prefix(&folder).map(Path::to_owned).ok();
        walk(&folder).into_iter().filter_map(relative).collect()
    };
    let (postgres, sqlite) = (files("postgres"), files("sqlite"));
    assert!(!postgres.is_empty(), "there are migrations");
    let odd: Vec<_> = postgres.symmetric_difference(&sqlite).collect();
    assert!(odd.is_empty(), "for one database only: {odd:?}");
    let without_way_back = postgres
        .iter()
        .filter(|path| path.ends_with("up.sql"))
        .find(|path| !postgres.contains(&path.with_file_name("down.sql")));
    assert_eq!(without_way_back, None);
}

#[test]
fn the_rules_find_what_they_forbid() {
    let fault_in = |path: &str, code: &str| {
        let code = without_comments(code);
        let source = Source {
            path: path.to_owned(),
            code,
            is_test: false,
        };
        !(arrows_up(&source).is_empty()
            && misplaced(&source).is_empty()
            && undone(&source).is_empty())
    };
    for (path, code) in [
        ("src/domain/unit/a.rs", "use crate::store::Tx;"),
        ("src/domain/unit/a.rs", "use crate::domain::wallet::Lot;"),
        ("src/domain/unit/a.rs", "use super::super::wallet::Lot;"),
        (
            "src/domain/wallet/a.rs",
            "use crate::domain::{\n unit::Fen,\n market::Trade,\n};",
        ),
        (
            "src/domain/behaviour/a.rs",
            "fn a() -> crate::domain::log::Leaf {}",
        ),
        ("src/domain/log/a.rs", "use crate::domain::registry::Cer;"),
        (
            "src/domain/scene/a.rs",
            "use crate::domain::behaviour::Record;",
        ),
        ("src/domain/wallet/a.rs", "let x: f64 = 1.0;"),
        ("src/store/a.rs", "use crate::flow::audit;"),
        ("src/flow/a.rs", "use crate::{domain, gateway::Mail};"),
        ("src/flow/a.rs", "use diesel::prelude::*;"),
        ("src/api/a.rs", "use crate::gateway::Exchange;"),
        ("src/api/a.rs", "use crate::pages::page;"),
        ("src/config/a.rs", "use crate::domain::wallet::Lot;"),
        ("src/jobs/a.rs", "let now = Utc::now();"),
        ("src/flow/a.rs", "let x = std::env::var(\"X\");"),
        ("src/flow/a.rs", concat!("to", "do!()")),
    ] {
        assert!(fault_in(path, code), "{path} may not say: {code}");
    }
    for (path, code) in [
        (
            "src/domain/scene/adapter/a.rs",
            "use crate::domain::behaviour::Record;",
        ),
        (
            "src/domain/scene/adapter/great_circle.rs",
            "let x: f64 = 1.0;",
        ),
        (
            "src/domain/registry/a.rs",
            "use crate::domain::{log::Leaf, unit::Tonnes};",
        ),
        (
            "src/domain/wallet/a.rs",
            "// crate::store::Tx and f64 in a comment\nuse super::lot::Lot;",
        ),
        ("src/api/a.rs", "use crate::gateway::ShortLived;"),
        ("src/jobs/a.rs", "use crate::{flow::audit, gateway::Mail};"),
        ("src/server.rs", "use crate::{api, gateway, jobs};"),
    ] {
        assert!(!fault_in(path, code), "{path} may say: {code}");
    }
}

fn arrows_up(source: &Source) -> Vec<String> {
    let here = module_of(&source.path);
    let targets = paths_in(source.product(), &here);
    let may = |target: &&Vec<String>| !(floor_allows(&here, target) && nouns_allow(&here, target));
    let faults: BTreeSet<_> = targets
        .iter()
        .filter(may)
        .map(|target| target.join("::"))
        .collect();
    faults
        .into_iter()
        .map(|target| format!("{} may not know {target}", source.path))
        .collect()
}

fn floor_allows(here: &[String], target: &[String]) -> bool {
    let floor = |path: &[String]| path.first().cloned().unwrap_or_default();
    let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == floor(here)) else {
        return true;
    };
    let wiring = ["cli", "server"];
    let known = FLOORS.iter().any(|(name, _)| *name == floor(target));
    if !known && !wiring.contains(&floor(target).as_str()) {
        return true;
    }
    let target = target.join("::");
    allowed
        .iter()
        .any(|name| target == *name || target.starts_with(&format!("{name}::")))
}

fn nouns_allow(here: &[String], target: &[String]) -> bool {
    let noun = |path: &[String]| match path {
        [floor, noun, ..] if floor == "domain" => noun.clone(),
        _ => String::new(),
    };
    let (from, to) = (noun(here), noun(target));
    let place = |noun: &str| NOUNS.iter().position(|name| *name == noun);
    if from == to || from.is_empty() || to.is_empty() {
        return true;
    }
    if from == "log" {
        return LOG_KNOWS.contains(&to.as_str()) || place(&to).is_none();
    }
    if to == "log" {
        return LOG_IS_KNOWN_BY.contains(&from.as_str());
    }
    if here.join("::").starts_with(ADAPTERS) && to == "behaviour" {
        return true;
    }
    match (place(&from), place(&to)) {
        (Some(from), Some(to)) => to < from,
        (None, _) => panic!("domain::{from} has no place among the nouns of tests/tidy.rs"),
        // An item that a `super::` of an inline module reached, not a noun.
        (_, None) => true,
    }
}

fn misplaced(source: &Source) -> Vec<String> {
    let rules = ONLY_IN.iter().filter(|(word, within, allowed)| {
        source.path.starts_with(within)
            && !allowed.iter().any(|path| source.path.starts_with(path))
            && has_word(source.product(), word)
    });
    rules
        .map(|(word, ..)| format!("{} may not say {word}", source.path))
        .collect()
}

fn undone(source: &Source) -> Vec<String> {
    let found = NOWHERE.iter().filter(|word| source.code.contains(*word));
    found
        .map(|word| format!("{} says {word}", source.path))
        .collect()
}

/// Whether `word` stands in `code` and is not the tail or the head of a longer name.
fn has_word(code: &str, word: &str) -> bool {
    let part_of_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| {
        let end = at + word.len();
        let open = word.ends_with(':');
        !part_of_name(code[..at].chars().next_back())
            && (open || !part_of_name(code[end..].chars().next()))
    })
}

/// `src/domain/scene/mod.rs` is `domain::scene`.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Every path that begins at the crate's root or goes up from `here`, as it reads from the root.
fn paths_in(code: &str, here: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            for mut path in tree(&code[at..]) {
                let mut base: Vec<String> = match start {
                    "crate::" => Vec::new(),
                    _ => here.to_vec(),
                };
                while matches!(path.first().map(String::as_str), Some("crate" | "super")) {
                    if path.remove(0) == "super" {
                        base.pop();
                    }
                }
                base.extend(path);
                found.push(base);
            }
        }
    }
    found
}

/// Expands `a::{b, c::{d, e}}` at the beginning of `text` into its paths.
fn tree(text: &str) -> Vec<Vec<String>> {
    expand(&mut text.chars().peekable())
}

fn expand(text: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Vec<Vec<String>> {
    let mut path = Vec::new();
    loop {
        while text.next_if(|c| c.is_whitespace()).is_some() {}
        let mut name = String::new();
        while let Some(c) = text.next_if(|c| c.is_alphanumeric() || *c == '_' || *c == '*') {
            name.push(c);
        }
        if !name.is_empty() {
            path.push(name);
        }
        while text.next_if_eq(&':').is_some() {}
        match text.peek() {
            Some('{') => {
                text.next();
                return branches(text, &path);
            }
            Some(c) if c.is_alphanumeric() || *c == '_' || *c == '*' => {}
            _ => return vec![path],
        }
    }
}

fn branches(
    text: &mut std::iter::Peekable<std::str::Chars<'_>>,
    stem: &[String],
) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    while text.peek().is_some_and(|c| *c != '}') {
        paths.extend(
            expand(text)
                .into_iter()
                .map(|branch| [stem, &branch].concat()),
        );
        // What is left of the branch, such as ` as name`, up to the next one.
        while text.next_if(|c| *c != ',' && *c != '}').is_some() {}
        text.next_if_eq(&',');
    }
    text.next();
    paths
}

/// Comments name what they forbid; only code counts.
fn without_comments(text: &str) -> String {
    let code = |line: &str| match line.find("//") {
        // `https://…` inside a string is no comment.
        Some(at) if !line[..at].ends_with(':') => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

fn sources(folder: &str) -> Vec<Source> {
    let rust = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source file is text");
        let relative = path.strip_prefix(root()).expect("it lies under the root");
        let path = relative.to_string_lossy().replace('\\', "/");
        Source {
            path,
            code: without_comments(&text),
            is_test: false,
        }
    };
    let mut sources: Vec<_> = walk(&root().join(folder))
        .into_iter()
        .filter(rust)
        .map(read)
        .collect();
    let tests: Vec<_> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        let module = module_of(&source.path);
        source.is_test = tests.iter().any(|test| module.starts_with(test));
    }
    sources
}

/// Modules that a file declares for tests only and keeps in files of their own.
fn test_modules(source: &Source) -> Vec<Vec<String>> {
    let declared = source.code.split("#[cfg(test)]\n").skip(1);
    let own_file = declared.filter_map(|rest| rest.split_once(';').map(|(head, _)| head));
    let named = own_file.filter_map(|head| head.split_once("mod ").map(|(_, name)| name.trim()));
    let plain = named.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    plain
        .map(|name| [module_of(&source.path), vec![name.to_owned()]].concat())
        .collect()
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
