//! `save_to_wandb`: a folder always, and a server on loopback where there is a key.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
#[cfg(unix)]
use std::process::Command;

use ckptscope_fake_wandb::{ENTITY, FakeWandb, KEY, ReceivedRun, WandbFault, WandbRule};
use serde_json::{Map, Value, json};

#[cfg(unix)]
use crate::support::end;
use crate::support::{CONFIG, Ended, Scratch, Sizes, analyze_arguments, json, worker_at};

const SIZES: Sizes = Sizes {
    layers: 2,
    steps: 3,
    width: 4,
};

/// A run, and a config that asks for W&B.
fn scratch() -> Scratch {
    let scratch = Scratch::with_run(SIZES);
    let wandb = format!("{{entity: {ENTITY}, project: pico}}");
    let monitoring = format!("monitoring: {{save_to_wandb: true, wandb: {wandb}}}");
    scratch.write("config.yaml", format!("{CONFIG}{monitoring}\n"));
    scratch
}

/// Analyzes with a server, a key and short waits, unless `variables` say otherwise.
fn analyze(scratch: &Scratch, base_url: &str, variables: &[(&str, &str)]) -> Ended {
    let mut all = vec![
        ("WANDB_BASE_URL", base_url),
        ("WANDB_API_KEY", KEY),
        ("WANDB_X_FILE_STREAM_RETRY_WAIT_MIN_SECONDS", "0.01"),
        ("WANDB_X_FILE_STREAM_RETRY_MAX", "3"),
    ];
    all.extend(variables);
    worker_at(scratch.path(), &all, &analyze_arguments("out"))
}

/// The offline runs below a folder of the scratch folder.
fn offline_runs(scratch: &Scratch, folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(scratch.path().join(folder).join("wandb"));
    let entries = entries.into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The only one, with its end.
#[track_caller]
fn whole_offline_run(scratch: &Scratch) -> PathBuf {
    let [folder] = &offline_runs(scratch, ".")[..] else {
        panic!("not one offline run");
    };
    let name = folder.file_name().unwrap().to_str().unwrap();
    let id = name.rsplit_once('-').unwrap().1;
    let bytes = fs::read(folder.join(format!("run-{id}.wandb"))).unwrap();
    // The last record: field 22, the footer, is empty.
    assert!(bytes.ends_with(&[0xB2, 0x01, 0x00]));
    folder.clone()
}

#[track_caller]
fn only_run(fake: &FakeWandb) -> ReceivedRun {
    let ids = fake.run_ids();
    let [id] = ids.as_slice() else {
        panic!("{ids:?}");
    };
    fake.run(id).unwrap()
}

/// What the per-step files say, by the names of the reference tool; what is null is left out.
fn expected_rows(scratch: &Scratch) -> BTreeMap<u64, Map<String, Value>> {
    let mut rows: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    for step in 0..SIZES.steps {
        let folder = scratch.path().join(format!("out/scratch/step_{step}"));
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let Value::Object(values) = json(&path) else {
                panic!("{path:?}");
            };
            let values = values.into_iter().filter(|(_, value)| !value.is_null());
            let named = values.map(|(key, value)| (format!("{stem}/{key}"), value));
            rows.entry(step).or_default().extend(named);
        }
    }
    rows
}

#[track_caller]
fn assert_received(scratch: &Scratch, received: &ReceivedRun) {
    assert_eq!(received.display_name, "scratch");
    assert_eq!(received.project, "pico");
    assert_eq!((received.exit_code, received.is_complete), (Some(0), true));
    let mut found = BTreeMap::new();
    let mut summary = Map::new();
    for mut row in received.history.clone() {
        summary.extend(row.clone());
        let step = row.remove("_step").unwrap().as_u64().unwrap();
        assert!(row.remove("_runtime").unwrap().as_f64().unwrap() >= 0.0);
        assert!(row.remove("_timestamp").unwrap().as_f64().unwrap() > 1.7e9);
        found.insert(step, row);
    }
    assert_eq!(found, expected_rows(scratch));
    let mut own = received.summary.clone();
    own.remove("_wandb");
    assert_eq!(own, summary);
}

#[test]
fn without_a_key_the_folder_is_there_and_it_is_said_how_to_upload_it() {
    let scratch = scratch();
    let arguments = analyze_arguments("out");
    let ended = worker_at(scratch.path(), &[], &arguments).expect(0);
    let folder = whole_offline_run(&scratch);
    let name = folder.file_name().unwrap().to_str().unwrap();
    let sync = format!("`wandb sync ./wandb/{name}`");
    ended.says(&["no API key for https://api.wandb.ai", &sync]);
    assert!(folder.join("files").is_dir());
}

