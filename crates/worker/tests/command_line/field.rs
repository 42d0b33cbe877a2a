//! Checkpoints as trainers leave them: each ends in its right numbers, or is told.
//!
//! `tests/field` has an input for each kind of trouble, with a config and, where there are
//! numbers, the right ones by step and layer. Links are kept as files that hold their targets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ckptscope_results::{Results, Value as Number};
use serde_json::Value;

use crate::support::{Ended, Scratch, argument, in_project, json, worker_at};

/// What ends in words instead of numbers, and some of the words.
const TOLD: &[(&str, &[&str])] = &[
    ("05-leftover-shards", &["several saves", "-of-2", "-of-3"]),
    ("22b-deepspeed-zero3", &["zero_to_fp32.py"]),
    ("22c-deepspeed-tp2", &["tensor-parallel"]),
    (
        "34-name-in-two-shards",
        &["v_proj", "model-00001-of-00002", "model-00002-of-00002"],
    ),
    (
        "45-ema-beside",
        &["`model.model.layers.`", "`ema.model.layers.`", "stack"],
    ),
    (
        "60-encoder-decoder",
        &["encoder.block.", "decoder.block.", "stack"],
    ),
    (
        "61-vision-tower",
        &[
            "language_model.model.layers.",
            "vision_tower.vision_model",
            "stack",
        ],
    ),
];

/// Numbers that do not exist, and what their status says.
const UNDEFINED: &[(&str, &str)] = &[
    ("19-nf4-packed", "nf4"),
    ("20-zero3-placeholders", "zero_to_fp32.py"),
];

/// What is right at all, but has no numbers to compare with, or other ones.
const OTHER: &[&str] = &[
    "18-fp8-block-scale",
    "29-whole-module",
    "37p-utf16",
    "49-low-rank-f32",
    "65-hf-cache",
];

/// Values differ by less than this part of them.
const TOLERANCE: f64 = 1e-6;

/// One input, copied to where its links can be links.
struct Case {
    scratch: Scratch,
    config: PathBuf,
    run: PathBuf,
    /// The folder of the project's copy.
    home: PathBuf,
}

impl Case {
    fn of(name: &str) -> Self {
        let home = in_project("tests/field").join(name);
        let scratch = Scratch::new();
        copy(&home, scratch.path());
        let run = scratch.path().join("run");
        Self {
            config: scratch.path().join("config.yaml"),
            run,
            scratch,
            home,
        }
    }

    fn analyze(&self) -> Ended {
        let arguments = [
            "analyze",
            "--config",
            argument(&self.config),
            "--run-path",
            argument(&self.run),
            "--output-dir",
            "out",
        ];
        worker_at(self.scratch.path(), &[], &arguments)
    }

    fn expected(&self) -> Value {
        json(&self.home.join("expected.json"))
    }

    /// The results of the analysis.
    fn results(&self) -> Results {
        let mut folders = fs::read_dir(self.scratch.path().join("out")).unwrap();
        let folder = folders.next().unwrap().unwrap().path();
        let text = fs::read_to_string(folder.join("results.json")).unwrap();
        Results::parse(&text).unwrap()
    }
}

/// Copies a folder; a file that holds a path which is there, or is called as the dangling one,
/// becomes the link that it stands for.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
            continue;
        }
        let content = fs::read(&path).unwrap();
        match link_target(&content) {
            Some(link) => make_link(&link, &target),
            None => drop(fs::write(&target, content)),
        }
    }
}

/// The path that a file holds, if it is nothing but a relative path.
fn link_target(content: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(content).ok()?;
    (text.starts_with("../") && !text.contains('\n')).then(|| text.to_owned())
}

#[cfg(unix)]
fn make_link(target: &str, link: &Path) {
    std::os::unix::fs::symlink(target, link).unwrap();
}

/// Numbers by step, layer and what they are called.
type Numbers = BTreeMap<(u64, u64, String), f64>;

/// The numbers of a step's layers, as `expected.json` has them.
fn expected_numbers(expected: &Value) -> Numbers {
    let mut numbers = Numbers::new();
    for (step, layers) in expected.as_object().unwrap() {
        for (layer, values) in layers.as_object().unwrap() {
            let place = (step.parse().unwrap(), layer.parse().unwrap());
            for (name, value) in values.as_object().into_iter().flatten() {
                if let Some(value) = value.as_f64() {
                    numbers.insert((place.0, place.1, name.clone()), value);
                }
            }
        }
    }
    numbers
}

/// The numbers of layers that an analysis found.
fn found_numbers(results: &Results) -> Numbers {
    let mut numbers = Numbers::new();
    for (id, point) in results.rows().filter(|(id, _)| id.head.is_none()) {
        let metric = match (&*id.entry.label, &*id.output) {
            ("norm", _) => "norm_frobenius",
            (label, "") => label,
            (_, output) => output,
        };
        let name = match &*id.component {
            "ov_circuit" => format!("ov_circuit_{metric}"),
            _ => metric.to_owned(),
        };
        if let Some(Number::Number(value)) = point.value {
            numbers.insert((point.step, id.layer.unwrap(), name), *value);
        }
    }
    numbers
}

/// Whether every expected number of a metric that was asked for is there, and no other step is.
#[track_caller]
fn assert_numbers(name: &str, results: &Results, expected: &Numbers) {
    let found = found_numbers(results);
    let asked: Vec<&String> = found.keys().map(|(_, _, metric)| metric).collect();
    let mut compared = 0;
    for (place, value) in expected
        .iter()
        .filter(|((_, _, metric), _)| asked.contains(&metric))
    {
        let number = found.get(place);
        let is_right = number.is_some_and(|number| {
            (number - value).abs() <= TOLERANCE * value.abs().max(f64::MIN_POSITIVE)
        });
        assert!(is_right, "{name}: {place:?}: {number:?} instead of {value}");
        compared += 1;
    }
    assert!(compared > 0, "{name}: nothing was compared");
    for (step, layer, _) in found.keys() {
        let is_known = expected.keys().any(|(of, at, _)| (of, at) == (step, layer));
        assert!(
            is_known || name == "71-single-edge",
            "{name}: step {step}, layer {layer}"
        );
    }
}

