//! Analyses in shards: the merged files are those of one machine, byte for byte.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
#[cfg(unix)]
use std::time::SystemTime;

use ckptscope_fake_hub::FakeHub;
use ckptscope_fake_hub::example::{PICO, PICO_BRANCH, examples};
use serde_json::Value;

use crate::support::{
    CONFIG, Ended, Scratch, Sizes, argument, checkpoint, files, in_project, json, micro_run,
    recorded, worker_at,
};

const SIZES: Sizes = Sizes {
    layers: 3,
    steps: 8,
    width: 4,
};

/// Variables of schedulers, none of which is set but where a test sets it.
const SCHEDULERS: [&str; 5] = [
    "HQ_TASK_ID",
    "SLURM_ARRAY_TASK_ID",
    "JOB_COMPLETION_INDEX",
    "PBS_ARRAY_INDEX",
    "LSB_JOBINDEX",
];

/// A scratch folder with a run, and the files of an analysis of it by one process.
struct Fleet {
    scratch: Scratch,
    expected: BTreeMap<String, Vec<u8>>,
}

impl Fleet {
    fn new() -> Self {
        let scratch = Scratch::with_run(SIZES);
        scratch.analyze(CONFIG, "whole", &[]).expect(0);
        let expected = files(&scratch.path().join("whole/scratch"));
        Self { scratch, expected }
    }

    /// With the run submitted in so many shards.
    fn submitted(shards: usize) -> Self {
        let fleet = Self::new();
        fleet.submit(shards, &[]).expect(0);
        fleet
    }

    fn submit(&self, shards: usize, more: &[&str]) -> Ended {
        self.submit_to("fleet", shards, more)
    }

    fn submit_to(&self, out: &str, shards: usize, more: &[&str]) -> Ended {
        let shards = shards.to_string();
        let mut arguments = vec!["submit", "config.yaml", "--run-path", "run"];
        arguments.extend(["--engine", "none", "--shards", &shards, "--out", out]);
        arguments.extend(more);
        self.worker(&arguments)
    }

    fn worker(&self, arguments: &[&str]) -> Ended {
        self.worker_with(&[], arguments)
    }

    /// The worker with these variables of schedulers, and no others.
    fn worker_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut all: Vec<(&str, &str)> = SCHEDULERS.iter().map(|name| (*name, "")).collect();
        all.extend(variables);
        worker_at(self.scratch.path(), &all, arguments)
    }

    fn shard(&self, index: usize) -> Ended {
        self.worker(&["shard", "fleet", "--index", &index.to_string()])
    }

    fn merge(&self) -> Ended {
        self.worker(&["merge", "fleet"])
    }

    #[track_caller]
    fn assert_merged(&self) {
        self.merge().expect(0);
        let found = files(&self.path("results/scratch"));
        assert!(found == self.expected, "{:?}", found.keys());
    }

    fn path(&self, path: &str) -> PathBuf {
        self.scratch.path().join("fleet").join(path)
    }

    fn journals(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("journals")).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

/// The demo by one process, and in shards.
fn demo_in(shards: usize) {
    let scratch = Scratch::new();
    scratch.analyze_demo("whole", &[]);
    let (config, run) = (in_project("configs/demo.yaml"), micro_run());
    let (config, run) = (argument(&config), argument(&run));
    let count = shards.to_string();
    let submit = ["submit", config, "--run-path", run, "--engine", "none"];
    let submit = [&submit[..], &["--shards", &count, "--out", "fleet"]].concat();
    scratch.worker(&submit).expect(0);
    for index in 0..shards {
        let index = index.to_string();
        scratch
            .worker(&["shard", "fleet", "--index", &index, "--threads", "2"])
            .expect(0);
    }
    let merged = scratch.worker(&["merge", "fleet"]).expect(0);
    let into = PathBuf::from(merged.stdout.trim());
    let expected = files(&scratch.path().join("whole/demo"));
    assert!(expected.len() > 20);
    assert!(files(&into) == expected, "{shards} shards");
}

#[test]
fn the_demo_in_one_shard() {
    demo_in(1);
}

#[test]
fn the_demo_in_two_shards() {
    demo_in(2);
}

#[test]
fn the_demo_in_eight_shards() {
    demo_in(8);
}

