//! Builds and runs a crate outside the workspace that adds a metric and a component.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Steps of the bundled run, and layers of its model.
const STEPS: usize = 15;
const LAYERS: usize = 3;

/// Values by label, step and key.
type Values = BTreeMap<(String, u64, String), f64>;

fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    crates.into_iter().nth(2).unwrap().to_owned()
}

/// What the crate prints of the bundled run.
///
/// It is built with the workspace's versions of dependencies and into the workspace's target
/// folder, so that most of it is there and nothing is fetched.
fn run_extension() -> String {
    let extension = root().join("tests/extension");
    std::fs::copy(root().join("Cargo.lock"), extension.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--manifest-path"])
        .arg(extension.join("Cargo.toml"))
        .arg("--")
        .arg(root().join("tests/data/pico-decoder-micro-1"))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

fn values(text: &str) -> Values {
    let value = |line: &str| {
        let [label, step, key, value] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let name = (label.to_owned(), step.parse().unwrap(), key.to_owned());
        (name, value.parse().unwrap_or(f64::NAN))
    };
    text.lines().map(value).collect()
}

#[test]
fn a_metric_and_a_component_from_outside() {
    let text = run_extension();
    let values = values(&text);
    let labels = ["negative_share", "norm_nuclear", "norm_frobenius"];
    assert_eq!(values.len(), labels.len() * 2 * STEPS * LAYERS, "{text}");
    for ((label, step, key), value) in &values {
        if label == "negative_share" {
            assert!((0.0..1.0).contains(value), "{key} at {step}: {value}");
        }
    }
    // The singular values of V V^T are the squares of those of V.
    let of_overlaps = values.iter().filter(|((label, _, key), _)| {
        label == "norm_nuclear" && key.ends_with("value_overlap.weights")
    });
    for ((_, step, key), nuclear) in of_overlaps {
        let simple = key.replace("value_overlap", "attention.v_proj");
        let frobenius = values[&("norm_frobenius".to_owned(), *step, simple)];
        let relative = (nuclear - frobenius.powi(2)).abs() / nuclear;
        assert!(relative < 1e-12, "{key} at {step}: {nuclear}, {frobenius}");
    }
}