#[test]
fn with_a_key_the_server_has_every_number() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    let ended = analyze(&scratch, fake.base_url(), &[]).expect(0);
    let address = format!("uploaded: {}/{ENTITY}/pico/runs/", fake.base_url());
    let ended = ended.says(&[&address]);
    whole_offline_run(&scratch);
    let received = only_run(&fake);
    assert_received(&scratch, &received);
    let config = |name: &str| &received.config[name]["value"];
    assert_eq!(config("analysis_name"), "scratch");
    assert_eq!(config("source"), "run");
    assert_eq!(config("steps"), "all");
    assert_eq!(
        config("metrics")[2],
        json!({"metric_name": "cka", "data_split": "val", "target_checkpoint": "last",
            "components": [{"component_name": "simple", "data_type": "activations",
                "layer_suffixes": "attention.v_proj", "layers": "all"}]})
    );
    // An alias stands for its anchor.
    assert_eq!(
        config("metrics")[0]["components"],
        config("metrics")[1]["components"]
    );
    // The key is nowhere.
    let log = fs::read_to_string(scratch.path().join("out/scratch/analysis.log")).unwrap();
    for text in [&ended.stderr, &ended.stdout, &log] {
        assert!(!text.contains(KEY));
    }
}

#[test]
fn undefined_numbers_are_left_out_and_counted() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    let zeros = vec![0_u8; 4 * SIZES.width * SIZES.width];
    let tensor = |layer| {
        let view = safetensors::tensor::TensorView::new(
            safetensors::Dtype::F32,
            vec![SIZES.width, SIZES.width],
            &zeros,
        );
        (format!("layers.{layer}.attention.v_proj"), view.unwrap())
    };
    let weights = safetensors::serialize((0..SIZES.layers).map(tensor), None).unwrap();
    scratch.write(&crate::support::recorded(1, "weights"), weights);
    let ended = analyze(&scratch, fake.base_url(), &[]).expect(0);
    let received = only_run(&fake);
    assert_received(&scratch, &received);
    let numbers = |row: &Map<String, Value>| row.len();
    let missing = numbers(&received.history[0]) - numbers(&received.history[1]);
    assert!(missing > 0);
    ended.says(&[&format!("the run leaves out {missing} undefined numbers")]);
}

#[test]
fn a_busy_server_has_every_number_in_the_end() {
    for (path, times, fault) in [
        ("file_stream", 1, WandbFault::RateLimited { seconds: 0 }),
        ("graphql", 1, WandbFault::RateLimited { seconds: 0 }),
        ("file_stream", 2, WandbFault::Status(500)),
        ("graphql", 2, WandbFault::Status(502)),
        ("file_stream", 1, WandbFault::LoseAnswer),
    ] {
        let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
        let contains = path.to_owned();
        fake.inject(WandbRule {
            contains,
            skip: 0,
            times,
            fault,
        });
        analyze(&scratch, fake.base_url(), &[])
            .expect(0)
            .says(&["uploaded: "]);
        assert_received(&scratch, &only_run(&fake));
        assert_eq!(fake.take_log().len(), 2 + times, "{path} {fault:?}");
    }
}

#[test]
fn a_server_that_dies_loses_nothing() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    let contains = "file_stream".to_owned();
    fake.inject(WandbRule {
        contains,
        skip: 0,
        times: usize::MAX,
        fault: WandbFault::HangUp,
    });
    let ended = analyze(&scratch, fake.base_url(), &[]).expect(0);
    let folder = whole_offline_run(&scratch);
    let name = folder.file_name().unwrap().to_str().unwrap();
    let sync = format!("`wandb sync ./wandb/{name}` uploads the run");
    ended.says(&[
        "warning: not uploaded: ",
        "in 4 attempts",
        "nothing is lost",
        &sync,
    ]);
    let log = fs::read_to_string(scratch.path().join("out/scratch/analysis.log")).unwrap();
    assert!(log.contains(&sync));
    assert!(!only_run(&fake).is_complete);
    assert!(!scratch.path().join("out/scratch/unfinished.jsonl").exists());
}

#[test]
fn where_nobody_listens_nothing_is_lost() {
    let scratch = scratch();
    // No test can listen there meanwhile.
    let nobody = "http://127.0.0.1:1";
    let ended = analyze(&scratch, nobody, &[]).expect(0);
    ended.says(&[&format!(
        "warning: not uploaded: {nobody} could not be reached"
    )]);
    whole_offline_run(&scratch);
}

#[test]
fn a_wrong_key_is_told() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    let ended = analyze(&scratch, fake.base_url(), &[("WANDB_API_KEY", "wrong")]).expect(0);
    ended.says(&["does not accept the API key (status 401)", "`wandb sync "]);
    whole_offline_run(&scratch);
}

