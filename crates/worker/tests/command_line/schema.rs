//! The published schema of results.json: current, and kept to.

use ckptscope_results::schema;
use serde_json::{Value, json};

use crate::support::{CONFIG, Scratch, Sizes, in_project, json as read, micro_run};

/// What `docs/results.schema.json` says.
fn published() -> Value {
    read(&in_project("docs/results.schema.json"))
}

#[test]
fn it_is_what_the_code_says() {
    assert!(
        published() == schema(),
        "docs/results.schema.json is not current; write it anew: cargo run -p ckptscope-results \
         --features schema --example results_schema > docs/results.schema.json"
    );
}

#[test]
fn the_demos_results_keep_to_it() {
    let scratch = Scratch::new();
    scratch.analyze_demo("out", &[]);
    let results = read(&scratch.path().join("out/demo/results.json"));
    let validator = jsonschema::validator_for(&published()).unwrap();
    let broken: Vec<String> = validator
        .iter_errors(&results)
        .map(|error| error.to_string())
        .collect();
    assert!(broken.is_empty(), "{broken:?}");
    // Files are told by what stays the same wherever and whenever they are copied.
    let inputs = results["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 45);
    let expected = json!({
        "path": "checkpoints/step_0/learning_dynamics/val_activations.pt",
        "bytes": std::fs::metadata(
            micro_run().join("checkpoints/step_0/learning_dynamics/val_activations.pt")
        ).unwrap().len(),
    });
    assert_eq!(inputs[0], expected);
}

#[test]
fn what_is_no_result_breaks_it() {
    let scratch = Scratch::with_run(Sizes {
        layers: 1,
        steps: 1,
        width: 4,
    });
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let results = read(&scratch.path().join("out/scratch/results.json"));
    let validator = jsonschema::validator_for(&published()).unwrap();
    assert!(validator.is_valid(&results));
    for (place, value) in [
        ("/format", json!("other")),
        ("/version", json!(1)),
        ("/series/0/values/0", json!("0.5")),
        ("/series/0/layer", json!(-1)),
        ("/series/0/data_type", json!("biases")),
        ("/steps", json!(null)),
    ] {
        let mut broken = results.clone();
        *broken.pointer_mut(place).unwrap() = value;
        assert!(!validator.is_valid(&broken), "{place}");
    }
}
