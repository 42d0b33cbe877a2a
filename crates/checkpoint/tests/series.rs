//! A run's steps are of one name; other names are told and left out, or are several runs.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

use ckptscope_checkpoint::{DataKind, MemoryTree, Reason, Run, RunError, Split};
use pollster::block_on;
use proptest::prelude::*;

fn find(paths: &[String]) -> Result<Run, RunError> {
    let files = paths.iter().map(|path| (path.clone(), Vec::new()));
    block_on(Run::find(&MemoryTree::new("tree", files)))
}

fn find_all(paths: &[&str]) -> Result<Run, RunError> {
    let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
    find(&paths)
}

/// The path of the weights of every step.
fn weights(run: &Run) -> Vec<&str> {
    let parts = run.steps.iter();
    let parts = parts.filter_map(|step| step.part(DataKind::Weights, Split::Train));
    parts.map(|part| part.paths[0].as_str()).collect()
}

fn left_out(run: &Run) -> Vec<(Reason, &str)> {
    let told = run.passed_over.iter();
    told.map(|it| (it.reason.clone(), it.path.as_str()))
        .collect()
}

#[test]
fn a_step_that_has_only_another_model_is_told_and_left_out() {
    for (paths, expected, other) in [
        (
            &["model_step_100.pt", "model_step_200.pt", "ema_step_300.pt"][..],
            &["model_step_100.pt", "model_step_200.pt"][..],
            "ema_step_300.pt",
        ),
        (
            &["step_100/model.pt", "step_200/ema.pt"],
            &["step_100/model.pt"],
            "step_200/ema.pt",
        ),
        (
            &["step_1/model.pt", "step_2/model.pt", "step_3/value_head.pt"],
            &["step_1/model.pt", "step_2/model.pt"],
            "step_3/value_head.pt",
        ),
        (
            &["step_1/model.pt", "step_2/ema/model.pt"],
            &["step_1/model.pt"],
            "step_2/ema/model.pt",
        ),
        (
            &["step_37/actor/model.pt", "step_40/critic/model.pt"],
            &["step_37/actor/model.pt"],
            "step_40/critic/model.pt",
        ),
        (
            &["step_1/model.pt", "step_2/consolidated.pt"],
            &["step_1/model.pt"],
            "step_2/consolidated.pt",
        ),
        (
            &["seed1-step1/a.pt", "seed1-step2/a.pt", "seed2-step3/a.pt"],
            &["seed1-step1/a.pt", "seed1-step2/a.pt"],
            "seed2-step3/",
        ),
    ] {
        let run = find_all(paths).unwrap();
        assert_eq!(weights(&run), expected, "{paths:?}");
        let told = (Reason::OtherName, other);
        assert_eq!(left_out(&run), [told], "{paths:?}");
        let warned = run.warnings.iter().any(|it| it.contains(other));
        assert!(warned, "{:?}", run.warnings);
    }
}

#[test]
fn what_a_used_step_has_besides_is_told_as_such() {
    let paths = [
        "model_step_1",
        "model_step_2",
        "ema_step_1",
        "ema_step_2",
        "ema_step_3",
    ];
    let paths = paths.map(|stem| format!("{stem}.pt"));
    let run = find(&paths).unwrap();
    assert_eq!(weights(&run), ["model_step_1.pt", "model_step_2.pt"]);
    let told = [
        (Reason::SameStep, "ema_step_1.pt"),
        (Reason::SameStep, "ema_step_2.pt"),
        (Reason::OtherName, "ema_step_3.pt"),
    ];
    assert_eq!(left_out(&run), told);
}