#[test]
fn more_shards_than_layer_steps() {
    let fleet = Fleet::new();
    let submitted = fleet.submit(100, &[]).expect(0);
    submitted.says(&["24 shards instead of 100: there are 24 layer-steps"]);
    for index in 0..24 {
        fleet.shard(index).expect(0);
    }
    let none = fleet.shard(24).expect(2);
    none.says(&["has no shard 24: there are 24, from 0 to 23"]);
    fleet.assert_merged();
}

#[test]
fn the_loop_computes_and_merges() {
    let fleet = Fleet::submitted(3);
    let mut sh = Command::new("sh");
    for name in SCHEDULERS {
        sh.env_remove(name);
    }
    let ended = sh.arg(fleet.path("run.sh")).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(files(&fleet.path("results/scratch")) == fleet.expected);
}

#[test]
fn schedulers_say_which_shard() {
    let fleet = Fleet::submitted(5);
    for (name, value) in [
        ("SLURM_ARRAY_TASK_ID", "0"),
        ("JOB_COMPLETION_INDEX", "1"),
        ("HQ_TASK_ID", "2"),
        ("PBS_ARRAY_INDEX", "3"),
        ("LSB_JOBINDEX", "5"),
    ] {
        fleet
            .worker_with(&[(name, value)], &["shard", "fleet"])
            .expect(0);
    }
    fleet.assert_merged();
    let nobody = fleet.worker(&["shard", "fleet"]).expect(2);
    nobody.says(&["nobody says which shard", "--index"]);
}

#[test]
fn some_of_the_shards() {
    let fleet = Fleet::submitted(4);
    let among = |place| ["shard", "fleet", "--among", "1,3", "--index", place];
    fleet.worker(&among("0")).expect(0).says(&["shard 1"]);
    fleet.worker(&among("1")).expect(0).says(&["shard 3"]);
    fleet.worker(&among("2")).expect(2);
    let expected = ["0001.r0.jsonl", "0003.r0.jsonl"];
    assert_eq!(fleet.journals(), expected);
}

#[test]
fn a_half_is_not_taken_for_the_whole() {
    let fleet = Fleet::submitted(4);
    fleet.shard(0).expect(0);
    fleet.shard(2).expect(0);
    fleet.merge().expect(1).says(&[
        "12 of 24 layer-steps are missing, so nothing is written",
        "shard 1: 6 of 6; shard 3: 6 of 6",
        "compute shards 1,3",
        "worker submit --again",
    ]);
    fleet.shard(1).expect(0);
    let words = ["6 of 24 layer-steps are missing", "compute shard 3 with"];
    fleet.merge().expect(1).says(&words);
    assert!(!fleet.path("results").exists());
}

/// Every file and folder below a folder, and when it was last changed.
#[cfg(unix)]
fn changes(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            folders.extend(entries.map(|it| it.unwrap().path()));
        }
        let changed = fs::metadata(&path).unwrap().modified().unwrap();
        found.insert(path, changed);
    }
    found
}

#[test]
#[cfg(unix)]
fn nothing_is_written_beside_a_run() {
    use std::os::unix::fs::PermissionsExt;
    let fleet = Fleet::new();
    let run = fleet.scratch.path().join("run");
    let before = changes(&run);
    let set_mode = |mode| {
        for path in before.keys() {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }
    };
    set_mode(0o555);
    fleet.submit(2, &[]).expect(0);
    fleet.shard(0).expect(0);
    fleet.worker(&["status", "fleet"]).expect(0);
    fleet.worker(&["submit", "--again", "fleet"]).expect(0);
    fleet.shard(1).expect(0);
    fleet.assert_merged();
    let after = changes(&run);
    set_mode(0o755);
    assert_eq!(after, before);
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let fleet = Fleet::new();
    fleet.scratch.write("file", "mine");
    for out in ["file", "file/below"] {
        let refused = fleet.submit_to(out, 2, &[]).expect(1);
        refused.says(&[&format!(
            "cannot write {out}; choose another folder with --out: "
        )]);
    }
    fs::create_dir(fleet.path("")).unwrap();
    fleet.submit(2, &[]).expect(0);
}

#[test]
fn an_empty_plan_is_refused_as_one_machine_refuses_it() {
    let fleet = Fleet::new();
    for steps in ["steps: [99]", "steps: []"] {
        let config = CONFIG.replace("steps: all", steps);
        let refused = fleet.scratch.analyze(&config, "out", &[]).expect(2);
        let submitted = fleet.submit(2, &[]).expect(2);
        assert_eq!(submitted.stderr, refused.stderr);
        assert!(!fleet.path("").exists());
    }
    fleet.submit(0, &[]).expect(2).says(&["from 1 to 100000"]);
}

