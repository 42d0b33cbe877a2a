//! `--repo-id` and `OWNER/NAME`: a run by its repository's name, against a hub on loopback.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;
#[cfg(unix)]
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::time::{Duration, Instant};

use ckptscope_analysis::{Config, Plan, Registry};
use ckptscope_checkpoint::source::window_bytes;
use ckptscope_checkpoint::{FileEntry, LocalTree, Run, Tree};
use ckptscope_fake_hub::example::{
    FOLDERS, GATED, LONG_HISTORY, PICO, PICO_BRANCH, PRIVATE, REVISIONS, TOKEN, examples,
};
use ckptscope_fake_hub::suite::sound;
use ckptscope_fake_hub::{FakeHub, Fault, Logged, Origin, Rule};
use serde_json::Value;

use crate::support::{
    CONFIG, Ended, Scratch, argument, checkpoint, files, in_project, json, micro_run, worker_at,
};

fn fake_hub() -> FakeHub {
    FakeHub::start(examples(&micro_run()).unwrap()).unwrap()
}

fn worker(fake: &FakeHub, folder: &Path, arguments: &[&str]) -> Ended {
    worker_at(folder, &[("HF_ENDPOINT", fake.endpoint())], arguments)
}

/// Runs the demo config on a repository.
fn demo(fake: &FakeHub, scratch: &Scratch, source: &[&str], output: &str) -> Ended {
    let config = in_project("configs/demo.yaml");
    let mut arguments = vec!["analyze", "--config", argument(&config)];
    arguments.extend(["--output-dir", output]);
    arguments.extend(source);
    worker(fake, scratch.path(), &arguments)
}

