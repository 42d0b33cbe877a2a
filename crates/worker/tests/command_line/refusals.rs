//! What a new user gets wrong: exit codes, and messages that say what failed, where, and what to
//! do.

use std::fs;

use crate::support::{
    CONFIG, Ended, Scratch, Sizes, argument, in_project, json, micro_run, recorded,
};

const SIZES: Sizes = Sizes {
    layers: 2,
    steps: 2,
    width: 4,
};

/// Analyzes a path with a good config.
fn analyze_path(scratch: &Scratch, path: &str) -> Ended {
    scratch.write("config.yaml", CONFIG);
    scratch.worker(&["analyze", "--config", "config.yaml", "--run-path", path])
}

/// Analyzes a good run with a changed config.
fn analyze_with(from: &str, to: &str) -> Ended {
    assert!(CONFIG.contains(from));
    Scratch::with_run(SIZES).analyze(&CONFIG.replace(from, to), "out", &[])
}

#[test]
fn wrong_usage_is_2() {
    let scratch = Scratch::new();
    let known = ["unrecognized subcommand", "analyse"];
    scratch.worker(&["analyse"]).expect(2).says(&known);
    let near = ["--confg", "--config"];
    scratch
        .worker(&["analyze", "--confg", "x"])
        .expect(2)
        .says(&near);
    scratch.worker(&["analyze"]).expect(2).says(&["RUN"]);
    scratch.worker(&[]).expect(2);
    let many = [
        "analyze",
        "--config",
        "x",
        "--run-path",
        "y",
        "--threads",
        "0",
    ];
    scratch.worker(&many).expect(2).says(&["--threads"]);
}

#[test]
fn a_path_that_is_no_run_is_2() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path().join("empty")).unwrap();
    scratch.write("notes/notes.txt", "nothing here");
    for command in ["analyze", "inspect"] {
        let on = |path: &str| match command {
            "analyze" => analyze_path(&scratch, path),
            _ => scratch.worker(&["inspect", path]),
        };
        on("nowhere")
            .expect(2)
            .says(&["there is no such file or folder: nowhere"]);
        on("empty")
            .expect(2)
            .says(&["there are no files here: empty"]);
        let words = [
            "no checkpoint was found",
            "checkpoint-{N}",
            "notes.txt: notes",
        ];
        on("notes").expect(2).says(&words);
        // A file is judged by its content.
        on("notes/notes.txt").expect(1);
    }
}

#[test]
fn files_that_cannot_be_read_are_1() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write("text.pt", "this is only a text");
    let words = ["a text and no checkpoint", "this is only a t", "text.pt"];
    analyze_path(&scratch, "text.pt").expect(1).says(&words);
    scratch.worker(&["inspect", "text.pt"]).expect(1);

    let from = micro_run().join("checkpoints/step_0/learning_dynamics/val_weights.pt");
    let cut = &fs::read(from).unwrap()[..3000];
    scratch.write(&recorded(1, "weights"), cut);
    analyze_path(&scratch, "run").expect(1).says(&[
        "run cannot be read:\nstep 1 cannot be read: broken PyTorch file",
        "cut off",
        "step_1/learning_dynamics/val_weights.pt",
    ]);
}

#[test]
fn a_config_of_another_tool_is_recognised() {
    let scratch = Scratch::new();
    let run = micro_run();
    let config = run.join("training_config.yaml");
    let arguments = [
        "analyze",
        "--config",
        argument(&config),
        "--run-path",
        argument(&run),
    ];
    let words = [
        "training_config.yaml is not a valid config",
        "this looks like a training config",
    ];
    scratch.worker(&arguments).expect(2).says(&words);
}

#[test]
fn a_config_that_is_missing_or_no_text_is_2() {
    let scratch = Scratch::with_run(SIZES);
    let arguments = ["analyze", "--config", "none.yaml", "--run-path", "run"];
    let words = ["cannot read the config none.yaml", "No such file"];
    scratch.worker(&arguments).expect(2).says(&words);
    for (bytes, words) in [
        (
            &b"a: \xe9"[..],
            "it is not UTF-8, at byte 3; save it as UTF-8",
        ),
        (
            b"\xff\xfea",
            "it begins as UTF-16 and is not; save it as UTF-8",
        ),
    ] {
        scratch.write("none.yaml", bytes);
        let said = scratch.worker(&arguments).expect(2);
        said.says(&["none.yaml", words]);
    }
}

#[test]
fn names_that_do_not_exist_come_with_those_that_do() {
    analyze_with("layers: all", "layers: [0, 7]")
        .expect(2)
        .says(&[
            "config.yaml does not fit run",
            "layer 7 does not exist; there are 0, 1",
        ]);
    analyze_with("attention.v_proj", "attention.v_prj")
        .expect(2)
        .says(&[
            "no layer has weights of `attention.v_prj` (did you mean `attention.v_proj`?)",
            "line 7, metrics[0].components[0]",
        ]);
    analyze_with("metric_name: per", "metric_name: pre")
        .expect(2)
        .says(&["line 8, metrics[1].metric_name", "per"]);
    analyze_with("target_checkpoint: last", "target_checkpoint: 9")
        .expect(2)
        .says(&["target_checkpoint 9 does not exist; the run has 0, 1"]);
    analyze_with("steps: all", "steps: [5, 6]")
        .expect(2)
        .says(&["none of the steps asked for exists (5, 6); the run has 0, 1"]);
    analyze_with("data_split: val", "data_split: train")
        .expect(2)
        .says(&["no weights of the train split", "weights (val)"]);
}

