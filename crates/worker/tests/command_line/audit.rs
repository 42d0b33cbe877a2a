//! `worker audit`, and what opening a repository of many steps takes.

use ckptscope_fake_hub::suite::{
    FINAL_TOO_SOON, LACKING, LACKING_TENSOR, LIKE_ITS_NEIGHBOUR, SUITE, WITHOUT_WEIGHTS, sound,
    suite,
};
use ckptscope_fake_hub::{FakeHub, Repository};
use serde_json::{Value, json};

use crate::support::{Ended, Scratch, checkpoint, worker_at};

fn audit(fake: &FakeHub, arguments: &[&str]) -> Ended {
    let scratch = Scratch::new();
    let arguments = [&["audit"], arguments].concat();
    worker_at(
        scratch.path(),
        &[("HF_ENDPOINT", fake.endpoint())],
        &arguments,
    )
}

fn parsed(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A finding without its words.
fn finding(value: &Value) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove("message");
    value
}

#[test]
fn a_suite_opens_with_at_most_twelve_requests() {
    let fake = FakeHub::start(vec![suite()]).unwrap();
    let scratch = Scratch::new();
    let variables = [("HF_ENDPOINT", fake.endpoint())];
    let shown = worker_at(scratch.path(), &variables, &["inspect", SUITE]).expect(0);
    let log = fake.take_log();
    assert!(log.len() <= 12, "{} requests: {log:#?}", log.len());
    assert!(shown.stdout.contains("steps  154:"), "{}", shown.stdout);
    let assumed = "the files of 152 of 154 steps are not listed yet";
    assert!(shown.stdout.contains(assumed), "{}", shown.stdout);
}

#[test]
fn the_four_wrong_steps_of_a_suite_are_found() {
    let fake = FakeHub::start(vec![suite()]).unwrap();
    let ended = audit(&fake, &[SUITE, "--json"]).expect(1);
    assert!(
        ended.stderr.contains("4 things are odd"),
        "{}",
        ended.stderr
    );
    let report = parsed(&ended);
    assert_eq!(report["format"], "ckptscope-audit");
    assert_eq!(report["steps"].as_array().unwrap().len(), 154);
    let found: Vec<Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(finding)
        .collect();
    let before = LIKE_ITS_NEIGHBOUR - 1000;
    assert_eq!(
        found,
        [
            json!({"finding": "same_weights", "steps": [FINAL_TOO_SOON, 143_000], "with_last": true}),
            json!({"finding": "same_weights", "steps": [before, LIKE_ITS_NEIGHBOUR], "with_last": false}),
            json!({
                "finding": "unusable", "step": WITHOUT_WEIGHTS, "revision": "step99000",
                "reason": "it has no weights; there are only README.md, config.json",
            }),
            json!({
                "finding": "lacking_tensors", "steps": [LACKING],
                "tensors": [LACKING_TENSOR], "others": 152,
            }),
        ]
    );
    let text = audit(&fake, &[SUITE]).expect(1).stdout;
    for words in [
        "ckptscope/suite: 154 steps, 0 to 143000",
        "step 57000 has the weights of step 143000, the last one, byte for byte",
        "steps 80000, 81000 have the same weights, byte for byte",
        "step 99000 (step99000) cannot be read: it has no weights; there are only README.md, config.json",
        "step 120000 is without one tensor, which 152 others have: model.layers.1.self_attn.v_proj",
    ] {
        assert!(text.contains(words), "{words:?} is not in:\n{text}");
    }
    // One thing once: what is a finding is no warning as well.
    assert_eq!(text.matches("99000").count(), 2, "{text}");
    assert!(!text.contains("warning"), "{text}");
}

#[test]
fn an_audit_reads_no_tensor() {
    let fake = FakeHub::start(vec![suite()]).unwrap();
    audit(&fake, &[SUITE]).expect(1);
    let log = fake.take_log();
    let trees = log.iter().filter(|it| it.target.contains("/tree/")).count();
    assert_eq!(trees, 154 + 1, "each step, and the default branch");
    let resolved = log.iter().filter(|it| it.target.contains("/resolve/"));
    // Of steps with the same content one is read.
    let configs = 1; // the default branch's; those of the steps are the same, as the list says
    assert_eq!(resolved.count(), 151 + configs);
}

#[test]
fn a_sound_suite_has_nothing_odd() {
    let fake = FakeHub::start(vec![sound("a/b", &[0, 1, 2, 4, 8, 100, 200, 300])]).unwrap();
    let text = audit(&fake, &["a/b"]).expect(0).stdout;
    assert!(text.contains("nothing is odd"), "{text}");
}

#[test]
fn a_default_branch_that_is_behind_and_a_step_that_is_missing() {
    let steps: Vec<u64> = (0..10)
        .map(|step| step * 10)
        .filter(|step| *step != 40)
        .collect();
    let mut behind: Repository = sound("a/b", &steps);
    let early = ckptscope_fake_hub::suite::model(20, &[]);
    behind.commit("main", "Roll back", [("model.safetensors", Some(early))]);
    let fake = FakeHub::start(vec![behind]).unwrap();
    let report = parsed(&audit(&fake, &["a/b", "--json"]).expect(1));
    let found: Vec<Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(finding)
        .collect();
    assert_eq!(
        found,
        [
            json!({"finding": "earlier_on_main", "step": 20, "last": 90}),
            json!({"finding": "missing_steps", "steps": [40], "distance": 10}),
        ]
    );
}

#[test]
fn a_folder_is_audited_too() {
    let scratch = Scratch::new();
    for (step, seed) in [(10, 1), (20, 2), (30, 1)] {
        let path = format!("run/checkpoint-{step}/model.safetensors");
        scratch.write(&path, checkpoint(seed, 2, [8, 6]));
    }
    let odd = scratch.worker(&["audit", "run"]).expect(1);
    let words = "step 10 has the weights of step 30, the last one, byte for byte";
    assert!(odd.stdout.contains(words), "{}", odd.stdout);
    scratch.write(
        "run/checkpoint-30/model.safetensors",
        checkpoint(3, 2, [8, 6]),
    );
    scratch.worker(&["audit", "run"]).expect(0);
    scratch.worker(&["audit", "none"]).expect(2);
    let help = scratch.worker(&["audit", "--help"]).expect(0).stdout;
    assert!(help.contains("Exit code: 0 where nothing is odd"), "{help}");
}
