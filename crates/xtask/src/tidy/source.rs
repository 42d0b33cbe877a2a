//! Rules on Rust source text.

use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;

const MAXIMUM_FUNCTION_LINES: usize = 80;

/// Words that must not stand in the sources of a crate.
struct Ban {
    /// The folder of the crate's sources.
    folder: &'static str,
    words: &'static [&'static str],
    reason: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        folder: "crates/metrics/src/",
        words: &[
            "std::fs",
            "async fn",
            "async move",
            "target_arch = \"wasm32\"",
            "serde",
        ],
        reason: "metrics is mathematics: no files, no async, no platform",
    },
    Ban {
        folder: "crates/analysis/src/",
        words: &[
            "std::fs",
            "std::thread",
            "web_sys",
            "target_arch = \"wasm32\"",
            "std::time::Instant",
        ],
        reason: "analysis knows no platform",
    },
    Ban {
        folder: "crates/plot/src/",
        words: &["std::fs", "web_sys", "target_arch = \"wasm32\""],
        reason: "plot draws numbers; it knows no platform",
    },
    Ban {
        folder: "crates/report/src/",
        words: &[
            "std::fs",
            "std::time",
            "web_sys",
            "target_arch = \"wasm32\"",
        ],
        reason: "report knows no platform, and no time that it is not handed",
    },
];

/// The rules that a source file breaks.
pub(super) fn check(root: &Path, path: &Path) -> Result<Vec<Finding>> {
    let text =
        std::fs::read_to_string(root.join(path)).with_context(|| path.display().to_string())?;
    Ok(check_text(path, &text))
}

fn check_text(path: &Path, text: &str) -> Vec<Finding> {
    let place = path.display().to_string();
    let mut findings: Vec<Finding> = text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let message = broken_by_line(path, line)?;
            Some(Finding {
                place: format!("{place}:{}", index + 1),
                message,
            })
        })
        .collect();
    if !text.starts_with("//!") {
        let message = "a file starts with a `//!` line that says what its subject is".to_owned();
        findings.push(Finding {
            place: place.clone(),
            message,
        });
    }
    findings.extend(
        long_functions(text)
            .into_iter()
            .map(|(line, lines)| Finding {
                place: format!("{place}:{line}"),
                message: format!(
                    "a function of {lines} lines does more than one thing; split it (80 at most)"
                ),
            }),
    );
    findings
}

fn broken_by_line(path: &Path, line: &str) -> Option<String> {
    let code = line.trim_start();
    if code.starts_with("#[ignore") {
        return Some("a test that is not run tests nothing: mend it or delete it".to_owned());
    }
    if is_left_undone_without_reason(code) {
        return Some("say after the colon why this is left undone".to_owned());
    }
    banned(path, code)
}

fn is_left_undone_without_reason(code: &str) -> bool {
    let comment = code.split_once("//").map_or("", |(_, comment)| comment);
    let Some((_, reason)) = comment.split_once(concat!("TO", "DO")) else {
        return false;
    };
    !reason.starts_with(": ") || reason.len() < 12
}

fn banned(path: &Path, code: &str) -> Option<String> {
    if code.starts_with("//") {
        return None;
    }
    let ban = BANS.iter().find(|ban| {
        path.starts_with(ban.folder) && ban.words.iter().any(|word| code.contains(word))
    })?;
    Some(ban.reason.to_owned())
}

/// First line and length of every function that is too long. Sources are as rustfmt writes them,
/// so a function ends at the first brace that stands where its `fn` line begins.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = (0..lines.len()).filter(|&start| begins_function(lines[start].trim_start()));
    let lengths = starts.filter_map(|start| Some((start + 1, function_length(&lines[start..])?)));
    lengths
        .filter(|&(_, length)| length > MAXIMUM_FUNCTION_LINES)
        .collect()
}

/// The number of lines of the function that begins with the first of these; `None` for a
/// declaration without a body.
fn function_length(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?;
    let indent = &first[..first.len() - first.trim_start().len()];
    let signature_end = lines
        .iter()
        .position(|line| line.ends_with(['{', ';', '}']))?;
    if !lines[signature_end].ends_with('{') {
        return None;
    }
    let end = lines
        .iter()
        .position(|line| line.strip_prefix(indent) == Some("}"))?;
    Some(end + 1)
}

fn begins_function(code: &str) -> bool {
    const QUALIFIERS: &[&str] = &[
        "pub(crate) ",
        "pub(super) ",
        "pub ",
        "const ",
        "async ",
        "unsafe ",
    ];
    let mut rest = code;
    while let Some(shorter) = QUALIFIERS.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    rest.starts_with("fn ")
}

#[cfg(test)]
mod tests {
    use super::{check_text, long_functions};
    use std::path::Path;

    fn messages(path: &str, text: &str) -> usize {
        check_text(Path::new(path), text).len()
    }

    #[test]
    fn a_file_begins_with_its_subject() {
        assert_eq!(messages("crates/x/src/a.rs", "//! A subject.\n"), 0);
        assert_eq!(messages("crates/x/src/a.rs", "fn a() {}\n"), 1);
    }

    #[test]
    fn metrics_reads_no_files() {
        let text = "//! A subject.\nuse std::fs::File;\n";
        assert_eq!(messages("crates/metrics/src/a.rs", text), 1);
        assert_eq!(messages("crates/worker/src/a.rs", text), 0);
    }

    #[test]
    fn an_ignored_test_is_found() {
        assert_eq!(
            messages("crates/x/src/a.rs", "//! A subject.\n    #[ignore]\n"),
            1
        );
    }

    #[test]
    fn a_reason_is_asked_for_what_is_left_undone() {
        let left = concat!("//! A subject.\n// TO", "DO\n");
        assert_eq!(messages("crates/x/src/a.rs", left), 1);
        let with_reason = concat!(
            "//! A subject.\n// TO",
            "DO: wait for stable portable SIMD\n"
        );
        assert_eq!(messages("crates/x/src/a.rs", with_reason), 0);
    }

    #[test]
    fn a_function_of_81_lines_is_long() {
        let of = |lines: usize| {
            format!(
                "    pub fn a() {{\n{}    }}\n",
                "        b();\n".repeat(lines - 2)
            )
        };
        assert_eq!(long_functions(&of(80)), vec![]);
        assert_eq!(long_functions(&of(81)), vec![(1, 81)]);
    }
}
