//! Which of a name's numbers is the step, and what is said where none is.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

use ckptscope_checkpoint::{MemoryTree, Reason, Run, RunError};
use pollster::block_on;
use proptest::prelude::*;

fn find<T: AsRef<str>>(paths: &[T]) -> Result<Run, RunError> {
    let files = paths.iter().map(|path| (path.as_ref(), Vec::new()));
    block_on(Run::find(&MemoryTree::new("tree", files)))
}

fn found(paths: &[&str]) -> Run {
    find(paths).unwrap()
}

fn numbers(run: &Run) -> Vec<u64> {
    run.steps.iter().map(|step| step.number).collect()
}

fn says(run: &Run, words: &str) -> bool {
    run.warnings.iter().any(|it| it.contains(words))
}

#[test]
fn a_date_is_no_step() {
    for (paths, expected) in [
        (
            ["ckpt_2024-05-01_1000.pt", "ckpt_2024-05-02_2000.pt"],
            [1000, 2000],
        ),
        (
            ["checkpoint_20240501_100.pt", "checkpoint_20240502_200.pt"],
            [100, 200],
        ),
        (
            [
                "checkpoint_2024-05-01_step100.pt",
                "checkpoint_2024-05-02_step200.pt",
            ],
            [100, 200],
        ),
        (
            [
                "2024-05-01_ckpt_100/model.pt",
                "2024-05-02_ckpt_200/model.pt",
            ],
            [100, 200],
        ),
        (["m_20240501_100.pt", "m_20240502_200.pt"], [100, 200]),
        (
            ["20240501-120000_epoch_1.pt", "20240502-120000_epoch_2.pt"],
            [1, 2],
        ),
        (
            ["checkpoint-20100000.pt", "checkpoint-20200000.pt"],
            [20_100_000, 20_200_000],
        ),
    ] {
        let run = found(&paths);
        assert_eq!(numbers(&run), expected, "{paths:?} {:?}", run.warnings);
        assert!(run.passed_over.is_empty(), "{paths:?}");
    }
    let run = found(&["ckpt_20240501_1000.pt", "ckpt_20240501_2000.pt"]);
    assert!(says(&run, "for a date"), "{:?}", run.warnings);
    let run = found(&["ckpt_2024-05-01.pt"]);
    assert_eq!(numbers(&run), [0]);
    for paths in [
        ["ckpt-20240501-120000.pt", "ckpt-20240502-120000.pt"],
        ["ckpt_2024_05_01.pt", "ckpt_2024_06_01.pt"],
        ["20240501/model.pt", "20240502/model.pt"],
        [
            "checkpoint-2024-05-01-12-00-00/model.pt",
            "checkpoint-2024-05-02-12-00-00/model.pt",
        ],
    ] {
        let error = find(&paths).unwrap_err().to_string();
        assert!(error.contains("call them `step_N`"), "{error}");
    }
}

#[test]
fn steps_of_several_runs_stay_apart_where_these_differ_in_a_date() {
    for paths in [
        [
            "a_20240501_step1.pt",
            "a_20240501_step2.pt",
            "a_20240502_step1.pt",
            "a_20240502_step2.pt",
        ],
        [
            "a_20240501_step3.pt",
            "a_20240501_step4.pt",
            "a_20240502_step1.pt",
            "a_20240502_step2.pt",
        ],
    ] {
        let error = find(&paths).unwrap_err();
        assert!(matches!(error, RunError::SeveralSeries { .. }), "{error}");
    }
    let run = found(&[
        "a_20240501_step1.pt",
        "a_20240501_step2.pt",
        "a_20240502_step3.pt",
    ]);
    assert_eq!(numbers(&run), [1, 2, 3]);
    assert!(says(&run, "in a date"), "{:?}", run.warnings);
}

#[test]
fn what_is_the_same_in_all_names_is_no_step() {
    for paths in [
        ["ckpt-350M-1000/model.pt", "ckpt-350M-2000/model.pt"],
        ["ckpt-350M-1000.pt", "ckpt-350M-2000.pt"],
        ["checkpoint-7b-1000/model.pt", "checkpoint-7b-2000/model.pt"],
        ["checkpoint_3_1000_x.pt", "checkpoint_3_2000_x.pt"],
    ] {
        let run = found(&paths);
        assert_eq!(numbers(&run), [1000, 2000], "{paths:?}");
        assert!(says(&run, "only number"), "{:?}", run.warnings);
    }
    // What steps are counted by is never a size.
    // Nor is a number with a word of its own a step.
    for paths in [
        ["step100_phase1.pt", "step100_phase2.pt"],
        ["step100_1.pt", "step100_2.pt"],
        ["checkpoint-100-lr1/a.pt", "checkpoint-100-lr2/a.pt"],
    ] {
        let error = find(&paths).unwrap_err();
        assert!(error.to_string().contains("several runs"), "{error}");
    }
    // Other names with the same number have no step.
    let run = found(&["ckpt-350M-1.pt", "ckpt-350M-2.pt", "ckpt-350M-final.pt"]);
    assert_eq!(numbers(&run), [1, 2]);
}

