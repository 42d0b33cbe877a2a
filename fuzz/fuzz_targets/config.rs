//! Config files: any text is read or refused, without a panic and soon; a config that is read
//! says the same when it is written and read again.
#![no_main]

use std::collections::HashSet;

use ckptscope_analysis::Registry;
use ckptscope_analysis::config::{Config, ConfigErrors};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Config::parse(text, &Registry::default()) {
        Ok(config) => check_config(&config),
        Err(errors) => check_errors(&errors, text),
    }
});

fn check_config(config: &Config) {
    let written = config.to_yaml();
    let again = Config::parse(&written, &Registry::default());
    let again = again.unwrap_or_else(|errors| panic!("{errors}\n{written}"));
    assert_eq!(again, *config);
    assert_eq!(again.to_yaml(), written);
    let mut labels = HashSet::new();
    for entry in &config.metrics {
        assert!(
            labels.insert((entry.split, entry.label.to_ascii_lowercase())),
            "{written}"
        );
        assert!(
            !entry.label.is_empty() && !entry.label.contains(['/', '\\']),
            "{written}"
        );
    }
}

fn check_errors(ConfigErrors(problems): &ConfigErrors, text: &str) {
    assert!(!problems.is_empty());
    assert!(problems.is_sorted_by_key(|problem| problem.location.line));
    // YAML breaks lines at carriage returns, too.
    let lines = text.split(['\n', '\r']).count() as u64;
    for problem in problems {
        assert!(!problem.message.is_empty());
        assert!(
            (1..=lines + 1).contains(&problem.location.line),
            "{problem} of {lines} lines"
        );
    }
}
