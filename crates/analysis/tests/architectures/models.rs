//! Tiny models as `transformers` saves them, against the truth of every head: float64 numbers of
//! matrices that were found by looking at what the models' own modules compute.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ckptscope_checkpoint::LocalTree;
use serde_json::Value;

use super::support::{METRICS, circuits, circuits_by, numbers, planned, told};

/// Agreement asked of every number.
const RELATIVE: f64 = 1e-9;

/// Where the tiny models are.
pub(crate) fn folder() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = crates.into_iter().nth(2).unwrap();
    root.join("tests/architectures")
}

/// Every model with its truth.
fn models() -> Vec<(String, LocalTree, Value)> {
    let expected = fs::read_dir(folder().join("expected")).unwrap();
    let model = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let tree = LocalTree::scan(folder().join(&name)).unwrap();
        let truth = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        (name, tree, truth)
    };
    let models: Vec<_> = expected.map(|entry| model(entry.unwrap().path())).collect();
    assert_eq!(models.len(), 22);
    models
}

/// What differs from the truth: of gains, where a circuit has them, or of the bare projections.
fn wrong(tree: &LocalTree, truth: &Value, gains: bool) -> Vec<String> {
    let keys = if gains { "" } else { ", gains: false" };
    let numbers = numbers(tree, &circuits(keys));
    let mut wrong = Vec::new();
    let mut compared = 0;
    for module in truth["attention"].as_array().unwrap() {
        let layer = module["layer"].as_u64().unwrap();
        let of = |name: &str| {
            let with_gains = &module[format!("{name}_with_gains")];
            if gains && !with_gains.is_null() {
                with_gains
            } else {
                &module[name]
            }
        };
        let mut compare = |label: &str, component: &str, head, expected: Option<f64>| {
            compared += 1;
            let component = format!("{component}_circuit");
            let mut found = numbers
                .iter()
                .filter(|((of_label, of, _, of_layer, of_head), _)| {
                    (of_label.as_str(), of.as_str(), *of_layer, *of_head)
                        == (label, component.as_str(), layer, head)
                });
            let found = found
                .next()
                .unwrap_or_else(|| panic!("no {label} of {layer}"))
                .1;
            let is_right = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() <= RELATIVE * expected,
                (found, expected) => found.is_none() && expected.is_none(),
            };
            if !is_right {
                let place = format!("{component} {layer} {head:?} {label}");
                wrong.push(format!("{place}: {found:?} for {expected:?}"));
            }
        };
        for circuit in ["ov", "qk"] {
            for (label, _, key) in METRICS {
                let heads = of(circuit)[key].as_array().unwrap();
                for (head, value) in (0..).zip(heads) {
                    compare(label, circuit, Some(head), value.as_f64());
                }
            }
        }
        for (label, key) in [
            ("frobenius", "frobenius"),
            ("nuclear", "nuclear"),
            ("spectral", "spectral"),
        ] {
            compare(label, "ov", None, of("ov_layer")[key].as_f64());
        }
    }
    assert!(compared > 0);
    wrong
}

#[test]
fn every_head_has_the_circuits_that_its_model_computes_with() {
    for (name, tree, truth) in models() {
        if truth["attention"].as_array().unwrap().is_empty() {
            continue;
        }
        for gains in [true, false] {
            let wrong = wrong(&tree, &truth, gains);
            assert!(wrong.is_empty(), "{name}, gains {gains}: {wrong:#?}");
        }
    }
}

#[test]
fn a_model_without_attention_has_no_circuits() {
    let (_, tree, _) = models()
        .into_iter()
        .find(|(name, ..)| name == "mamba")
        .unwrap();
    let Err(refused) = planned(&tree, &circuits("")) else {
        panic!("circuits were made up");
    };
    let refused = refused.to_string();
    assert!(
        refused.contains("Mamba models have no attention"),
        "{refused}"
    );
    assert!(refused.contains("mixer.in_proj"), "{refused}");
}

#[test]
fn no_circuit_is_taken_for_its_transpose_or_for_that_of_another_head() {
    for (name, tree, truth) in models() {
        let modules = truth["attention"].as_array().unwrap();
        if modules.is_empty() {
            continue;
        }
        for gains in [true, false] {
            let keys = if gains { "" } else { ", gains: false" };
            let numbers = numbers(&tree, &circuits_by("probe", keys));
            let mut compared = 0;
            for (module, circuit) in modules.iter().flat_map(|it| [(it, "ov"), (it, "qk")]) {
                let with_gains = &module[format!("{circuit}_with_gains")];
                let of = match gains && !with_gains.is_null() {
                    true => with_gains,
                    false => &module[circuit],
                };
                let layer = module["layer"].as_u64().unwrap();
                for (head, expected) in (0..).zip(of["probe"].as_array().unwrap()) {
                    let component = format!("{circuit}_circuit");
                    let mut found = numbers.iter().filter(|((_, of, _, of_layer, of_head), _)| {
                        (of, *of_layer, *of_head) == (&component, layer, Some(head))
                    });
                    let found = found.next().unwrap().1.unwrap();
                    let expected = expected.as_f64().unwrap();
                    let place = format!("{name}, gains {gains}: {component} {layer} {head}");
                    assert!(
                        (found - expected).abs() < 1e-9,
                        "{place}: {found}, {expected}"
                    );
                    compared += 1;
                }
            }
            assert!(compared > 0, "{name}");
        }
    }
}

#[test]
fn what_results_must_say_is_said() {
    let of_scores = |position: &str| {
        let what = match position {
            "rotary" => {
                "those of tokens at the same position, where rotary embeddings turn nothing"
            }
            "alibi" => "without what ALiBi takes off by distance",
            _ => return None,
        };
        Some(format!(
            "qk_circuit: the part of scores that does not depend on positions: {what}"
        ))
    };
    let with = "norms between projections are part of it (`gains: true`)";
    let without = "norms between projections are left out (`gains: false`)";
    for (name, tree, truth) in models() {
        let modules = truth["attention"].as_array().unwrap();
        if modules.is_empty() {
            continue;
        }
        for (keys, of_gains) in [("", with), (", gains: false", without)] {
            let has_gains = |circuit: &str| {
                let key = format!("{circuit}_with_gains");
                modules.iter().any(|module| !module[&key].is_null())
            };
            let told_of = |circuit: &str| {
                let has_gains = has_gains(circuit);
                has_gains.then(|| format!("{circuit}_circuit: {of_gains}"))
            };
            let plan = planned(&tree, &circuits_by("norm, norm_type: nuclear", keys)).unwrap();
            let expected = told_of("ov").into_iter().chain(told_of("qk"));
            let positions = modules.iter().filter_map(|it| it["position"].as_str());
            let told_of_scores: BTreeSet<String> = positions.filter_map(of_scores).collect();
            let expected: Vec<String> = expected.chain(told_of_scores).collect();
            assert_eq!(told(&plan), expected, "{name}");
        }
    }
}
