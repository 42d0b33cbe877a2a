//! What is refused, and in which words: each file of `tests/data/configs/refused` has its
//! problems beside it, with `{every metric}` and `{every component}` where all names are listed.
//!
//! `UPDATE_EXPECTED=1 cargo test -p ckptscope-analysis --test config` writes them anew; read the
//! difference before keeping it.

use std::fs;
use std::path::Path;

use ckptscope_analysis::Registry;
use ckptscope_analysis::config::{Config, ConfigErrors};

#[test]
fn every_problem_is_reported_in_its_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/configs/refused");
    let files = fs::read_dir(&folder).expect("the folder is there");
    let mut seen = 0;
    for file in files.map(|entry| entry.expect("it can be listed").path()) {
        if file
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            check(&file);
            seen += 1;
        }
    }
    assert!(seen > 15);
}

fn check(file: &Path) {
    let text = fs::read_to_string(file).expect("the file is there");
    let found = format!("{}\n", errors(&text));
    let beside = file.with_extension("txt");
    let lists = lists();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let shortened = lists.iter().fold(found.clone(), |text, (word, names)| {
            text.replace(&format!("one of {names}"), &format!("one of {word}"))
        });
        fs::write(&beside, shortened).expect("it can be written");
    }
    let expected = fs::read_to_string(&beside).unwrap_or_default();
    let expected = lists
        .iter()
        .fold(expected, |text, (word, names)| text.replace(word, names));
    assert_eq!(found, expected, "{}", file.display());
}

/// What stands for all names of a kind, and those that are registered.
fn lists() -> [(&'static str, String); 2] {
    let registry = Registry::default();
    let metrics: Vec<_> = registry.metrics().iter().map(|one| one.name()).collect();
    let components: Vec<_> = registry.components().iter().map(|one| one.name()).collect();
    [
        ("{every metric}", metrics.join(", ")),
        ("{every component}", components.join(", ")),
    ]
}

fn errors(text: &str) -> ConfigErrors {
    match Config::parse(text, &Registry::default()) {
        Ok(config) => panic!("not refused:\n{config:?}"),
        Err(errors) => errors,
    }
}

#[test]
fn problems_go_to_the_page_with_their_lines() {
    let text = "metrics: []\nsteps: all\n";
    let expected = serde_json::json!([{
        "line": 1,
        "path": "metrics",
        "message": "found an empty list; expected a list of one or more metric entries",
    }]);
    let sent = serde_json::to_value(errors(text)).expect("it can be sent");
    assert_eq!(sent, expected);
    let received: ConfigErrors = serde_json::from_value(sent).expect("it can be received");
    assert_eq!(received, errors(text));
}