#[test]
fn steps_that_may_be_sizes_are_told() {
    let run = found(&["ckpt_125M.pt", "ckpt_350M.pt"]);
    assert_eq!(numbers(&run), [125_000_000, 350_000_000]);
    assert!(says(&run, "a model of that size"), "{:?}", run.warnings);
    let run = found(&["ckpt_350M/step_1.pt", "ckpt_350M/step_2.pt"]);
    assert!(!says(&run, "a model of that size"), "{:?}", run.warnings);
}

#[test]
fn a_loss_behind_the_step_is_no_step() {
    let paths = [
        "checkpoint_100_2.31.pt",
        "checkpoint_200_1.97.pt",
        "checkpoint_300_1.97.pt",
    ];
    let run = found(&paths);
    assert_eq!(numbers(&run), [100, 200, 300]);
    assert!(says(&run, "a loss"), "{:?}", run.warnings);
    // What stands before the step, behind a word or before a letter may be another model's.
    for paths in [
        ["ema_0.999_100.pt", "ema_0.99_200.pt"],
        ["step_100_lr0.1.pt", "step_200_lr0.2.pt"],
        ["step_100-a1b2c3/a.pt", "step_200-d4e5f6/a.pt"],
        ["checkpoint_100_0.5.pt", "checkpoint_100_0.6.pt"],
    ] {
        let error = find(&paths).unwrap_err().to_string();
        assert!(error.contains("differ in the step alone"), "{error}");
    }
}

#[test]
fn tokens_are_steps_where_nothing_else_is() {
    for (paths, expected) in [
        (
            ["model-10B-tokens/a.pt", "model-20B-tokens/a.pt"],
            [10_000_000_000, 20_000_000_000],
        ),
        (
            ["tokens-500M/a.pt", "tokens-1.5B/a.pt"],
            [500_000_000, 1_500_000_000],
        ),
        (
            ["m_4Btokens.pt", "m_1Ttokens.pt"],
            [4_000_000_000, 1_000_000_000_000],
        ),
    ] {
        let run = found(&paths);
        assert_eq!(numbers(&run), expected, "{paths:?}");
        assert!(says(&run, "by token"), "{:?}", run.warnings);
    }
    let run = found(&["step1000-tokens4B/a.pt", "step2000-tokens8B/a.pt"]);
    assert_eq!(numbers(&run), [1000, 2000]);
    assert_eq!(run.warnings, [""; 0]);
    assert!(find(&["model-7B/a.pt", "model-13B/a.pt"]).is_err());
}

#[test]
fn the_run_of_the_folder_that_is_given_counts() {
    for (paths, expected, other) in [
        (
            ["checkpoint-1/model.pt", "old/checkpoint-2/model.pt"],
            1,
            "old/",
        ),
        (
            ["checkpoints/step_1/a.pt", "step_3/a.pt"],
            3,
            "checkpoints/",
        ),
        (["step_1.pt", "old/deep/step_2.pt"], 1, "old/deep/"),
        (["000100/a.pt", "old/000200/a.pt"], 100, "old/"),
    ] {
        let run = found(&paths);
        assert_eq!(numbers(&run), [expected], "{paths:?}");
        let told = run
            .passed_over
            .iter()
            .map(|it| (&it.reason, it.path.as_str()));
        assert_eq!(told.collect::<Vec<_>>(), [(&Reason::OtherRun, other)]);
    }
    // Which one of these is a step's folder, nobody says.
    let error = find(&[
        "exp-iter2/model.pt",
        "exp-iter2/checkpoints/step_5/model.pt",
    ])
    .unwrap_err();
    assert!(matches!(error, RunError::SeveralRuns { .. }), "{error}");
}

/// Dates, some with a time of the day, in the ways in which programs write them.
fn stamp() -> impl Strategy<Value = String> {
    let date = (1990_u32..2100, 1_u32..13, 1_u32..29, "[-_.]?");
    let date =
        date.prop_map(|(year, month, day, mark)| format!("{year}{mark}{month:02}{mark}{day:02}"));
    let time = (0_u32..24, 0_u32..60, 0_u32..60, "[-:.]?", "[T_-]");
    let time = time.prop_map(|(hour, minute, second, mark, before)| {
        format!("{before}{hour:02}{mark}{minute:02}{mark}{second:02}")
    });
    (date, prop_oneof![Just(String::new()), time]).prop_map(|(date, time)| date + &time)
}

