//! `worker analyze`: files, keys, numbers, and the same bytes every time.

use std::fs;

use serde_json::Value;

use crate::support::{CONFIG, Scratch, Sizes, argument, files, in_project, json, micro_run};

#[test]
fn the_files_and_keys_are_those_of_the_reference_tool() {
    let scratch = Scratch::new();
    scratch.analyze_demo("out", &[]);
    let folder = scratch.path().join("out/demo");
    for file in [
        "step_0/gini_val.json",
        "step_2000/cka_val.json",
        "norm_nuclear_val.csv",
        "results.json",
        "run.json",
        "analysis.log",
        "config.yaml",
    ] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert!(!folder.join("unfinished.jsonl").exists());

    let golden = json(&in_project("tests/data/pico-decoder-micro-1.expected.json"));
    for (step, metric, key) in [
        (
            0,
            "gini",
            "_forward_module.layers.0.attention.v_proj.weights",
        ),
        (
            512,
            "norm_nuclear",
            "_forward_module.layers.2.ov_circuit.weights.heads.3",
        ),
        (
            128,
            "cka",
            "_forward_module.layers.1.attention.v_proj.activations",
        ),
    ] {
        let found = json(&folder.join(format!("step_{step}/{metric}_val.json")));
        let expected = golden[format!("val/step_{step}")][metric][key]
            .as_f64()
            .unwrap();
        let difference = (found[key].as_f64().unwrap() - expected).abs();
        assert!(
            difference <= 1e-9 * expected.abs(),
            "{step} {metric} {key}: {difference}"
        );
    }
}

#[test]
fn an_undefined_value_is_null_in_json_and_has_its_status_in_the_table() {
    let scratch = Scratch::new();
    scratch.analyze_demo("out", &[]);
    let folder = scratch.path().join("out/demo");
    let key = "_forward_module.layers.0.ov_circuit.gradients.heads.0";
    let values = json(&folder.join("step_0/condition_number_val.json"));
    assert_eq!(values[key], Value::Null);

    let table = fs::read_to_string(folder.join("condition_number_val.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("step,key,component,output,layer,head,data_type,value,status,status_code")
    );
    let row = table
        .lines()
        .find(|line| line.starts_with(&format!("0,{key},")))
        .unwrap();
    let rest = "ov_circuit,,0,0,gradients,,rank 24 of 48,rank_deficient";
    assert_eq!(row, format!("0,{key},{rest}"));
}

#[test]
fn every_json_file_is_strict() {
    let scratch = Scratch::new();
    scratch.analyze_demo("out", &[]);
    for (name, content) in files(&scratch.path().join("out/demo")) {
        if name.ends_with(".json") {
            // serde_json knows no NaN and no Infinity.
            let parsed: Result<Value, _> = serde_json::from_slice(&content);
            assert!(parsed.is_ok(), "{name}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let scratch = Scratch::new();
    scratch.analyze_demo("1", &["--threads", "1"]);
    let expected = files(&scratch.path().join("1/demo"));
    // Two leave a lane over, seven are more than there are layers: lanes are split by steps.
    for threads in ["1", "2", "3", "7"] {
        let output = format!("again-{threads}");
        scratch.analyze_demo(&output, &["--threads", threads]);
        let found = files(&scratch.path().join(output).join("demo"));
        assert!(found == expected, "{threads} threads give other bytes");
    }
}

#[test]
fn the_spellings_of_the_reference_tool_are_understood() {
    let (config, run) = (in_project("configs/demo.yaml"), micro_run());
    for path in ["--run_path", "--checkpoint_dir"] {
        let scratch = Scratch::new();
        let mut arguments = vec!["analyze", "--config_path", argument(&config)];
        arguments.extend([path, argument(&run)]);
        scratch.worker(&arguments).expect(0);
        // Where the config says, below the working directory.
        let results = scratch.path().join("analysis_results/demo/results.json");
        assert!(results.is_file(), "{path}");
    }
}

#[test]
fn steps_that_do_not_exist_are_skipped_and_said() {
    let scratch = Scratch::with_run(Sizes {
        layers: 1,
        steps: 3,
        width: 4,
    });
    let config = CONFIG.replace("steps: all", "steps: {start: 0, end: 4, step: 1}");
    scratch
        .analyze(&config, "out", &[])
        .expect(0)
        .says(&["warning: skipped, because the run does not have them: 3, 4"]);
    let results = json(&scratch.path().join("out/scratch/results.json"));
    assert_eq!(results["missing_steps"], serde_json::json!([3, 4]));
    assert_eq!(results["steps"], serde_json::json!([0, 1, 2]));
    let log = fs::read_to_string(scratch.path().join("out/scratch/analysis.log")).unwrap();
    assert!(log.contains("warning: skipped"), "{log}");
}

#[test]
fn without_a_name_the_folder_is_named_by_run_and_time() {
    let scratch = Scratch::with_run(Sizes {
        layers: 1,
        steps: 1,
        width: 4,
    });
    let config = CONFIG.replace("analysis_name: scratch", "");
    scratch.analyze(&config, "out", &[]).expect(0);
    let folders: Vec<_> = fs::read_dir(scratch.path().join("out")).unwrap().collect();
    let [Ok(folder)] = folders.as_slice() else {
        panic!("{folders:?}");
    };
    let name = folder.file_name().into_string().unwrap();
    let time = name.strip_prefix("run-").unwrap();
    assert_eq!(time.len(), "20260101-000000".len(), "{name}");
}
