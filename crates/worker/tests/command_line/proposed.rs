//! `worker analyze RUN` without a config: a first analysis of whatever run there is.

use std::fs;

use serde_json::Value;

use crate::support::{
    CONFIG, Scratch, Sizes, argument, checkpoint, files, in_project, json, micro_run,
};

/// Analyzes a run without a config, and gives what came of it.
fn proposed(scratch: &Scratch, run: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["analyze", run, "--json"];
    arguments.extend(more);
    let ended = scratch.worker(&arguments).expect(0);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    let config = told["proposed_config"].as_str().unwrap();
    if !more.contains(&"--quiet") {
        assert!(ended.stderr.contains(config), "{}", ended.stderr);
    }
    let folder = scratch.path().join(told["folder"].as_str().unwrap());
    let written = fs::read_to_string(folder.join("config.yaml")).unwrap();
    assert_eq!(written, config);
    told
}

#[test]
fn every_architecture_has_a_first_analysis_with_its_heads() {
    let models = in_project("tests/architectures");
    let scratch = Scratch::new();
    let mut count = 0;
    for entry in fs::read_dir(models).unwrap() {
        let model = entry.unwrap().path();
        let name = model.file_name().unwrap().to_str().unwrap();
        if !model.join("config.json").exists() {
            continue;
        }
        count += 1;
        let told = proposed(&scratch, argument(&model), &[]);
        assert!(told["numbers"].as_u64() > Some(0), "{told}");
        // By way of latents maps have less than full rank, and no condition number.
        let is_latent = name == "deepseek_v2";
        assert!(told["undefined"] == 0 || is_latent, "{name}: {told}");
        let results = json(
            &scratch
                .path()
                .join(format!("{}/results.json", told["folder"].as_str().unwrap())),
        );
        for circuit in ["ov_circuit", "qk_circuit"] {
            let series = results["series"].as_array().unwrap().iter();
            let of_heads = series.filter(|it| it["component"] == circuit && it["head"].is_u64());
            assert_eq!(of_heads.count() > 0, name != "mamba", "{name} {circuit}");
        }
    }
    assert_eq!(count, 22);
}

#[test]
fn the_same_run_has_the_same_proposal_and_replaces_its_results() {
    let scratch = Scratch::new();
    let run = micro_run();
    let told = proposed(&scratch, argument(&run), &[]);
    assert_eq!(told["analysis_name"], "pico-decoder-micro-1-overview");
    let folder = scratch
        .path()
        .join("analysis_results/pico-decoder-micro-1-overview");
    let first = files(&folder);
    proposed(&scratch, argument(&run), &["--quiet"]);
    assert!(files(&folder) == first);
    let resumed = proposed(&scratch, argument(&run), &["--resume"]);
    assert_eq!(resumed["numbers"], told["numbers"]);
}

#[test]
fn each_run_has_a_proposal_of_its_own() {
    let scratch = Scratch::with_run(Sizes {
        layers: 1,
        steps: 1,
        width: 4,
    });
    let path = scratch.path();
    for copy in ["exp.seed1", "exp.seed2", "A/run", "B/run"] {
        let from = path.join("run/checkpoints/step_0/learning_dynamics");
        let to = path.join(copy).join("checkpoints/step_0/learning_dynamics");
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    for (run, name) in [
        ("exp.seed1", "exp.seed1-overview"),
        ("exp.seed2", "exp.seed2-overview"),
        ("A/run", "run-overview"),
        ("B/run", "run-overview-2"),
        // Once more it is the same.
        ("B/run", "run-overview-2"),
        ("A/run", "run-overview"),
    ] {
        let told = proposed(&scratch, run, &["--quiet"]);
        assert_eq!(told["analysis_name"], name, "{run}");
    }
}

#[test]
fn a_budget_leaves_steps_and_then_layers_out_and_says_so() {
    let scratch = Scratch::with_run(Sizes {
        layers: 6,
        steps: 20,
        width: 32,
    });
    let all = proposed(&scratch, "run", &[]);
    assert_eq!(all["steps"], 20);
    let another = ["--budget", "0.00000001"];
    scratch
        .worker(&["analyze", "run", another[0], another[1]])
        .expect(2)
        .says(&[
            "holds the results of run with another config",
            "--overwrite",
        ]);
    let least = proposed(&scratch, "run", &[another[0], another[1], "--overwrite"]);
    assert_eq!(least["steps"], 1);
    let config = least["proposed_config"].as_str().unwrap();
    for said in [
        "# 1 of 20 steps and 1 of 6 layers",
        "# There is nothing smaller",
        "steps: [19]",
        "layers: [5]",
    ] {
        assert!(config.contains(said), "{said} is not in {config}");
    }
}

#[test]
fn a_quiet_one_says_nothing() {
    let scratch = Scratch::with_run(Sizes {
        layers: 1,
        steps: 2,
        width: 4,
    });
    // Without a last word on what is assumed of names there would be no warning at all.
    let ended = scratch.worker(&["analyze", "run", "--quiet"]).expect(0);
    let is_warning = |line: &str| line.starts_with("warning: ");
    assert!(ended.stderr.lines().all(is_warning), "{}", ended.stderr);
    assert_eq!(ended.stdout, "analysis_results/run-overview\n");
}

#[test]
fn a_run_has_one_name_whichever_way_it_is_given() {
    let scratch = Scratch::with_run(Sizes {
        layers: 1,
        steps: 2,
        width: 4,
    });
    scratch.write("config.yaml", CONFIG);
    scratch
        .worker(&["analyze", "run", "-c", "config.yaml"])
        .expect(0);
    scratch.worker(&["analyze", "--run-path", "run"]).expect(0);
    for more in [["--run-path", "run"], ["--repo-id", "a/b"]] {
        let both = ["analyze", "run", more[0], more[1]];
        scratch
            .worker(&both)
            .expect(2)
            .says(&["cannot be used with"]);
    }
    let both = ["analyze", "run", "-c", "config.yaml", "--budget", "5"];
    scratch
        .worker(&both)
        .expect(2)
        .says(&["cannot be used with"]);
}

#[test]
fn where_no_layer_has_a_matrix_nothing_is_proposed() {
    let scratch = Scratch::new();
    scratch.write("run/model.safetensors", checkpoint(1, 2, [1, 4]));
    scratch.worker(&["analyze", "run"]).expect(2).says(&[
        "no analysis of run can be proposed",
        "no layer has a matrix",
        "--config",
    ]);
}
