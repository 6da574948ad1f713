//! Methodology documents on this machine, beside the built-in ones.

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::methodology::{Defect, EMBEDDED_DOCUMENTS, Library};

pub(super) type Documents = Vec<(String, String)>;

pub(super) fn asked_documents(paths: &[PathBuf]) -> Result<Documents, String> {
    if !paths.is_empty() {
        return read_documents(paths);
    }
    let here = PathBuf::from("methodologies");
    if here.is_dir() {
        return read_documents(&[here]);
    }
    Ok(embedded_documents())
}

pub(super) fn embedded_documents() -> Documents {
    let embedded = EMBEDDED_DOCUMENTS.iter();
    embedded
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect()
}

pub(super) fn read_documents(paths: &[PathBuf]) -> Result<Documents, String> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        collect_files(path, &mut files).map_err(|error| format!("{}: {error}", path.display()))?;
        if files.len() == before {
            let path = path.display();
            return Err(format!(
                "{path}：其中没有 .toml 文件\n{path}: there is no .toml file in it"
            ));
        }
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
pub(super) fn load_beside_embedded(asked: &Documents) -> (Library, Vec<Defect>) {
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
pub(super) fn identity(text: &str) -> Option<String> {
    let document: toml::Table = toml::from_str(text).ok()?;
    let identity = document.get("identity")?;
    let name = |key: &str| identity.get(key)?.as_str().map(str::to_owned);
    Some(format!("{}@{}", name("code")?, name("version")?))
}