fn cases() -> Vec<String> {
    let folders = fs::read_dir(in_project("tests/field")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn what_can_be_read_gives_its_right_numbers() {
    let told: Vec<&str> = TOLD.iter().chain(&[]).map(|(name, _)| *name).collect();
    let undefined = UNDEFINED.iter().map(|(name, _)| *name);
    let other: Vec<&str> = told
        .into_iter()
        .chain(undefined)
        .chain(OTHER.iter().copied())
        .collect();
    let mut wrong = Vec::new();
    for name in cases()
        .iter()
        .filter(|name| !other.contains(&name.as_str()))
    {
        let case = Case::of(name);
        let ended = case.analyze();
        if ended.code == Some(0) {
            assert_numbers(name, &case.results(), &expected_numbers(&case.expected()));
        } else {
            wrong.push(format!("{name}: {}", ended.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_read_is_told() {
    for (name, words) in TOLD {
        let ended = Case::of(name).analyze();
        assert!(
            matches!(ended.code, Some(1 | 2)),
            "{name}: {:?}",
            ended.code
        );
        for word in *words {
            assert!(
                ended.stderr.contains(word),
                "{name}: {word:?} is not in:\n{}",
                ended.stderr
            );
        }
    }
}

/// Every refusal says what to do, and to copy again only what is cut off.
#[test]
fn messages_go_on() {
    for (name, _) in TOLD {
        let said = Case::of(name).analyze().stderr;
        assert!(!said.contains("again"), "{name}: {said}");
        assert!(said.contains(';') || said.contains('`'), "{name}: {said}");
    }
}

#[test]
fn what_is_stored_otherwise_has_no_number() {
    for (name, words) in UNDEFINED {
        let case = Case::of(name);
        let ended = case.analyze();
        if ended.code == Some(0) {
            let results = case.results();
            assert!(found_numbers(&results).is_empty(), "{name}");
            let mut statuses = results.rows().filter_map(|(_, point)| point.status);
            assert!(statuses.any(|it| it.text.contains(words)), "{name}");
        } else {
            assert!(ended.stderr.contains(words), "{name}: {}", ended.stderr);
        }
    }
}

#[test]
fn scaled_weights_are_unpacked() {
    let case = Case::of("18-fp8-block-scale");
    case.analyze().expect(0);
    let found = found_numbers(&case.results());
    let expected = case.expected();
    for (place, values) in expected.as_object().unwrap() {
        let (step, layer) = place.split_once('.').unwrap();
        let place = |name: &str| {
            (
                step.parse().unwrap(),
                layer.parse().unwrap(),
                name.to_owned(),
            )
        };
        for (metric, name) in [("norm", "norm_frobenius"), ("per", "per"), ("gini", "gini")] {
            let value = values["real"][metric].as_f64().unwrap();
            let number = found[&place(name)];
            assert!(
                (number - value).abs() <= TOLERANCE * value.abs(),
                "{number} instead of {value}"
            );
        }
    }
}

#[test]
fn a_module_and_a_utf_16_config_are_read() {
    let module = Case::of("29-whole-module");
    let mut utf_16 = Case::of("37p-utf16");
    utf_16.run.clone_from(&module.run);
    for case in [&module, &utf_16] {
        case.analyze().expect(0);
        assert!(!found_numbers(&case.results()).is_empty());
    }
}

#[test]
fn rounding_has_no_condition_number() {
    let case = Case::of("49-low-rank-f32");
    case.analyze().expect(0);
    let results = case.results();
    let of_condition = results
        .rows()
        .filter(|(id, _)| &*id.entry.label == "condition_number");
    for (_, point) in of_condition {
        let status = point.status.unwrap();
        assert!(status.text.contains("rank 4 of 64"), "{}", status.text);
    }
}

#[test]
fn a_step_given_by_itself_keeps_its_number() {
    let mut case = Case::of("09e-hf-single");
    case.run = case.run.join("checkpoint-500");
    case.analyze().expect(0);
    let expected = expected_numbers(&case.expected());
    assert_numbers("09e-hf-single", &case.results(), &expected);
}

#[test]
fn what_is_passed_over_is_said() {
    for (name, words) in [
        (
            "06-half-written",
            &["tmp-checkpoint-300", "half written", "step 400"][..],
        ),
        ("06d-optimizer-only", &["step 400", "no weights"]),
        ("07-lightning-names", &["last"]),
        ("09c-unsharded", &["latest-unsharded"]),
        ("09g-opt-files", &["ema_step_"]),
        (
            "12-dangling-link",
            &["checkpoint-200/model.safetensors -> "],
        ),
        ("04-stale-index", &["without their index"]),
        ("08-epoch-files", &["epoch"]),
    ] {
        let case = Case::of(name);
        case.analyze().expect(0);
        let warnings = case.results().warnings.join("\n");
        let inspected = case
            .scratch
            .worker(&["inspect", argument(&case.run)])
            .expect(0);
        for word in words {
            assert!(
                warnings.contains(word),
                "{name}: {word:?} is not in:\n{warnings}"
            );
            let text = inspected.stdout.replace('\n', " ");
            assert!(text.contains(word), "{name}: {word:?} is not in:\n{text}");
        }
    }
}
