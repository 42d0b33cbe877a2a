//! `worker submit --fetch`: shards of a repository without a network.

use std::collections::BTreeMap;
use std::fs;
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};
#[cfg(target_os = "linux")]
use std::time::Duration;

use ckptscope_fake_hub::example::{PICO, PICO_BRANCH, examples};
use ckptscope_fake_hub::{FakeHub, Fault, Logged, Origin, Repository, Rule};

use crate::support::{Ended, Scratch, checkpoint, files, in_project, micro_run, worker_at};

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:9";

/// A repository with a branch for each step, whose files have six layers.
const LAYERED: &str = "some/layered";

const STEPS: [u64; 4] = [100, 200, 300, 400];

/// The bytes of a layer of [`LAYERED`] at a step.
const LAYER_BYTES: u64 = 128 * 128 * 4;

/// Two of the six layers, which lie apart.
const TWO_LAYERS: &str = "
analysis_name: two
metrics:
  - metric_name: per
    data_split: val
    components: &weights
      - {component_name: simple, data_type: weights, layer_suffixes: attention.v_proj, layers: [1, 4]}
  - metric_name: relative_change
    data_split: val
    target_checkpoint: last
    components: *weights
steps: all
";

fn layered() -> FakeHub {
    let mut repository = Repository::new(LAYERED);
    for step in STEPS {
        let model = ("model.safetensors", Some(checkpoint(step, 6, [128, 128])));
        repository.commit(&format!("step{step}"), "Upload", [model]);
    }
    FakeHub::start(vec![repository]).unwrap()
}

/// A scratch folder with a config, and the files of an analysis of a repository by one process.
struct Fetched {
    scratch: Scratch,
    source: Vec<String>,
    expected: BTreeMap<String, Vec<u8>>,
}

impl Fetched {
    fn of(hub: &FakeHub, config: &str, source: &[&str]) -> Self {
        let scratch = Scratch::new();
        scratch.write("config.yaml", config);
        let mut fetched = Self {
            scratch,
            source: source.iter().map(|word| (*word).to_owned()).collect(),
            expected: BTreeMap::new(),
        };
        let analyze = ["analyze", "--config", "config.yaml", "-o", "whole"];
        let whole = [&analyze[..], source].concat();
        fetched.worker(hub.endpoint(), &whole).expect(0);
        fetched.expected = fetched.files_of("whole");
        hub.take_log();
        fetched
    }

    fn layered(hub: &FakeHub) -> Self {
        Self::of(hub, TWO_LAYERS, &["--repo-id", LAYERED])
    }

    /// The files of the only analysis in a folder.
    fn files_of(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut entries = fs::read_dir(self.scratch.path().join(folder)).unwrap();
        files(&entries.next().unwrap().unwrap().path())
    }

    fn worker(&self, endpoint: &str, arguments: &[&str]) -> Ended {
        let variables = [("HF_ENDPOINT", endpoint), ("SLURM_ARRAY_TASK_ID", "")];
        worker_at(self.scratch.path(), &variables, arguments)
    }

    fn submit(&self, hub: &FakeHub, more: &[&str]) -> Ended {
        let mut arguments = self.submit_arguments();
        arguments.extend(more);
        self.worker(hub.endpoint(), &arguments)
    }

    fn submit_arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["submit", "config.yaml", "--engine", "none"];
        arguments.extend(["--shards", "2", "--out", "fleet"]);
        arguments.extend(self.source.iter().map(String::as_str));
        arguments
    }

    fn again(&self, hub: &FakeHub) -> Ended {
        self.worker(hub.endpoint(), &["submit", "--again", "fleet"])
    }

    /// Computes a shard where there is no network.
    fn shard(&self, index: usize) -> Ended {
        self.worker(NOBODY, &["shard", "fleet", "--index", &index.to_string()])
    }

    /// Computes all, without a network, and compares it with what one process wrote.
    #[track_caller]
    fn assert_whole(&self) {
        self.shard(0).expect(0);
        self.shard(1).expect(0);
        self.worker(NOBODY, &["merge", "fleet"]).expect(0);
        let found = self.files_of("fleet/results");
        assert!(found == self.expected, "{:?}", found.keys());
    }

    /// What lies in the folder of what was fetched, by name.
    fn excerpts(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.scratch.path().join("fleet/fetched"))
    }
}