/// Every number of the golden file that the demo config computes is in the results.
fn assert_golden(folder: &Path) {
    let golden = json(&in_project("tests/data/pico-decoder-micro-1.expected.json"));
    let metrics = [
        "per",
        "gini",
        "hoyer",
        "condition_number",
        "norm_nuclear",
        "norm_frobenius",
    ];
    let mut compared = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let step = entry.unwrap().file_name().into_string().unwrap();
        for metric in metrics.iter().filter(|_| step.starts_with("step_")) {
            let found = json(&folder.join(&step).join(format!("{metric}_val.json")));
            let expected = golden[format!("val/{step}")][metric].as_object();
            for (key, expected) in expected.into_iter().flatten() {
                let (Some(found), Some(expected)) = (found[key].as_f64(), expected.as_f64()) else {
                    continue;
                };
                let difference = (found - expected).abs();
                assert!(
                    difference <= 1e-9 * expected.abs(),
                    "{step} {metric} {key}: {difference}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 1000, "only {compared} numbers were compared");
}

#[test]
fn a_repository_gives_the_numbers_of_the_folder() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let run = micro_run();
    demo(&fake, &scratch, &["--run-path", argument(&run)], "folder").expect(0);
    let expected = files(&scratch.path().join("folder/demo"));
    let pico: &[&str] = &["--repo-id", PICO, "--branch", PICO_BRANCH];
    let reference: &[&str] = &["--repo_id", PICO, "--branch", PICO_BRANCH];
    for (index, source) in [
        pico,
        reference,
        &["--repo-id", REVISIONS],
        &["--repo-id", FOLDERS],
    ]
    .iter()
    .enumerate()
    {
        let output = format!("hub-{index}");
        demo(&fake, &scratch, source, &output).expect(0);
        let folder = scratch.path().join(&output).join("demo");
        assert_golden(&folder);
        let mut found = files(&folder);
        let mut expected = expected.clone();
        // Only where the run was read from differs.
        let (found, expected) = (
            found.remove("results.json"),
            expected.remove("results.json"),
        );
        let parsed = |bytes: Option<Vec<u8>>| -> Value {
            let mut results: Value = serde_json::from_slice(&bytes.unwrap()).unwrap();
            results["source"].take();
            results["inputs"].take();
            results["model"]["source"].take();
            results
        };
        assert_eq!(parsed(found), parsed(expected), "{source:?}");
    }
    assert!(!fake.file_host_saw_a_token());
}

#[test]
fn requests_and_bytes_are_counted_and_few() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    demo(
        &fake,
        &scratch,
        &["--repo-id", PICO, "--branch", PICO_BRANCH],
        "out",
    )
    .expect(0);
    let log = fake.take_log();
    let network = &json(&scratch.path().join("out/demo/run.json"))["network"];
    assert_eq!(network["requests"].as_u64().unwrap(), log.len() as u64);
    let sent: u64 = log
        .iter()
        .filter(|request| request.status < 300)
        .map(|request| request.body_bytes)
        .sum();
    assert_eq!(network["bytes"].as_u64().unwrap(), sent);
    // A list of commits, 24 trees, the config, and 45 files that are resolved and come whole or
    // in parts.
    let resolved = log
        .iter()
        .filter(|it| it.target.contains("/resolve/"))
        .count();
    assert_eq!(resolved, 46);
    assert!(log.len() < 400, "{} requests", log.len());
    let cost = read_by_the_demo();
    assert_eq!(cost.files, 45);
    let lists = bytes_where(&log, |it| it.origin == Origin::Hub);
    let files = bytes_where(&log, |it| it.origin == Origin::FileHost);
    assert_eq!(lists + files, sent);
    assert!(files as f64 <= 1.05 * cost.tensors as f64 + cost.directories as f64);
    // Of these files all tensors are read, and what came with their directories is some of them.
    assert!(
        files as f64 <= 1.05 * cost.tensors as f64,
        "{files} for {}",
        cost.tensors
    );
}

/// What the demo config reads of the small run, in bytes.
struct Bytes {
    files: usize,
    tensors: u64,
    directories: u64,
}

fn read_by_the_demo() -> Bytes {
    let text = fs::read_to_string(in_project("configs/demo.yaml")).unwrap();
    let config = Config::parse(&text, &Registry::default()).unwrap();
    let tree = LocalTree::scan(micro_run()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let plan = runtime.unwrap().block_on(async {
        let run = Run::find(&tree).await.unwrap();
        Plan::make(&config, &run, &tree).await.unwrap()
    });
    let steps = plan.lanes.iter().flat_map(|lane| &lane.steps);
    let tensors: Vec<_> = steps.flat_map(|step| &step.tensors).collect();
    let extents = tensors.iter().flat_map(|tensor| tensor.extents());
    let paths: BTreeSet<&str> = extents.map(|extent| extent.path).collect();
    let read = tree
        .files()
        .iter()
        .filter(|file| paths.contains(file.path.as_str()));
    // A window at the beginning and one at the end, which may be all of it.
    let directory = |file: &FileEntry| file.bytes.min(2 * window_bytes(file.bytes));
    Bytes {
        files: paths.len(),
        tensors: tensors.iter().map(|tensor| tensor.bytes()).sum(),
        directories: read.map(directory).sum(),
    }
}

fn bytes_where(log: &[Logged], is_meant: impl Fn(&Logged) -> bool) -> u64 {
    let bodies = log.iter().filter(|it| it.status < 300 && is_meant(it));
    bodies.map(|it| it.body_bytes).sum()
}

#[test]
fn one_tensor_over_all_steps_costs_its_bytes_and_the_directories() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let config = "
analysis_name: one
metrics:
  - metric_name: norm
    norm_type: frobenius
    data_split: val
    components:
      - {component_name: simple, data_type: weights, layer_suffixes: attention.o_proj, layers: [1]}
steps: all
";
    scratch.write("config.yaml", config);
    let arguments = ["analyze", "--config", "config.yaml", "--output-dir", "out"];
    let source = ["--repo-id", REVISIONS];
    worker(&fake, scratch.path(), &[&arguments[..], &source].concat()).expect(0);
    let log = fake.take_log();
    let read = json(&scratch.path().join("out/one/run.json"))["read_bytes"]
        .as_u64()
        .unwrap();
    assert_eq!(read, 15 * 9216);
    let files = bytes_where(&log, |it| it.origin == Origin::FileHost);
    let directories = 15 * 2 * 8192;
    assert!(
        files as f64 <= 1.05 * read as f64 + f64::from(directories),
        "{files}"
    );
    let of_file_host = log
        .iter()
        .filter(|it| it.origin == Origin::FileHost)
        .count();
    assert_eq!(of_file_host, 3 * 15, "head, tail, tensor");
}

#[test]
fn a_step_is_listed_by_at_most_three_requests_a_file() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let variables = [("HF_ENDPOINT", fake.endpoint()), ("HF_TOKEN", TOKEN)];
    worker_at(scratch.path(), &variables, &["inspect", PRIVATE, "--json"]).expect(0);
    let log = fake.take_log();
    let is_file = |it: &&Logged| it.target.contains(".pt") || it.target.contains("safetensors");
    let resolved = log.iter().filter(is_file).count();
    let read = log
        .iter()
        .filter(|it| it.origin == Origin::FileHost)
        .count();
    // Six of PyTorch, of which head and tail are read, and a safetensors file, whose head is all.
    assert_eq!((resolved, read), (7, 6 * 2 + 1));
    let bytes = bytes_where(&log, |it| it.origin == Origin::FileHost);
    assert!(bytes <= 7 * 2 * 8192, "{bytes}");
}

