//! What is kept: a folder of results is of one analysis, and nobody loses one by accident.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{CONFIG, Scratch, Sizes, analyze_arguments, files, json, tensors, worker};

const SIZES: Sizes = Sizes {
    layers: 2,
    steps: 3,
    width: 4,
};

/// Another config of the same name, with fewer steps and one metric less.
fn smaller() -> String {
    let (config, _) = CONFIG.split_once("  - metric_name: cka").unwrap();
    format!("{config}steps: [0]\n")
}

#[test]
fn results_of_another_config_are_replaced_when_that_is_asked_for() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let folder = scratch.path().join("out/scratch");
    let before = files(&folder);
    let refused = scratch.analyze(&smaller(), "out", &[]).expect(2);
    refused.says(&[
        "out/scratch holds the results of run with another config (other `metrics`, `steps`)",
        "another analysis_name or another --output-dir",
        "--overwrite",
    ]);
    assert!(files(&folder) == before, "nothing was touched");

    scratch.write("out/scratch/step_1/mine.txt", "not the program's");
    scratch.write("out/scratch/notes.txt", "not the program's");
    let ended = scratch.analyze(&smaller(), "out", &["--overwrite"]);
    ended.expect(0);
    scratch.analyze(&smaller(), "alone", &[]).expect(0);
    let mut found = files(&folder);
    assert!(found.remove("step_1/mine.txt").is_some());
    assert!(found.remove("notes.txt").is_some());
    assert!(found == files(&scratch.path().join("alone/scratch")));
}

#[test]
fn results_of_another_run_are_not_replaced() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    // Another run of the same name.
    fs::create_dir_all(scratch.path().join("seed-b")).unwrap();
    fs::rename(
        scratch.path().join("run"),
        scratch.path().join("seed-b/run"),
    )
    .unwrap();
    let mut arguments = analyze_arguments("out");
    arguments[4] = "seed-b/run";
    let refused = scratch.worker(&arguments).expect(2);
    let place = scratch.path().canonicalize().unwrap().join("run");
    let words = format!(
        "holds the results of another run, run ({})",
        place.display()
    );
    refused.says(&[&words, "--overwrite"]);
    arguments.push("--overwrite");
    scratch.worker(&arguments).expect(0);
}

#[test]
fn where_results_go_makes_no_other_config() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let elsewhere = format!(
        "{CONFIG}monitoring: {{output_dir: elsewhere, save_to_wandb: true, wandb: {{project: p}}}}\n"
    );
    // What is done is done anew, so that it is sent.
    let ended = scratch.analyze(&elsewhere, "out", &["--resume"]).expect(0);
    ended.says(&["no API key"]);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
}

#[test]
fn the_same_analysis_leaves_nothing_of_a_step_that_is_gone() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let step = scratch.path().join("run/checkpoints/step_1");
    fs::remove_dir_all(step).unwrap();
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    assert!(!scratch.path().join("out/scratch/step_1").exists());
    assert!(scratch.path().join("out/scratch/step_2").exists());
}

#[test]
fn a_results_file_of_somebody_else_is_not_replaced() {
    let scratch = Scratch::with_run(SIZES);
    let file = scratch.write("out/scratch/results.json", "[1, 2]");
    // Nobody knows what it wrote, so that no option replaces it.
    for options in [&[][..], &["--overwrite"]] {
        let refused = scratch.analyze(CONFIG, "out", options).expect(2);
        refused.says(&[
            "has a results.json that cannot be read",
            "remove the folder",
        ]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "[1, 2]");
    }
}

#[test]
fn files_of_somebody_else_are_not_replaced() {
    for path in [
        "config.yaml",
        "report.html",
        "per_val.csv",
        "step_1/per_val.json",
    ] {
        let scratch = Scratch::with_run(SIZES);
        let file = scratch.write(&format!("out/scratch/{path}"), "mine");
        let refused = scratch.analyze(CONFIG, "out", &[]).expect(2);
        refused.says(&[
            &format!("out/scratch: {path} would be replaced"),
            "--overwrite",
        ]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        // What the analysis does not write stays in its way.
        scratch.write("out/scratch/notes.txt", "mine");
        scratch.analyze(CONFIG, "out", &["--overwrite"]).expect(0);
        assert!(fs::read_to_string(&file).unwrap() != "mine", "{path}");
        let notes = scratch.path().join("out/scratch/notes.txt");
        assert_eq!(fs::read_to_string(notes).unwrap(), "mine");
    }
}

#[test]
fn without_its_place_a_run_is_known_by_its_files() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let report = scratch.path().join("out/scratch/run.json");
    // As an older version wrote it.
    fs::remove_file(&report).unwrap();
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    fs::remove_file(&report).unwrap();
    let before = files(&scratch.path().join("out/scratch"));
    // Another run of the same name, whose files are longer.
    for step in 0..SIZES.steps {
        scratch.write_step(step, SIZES, 3 * SIZES.width);
    }
    let refused = scratch.analyze(CONFIG, "out", &[]).expect(2);
    refused.says(&["holds the results of another run, run", "--overwrite"]);
    assert!(files(&scratch.path().join("out/scratch")) == before);
}