/// Names with a date (`D`) and a step (`N`).
const DATED: &[&str] = &[
    "ckpt_D_N.pt",
    "checkpoint-D-N/model.safetensors",
    "D_step_N.pt",
    "step_N_D.pt",
    "ckpt_D_step=N/model.pt",
    "D_ckpt_N_x.pt",
    "model_D_N.pt",
    "global_stepN-D/model.pt",
];

proptest! {
    /// A date in each name changes no step.
    #[test]
    fn steps_are_the_same_with_dates(
        way in 0..DATED.len(),
        // Two or six digits behind a date may be a part of it.
        steps in prop::collection::btree_set(100_u64..100_000, 2..5),
        stamps in prop::collection::vec(stamp(), 5),
    ) {
        let paths = steps.iter().zip(&stamps).map(|(step, stamp)| {
            DATED[way].replace('D', stamp).replace('N', &step.to_string())
        });
        let paths: Vec<String> = paths.collect();
        let run = find(&paths).unwrap();
        prop_assert_eq!(numbers(&run), steps.into_iter().collect::<Vec<_>>(), "{:?}", paths);
    }

    /// A size in each name changes no step.
    #[test]
    fn steps_are_the_same_with_a_size(
        way in prop_oneof![Just("ckpt-S-N/a.pt"), Just("checkpoint_S_N.pt"), Just("ckpt_S-N_x.pt")],
        size in "(1|3|125|350)(\\.5)?[kKmMbB]",
        steps in prop::collection::btree_set(0_u64..100_000, 2..5),
    ) {
        let path = |step: &u64| way.replace('S', &size).replace('N', &step.to_string());
        let paths: Vec<String> = steps.iter().map(path).collect();
        let run = find(&paths).unwrap();
        prop_assert_eq!(numbers(&run), steps.into_iter().collect::<Vec<_>>(), "{:?}", paths);
    }

    /// Where names have dates and no other number, no step is made of them.
    #[test]
    fn dates_alone_are_no_steps(
        way in 0..3_usize,
        stamps in prop::collection::btree_set(stamp(), 1..5),
    ) {
        let way = ["ckpt_D.pt", "checkpoint-D/model.pt", "D.pt"][way];
        let paths: Vec<String> = stamps.iter().map(|stamp| way.replace('D', stamp)).collect();
        match find(&paths) {
            Ok(run) => prop_assert_eq!(numbers(&run), [0]),
            Err(error) => prop_assert!(error.to_string().contains("step_N"), "{}", error),
        }
    }

    /// Round numbers are steps, however long.
    #[test]
    fn round_numbers_are_steps(hundreds in prop::collection::btree_set(1_u64..9_999_999, 2..5)) {
        let steps: Vec<u64> = hundreds.iter().map(|it| it * 100).collect();
        let paths: Vec<String> = steps.iter().map(|step| format!("checkpoint-{step}/model.pt")).collect();
        prop_assert_eq!(numbers(&find(&paths).unwrap()), steps);
    }
    /// Of names of one step that differ in how its number is written, or in another number, none
    /// is used.
    #[test]
    fn of_equals_none_is_used(
        step in 1_u64..1000,
        others in prop::collection::btree_set(1000_u64..2000, 0..4),
        pair in prop_oneof![
            Just(["step_N", "step_0N"]), Just(["step_N", "step-N"]), Just(["ckpt_N000", "ckpt_Nk"]),
            Just(["phase1_step_N", "phase2_step_N"]), Just(["x_1.5_step_N", "x_2.5_step_N"]),
        ],
        ending in prop_oneof![Just(".pt"), Just("/model.pt")],
    ) {
        let path = |name: &str, step: &u64| name.replace('N', &step.to_string()) + ending;
        let equals = pair.map(|name| path(name, &step));
        let mut paths: Vec<String> = others.iter().map(|it| path(pair[0], it)).collect();
        paths.extend(equals.clone());
        if let Ok(run) = find(&paths) {
            let mut used = run.steps.iter().flat_map(|step| &step.parts).flat_map(|part| &part.paths);
            prop_assert!(!used.any(|path| equals.contains(path)), "{:?}", run.warnings);
            let broken = run.broken.iter().map(|it| it.trouble.to_string()).collect::<String>();
            let name = |path: &String| path.trim_end_matches("model.pt").to_owned();
            prop_assert!(equals.iter().all(|it| broken.contains(&name(it))), "{}", broken);
        }
    }
}
