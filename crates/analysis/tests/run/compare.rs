//! Analyses side by side.

use ckptscope_analysis::protocol::Record;
use ckptscope_analysis::results::Results;
use ckptscope_analysis::results::compare::{CompareError, Comparison};
use serde_json::json;

/// A record of the effective rank of one layer's weights.
fn record(component: &str, layer: u64, step: u64, value: Option<f64>) -> Record {
    Record {
        label: "per".to_owned(),
        split: "val".to_owned(),
        step,
        key: format!("layers.{layer}.{component}.weights"),
        component: component.to_owned(),
        layer,
        head: None,
        data_type: "weights".to_owned(),
        output: String::new(),
        value,
        status: None,
    }
}

/// Results with these records, and an entry that measures their components.
fn results(name: &str, steps: &[u64], components: &[&str], records: &[Record]) -> Results {
    let measured: Vec<_> = components
        .iter()
        .map(|component| json!({"component": component, "data_type": "weights"}))
        .collect();
    let entry = json!({"label": "per", "metric": "per", "summary": "", "split": "val",
        "target": null, "parameters": {}, "components": measured});
    let text = json!({"format": "ckptscope-results", "version": 1, "program": "p",
        "analysis_name": name, "source": "runs", "model": null, "steps": steps,
        "missing_steps": [], "entries": [entry], "warnings": [format!("a warning of {name}")],
        "config": "a: 1", "records": records});
    Results::parse(&text.to_string()).unwrap()
}

/// Steps 0 and 1 of `o_proj` in two layers.
fn first() -> Results {
    let records = vec![
        record("o_proj", 0, 0, Some(0.5)),
        record("o_proj", 1, 0, Some(0.25)),
        record("o_proj", 0, 1, Some(1.0)),
        record("o_proj", 1, 1, None),
    ];
    results("a", &[0, 1], &["o_proj"], &records)
}

/// Steps 1 and 2 of `o_proj` in one layer, and of `v_proj`.
fn second() -> Results {
    let records = vec![
        record("o_proj", 0, 1, Some(1.75)),
        record("v_proj", 0, 1, Some(2.0)),
        record("o_proj", 0, 2, Some(3.0)),
    ];
    results("b", &[1, 2], &["o_proj", "v_proj"], &records)
}

fn compared(runs: Vec<Results>) -> Comparison {
    Comparison::of(runs.into_iter().map(|run| (None, run)).collect()).unwrap()
}

#[test]
fn numbers_stand_side_by_side() {
    let table = compared(vec![first(), second()]).csv().unwrap();
    let expected = "\
metric,split,step,component,layer,head,data_type,a,b,difference
per,val,0,o_proj,0,,weights,0.5,,
per,val,0,o_proj,1,,weights,0.25,,
per,val,1,o_proj,0,,weights,1.0,1.75,0.75
per,val,1,o_proj,1,,weights,,,
per,val,1,v_proj,0,,weights,,2.0,
per,val,2,o_proj,0,,weights,,3.0,
";
    assert_eq!(String::from_utf8(table).unwrap(), expected);
}

#[test]
fn in_the_merged_results_runs_are_components() {
    let merged = compared(vec![first(), second()]).merged;
    assert_eq!(merged.steps, [0, 1, 2]);
    assert_eq!(merged.analysis_name, "a vs b");
    let measured: Vec<&str> = merged.entries[0]
        .components
        .iter()
        .map(|one| one.component.as_str())
        .collect();
    assert_eq!(
        measured,
        ["o_proj · a", "o_proj · b", "v_proj · a", "v_proj · b"]
    );
    let at_1: Vec<(&str, &str, Option<f64>)> = merged
        .records
        .iter()
        .filter(|record| record.step == 1)
        .map(|record| (record.component.as_str(), record.key.as_str(), record.value))
        .collect();
    let expected = [
        ("o_proj · a", "layers.0.o_proj.weights · a", Some(1.0)),
        ("o_proj · a", "layers.1.o_proj.weights · a", None),
        ("o_proj · b", "layers.0.o_proj.weights · b", Some(1.75)),
        ("v_proj · b", "layers.0.v_proj.weights · b", Some(2.0)),
    ];
    assert_eq!(at_1, expected);
    // It is a results file like any other.
    let text = serde_json::to_string(&merged).unwrap();
    assert_eq!(Results::parse(&text).unwrap(), merged);
}

#[test]
fn what_does_not_match_is_told() {
    let mut second = second();
    second.config = "a: 2".to_owned();
    let parameters = json!({"variant": "reference"});
    second.entries[0].parameters = parameters.as_object().unwrap().clone();
    second.entries[0].target = Some(7);
    let merged = compared(vec![first(), second]).merged;
    let expected = [
        "per_val is not the same in all: per {} in a, \
         per {\"variant\":\"reference\"} against step 7 in b",
        "a lacks steps 2",
        "a lacks per_val of v_proj weights",
        "b lacks steps 0",
        "b lacks some of per_val of o_proj weights: in layers 1",
        "the configs differ; the one that is shown is that of a",
        "a: a warning of a",
        "b: a warning of b",
    ];
    assert_eq!(merged.warnings, expected);
}

#[test]
fn three_runs_are_compared_last_to_first() {
    let at = |value| {
        let records = vec![record("o_proj", 0, 0, Some(value))];
        results("seed", &[0], &["o_proj"], &records)
    };
    let comparison = compared(vec![at(1.0), at(5.0), at(3.0)]);
    assert_eq!(comparison.names, ["seed", "seed 2", "seed 3"]);
    assert_eq!(comparison.rows[0].values, [Some(1.0), Some(5.0), Some(3.0)]);
    assert_eq!(comparison.rows[0].difference(), Some(2.0));
    let no_warnings_but_their_own = comparison.merged.warnings.len();
    assert_eq!(no_warnings_but_their_own, 3);
}

#[test]
fn names_are_given_and_no_column_is_there_twice() {
    let names = [Some("step".to_owned()), Some("difference".to_owned())];
    let runs = names.into_iter().zip([first(), second()]).collect();
    let comparison = Comparison::of(runs).unwrap();
    assert_eq!(comparison.names, ["step 2", "difference 2"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let of = |runs: Vec<Results>| Comparison::of(runs.into_iter().map(|run| (None, run)).collect());
    assert_eq!(
        of(vec![first()]).unwrap_err(),
        CompareError::TooFew { count: 1 }
    );
    let mut other = second();
    for record in &mut other.records {
        record.label = "gini".to_owned();
    }
    assert_eq!(
        of(vec![first(), other]).unwrap_err(),
        CompareError::NothingInCommon
    );
}
