//! Where the published test vectors lie; they are not part of the repository.

use std::path::PathBuf;

/// A file or folder among the vectors; `None`, loudly, when there is no such data here.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let root = std::env::var("TANPUHUI_SHARED_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").into());
    let path = PathBuf::from(root).join("vectors").join(name);
    if !path.exists() {
        eprintln!("SKIPPED, no shared data: {}", path.display());
        return None;
    }
    Some(path)
}
