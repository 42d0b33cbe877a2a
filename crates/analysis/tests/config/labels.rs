//! Labels: what an entry is called in charts and file names.

use ckptscope_analysis::config::Config;

use crate::{entry, parse};

#[test]
fn a_lone_metric_lends_its_name() {
    assert_eq!(
        labels(&["metric_name: gini", "metric_name: norm"]),
        ["gini", "norm"]
    );
}

#[test]
fn namesakes_are_told_apart_by_what_differs() {
    let norms = [
        "metric_name: norm, norm_type: nuclear",
        "metric_name: norm, norm_type: inf",
    ];
    assert_eq!(labels(&norms), ["norm_nuclear", "norm_inf"]);
    let targets = [
        "metric_name: cka, target_checkpoint: 100",
        "metric_name: cka, target_checkpoint: last",
    ];
    assert_eq!(labels(&targets), ["cka_100", "cka_last"]);
    let both = [
        "metric_name: cka, target_checkpoint: 100",
        "metric_name: cka, target_checkpoint: 100, debiased: true",
        "metric_name: cka, target_checkpoint: 1_000, debiased: true",
    ];
    assert_eq!(
        labels(&both),
        ["cka_100", "cka_debiased_100", "cka_debiased_1000"]
    );
    let answers = [
        "metric_name: top_k_values, k: 3",
        "metric_name: top_k_values, k: 3, absolute: false",
    ];
    assert_eq!(labels(&answers), ["top_k_values_absolute", "top_k_values"]);
}

#[test]
fn twins_are_numbered() {
    assert_eq!(
        labels(&["metric_name: gini"; 3]),
        ["gini", "gini_2", "gini_3"]
    );
    let norms = [
        "metric_name: norm, norm_type: inf",
        "metric_name: norm, norm_type: nuclear",
        "metric_name: norm, norm_type: inf",
    ];
    assert_eq!(labels(&norms), ["norm_inf", "norm_nuclear", "norm_inf_2"]);
}

#[test]
fn names_come_first_and_stay_unique() {
    assert_eq!(
        labels(&["metric_name: gini", "metric_name: gini, name: mine"]),
        ["gini", "mine"]
    );
    assert_eq!(
        labels(&["metric_name: gini", "metric_name: hoyer, name: gini"]),
        ["gini_2", "gini"]
    );
    let crossed = [
        "metric_name: gini",
        "metric_name: gini",
        "metric_name: hoyer, name: GINI_2",
    ];
    assert_eq!(labels(&crossed), ["gini", "gini_3", "GINI_2"]);
}

#[test]
fn splits_do_not_collide() {
    let train = entry("metric_name: gini").replace("val", "train");
    let config = parse(&format!(
        "metrics: [{}, {train}]\nsteps: all",
        entry("metric_name: gini")
    ));
    assert_eq!(names(&config), ["gini", "gini"]);
}

fn labels(entries: &[&str]) -> Vec<String> {
    let entries: Vec<_> = entries.iter().map(|keys| entry(keys)).collect();
    names(&parse(&format!(
        "metrics: [{}]\nsteps: all",
        entries.join(", ")
    )))
}

fn names(config: &Config) -> Vec<String> {
    config
        .metrics
        .iter()
        .map(|entry| entry.label.clone())
        .collect()
}