#[test]
fn a_folder_without_shards_says_so() {
    let fleet = Fleet::submitted(2);
    let mut plan = json(&fleet.path("plan.json"));
    plan["shards"] = Value::Array(Vec::new());
    plan["units"] = Value::Array(Vec::new());
    fs::write(fleet.path("plan.json"), plan.to_string()).unwrap();
    fs::remove_dir_all(fleet.path("shards")).unwrap();
    let none = fleet.shard(0).expect(2);
    none.says(&["has no shards: nothing is to be computed; see `worker merge`"]);
    let status = fleet.worker(&["status", "fleet"]).expect(0).stdout;
    assert!(status.starts_with("0 shards of scratch: 0 of 0 layer-steps are done\n"));
    fleet.worker(&["submit", "--again", "fleet"]).expect(0);
    fleet.merge().expect(0).says(&["0 numbers in "]);
}

#[test]
fn a_folder_that_is_there_is_left_as_it_was() {
    let fleet = Fleet::submitted(2);
    let before = files(&fleet.path(""));
    let again = fleet.submit(3, &[]).expect(2);
    again.says(&["holds an analysis that was submitted", "--again", "--out"]);
    assert!(files(&fleet.path("")) == before);
    fleet.scratch.write("other/notes.txt", "mine");
    let other = [
        "submit",
        "config.yaml",
        "run",
        "--engine",
        "none",
        "--shards",
        "2",
    ];
    let other = fleet.worker(&[&other[..], &["--out", "other"]].concat());
    other.expect(2).says(&["other is not empty", "--out"]);
    let none = fleet.worker(&["merge", "other"]).expect(2);
    none.says(&["other is no folder of `worker submit`"]);
}

#[test]
fn a_shard_that_is_done_is_not_computed_again() {
    let fleet = Fleet::submitted(2);
    fleet.shard(0).expect(0);
    fleet.shard(0).expect(0).says(&["shard 0: done already"]);
    assert_eq!(fleet.journals(), ["0000.r0.jsonl"]);
}

#[test]
fn a_journal_that_ends_anywhere_is_gone_on_with() {
    let fleet = Fleet::submitted(2);
    fleet.shard(0).expect(0);
    fleet.shard(1).expect(0);
    let first = fleet.path("journals/0001.r0.jsonl");
    let whole = fs::read(&first).unwrap();
    let line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in [0, 1, line, line + 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&first, &whole[..length]).unwrap();
        fleet.shard(1).expect(0);
        fleet.assert_merged();
        assert!(
            fs::read(&first).unwrap() == whole[..length],
            "it is another's file"
        );
        for journal in fleet
            .journals()
            .iter()
            .filter(|it| *it > &"0001.r0.jsonl".to_owned())
        {
            fs::remove_file(fleet.path("journals").join(journal)).unwrap();
        }
    }
}

#[test]
fn two_attempts_at_once_count_once() {
    let fleet = Fleet::submitted(2);
    std::thread::scope(|scope| {
        for index in [0, 1, 1, 1] {
            let fleet = &fleet;
            scope.spawn(move || fleet.shard(index).expect(0));
        }
    });
    let journals = fleet.journals();
    assert!(journals.len() >= 2, "{journals:?}");
    fleet.assert_merged();
    // What a zombie tells after all others are done counts no more than once either.
    let copy = fleet.path("journals/0001.r9.jsonl");
    fs::copy(fleet.path("journals/0001.r0.jsonl"), copy).unwrap();
    fleet.assert_merged();
}

