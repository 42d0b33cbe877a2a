//! `worker metrics` and `worker components`: every registered one, with its parameters. `worker
//! config`: every key.

use ckptscope_analysis::Registry;
use ckptscope_analysis::config::keys::SECTIONS;

use crate::support::Scratch;

#[test]
fn every_metric_is_listed_with_its_parameters() {
    let listed = Scratch::new().worker(&["metrics"]).expect(0).stdout;
    for metric in Registry::default().metrics() {
        let name = metric.name();
        let entry = entry(&listed, name);
        assert!(entry.contains(metric.summary()), "{entry}");
        for parameter in metric.parameters() {
            let start = format!("    {}: ", parameter.name);
            assert!(entry.contains(&start), "{name} {}", parameter.name);
        }
        let compares = entry.contains("target_checkpoint");
        assert_eq!(compares, metric.form().is_comparative(), "{name}");
    }
}

#[test]
fn every_component_is_listed_with_its_roles_and_parameters() {
    let listed = Scratch::new().worker(&["components"]).expect(0).stdout;
    for component in Registry::default().components() {
        let name = component.name();
        let entry = entry(&listed, name);
        assert!(entry.contains(component.summary()), "{entry}");
        let words = component.suffix_names().iter().copied();
        for word in words.chain(component.parameters().iter().map(|known| known.name)) {
            assert!(entry.contains(&format!("{word}: ")), "{name} {word}");
        }
    }
}

#[test]
fn every_key_of_a_config_is_listed() {
    let listed = Scratch::new().worker(&["config"]).expect(0).stdout;
    for section in SECTIONS {
        let entry = entry(&listed, section.name);
        for name in section.names() {
            assert!(entry.contains(&format!("    {name}: ")), "{name}: {entry}");
        }
    }
}

#[test]
fn everything_is_there_as_json() {
    let listed = |command| {
        let printed = Scratch::new().worker(&[command, "--json"]).expect(0).stdout;
        let list: Vec<serde_json::Value> = serde_json::from_str(&printed).expect("a list");
        list.iter()
            .map(|one| one["name"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let registry = Registry::default();
    let metrics: Vec<_> = registry
        .metrics()
        .iter()
        .map(|metric| Some(metric.name().to_owned()))
        .collect();
    assert_eq!(listed("metrics"), metrics);
    let components = registry.components().iter();
    let components: Vec<_> = components.map(|one| Some(one.name().to_owned())).collect();
    assert_eq!(listed("components"), components);
    assert_eq!(listed("config").len(), SECTIONS.len());
}

#[test]
fn lines_are_not_longer_than_a_terminal() {
    let scratch = Scratch::new();
    for command in ["metrics", "components", "config"] {
        let listed = scratch.worker(&[command]).expect(0).stdout;
        for line in listed.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

/// The lines of one entry: its name, and what is indented below it.
fn entry(listed: &str, name: &str) -> String {
    // A section of the config says where it stands.
    let heading = format!("{name} (");
    let is_start = |line: &&str| *line == name || line.starts_with(&heading);
    let lines = listed.lines().skip_while(|line| !is_start(line));
    let mut lines = lines.peekable();
    assert!(lines.peek().is_some(), "{name} is not listed");
    let body = lines.skip(1).take_while(|line| line.starts_with(' '));
    body.map(|line| format!("{line}\n")).collect()
}