#[test]
fn results_that_lack_a_file_are_not_done() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let folder = scratch.path().join("out/scratch");
    let whole = files(&folder);
    for path in ["per_val.csv", "step_1/cka_val.json", "report.html"] {
        fs::remove_file(folder.join(path)).unwrap();
        scratch.analyze(CONFIG, "out", &["--resume"]).expect(0);
        assert!(files(&folder) == whole, "{path}");
    }
}

#[test]
fn folders_that_no_analysis_makes_are_left_alone() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let file = scratch.path().join("out/scratch/results.json");
    for path in ["notes/mine", "step_one/mine", "step_1/more/mine"] {
        let mine = scratch.write(&format!("out/scratch/{path}_val.csv"), "mine");
        let text = fs::read_to_string(&file).unwrap();
        let labelled = text.replace("\"label\":\"per\"", &format!("\"label\":\"{path}\""));
        assert!(labelled != text);
        fs::write(&file, labelled).unwrap();
        scratch.analyze(CONFIG, "out", &["--overwrite"]).expect(0);
        assert!(mine.exists(), "{path}");
    }
}

#[test]
fn labels_of_a_foreign_file_lead_nowhere() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let file = scratch.path().join("out/scratch/results.json");
    let outside = scratch.write("mine_val.csv", "not the program's");
    let absolute = outside.to_str().unwrap().strip_suffix("_val.csv").unwrap();
    for label in ["../../mine", absolute] {
        let text = fs::read_to_string(&file).unwrap();
        fs::write(
            &file,
            text.replace("\"label\":\"per\"", &format!("\"label\":\"{label}\"")),
        )
        .unwrap();
        assert!(fs::read_to_string(&file).unwrap().contains(label));
        scratch.analyze(CONFIG, "out", &["--overwrite"]).expect(0);
        assert!(outside.exists(), "{label}");
    }
}

#[test]
fn analyses_without_a_name_have_a_folder_each() {
    let scratch = Scratch::with_run(SIZES);
    let config = CONFIG.replace("analysis_name: scratch", "");
    for _ in 0..3 {
        scratch.analyze(&config, "out", &[]).expect(0);
    }
    let folders: Vec<_> = fs::read_dir(scratch.path().join("out")).unwrap().collect();
    assert_eq!(folders.len(), 3);
    for folder in folders {
        let folder = folder.unwrap();
        let name = json(&folder.path().join("results.json"))["analysis_name"].clone();
        assert_eq!(name, folder.file_name().to_str().unwrap());
    }
}

#[test]
fn what_is_done_is_not_done_again() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &["--resume"]).expect(0);
    let report = scratch.path().join("out/scratch/run.json");
    let before = fs::read(&report).unwrap();
    let again = scratch.analyze(CONFIG, "out", &["--resume"]).expect(0);
    assert_eq!(again.stdout, "out/scratch\n");
    again.says(&["all 6 layer-steps are done, and the files have not changed since"]);
    assert!(fs::read(&report).unwrap() == before);
    // A file that changed is another matter.
    let other = crate::support::checkpoint(99, SIZES.layers, [SIZES.width, SIZES.width]);
    scratch.write(&crate::support::recorded(1, "weights"), other);
    scratch.analyze(CONFIG, "out", &["--resume"]).expect(0);
    assert!(fs::read(&report).unwrap() != before);
}