#[test]
fn a_damaged_line_is_told_and_computed_again() {
    let fleet = Fleet::submitted(1);
    fleet.shard(0).expect(0);
    let path = fleet.path("journals/0000.r0.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3] = "\0\0\0\0";
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let half = fleet.merge().expect(1);
    half.says(&[
        "0000.r0.jsonl: 1 line damaged",
        "1 of 24 layer-steps are missing",
    ]);
    fleet.shard(0).expect(0).says(&["23 of 24"]);
    fleet.assert_merged();
}

#[test]
fn what_was_computed_twice_and_differs_is_told() {
    let fleet = Fleet::submitted(1);
    fleet.shard(0).expect(0);
    let text = fs::read_to_string(fleet.path("journals/0000.r0.jsonl")).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    lines[0]["at"]["processor"] = "another kind".into();
    lines[1]["numbers"] = serde_json::json!([]);
    let lines = lines.iter().map(|line| format!("{line}\n"));
    let other: String = lines.collect();
    fs::write(fleet.path("journals/0000.r1.jsonl"), other).unwrap();
    fleet.merge().expect(0).says(&[
        "1 layer-step computed twice with other numbers",
        "processors of different kinds (another kind, ",
    ]);
    assert!(files(&fleet.path("results/scratch")) == fleet.expected);
}

/// Replaces text in a file.
fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn another_program_is_refused() {
    let fleet = Fleet::submitted(2);
    let program = json(&fleet.path("plan.json"))["program"].clone();
    let own = program.to_string();
    fleet.shard(0).expect(0);
    for file in ["plan.json", "shards/0001.lanes", "journals/0000.r0.jsonl"] {
        replace(&fleet.path(file), &own, "\"ckptscope 0.0.9 (abc)\"");
    }
    let words = ["ckptscope 0.0.9 (abc)", "whose numbers may be others"];
    fleet.shard(0).expect(2).says(&words);
    fleet.shard(1).expect(2).says(&words);
    fleet.merge().expect(2).says(&words);
}

#[test]
fn a_journal_of_another_config_is_refused() {
    let fleet = Fleet::submitted(2);
    fleet.shard(0).expect(0);
    let config = json(&fleet.path("plan.json"))["config"].to_string();
    replace(
        &fleet.path("journals/0000.r0.jsonl"),
        &config,
        "\"another\"",
    );
    fleet
        .shard(0)
        .expect(2)
        .says(&["0000.r0.jsonl is of another config"]);
    fleet
        .merge()
        .expect(2)
        .says(&["0000.r0.jsonl is of another config"]);
}

#[test]
fn damaged_files_are_told() {
    let fleet = Fleet::submitted(2);
    let shard = fleet.path("shards/0001.lanes");
    let text = fs::read_to_string(&shard).unwrap();
    let lines = text.trim_end().lines().count();
    let fewer: Vec<&str> = text.lines().take(lines - 1).collect();
    fs::write(&shard, fewer.join("\n")).unwrap();
    fleet
        .shard(1)
        .expect(1)
        .says(&["0001.lanes is damaged", "it has not all of its lanes"]);
    fs::write(fleet.path("plan.json"), "{").unwrap();
    fleet.merge().expect(1).says(&["plan.json is damaged"]);
    let mut journal = OpenOptions::new()
        .create(true)
        .append(true)
        .open(fleet.path("journals/0000.r0.jsonl"))
        .unwrap();
    journal.write_all(b"what?\n").unwrap();
    fleet
        .shard(0)
        .expect(2)
        .says(&["0000.r0.jsonl does not begin as a journal does"]);
}

#[test]
fn a_file_that_changed_since_is_told() {
    let fleet = Fleet::submitted(2);
    fleet.shard(0).expect(0);
    fleet.scratch.write_step(7, SIZES, 2 * SIZES.width + 1);
    fleet
        .shard(1)
        .expect(2)
        .says(&["has changed since it was submitted"]);
    fs::remove_dir_all(fleet.scratch.path().join("run")).unwrap();
    fleet
        .shard(1)
        .expect(1)
        .says(&["every machine must see the run under the same path"]);
}

#[test]
fn a_broken_step_is_told_as_one_machine_tells_it() {
    let fleet = Fleet::new();
    let path = fleet.scratch.path().join(recorded(3, "weights"));
    // A header as before, of a file that has not all of its tensors.
    let whole = checkpoint(31, SIZES.layers, [SIZES.width, SIZES.width]);
    fs::write(path, &whole[..whole.len() - 8]).unwrap();
    fleet.scratch.analyze(CONFIG, "broken", &[]).expect(0);
    fleet.submit(4, &[]).expect(0).says(&["step 3"]);
    for index in 0..4 {
        fleet.shard(index).expect(0);
    }
    fleet.merge().expect(0);
    let expected = files(&fleet.scratch.path().join("broken/scratch"));
    assert!(files(&fleet.path("results/scratch")) == expected);
}

#[test]
fn results_of_another_analysis_are_left() {
    let fleet = Fleet::submitted(1);
    fleet.shard(0).expect(0);
    fleet
        .scratch
        .analyze(&CONFIG.replace("per", "gini"), "whole", &["--overwrite"])
        .expect(0);
    let merge = ["merge", "fleet", "--output-dir", "whole"];
    let refused = fleet.worker(&merge).expect(2);
    refused.says(&[
        "whole/scratch holds the results of run with another config",
        "--overwrite",
    ]);
    fleet
        .worker(&[&merge[..], &["--overwrite"]].concat())
        .expect(0);
    // And a merge again replaces itself.
    fleet.worker(&merge).expect(0);
    // Nothing of the other analysis is left, and files of somebody else are not replaced.
    let merged = files(&fleet.path("../whole/scratch"));
    assert!(merged.keys().all(|path| !path.contains("gini")));
    fleet.scratch.write("other/scratch/per_val.csv", "mine");
    let into = ["merge", "fleet", "--output-dir", "other"];
    let words = ["per_val.csv would be replaced", "--overwrite"];
    fleet.worker(&into).expect(2).says(&words);
}

#[test]
fn a_layer_that_fits_into_no_machine_is_told_before_anything_is_written() {
    let fleet = Fleet::new();
    let refused = fleet.submit(2, &["--memory-limit", "1K"]).expect(2);
    refused.says(&["layer ", "of memory by itself, and a machine has 1.00 KiB"]);
    assert!(!fleet.path("").exists());
}

#[test]
fn a_config_that_fits_nothing_is_refused_as_one_machine_refuses_it() {
    let fleet = Fleet::new();
    let config = CONFIG.replace("attention.v_proj", "attention.x_proj");
    let refused = fleet.scratch.analyze(&config, "out", &[]).expect(2);
    let submitted = fleet.submit(2, &[]).expect(2);
    assert_eq!(submitted.stderr, refused.stderr);
    assert!(!fleet.path("").exists());
}

#[test]
#[cfg(unix)]
fn a_shard_that_is_asked_to_end_keeps_what_is_done() {
    let sizes = Sizes {
        layers: 2,
        steps: 20,
        width: 320,
    };
    let scratch = Scratch::with_run(sizes);
    scratch.analyze(CONFIG, "whole", &[]).expect(0);
    let expected = files(&scratch.path().join("whole/scratch"));
    let fleet = Fleet { scratch, expected };
    fleet.submit(1, &["--threads", "1"]).expect(0);
    let mut child = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(["shard", "fleet", "--index", "0"])
        .current_dir(fleet.scratch.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = fleet.path("journals/0000.r0.jsonl");
    while !fs::read_to_string(&journal).is_ok_and(|text| text.lines().count() > 1) {
        assert!(child.try_wait().unwrap().is_none(), "it was over before");
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(asked.success());
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let told = fs::read_to_string(&journal).unwrap();
    assert!(told.ends_with("}}\n") && told.contains("\"how\":\"stopped\""));
    let status = fleet.worker(&["status", "fleet"]).expect(0).stdout;
    assert!(status.contains("  stopped       0\n"), "{status}");
    assert!(status.contains("worker submit --again"), "{status}");
    fleet.shard(0).expect(0);
    fleet.assert_merged();
}

#[test]
fn a_repository_is_listed_once() {
    let hub = FakeHub::start(examples(&micro_run()).unwrap()).unwrap();
    let scratch = Scratch::new();
    let config = in_project("configs/demo.yaml");
    let config = argument(&config);
    let worker = |arguments: &[&str]| {
        let variables = [("HF_ENDPOINT", hub.endpoint())];
        worker_at(scratch.path(), &variables, arguments).expect(0)
    };
    let source = ["--repo-id", PICO, "--branch", PICO_BRANCH];
    let whole = ["analyze", "--config", config, "--output-dir", "whole"];
    worker(&[&whole[..], &source].concat());
    let submit = [
        "submit", config, "--engine", "none", "--shards", "3", "--out", "fleet",
    ];
    let submitted = worker(&[&submit[..], &source].concat());
    submitted.says(&[
        "read ckptscope/pico-decoder-micro over the network",
        "with --fetch",
    ]);
    hub.take_log();
    for index in ["0", "1", "2"] {
        worker(&["shard", "fleet", "--index", index]);
    }
    let asked = hub.take_log();
    let lists = asked
        .iter()
        .filter(|logged| logged.target.starts_with("/api/"));
    assert_eq!(lists.count(), 0, "shards read what was listed");
    worker(&["merge", "fleet"]);
    assert_eq!(hub.take_log().len(), 0, "a merge needs no network");
    let expected = files(&scratch.path().join("whole/demo"));
    assert!(files(&scratch.path().join("fleet/results/demo")) == expected);
}

#[test]
fn what_is_missing_is_said_and_submitted_again() {
    let fleet = Fleet::submitted(4);
    fleet.shard(1).expect(0);
    let status = fleet.worker(&["status", "fleet"]).expect(0).stdout;
    assert!(
        status.starts_with("4 shards of scratch: 6 of 24 layer-steps are done\n"),
        "{status}"
    );
    assert!(status.contains("  not begun     0,2-3\n"), "{status}");
    let told = fleet
        .worker(&["status", "fleet", "--json"])
        .expect(0)
        .stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["done"], 6);
    assert_eq!(told["shards"][1]["state"], "done");
    let again = fleet.worker(&["submit", "--again", "fleet"]).expect(0);
    again.says(&["again: shards 0,2-3 with ", "--index N, N of 0,2-3"]);
    for index in [0, 2, 3] {
        fleet.shard(index).expect(0);
    }
    let again = fleet.worker(&["submit", "--again", "fleet"]).expect(0);
    again.says(&["all shards are done: worker merge"]);
    let both = fleet.worker(&["submit", "config.yaml", "--again", "fleet"]);
    both.expect(2);
}

#[test]
fn pods_share_a_volume() {
    let fleet = Fleet::new();
    let submit = |more: &[&str]| {
        let mut arguments = vec!["submit", "config.yaml", "run", "--engine", "kubernetes"];
        arguments.extend(["--shards", "2", "--out", "fleet", "--no-submit"]);
        arguments.extend(more);
        fleet.worker(&arguments)
    };
    submit(&[]).expect(2).says(&["--volume CLAIM:/FOLDER"]);
    let elsewhere = submit(&["--volume", "shared:/elsewhere"]).expect(2);
    elsewhere.says(&["fleet is not on the volume that is mounted at /elsewhere"]);
    assert!(!fleet.path("").exists());
    submit(&["--volume", "shared:/"])
        .expect(0)
        .says(&["kubectl apply -f"]);
    let manifest = fs::read_to_string(fleet.path("job.yaml")).unwrap();
    for words in [
        "name: scratch-1",
        "completionMode: Indexed",
        "backoffLimitPerIndex: 3",
        "action: FailIndex",
        "values: [2]",
        "claimName: \"shared\"",
        "--among, \"0-1\"]",
    ] {
        assert!(manifest.contains(words), "{words} is not in:\n{manifest}");
    }
    let variables = [("JOB_COMPLETION_INDEX", "1")];
    let shard = fleet.worker_with(&variables, &["shard", "fleet", "--among", "0-1"]);
    shard.expect(0);
    fleet.shard(0).expect(0);
    fleet.assert_merged();
}

#[test]
fn slurm_gets_an_array_and_a_merge() {
    let fleet = Fleet::new();
    let mut arguments = vec![
        "submit",
        "config.yaml",
        "run",
        "--engine",
        "slurm",
        "--no-submit",
    ];
    arguments.extend(["--shards", "3", "--out", "fleet", "--threads", "2"]);
    arguments.extend([
        "--partition",
        "main",
        "--account",
        "lab",
        "--time",
        "1:00:00",
    ]);
    fleet.worker(&arguments).expect(0).says(&["submit it: sh "]);
    let shard = fs::read_to_string(fleet.path("shard.sh")).unwrap();
    for words in [
        "#SBATCH --cpus-per-task=2\n",
        "#SBATCH --partition=main\n",
        "#SBATCH --account=lab\n",
        "#SBATCH --requeue\n",
        "#SBATCH --signal=B:TERM@60\n",
    ] {
        assert!(shard.contains(words), "{words} is not in:\n{shard}");
    }
    let submit = fs::read_to_string(fleet.path("submit.sh")).unwrap();
    for words in [
        "--array=0-2 --mem=",
        "--time=1:00:00",
        "--dependency=\"afterany$jobs\"",
    ] {
        assert!(submit.contains(words), "{words} is not in:\n{submit}");
    }
    let blank = [&arguments[..], &["--account", "a b"]].concat();
    fleet.worker(&blank).expect(2);
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let fleet = Fleet::submitted(1);
    fs::remove_dir(fleet.path("journals")).unwrap();
    fs::write(fleet.path("journals"), "no folder").unwrap();
    fleet.shard(0).expect(1).says(&["journals"]);
}