#[test]
fn only_the_steps_of_the_config_are_looked_at() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let config = CONFIG.replace("steps: all", "steps: [64, 128]");
    scratch.write("config.yaml", config);
    let arguments = ["analyze", "--config", "config.yaml", "--repo-id", REVISIONS];
    worker(&fake, scratch.path(), &arguments).expect(0);
    let log = fake.take_log();
    let trees = log.iter().filter(|it| it.target.contains("/tree/")).count();
    assert_eq!(
        trees,
        1 + 2 + 1,
        "the default branch, two steps, and the last as the target"
    );
}

#[test]
fn only_what_the_config_needs_of_a_step_is_asked_for() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let config = CONFIG
        .replace("steps: all", "steps: [64, 128]")
        .replace("target_checkpoint: last", "target_checkpoint: 512");
    scratch.write("config.yaml", config);
    let arguments = ["analyze", "--config", "config.yaml", "--repo-id", REVISIONS];
    worker(&fake, scratch.path(), &arguments).expect(0);
    let log = fake.take_log();
    let asked = |part: &str| {
        let targets = log.iter().map(|it| it.target.as_str());
        let its = targets.filter(|target| target.contains(part));
        its.collect::<BTreeSet<_>>().len()
    };
    assert_eq!(asked("/tree/"), 1 + 3, "the default branch, and the steps");
    // Weights of the steps, and activations also of the one that they are compared with.
    assert_eq!(asked("val_weights.pt"), 2);
    assert_eq!(asked("val_activations.pt"), 3);
}

#[test]
fn inspect_tells_a_repository_as_it_tells_a_folder() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let address = format!("{PICO}@{PICO_BRANCH}");
    let shown = worker(&fake, scratch.path(), &["inspect", &address])
        .expect(0)
        .stdout;
    for words in [
        "pico-decoder-micro-1: a pico-train run",
        "steps  15: 0, 1, 2, 4, 8, 16,",
        "n_layers 3, d_model 48, n_heads 4, n_kv_heads 2, d_head 12 (from training_config.yaml)",
        "val weights: 9 F32 tensors of 31,104 elements, 121.50 KiB",
        "worker analyze --config first.yaml --repo-id ckptscope/pico-decoder-micro --branch pico-decoder-micro-1",
    ] {
        assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
    }
    fake.take_log();
    let shown = worker(&fake, scratch.path(), &["inspect", REVISIONS, "--json"]).expect(0);
    let found: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(found["layout"], "pico");
    assert_eq!(found["path"], REVISIONS);
    let log = fake.take_log();
    assert_eq!(
        found["network"]["requests"].as_u64().unwrap(),
        log.len() as u64
    );
    // Commits, refs, 3 trees, the config, and 14 files of the first and the last step.
    let directories = log.len() - (1 + 1 + 3 + 2);
    assert!(directories <= 3 * 14, "{directories}");
}

#[test]
fn the_token_comes_from_the_environment_its_file_or_the_working_directory() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let inspect = ["inspect", PRIVATE];
    let (endpoint, folder) = (("HF_ENDPOINT", fake.endpoint()), scratch.path());
    worker_at(folder, &[endpoint], &inspect)
        .expect(2)
        .says(&["set HF_TOKEN"]);
    worker_at(folder, &[endpoint, ("HF_TOKEN", TOKEN)], &inspect).expect(0);
    let wrong = worker_at(folder, &[endpoint, ("HF_TOKEN", "hf_wrong")], &inspect);
    wrong.expect(2).says(&["does not accept the token"]);
    scratch.write("huggingface/token", format!("{TOKEN}\n"));
    worker_at(folder, &[endpoint], &inspect).expect(0);
    scratch.write(
        ".env",
        format!("HF_TOKEN=hf_wrong\nHF_ENDPOINT={}\n", fake.endpoint()),
    );
    worker_at(folder, &[], &inspect).expect(2);
    assert!(!fake.file_host_saw_a_token());
}

