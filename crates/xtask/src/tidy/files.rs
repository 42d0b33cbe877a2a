//! Rules on files as such.

use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;

const MAXIMUM_BYTES: u64 = 1_000_000;
const NAMES_THAT_SAY_NOTHING: &[&str] = &[
    "utils", "util", "helpers", "helper", "common", "misc", "manager",
];

/// The rules that a file breaks by its size or its name.
pub(super) fn check(root: &Path, path: &Path) -> Result<Vec<Finding>> {
    let place = path.display().to_string();
    let bytes = root
        .join(path)
        .metadata()
        .with_context(|| place.clone())?
        .len();
    let mut findings = Vec::new();
    if bytes > MAXIMUM_BYTES {
        let message =
            format!("{bytes} bytes: a repository keeps every version of a large file for ever");
        findings.push(Finding {
            place: place.clone(),
            message,
        });
    }
    if says_nothing(path) {
        let message = "name the file by its subject: this one says nothing".to_owned();
        findings.push(Finding { place, message });
    }
    Ok(findings)
}

fn says_nothing(path: &Path) -> bool {
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    is_rust && NAMES_THAT_SAY_NOTHING.contains(&stem)
}

#[cfg(test)]
mod tests {
    use super::says_nothing;
    use std::path::Path;

    #[test]
    fn names_of_rust_files_say_something() {
        assert!(says_nothing(Path::new("crates/x/src/utils.rs")));
        assert!(!says_nothing(Path::new("crates/x/src/units.rs")));
        assert!(!says_nothing(Path::new("docs/common.md")));
    }
}