#[test]
fn the_netrc_file_has_the_key() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    let host = fake.base_url().trim_start_matches("http://");
    scratch.write(
        "netrc",
        format!("machine {host}\n  login user\n  password {KEY}\n"),
    );
    analyze(&scratch, fake.base_url(), &[("WANDB_API_KEY", "")])
        .expect(0)
        .says(&["uploaded: "]);
    // One that cannot be read is told, and not by what is in it.
    scratch.write("netrc", "machine a login b hunter2");
    let ended = analyze(&scratch, fake.base_url(), &[("WANDB_API_KEY", "")]).expect(0);
    assert!(!ended.stderr.contains("hunter2"));
    ended.says(&["netrc, line 1", "`wandb sync "]);
}

#[test]
fn the_mode_says_where_the_run_goes() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    let mode = |mode, folder| {
        fs::create_dir_all(scratch.path().join(folder)).unwrap();
        let variables = [("WANDB_MODE", mode), ("WANDB_DIR", folder)];
        analyze(&scratch, fake.base_url(), &variables).expect(0)
    };
    mode("offline", "a").says(&["WANDB_MODE is offline: `wandb sync a/wandb/offline-run-"]);
    assert_eq!(offline_runs(&scratch, "a").len(), 1);
    mode("disabled", "b").says(&["WANDB_MODE is disabled"]);
    for folder in ["b", "."] {
        assert_eq!(offline_runs(&scratch, folder).len(), 0, "{folder}");
    }
    assert_eq!(fake.take_log(), []);
    mode("online", "d").says(&["uploaded: "]);
    mode("shared", "e").says(&["uploaded: "]);
}

#[test]
fn what_keeps_the_run_from_being_written_is_told_before_anything_is_computed() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    scratch.write("file", "no folder");
    for (variable, value, told) in [
        (
            "WANDB_MODE",
            "loud",
            "WANDB_MODE is \"loud\"; it can be online, offline or disabled",
        ),
        ("WANDB_RUN_ID", "../x", "WANDB_RUN_ID: "),
        ("WANDB_DIR", "file", "into file/wandb: "),
    ] {
        let ended = analyze(&scratch, fake.base_url(), &[(variable, value)]);
        ended.expect(2).says(&[told]);
        assert!(!scratch.path().join("out").exists());
    }
    // Of no concern where no run is written.
    let disabled = [("WANDB_MODE", "disabled"), ("WANDB_DIR", "file")];
    analyze(&scratch, fake.base_url(), &disabled).expect(0);
    fs::remove_dir_all(scratch.path().join("out")).unwrap();
    scratch.write("config.yaml", CONFIG);
    analyze(&scratch, fake.base_url(), &[("WANDB_MODE", "loud")]).expect(0);
}

#[test]
fn what_only_the_upload_needs_takes_nothing_from_the_folder() {
    for (variable, value) in [
        ("WANDB_API_KEY", "se cret"),
        ("WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL", "soon"),
        ("WANDB_X_FILE_STREAM_RETRY_MAX", "-1"),
    ] {
        let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
        let ended = analyze(&scratch, fake.base_url(), &[(variable, value)]).expect(0);
        assert!(!ended.stderr.contains("cret"));
        ended.says(&["warning: not uploaded: ", variable, "`wandb sync "]);
        whole_offline_run(&scratch);
        assert_eq!(fake.take_log(), []);
    }
}

#[test]
fn a_run_may_be_given_its_id() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    analyze(&scratch, fake.base_url(), &[("WANDB_RUN_ID", "my run")]).expect(0);
    assert_eq!(fake.run_ids(), ["my run"]);
}

#[test]
fn who_did_not_ask_has_no_run() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    scratch.write("config.yaml", CONFIG);
    analyze(&scratch, fake.base_url(), &[]).expect(0);
    assert!(offline_runs(&scratch, ".").is_empty() && fake.take_log().is_empty());
}

#[cfg(unix)]
#[test]
fn an_analysis_that_was_interrupted_has_none_and_one_that_went_on_has_all() {
    let (scratch, fake) = (scratch(), FakeWandb::start().unwrap());
    // The disk is full after some of it.
    let interrupted = end(Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_worker"))
        .args(analyze_arguments("out"))
        .current_dir(scratch.path()));
    interrupted.expect(1);
    assert!(offline_runs(&scratch, ".").is_empty());
    let mut arguments = analyze_arguments("out");
    arguments.push("--resume");
    let variables = [("WANDB_BASE_URL", fake.base_url()), ("WANDB_API_KEY", KEY)];
    worker_at(scratch.path(), &variables, &arguments).expect(0);
    whole_offline_run(&scratch);
    assert_received(&scratch, &only_run(&fake));
}
