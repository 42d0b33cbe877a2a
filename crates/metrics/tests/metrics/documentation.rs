//! Every metric is one file, named after it, whose doc comment has the same headings.

use ckptscope_metrics::{METRICS, Metric};
use include_dir::{Dir, include_dir};

static SOURCES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src");

const HEADINGS: [&str; 7] = [
    "Definition",
    "Range and reading",
    "Applies to",
    "Numerics",
    "Errors",
    "References",
    "Example",
];

fn source(metric: &dyn Metric) -> &'static str {
    let folder = if metric.form().is_comparative() {
        "comparative"
    } else {
        "single"
    };
    let path = format!("{folder}/{}.rs", metric.name());
    let text = SOURCES
        .get_file(&path)
        .and_then(|file| file.contents_utf8());
    assert!(text.is_some(), "there is no src/{path}");
    text.unwrap_or_default()
}

/// The doc comment that has a heading, without its slashes.
fn documentation(source: &str) -> Vec<&str> {
    let lines = source.lines();
    let documented: Vec<_> = lines.filter_map(|line| line.strip_prefix("///")).collect();
    documented.iter().map(|line| line.trim_start()).collect()
}

#[test]
fn every_metric_has_its_file_and_its_headings() {
    for metric in METRICS {
        let lines = documentation(source(*metric));
        let headings: Vec<_> = lines
            .iter()
            .filter_map(|line| line.strip_prefix("# "))
            .collect();
        assert_eq!(headings, HEADINGS, "the headings of {}", metric.name());
        assert!(
            !lines[0].is_empty() && !lines[0].starts_with('#'),
            "{} begins with a summary",
            metric.name()
        );
        assert!(
            lines.contains(&"```"),
            "the example of {} is a doctest",
            metric.name()
        );
    }
}

#[test]
fn no_section_is_empty() {
    for metric in METRICS {
        let lines = documentation(source(*metric));
        for (line, next) in lines.iter().zip(&lines[1..]) {
            let is_empty = line.starts_with("# ") && (next.is_empty() || next.starts_with("# "));
            assert!(!is_empty, "{}: {line}", metric.name());
        }
    }
}