#[test]
fn several_sequences_are_several_runs() {
    for paths in [
        &[
            "seed1_step1.pt",
            "seed1_step2.pt",
            "seed2_step3.pt",
            "seed2_step4.pt",
        ][..],
        &["netG_1.pt", "netG_2.pt", "netD_3.pt", "netD_4.pt"],
        &[
            "netG_step_1.pt",
            "netG_step_2.pt",
            "netD_step_1.pt",
            "netD_step_2.pt",
        ],
        &[
            "seed1_epoch_1.pt",
            "seed1_epoch_2.pt",
            "seed2_epoch_3.pt",
            "seed2_epoch_4.pt",
        ],
        &["pythia-70m-step100/a.pt", "pythia-160m-step200/a.pt"],
        &["run-1_ckpt-100.pt", "run-2_ckpt-200.pt"],
        &["step_10.pt", "model-step9.pt", "checkpoint-200.pt"],
        &["phase1_step100.pt", "phase2_step100.pt"],
        &["netG_step100/a.pt", "netD_step100/a.pt"],
        &["epoch1_batch1.pt", "epoch1_batch2.pt", "epoch2_batch1.pt"],
        &["seed1-step1.pt", "seed1-step2.pt", "seed2-step2.pt"],
    ] {
        let error = find_all(paths).unwrap_err();
        assert!(matches!(error, RunError::SeveralSeries { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains("{N}"), "{message}");
    }
}

#[test]
fn layouts_of_one_checkpoint_are_one_name() {
    for paths in [
        &["step_1/pytorch_model.bin", "step_2/model.safetensors"][..],
        &["step_1/model.pt", "step_2/hf/model.pt"],
        &["step_1/.metadata", "step_1/__0_0.distcp", "step_2/model.pt"],
        &["step_1/x_1.pt", "step_2/x_2.pt"],
        &[
            "step_0/mp_rank_00_model_states.pt",
            "step_9/mp_rank_00_model_states.pt",
        ],
        &[
            "epoch=0-step=1-val_loss=2.31.ckpt",
            "epoch=1-step=2-val_loss=1.9.ckpt",
        ],
        &["step_900k.pt", "step_1M.pt"],
        &["step0/model.pt", "step_512/model.pt"],
        &["stage1-step1-tokens1B/a.pt", "stage1-step2-tokens9B/a.pt"],
    ] {
        let run = find_all(paths).unwrap();
        assert_eq!(run.steps.len(), 2, "{paths:?} {:?}", run.warnings);
        assert_eq!(run.passed_over, [], "{paths:?}");
    }
    // A date may be that of the step or of the run, so it is told.
    let run = find_all(&["c_20240105_step_5.pt", "c_20240106_step_6.pt"]).unwrap();
    assert_eq!(run.steps.len(), 2);
    let told = run.warnings.iter().any(|it| it.contains("date"));
    assert!(told, "{:?}", run.warnings);
}

#[test]
fn recorded_data_stays_where_other_weights_are_left_out() {
    let run = find_all(&[
        "step_1/model.pt",
        "step_2/model.pt",
        "step_3/ema.pt",
        "step_3/learning_dynamics/val_gradients.pt",
    ])
    .unwrap();
    assert_eq!(run.steps.len(), 3);
    assert_eq!(weights(&run), ["step_1/model.pt", "step_2/model.pt"]);
    assert_eq!(left_out(&run), [(Reason::OtherName, "step_3/ema.pt")]);
}

#[test]
fn a_rank_s_part_is_never_the_whole() {
    let error = find_all(&[
        "ep0-ba5-rank0.pt",
        "ep0-ba5-rank1.pt",
        "ep0-ba10-rank0.pt",
        "ep0-ba10-rank1.pt",
    ]);
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains("steps 5, 10 cannot be read: each file is of one rank"),
        "{message}"
    );
    let run = find_all(&["step_5/model.pt", "step_6/model_world_size_2_rank_1.pt"]).unwrap();
    assert_eq!(run.broken.len(), 1);
    let error = find_all(&["iter_5/mp_rank_01/model_optim_rng.pt"]).unwrap_err();
    assert!(error.to_string().contains("tensor-parallel"), "{error}");
    let shards = [
        "shard-00001-model-00001-of-00001.pt",
        "shard-00002-model-00001-of-00001.pt",
    ];
    let error = find_all(&shards).unwrap_err();
    assert!(error.to_string().contains("consolidate"), "{error}");
}

/// The ways in which the name of a model may stand in the path of a step.
const WAYS: &[&str] = &[
    "X_step_N.pt",
    "X-N.pt",
    "X_epoch_N.pt",
    "step_N_X.pt",
    "X_step_N/model.pt",
    "checkpoint-N/X.pt",
    "checkpoint-N/X/model.safetensors",
    "step_N/deep/X_N.pt",
];

proptest! {
    /// Whatever steps two models have, no run has steps of both.
    #[test]
    fn no_run_is_of_two_models(
        way in 0..WAYS.len(),
        one in "[a-d][a-d0-9]{0,3}|net[GD]|ema|critic|seed_[12]|m-70m",
        other in "[a-d][a-d0-9]{0,3}|net[GD]|ema|critic|seed_[12]|m-160m",
        of_one in prop::collection::btree_set(1_u64..400, 0..5),
        of_other in prop::collection::btree_set(1_u64..400, 0..5),
    ) {
        prop_assume!(one != other);
        let path = |name: &str, step: &u64| WAYS[way].replace('X', name).replace('N', &step.to_string());
        let of_one: Vec<String> = of_one.iter().map(|step| path(&one, step)).collect();
        let of_other: Vec<String> = of_other.iter().map(|step| path(&other, step)).collect();
        if let Ok(run) = find(&[of_one.clone(), of_other.clone()].concat()) {
            let used = weights(&run);
            let has = |paths: &[String]| used.iter().any(|path| paths.iter().any(|it| it == path));
            prop_assert!(!(has(&of_one) && has(&of_other)), "{used:?}");
            // What is not used is told.
            let told = run.warnings.join("\n");
            let is_told = |path: &&String| used.contains(&path.as_str()) || !told.is_empty();
            prop_assert!(of_one.iter().chain(&of_other).all(|path| is_told(&path)));
        }
    }
}