#[test]
fn what_cannot_be_read_is_told_with_advice() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let told =
        |address: &str, code| worker(&fake, scratch.path(), &["inspect", address]).expect(code);
    told("ckptscope/none", 2).says(&["no model repository ckptscope/none"]);
    told("a/b/c", 2).says(&["there is no such file or folder: a/b/c"]);
    told(PICO, 2).says(&["give another revision with --branch: main, pico-decoder-micro-1"]);
    told(LONG_HISTORY, 2).says(&["no checkpoint was found"]);
    told(&format!("{PICO}@x"), 2).says(&["no revision x; it has main, pico-decoder-micro-1"]);
    let gated = told(GATED, 1);
    assert!(
        gated
            .stdout
            .contains("accept them on the repository's page"),
        "{}",
        gated.stdout
    );
    let nobody = [("HF_ENDPOINT", "nowhere")];
    let ended = worker_at(scratch.path(), &nobody, &["inspect", PICO]).expect(2);
    ended.says(&["no address of a hub", "nowhere"]);
}

#[test]
fn a_run_is_a_folder_or_a_repository() {
    let scratch = Scratch::new();
    let config = in_project("configs/demo.yaml");
    let analyze = |more: &[&str]| {
        let mut arguments = vec!["analyze", "--config", argument(&config)];
        arguments.extend(more);
        scratch.worker(&arguments)
    };
    analyze(&[]).expect(2).says(&["--run-path"]);
    analyze(&["--run-path", "x", "--repo-id", "a/b"])
        .expect(2)
        .says(&["cannot be used with"]);
    analyze(&["--run-path", "x", "--branch", "main"])
        .expect(2)
        .says(&["cannot be used with"]);
    analyze(&["--repo-id", "a"]).expect(2).says(&["OWNER/NAME"]);
}

#[test]
fn a_repository_has_a_first_analysis_of_the_steps_that_it_reads() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    for source in [&[REVISIONS][..], &["--repo-id", REVISIONS], &[FOLDERS]] {
        let arguments = [&["analyze", "-o", "out", "--json"], source].concat();
        let ended = worker(&fake, scratch.path(), &arguments).expect(0);
        let told: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(told["steps"], 15, "{told}");
    }
    // A smaller budget reads fewer steps.
    let arguments = [
        "analyze", REVISIONS, "-o", "less", "--budget", "0.02", "--json",
    ];
    let ended = worker(&fake, scratch.path(), &arguments).expect(0);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    let steps = told["steps"].as_u64().unwrap();
    assert!((1..15).contains(&steps), "{told}");
}

