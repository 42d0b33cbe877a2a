//! Files that ask for more than a config may: refused, and soon.

use std::fmt::Write as _;

use crate::{entry, parse, problems};

#[test]
fn long_files() {
    let text = format!("# {}\n", "x".repeat(1 << 20));
    assert_eq!(problems(&text).len(), 1);
}

#[test]
fn deep_files() {
    for open in ["[", "{a: ", "- ", "? "] {
        assert_eq!(problems(&open.repeat(10_000)).len(), 1, "{open}");
    }
}

#[test]
fn one_anchor_may_serve_many() {
    let text = format!(
        "metrics:\n  - &one {}\n{}steps: all\n",
        entry("metric_name: gini"),
        "  - *one\n".repeat(500)
    );
    assert_eq!(parse(&text).metrics.len(), 501);
}

#[test]
fn many_entries() {
    let text = format!(
        "metrics:\n  - &one {}\n{}steps: all\n",
        entry("metric_name: gini"),
        "  - *one\n".repeat(10_000)
    );
    let found = problems(&text);
    assert!(
        found[0].message.contains("more than 10000 entries"),
        "{found:?}"
    );
}

#[test]
fn many_layers() {
    let mut text = format!(
        "metrics:\n  - &one {}\n",
        entry("metric_name: gini").replace("all", "0..9999")
    );
    text.push_str(&"  - *one\n".repeat(100));
    text.push_str("steps: all\n");
    let found = problems(&text);
    assert!(
        found
            .iter()
            .all(|problem| problem.message.contains("too many layers")),
        "{found:?}"
    );
}

#[test]
fn many_suffixes() {
    let listed = |count: usize, layers: &str| {
        let suffixes: Vec<_> = (0..count).map(|index| format!("s{index}")).collect();
        let entry = entry("metric_name: gini")
            .replace("attention.o_proj", &format!("[{}]", suffixes.join(", ")))
            .replace("all", layers);
        format!("metrics: [{entry}]\nsteps: all")
    };
    let entries = &parse(&listed(9_000, "all")).metrics[0].components;
    assert_eq!(entries.len(), 9_000);
    for (text, message) in [
        (listed(10_000, "all"), "more than 10000 entries"),
        (listed(9_000, "0..99"), "too many layers"),
    ] {
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.contains(message), "{found:?}");
    }
}

#[test]
fn much_text_behind_aliases() {
    let long = entry("metric_name: gini").replace("attention.o_proj", &"x".repeat(1000));
    let text = format!(
        "metrics:\n  - &one {long}\n{}steps: all\n",
        "  - *one\n".repeat(1000)
    );
    let found = problems(&text);
    assert!(
        found[0].message.contains("with the aliases written out"),
        "{found:?}"
    );
}

#[test]
fn many_problems() {
    let text = format!("metrics:\n{}steps: all\n", "  - {a: b}\n".repeat(9_000));
    assert_eq!(problems(&text).len(), 1000);
    let mut keys = String::new();
    for key in 0..2000 {
        let _ = writeln!(keys, "metrics{key}: x");
    }
    assert_eq!(problems(&keys).len(), 1);
}