/// What the file host has sent.
fn sent(log: &[Logged]) -> u64 {
    let of_files = log.iter().filter(|it| it.origin == Origin::FileHost);
    of_files
        .filter(|it| it.status < 300)
        .map(|it| it.body_bytes)
        .sum()
}

#[test]
fn what_was_fetched_gives_the_files_of_one_machine_without_a_network() {
    let hub = FakeHub::start(examples(&micro_run()).unwrap()).unwrap();
    let config = fs::read_to_string(in_project("configs/demo.yaml")).unwrap();
    let source = ["--repo-id", PICO, "--branch", PICO_BRANCH];
    let fetched = Fetched::of(&hub, &config, &source);
    let submitted = fetched.submit(&hub, &["--fetch"]).expect(0);
    submitted.says(&["fetches ", " in 45 files to ", "fleet/fetched"]);
    assert_eq!(fetched.excerpts().len(), 45);
    hub.take_log();
    fetched.assert_whole();
    assert_eq!(hub.take_log().len(), 0);
}

#[test]
fn only_what_the_plan_reads_is_fetched() {
    let hub = layered();
    let fetched = Fetched::layered(&hub);
    let planned = fetched.submit(&hub, &[]).expect(0);
    planned.says(&[
        "read some/layered over the network",
        "with --fetch what they read (512.00 KiB) is fetched",
    ]);
    let of_plan = sent(&hub.take_log());
    fs::remove_dir_all(fetched.scratch.path().join("fleet")).unwrap();
    let submitted = fetched.submit(&hub, &["--fetch"]).expect(0);
    submitted.says(&["fetches 512.00 KiB of 1.50 MiB in 4 files to "]);
    let two_layers = 2 * STEPS.len() as u64 * LAYER_BYTES;
    assert_eq!(sent(&hub.take_log()), of_plan + two_layers);
    let on_disk: usize = fetched.excerpts().values().map(Vec::len).sum();
    assert!((on_disk as u64) < two_layers + 4 * 1024, "{on_disk}");
    fetched.assert_whole();
}

#[test]
fn a_fetch_that_was_cut_off_is_gone_on_with() {
    let hub = layered();
    let fetched = Fetched::layered(&hub);
    fetched.submit(&hub, &[]).expect(0);
    // The file that was planned last, and how often a plan asks for it.
    let planned = hub.take_log();
    let file = planned.iter().rfind(|it| it.origin == Origin::FileHost);
    let file = file.unwrap().target.split('?').next().unwrap().to_owned();
    let asked = planned.iter().filter(|it| it.target.starts_with(&file));
    hub.inject(Rule {
        origin: Origin::FileHost,
        contains: file.clone(),
        skip: asked.count(),
        times: usize::MAX,
        fault: Fault::Status(404),
    });
    fs::remove_dir_all(fetched.scratch.path().join("fleet")).unwrap();
    let cut = fetched.submit(&hub, &["--fetch"]).expect(1);
    cut.says(&["404", "go on with `worker submit --again "]);
    let before = fetched.excerpts();
    assert!(before.len() < STEPS.len(), "{:?}", before.keys());
    assert!(before.keys().all(|name| name.ends_with(".excerpt")));
    let refused = fetched.shard(0).expect(2);
    refused.says(&[
        "model.safetensors of some/layered is not fetched yet: nothing is computed",
        "worker submit --again ",
    ]);
    // Another hub of the same files, which is well.
    let hub = layered();
    let again = fetched.again(&hub).expect(0);
    again.says(&["fetches 512.00 KiB of 1.50 MiB", "again: shards 0-1"]);
    let missing = (STEPS.len() - before.len()) as u64;
    assert_eq!(sent(&hub.take_log()), missing * 2 * LAYER_BYTES);
    let after = fetched.excerpts();
    assert!(before.iter().all(|(name, bytes)| after[name] == *bytes));
    fetched.assert_whole();
    fetched.again(&hub).expect(0).says(&["all shards are done"]);
}

#[test]
fn shards_that_found_no_network_are_submitted_again_with_what_they_read() {
    let hub = layered();
    let fetched = Fetched::layered(&hub);
    fetched.submit(&hub, &[]).expect(0);
    let failed = fetched.shard(0).expect(1);
    let reason = "127.0.0.1:9 cannot be reached";
    failed.says(&[reason, "worker submit --again ", " --fetch` brings"]);
    let again = ["submit", "--again", "fleet", "--fetch"];
    fetched.worker(hub.endpoint(), &again).expect(0);
    fetched.assert_whole();
}