#[test]
fn an_analysis_goes_on_through_what_passes() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    for (origin, contains, fault) in [
        (Origin::FileHost, "", Fault::Status(503)),
        (Origin::FileHost, "", Fault::Truncate),
        (Origin::Hub, "/tree/", Fault::RateLimited { seconds: 0 }),
    ] {
        let contains = contains.to_owned();
        let (skip, times) = (3, 1);
        fake.inject(Rule {
            origin,
            contains,
            skip,
            times,
            fault,
        });
    }
    demo(&fake, &scratch, &["--repo-id", REVISIONS], "out")
        .expect(0)
        .says(&["the Hub allows no more requests for now; going on in 1 seconds"]);
    assert_golden(&scratch.path().join("out/demo"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_wait_at_once() {
    // While directories are read, and while tensors are.
    for answered in [0, 100] {
        interrupt_after(answered);
    }
}

/// Interrupts the demo when the file host has given so many answers and gives no more.
#[cfg(unix)]
fn interrupt_after(answered: usize) {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    fake.inject(Rule {
        origin: Origin::FileHost,
        contains: String::new(),
        skip: answered,
        times: usize::MAX,
        fault: Fault::Silence,
    });
    let config = in_project("configs/demo.yaml");
    let mut child = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args([
            "analyze",
            "--config",
            argument(&config),
            "--repo-id",
            REVISIONS,
        ])
        .env("HF_ENDPOINT", fake.endpoint())
        .env("HF_HOME", scratch.path())
        .current_dir(scratch.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut asked = 0;
    while asked <= answered {
        let log = fake.take_log();
        asked += log
            .iter()
            .filter(|it| it.origin == Origin::FileHost)
            .count();
        assert!(child.try_wait().unwrap().is_none(), "it was over before");
        std::thread::sleep(Duration::from_millis(1));
    }
    let asked = Instant::now();
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // Without the interrupt it would wait for half a minute.
    assert!(asked.elapsed() < Duration::from_secs(15));
}

#[test]
fn results_say_of_which_commits_they_are() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    let source = ["--repo-id", PICO, "--branch", PICO_BRANCH];
    demo(&fake, &scratch, &source, "out").expect(0);
    let results = json(&scratch.path().join("out/demo/results.json"));
    let inputs = results["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 45);
    let text = |input: &Value, name: &str| input[name].as_str().unwrap_or_default().to_owned();
    assert!(inputs.iter().all(|input| text(input, "commit").len() == 40));
    assert!(
        inputs
            .iter()
            .all(|input| text(input, "content_id").len() >= 40)
    );
    let commits: BTreeSet<String> = inputs.iter().map(|input| text(input, "commit")).collect();
    let report = fs::read_to_string(scratch.path().join("out/demo/report.html")).unwrap();
    assert!(
        commits
            .iter()
            .all(|commit| report.contains(commit.as_str()))
    );
    assert!(report.contains("each named by commit and content id"));
}

/// The Hub's cache in a folder: `me/run` with two steps as refs.
#[cfg(unix)]
fn cache_of_two_steps(scratch: &Scratch, hub: &str) -> PathBuf {
    let repository = format!("{hub}/models--me--run");
    for (step, commit) in [(100, "c1"), (200, "c2")] {
        scratch.write(&format!("{repository}/refs/step{step}"), commit);
        let blob = format!("{repository}/blobs/blob{step}");
        scratch.write(&blob, checkpoint(step, 2, [8, 6]));
        let snapshot = scratch
            .path()
            .join(&repository)
            .join("snapshots")
            .join(commit);
        fs::create_dir_all(&snapshot).unwrap();
        let link = snapshot.join("model.safetensors");
        std::os::unix::fs::symlink(format!("../../blobs/blob{step}"), link).unwrap();
    }
    scratch.path().join(repository)
}

#[cfg(unix)]
const NORMS: &str = "
analysis_name: norms
metrics:
  - metric_name: norm
    norm_type: frobenius
    data_split: val
    components:
      - {component_name: simple, data_type: weights, layer_suffixes: attention.v_proj, layers: all}
steps: all
";

#[cfg(unix)]
#[test]
fn what_python_s_tools_downloaded_is_a_run_three_ways() {
    let scratch = Scratch::new();
    scratch.write("config.yaml", NORMS);
    let repository = cache_of_two_steps(&scratch, "huggingface/hub");
    let analyze = |output: &str, source: &[&str], variables: &[(&str, &str)]| {
        let mut arguments = vec!["analyze", "--config", "config.yaml", "--output-dir", output];
        arguments.extend(source);
        worker_at(scratch.path(), variables, &arguments).expect(0);
        let folder = scratch.path().join(output).join("norms");
        let csv = fs::read_to_string(folder.join("norm_val.csv")).unwrap();
        (csv, json(&folder.join("results.json"))["steps"].clone())
    };
    let offline = ("HF_HUB_OFFLINE", "1");
    let by_folder = analyze("folder", &["--run-path", argument(&repository)], &[]);
    let by_name = analyze("name", &["--repo-id", "me/run"], &[offline]);
    assert_eq!(by_folder, by_name);
    assert_eq!(by_folder.1, serde_json::json!([100, 200]));
    let snapshot = repository.join("snapshots/c2");
    let (one, _) = analyze("snapshot", &["--run-path", argument(&snapshot)], &[]);
    let numbers = |csv: &str, step: &str| -> Vec<String> {
        let rows = csv
            .lines()
            .filter(|row| row.split(',').any(|cell| cell == step));
        rows.map(|row| row.rsplit(',').next().unwrap_or_default().to_owned())
            .collect()
    };
    assert!(!numbers(&by_folder.0, "200").is_empty(), "{}", by_folder.0);
    for value in numbers(&by_folder.0, "200") {
        assert!(one.contains(&value), "{value} is not in {one}");
    }
}

#[cfg(unix)]
#[test]
fn without_the_hub_the_cache_answers_and_says_so() {
    let scratch = Scratch::new();
    cache_of_two_steps(&scratch, "home/caches/hub");
    let home = scratch.path().join("home");
    let home = ("HOME", argument(&home));
    let tilde = ("HF_HOME", "~/caches");
    // Nobody listens there.
    let nobody = ("HF_ENDPOINT", "http://127.0.0.1:9");
    let inspect = ["inspect", "me/run@step100"];
    let shown = worker_at(scratch.path(), &[home, tilde, nobody], &inspect).expect(0);
    for words in ["the Hub does not answer", "caches/hub/models--me--run"] {
        assert!(shown.stdout.contains(words), "{words:?}: {}", shown.stdout);
    }
    let unset = ("HF_HOME", "");
    let own = ("HF_HUB_CACHE", "${HOME}/caches/hub");
    for (place, word) in [(tilde, "yes"), (own, "TRUE")] {
        let offline = ("HF_HUB_OFFLINE", word);
        let variables = [home, unset, place, offline, nobody];
        let shown = worker_at(scratch.path(), &variables, &["inspect", "me/run", "--json"]);
        let found: Value = serde_json::from_str(&shown.expect(0).stdout).unwrap();
        assert_eq!(found["steps"], serde_json::json!([100, 200]));
        assert_eq!(found["network"]["requests"], 0);
        let told = found["warnings"][0].as_str().unwrap();
        assert!(
            told.contains("HF_HUB_OFFLINE is set: me/run is read"),
            "{told}"
        );
    }
    let offline = ("HF_HUB_OFFLINE", "1");
    let none = worker_at(
        scratch.path(),
        &[home, tilde, offline],
        &["inspect", "me/other"],
    );
    none.expect(2)
        .says(&["nothing of me/other is here", "unset HF_HUB_OFFLINE"]);
    let elsewhere = [home, tilde, nobody];
    let other = worker_at(scratch.path(), &elsewhere, &["inspect", "me/other"]);
    other.expect(1).says(&["127.0.0.1:9 cannot be reached"]);
}

#[cfg(unix)]
#[test]
fn the_token_s_file_may_lie_in_the_home() {
    let (fake, scratch) = (fake_hub(), Scratch::new());
    scratch.write("home/own/token", TOKEN);
    let home = scratch.path().join("home");
    let variables = [
        ("HF_ENDPOINT", fake.endpoint()),
        ("HOME", argument(&home)),
        ("HF_TOKEN_PATH", "~/own/token"),
    ];
    worker_at(scratch.path(), &variables, &["inspect", PRIVATE]).expect(0);
}

#[test]
fn the_last_step_is_the_last_that_can_be_read() {
    let mut repository = sound("some/suite", &[1000, 2000, 3000, 4000]);
    for broken in ["step3000", "step4000"] {
        repository.commit(broken, "Clean up", [("model.safetensors", None::<Vec<u8>>)]);
    }
    let fake = FakeHub::start(vec![repository]).unwrap();
    let scratch = Scratch::new();
    let config = "
analysis_name: x
metrics:
  - metric_name: relative_change
    data_split: val
    target_checkpoint: last
    components:
      - {component_name: simple, data_type: weights, layer_suffixes: self_attn.v_proj, layers: all}
steps: [1000]
";
    scratch.write("config.yaml", config);
    let arguments = [
        "analyze",
        "-c",
        "config.yaml",
        "--repo-id",
        "some/suite",
        "-o",
        "out",
    ];
    let ended = worker(&fake, scratch.path(), &arguments).expect(0);
    ended.says(&["step 4000 cannot be read, so `target_checkpoint: last` is step 2000"]);
    let results = json(&scratch.path().join("out/x/results.json"));
    assert_eq!(results["entries"][0]["target"], 2000);
    let table = fs::read_to_string(scratch.path().join("out/x/relative_change_val.csv")).unwrap();
    let values = table
        .lines()
        .skip(1)
        .map(|row| row.split(',').nth(7).unwrap().to_owned());
    let values: Vec<f64> = values.map(|value| value.parse().unwrap()).collect();
    assert!(
        values.len() == 2 && values.iter().all(|value| *value > 0.1),
        "{table}"
    );
}