#[test]
fn results_do_not_say_how_their_run_was_typed() {
    let scratch = Scratch::with_run(SIZES);
    // What is said of a broken file says nothing of it either.
    let broken = scratch.path().join(crate::support::recorded(1, "weights"));
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[..whole.len() - 8]).unwrap();
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let plain = files(&scratch.path().join("out/scratch"));
    let results = String::from_utf8(plain["results.json"].clone()).unwrap();
    assert!(results.contains("cut off"), "{results}");
    let whole = scratch.path().join("run").canonicalize().unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&whole, scratch.path().join("linked")).unwrap();
    for (output, typed) in [
        ("a", "./run/../run/"),
        ("b", whole.to_str().unwrap()),
        ("c", "linked"),
    ] {
        let mut arguments = analyze_arguments(output);
        arguments[4] = typed;
        scratch.worker(&arguments).expect(0);
        let folder = scratch.path().join(output).join("scratch");
        assert!(files(&folder) == plain, "{typed}");
        assert_eq!(json(&folder.join("results.json"))["source"], "run");
        let report = json(&folder.join("run.json"));
        assert_eq!(report["run"], typed);
        assert_eq!(report["place"], whole.to_str().unwrap());
        let started = report["started"].as_str().unwrap();
        let (date, time) = started.split_once('T').unwrap();
        let is_offset = |offset: &str| offset == "Z" || offset.len() == 6 && offset.contains(':');
        assert!(date.len() == 10 && is_offset(&time[8..]), "{started}");
    }
}

#[test]
fn scripts_read_where_results_are() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write("config.yaml", CONFIG);
    let ended = scratch.analyze(CONFIG, "out", &["--quiet"]).expect(0);
    assert_eq!(ended.stdout, "out/scratch\n");
    let is_warning = |line: &str| line.starts_with("warning: ");
    assert!(ended.stderr.lines().all(is_warning), "{}", ended.stderr);
    let ended = scratch.analyze(CONFIG, "out", &["--json"]).expect(0);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(told["folder"], "out/scratch");
    assert_eq!((&told["numbers"], &told["steps"]), (&18.into(), &3.into()));
}

/// The worker with a config at its standard input.
fn with_input(folder: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_config_may_come_through_a_pipe() {
    let scratch = Scratch::with_run(SIZES);
    let arguments = ["analyze", "-c", "-", "--run-path", "run", "-o", "out"];
    let (code, said) = with_input(scratch.path(), &arguments, CONFIG);
    assert_eq!(code, Some(0), "{said}");
    assert!(scratch.path().join("out/scratch/results.json").is_file());
    let (code, said) = with_input(scratch.path(), &arguments, "nothing");
    assert_eq!(code, Some(2));
    assert!(said.contains("the config is not a valid config"), "{said}");
}

#[test]
fn a_config_is_checked_without_being_computed() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write("config.yaml", CONFIG);
    let ended = scratch.worker(&["check", "config.yaml", "run"]).expect(0);
    let words = "config.yaml fits run\n  2 layers at 3 steps: 18 numbers from ";
    assert!(ended.stdout.starts_with(words), "{}", ended.stdout);
    let ended = scratch.worker(&["check", "config.yaml", "run", "--json"]);
    let told: Value = serde_json::from_str(&ended.expect(0).stdout).unwrap();
    assert_eq!(
        (&told["fits"], &told["numbers"]),
        (&true.into(), &18.into())
    );
    scratch.write("other.yaml", CONFIG.replace("v_proj", "q_proj"));
    let ended = scratch.worker(&["check", "other.yaml", "run"]).expect(2);
    ended.says(&["other.yaml does not fit run", "q_proj"]);
    scratch.write("invalid.yaml", CONFIG.replace("per", "pear"));
    for (config, word) in [("other.yaml", "q_proj"), ("invalid.yaml", "pear")] {
        let ended = scratch
            .worker(&["check", config, "run", "--json"])
            .expect(2);
        let told: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(
            (&told["fits"], &told["run"]),
            (&false.into(), &"run".into())
        );
        let problem = &told["problems"][0];
        assert!(problem["line"].as_u64() > Some(1), "{told}");
        assert!(
            problem["message"].as_str().unwrap().contains(word),
            "{told}"
        );
    }
    let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
    assert_eq!(left.len(), 4, "nothing was written: {left:?}");
}