#[test]
fn what_stands_behind_an_anchor_is_said_once() {
    let ended = analyze_with("attention.v_proj", "attention.v_prj").expect(2);
    assert_eq!(
        ended.stderr.matches("line 7,").count(),
        1,
        "{}",
        ended.stderr
    );
}

#[test]
fn a_metric_that_does_not_apply_is_2() {
    analyze_with("data_type: activations", "data_type: weights")
        .expect(2)
        .says(&[
            "cka does not apply to weights; allowed: activations",
            "line 15",
        ]);
}

#[test]
fn other_samples_than_the_target_has_are_2() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write_step(0, SIZES, 9);
    scratch.analyze(CONFIG, "out", &[]).expect(2).says(&[
        "layers.0.attention.v_proj has 9 samples at step 0 and 8 at the target 1",
        "leave step 0 out of `steps`",
    ]);
}

#[test]
fn an_output_folder_that_cannot_be_written_is_1_before_anything_is_computed() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write("out", "a file stands here");
    scratch.analyze(CONFIG, "out", &[]).expect(1).says(&[
        "cannot write results into out/scratch",
        "choose another folder with --output-dir",
    ]);
}

#[test]
fn results_that_cannot_be_written_are_not_lost() {
    let scratch = Scratch::with_run(SIZES);
    let results = scratch.path().join("out/scratch/results.json");
    fs::create_dir_all(&results).unwrap();
    scratch.analyze(CONFIG, "out", &[]).expect(1).says(&[
        "cannot write out/scratch/results.json",
        "go on with --resume",
    ]);
    fs::remove_dir(&results).unwrap();
    scratch
        .analyze(CONFIG, "out", &["--resume"])
        .expect(0)
        .says(&["4 of 4 layer-steps are done already"]);
    let report = json(&scratch.path().join("out/scratch/run.json"));
    assert_eq!(
        (&report["resumed_units"], &report["read_bytes"]),
        (&4.into(), &0.into())
    );
}

#[test]
fn resuming_needs_a_name() {
    let scratch = Scratch::with_run(SIZES);
    let config = CONFIG.replace("analysis_name: scratch", "");
    scratch
        .analyze(&config, "out", &["--resume"])
        .expect(2)
        .says(&["--resume needs an analysis_name in the config"]);
}

#[test]
fn the_demo_config_is_one_for_the_demo_run() {
    let scratch = Scratch::with_run(SIZES);
    let config = in_project("configs/demo.yaml");
    let arguments = [
        "analyze",
        "--config",
        argument(&config),
        "--run-path",
        "run",
    ];
    scratch
        .worker(&arguments)
        .expect(2)
        .says(&["demo.yaml does not fit run"]);
}

/// A copy of the run whose tensors are compressed; those of step 200 cannot be unpacked.
fn with_a_damaged_tensor(scratch: &Scratch) {
    let own = in_project("tests/field/33e-rezipped-deflated/run");
    for step in ["checkpoint-100", "checkpoint-200"] {
        let file = format!("{step}/pytorch_model.bin");
        let mut bytes = fs::read(own.join(&file)).unwrap();
        if step.ends_with("200") {
            let begins = |at: &usize| bytes[*at..].starts_with(b"PK\x03\x04");
            let entries: Vec<usize> = (0..bytes.len()).filter(begins).collect();
            for entry in entries {
                let length = |at: usize| usize::from(bytes[entry + at]);
                let name = entry + 30..entry + 30 + length(26);
                let content = name.end + length(28) + 256 * length(29);
                if bytes[name].windows(6).any(|part| part == b"/data/") {
                    // A block of a kind that does not exist.
                    bytes[content] = 7;
                }
            }
        }
        scratch.write(&format!("run/{file}"), bytes);
    }
}

#[test]
fn a_file_that_proves_broken_while_it_is_read_costs_its_own_numbers() {
    let scratch = Scratch::new();
    with_a_damaged_tensor(&scratch);
    let config = fs::read_to_string(in_project("tests/field/33e-rezipped-deflated/config.yaml"));
    let config = config.unwrap();
    let ended = scratch.analyze(&config, "out", &[]).expect(0);
    ended.says(&[
        "warning: step 200: ",
        " numbers are missing: it cannot be read: ",
    ]);
    let results = json(&scratch.path().join("out/x/results.json"));
    assert!(results["warnings"].to_string().contains("step 200: "));
    let table = fs::read_to_string(scratch.path().join("out/x/norm_val.csv")).unwrap();
    let undefined = table.lines().filter(|line| line.ends_with(",unreadable"));
    let undefined: Vec<&str> = undefined.collect();
    assert!(!undefined.is_empty() && undefined.iter().all(|row| row.starts_with("200,")));
    assert!(
        table
            .lines()
            .any(|line| line.starts_with("100,") && line.ends_with(",,"))
    );
    // Who wants none missing is refused.
    let strict = format!("{config}on_error: stop\n");
    let ended = scratch.analyze(&strict, "strict", &[]).expect(1);
    ended.says(&["step 200", "pytorch_model.bin"]);
}