#[test]
fn an_excerpt_that_is_damaged_is_never_read() {
    let hub = layered();
    let fetched = Fetched::layered(&hub);
    fetched.submit(&hub, &["--fetch"]).expect(0);
    let whole = fetched.excerpts();
    for (name, bytes) in &whole {
        let path = fetched.scratch.path().join("fleet/fetched").join(name);
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let refused = [fetched.shard(0), fetched.shard(1)];
        let refused = refused.iter().filter(|it| it.code == Some(2));
        assert!(refused.count() > 0, "{name}");
        hub.take_log();
        fetched.again(&hub).expect(0);
        assert_eq!(sent(&hub.take_log()), 2 * LAYER_BYTES);
        assert!(fetched.excerpts() == whole);
    }
    fetched.assert_whole();
}

#[test]
fn a_run_on_a_disk_is_not_fetched() {
    let scratch = Scratch::new();
    scratch.write("config.yaml", TWO_LAYERS);
    scratch.write("run/step_1/model.safetensors", checkpoint(1, 6, [8, 8]));
    let submit = |run: &[&str]| {
        let arguments = ["submit", "config.yaml", "--engine", "none", "--shards", "1"];
        let arguments = [&arguments[..], &["--out", "fleet"], run].concat();
        scratch.worker(&arguments)
    };
    let refused = submit(&["run", "--fetch"]).expect(2);
    refused.says(&["run is on a disk, where shards read it: leave --fetch out"]);
    submit(&["--run-path", "run", "--fetch"])
        .expect(2)
        .says(&["cannot be used with"]);
    assert!(!scratch.path().join("fleet").exists());
    submit(&["run"]).expect(0);
    let again = scratch.worker(&["submit", "--again", "fleet", "--fetch"]);
    again.expect(2).says(&["is on a disk"]);
    assert!(!scratch.path().join("fleet/fetched").exists());
    scratch
        .worker(&["shard", "fleet", "--index", "0"])
        .expect(0);
}

/// Sends a signal to `submit --fetch` that waits for a hub that fell silent; its exit code.
#[cfg(target_os = "linux")]
fn silent_while_fetching(fetched: &Fetched, signal: &str) -> Option<i32> {
    let hub = layered();
    fetched.submit(&hub, &[]).expect(0);
    let asked = hub.take_log();
    let asked = asked.iter().filter(|it| it.origin == Origin::FileHost);
    hub.inject(Rule {
        origin: Origin::FileHost,
        contains: String::new(),
        skip: asked.count() + 1,
        times: usize::MAX,
        fault: Fault::Silence,
    });
    let folder = fetched.scratch.path();
    fs::remove_dir_all(folder.join("fleet")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(fetched.submit_arguments())
        .arg("--fetch")
        .env("HF_ENDPOINT", hub.endpoint())
        .env("HF_HOME", folder)
        .current_dir(folder)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let unfinished = || {
        let entries = fs::read_dir(folder.join("fleet/fetched"));
        let names = entries.into_iter().flatten().flatten();
        let names = names.map(|it| it.file_name().into_string().unwrap());
        names.filter(|it| it.ends_with(".unfinished")).count()
    };
    while unfinished() < STEPS.len() - 1 {
        assert!(child.try_wait().unwrap().is_none(), "it was over before");
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(sent.success());
    child.wait().unwrap().code()
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_killed_fetch_left_behind_is_removed() {
    let fetched = Fetched::layered(&layered());
    assert_eq!(silent_while_fetching(&fetched, "-KILL"), None);
    let left = fetched.excerpts();
    assert!(left.keys().any(|name| name.ends_with(".unfinished")));
    fetched.shard(0).expect(2).says(&["is not fetched yet"]);
    fetched.again(&layered()).expect(0);
    assert_eq!(fetched.excerpts().len(), STEPS.len());
    assert!(fetched.excerpts().keys().all(|it| it.ends_with(".excerpt")));
    fetched.assert_whole();
}

#[test]
#[cfg(target_os = "linux")]
fn a_fetch_that_is_asked_to_end_leaves_what_is_whole() {
    let fetched = Fetched::layered(&layered());
    assert_eq!(silent_while_fetching(&fetched, "-INT"), Some(130));
    assert!(fetched.excerpts().keys().all(|it| it.ends_with(".excerpt")));
    fetched.again(&layered()).expect(0);
    fetched.assert_whole();
}