#[test]
fn tensors_outside_of_layers_are_no_layer() {
    let scratch = Scratch::new();
    let file = tensors(&[
        ("layers.0.v", [4, 4]),
        ("layers.1.v", [4, 4]),
        ("lm_head", [8, 4]),
    ]);
    scratch.write("run/checkpoint-1/model.safetensors", file);
    let component = |suffix: &str, layers: &str| {
        format!(
            "      - {{component_name: simple, data_type: weights, layer_suffixes: {suffix}, \
             layers: {layers}}}\n"
        )
    };
    let (inside, outside) = (component("v", "all"), component("lm_head", "none"));
    let told = |components: &str| {
        let config = format!(
            "metrics:\n  - metric_name: norm\n    data_split: val\n    \
             components:\n{components}steps: all\n"
        );
        scratch.write("config.yaml", config);
        scratch
            .worker(&["check", "config.yaml", "run"])
            .expect(0)
            .stdout
    };
    for (components, words) in [
        (inside.clone(), "  2 layers at 1 step: 2 numbers"),
        (
            outside.clone(),
            "  tensors outside of layers at 1 step: 1 number from",
        ),
        (
            inside + &outside,
            "  2 layers and tensors outside of layers at 1 step: 3 numbers",
        ),
    ] {
        let told = told(&components);
        assert!(told.contains(words), "{words}\n{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let sizes = Sizes {
        layers: 2,
        steps: 12,
        width: 320,
    };
    let scratch = Scratch::with_run(sizes);
    scratch.write("config.yaml", CONFIG);
    for signal in ["HUP", "INT"] {
        let mut child = Command::new("sh")
            .args(["-c", &format!("trap '' {signal}; exec \"$@\""), "sh"])
            .arg(env!("CARGO_BIN_EXE_worker"))
            .args(analyze_arguments(signal))
            .args(["--threads", "1"])
            .current_dir(scratch.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let journal = scratch.path().join(signal).join("scratch/unfinished.jsonl");
        while !fs::read_to_string(&journal).is_ok_and(|text| text.lines().count() > 1) {
            assert!(child.try_wait().unwrap().is_none(), "it was over before");
            thread::sleep(Duration::from_millis(1));
        }
        let pid = child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status();
        assert!(sent.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        let done = files(&scratch.path().join(signal).join("scratch"));
        assert!(done.contains_key("results.json"));
    }
}

#[test]
fn commands_have_help_and_a_version_with_its_commit() {
    let folder = tempfile::tempdir().unwrap();
    let version = worker(folder.path(), &["--version"]).expect(0).stdout;
    assert!(version.starts_with("worker 0."), "{version}");
    // Whatever says which program made it says the same.
    let version = version.trim().strip_prefix("worker ").unwrap();
    let micro = crate::support::micro_run();
    for command in ["inspect", "audit"] {
        let run = crate::support::argument(&micro);
        let told = worker(folder.path(), &[command, run, "--json"]).stdout;
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["program"], format!("ckptscope {version}"), "{command}");
    }
    let help = worker(folder.path(), &["help", "analyze"]).expect(0).stdout;
    assert!(help.contains("--overwrite"), "{help}");
}

/// Each shell, and what prints its suggestions for `worker com` and `worker analyze --over`, of a
/// script in the file `completions`.
const SHELLS: [(&str, &str); 3] = [
    (
        "bash",
        "source ./completions
         of() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
                _worker worker \"${COMP_WORDS[COMP_CWORD]}\" worker; echo \"${COMPREPLY[@]}\"; }
         of worker com; of worker analyze --over",
    ),
    (
        "zsh",
        // Outside of a terminal there are no suggestions: those of the function are looked at.
        "autoload -U compinit; compinit -u -D; source ./completions
         [[ ${_comps[worker]} == _worker ]] || exit 1
         _arguments() { print -l -- \"$@\"; false; }
         _describe() { print -l -- \"${(@P)4}\"; }
         words=(worker com); CURRENT=2; _worker; _worker_commands; _worker__subcmd__analyze_commands
         functions _worker",
    ),
    (
        "fish",
        "source ./completions; complete -C 'worker com'; complete -C 'worker analyze --over'",
    ),
];

#[test]
fn shells_take_the_completions() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, look) in SHELLS {
        let script = worker(folder.path(), &["completions", shell]).expect(0);
        fs::write(folder.path().join("completions"), script.stdout).unwrap();
        let mut command = Command::new(shell);
        command.args(["-c", look]).current_dir(folder.path());
        command.env("HOME", folder.path());
        let Ok(output) = command.output() else {
            eprintln!("skipped: there is no {shell} here");
            continue;
        };
        let (said, errors) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(said).unwrap();
        assert!(
            output.status.success() && errors.is_empty(),
            "{shell}: {errors}"
        );
        for word in ["compare", "completions", "--overwrite"] {
            assert!(said.contains(word), "{shell}: {word}\n{said}");
        }
    }
}

#[test]
fn shells_and_manuals_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = worker(folder.path(), &["completions", shell]);
        let script = script.expect(0).stdout;
        assert!(
            script.contains("overwrite") && script.contains("compare"),
            "{shell}"
        );
    }
    worker(folder.path(), &["man", "pages"]).expect(0);
    let page = fs::read_to_string(folder.path().join("pages/worker-analyze.1")).unwrap();
    assert!(page.contains("overwrite"), "{page}");
    assert!(folder.path().join("pages/worker.1").is_file());
}
