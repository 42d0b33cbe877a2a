//! `worker metrics` and `worker components`: every registered one, with its parameters.

use trainscope_analysis::Registry;

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
        let words = component.roles().iter().copied();
        for word in words.chain(component.parameters().iter().map(|known| known.name)) {
            assert!(entry.contains(&format!("{word}: ")), "{name} {word}");
        }
    }
}

#[test]
fn lines_are_not_longer_than_a_terminal() {
    let scratch = Scratch::new();
    for command in ["metrics", "components"] {
        let listed = scratch.worker(&[command]).expect(0).stdout;
        for line in listed.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

/// The lines of one entry: its name, and what is indented below it.
fn entry(listed: &str, name: &str) -> String {
    let lines = listed.lines().skip_while(|line| *line != name);
    let mut lines = lines.peekable();
    assert!(lines.peek().is_some(), "{name} is not listed");
    let body = lines.skip(1).take_while(|line| line.starts_with(' '));
    body.map(|line| format!("{line}\n")).collect()
}
