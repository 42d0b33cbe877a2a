//! Weights that are stored with scales, packed, or not at all; `tests/data/stored/make.py` wrote
//! them with the libraries that people use, and the numbers of what they mean with NumPy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ckptscope_analysis::plan::{Catalogs, Inputs, LaneMessage};
use ckptscope_analysis::{Config, Plan, Registry, Survey};
use ckptscope_checkpoint::{LocalTree, MemoryTree, Run};
use ckptscope_results::{Number, Value};
use futures_lite::future::block_on;
use serde_json::Value as Json;

use crate::support::{numbers, planned, safetensors, tree};

const CONFIG: &str = "
steps: all
metrics:
  - {metric_name: norm, data_split: val, components: &all
      [{component_name: simple, data_type: weights, layer_suffixes: self_attn.v_proj, layers: all}]}
  - {metric_name: gini, data_split: val, components: *all}
  - {metric_name: per, data_split: val, components: *all}
";

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/stored")
}

fn expected() -> BTreeMap<String, Json> {
    let text = std::fs::read_to_string(data().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn plan_of(case: &str) -> (LocalTree, Plan) {
    let tree = LocalTree::scan(data().join(case)).unwrap();
    let (_, _, plan) = planned(&tree, CONFIG);
    (tree, plan)
}

/// The numbers of all lanes, as they are and as they are after lanes travelled as text.
fn computed(plan: &Plan, tree: &LocalTree) -> Vec<Number> {
    let mut all = Vec::new();
    for lane in &plan.lanes {
        let found = numbers(lane, tree);
        let text = serde_json::to_string(&LaneMessage::from(lane)).unwrap();
        let message: LaneMessage = serde_json::from_str(&text).unwrap();
        let travelled = message.into_lane(&Registry::default()).unwrap();
        assert_eq!(numbers(&travelled, tree), found);
        all.extend(found);
    }
    all
}

#[test]
fn weights_are_what_their_elements_and_scales_make() {
    let cases = expected();
    let scaled = cases
        .iter()
        .filter(|(_, expected)| expected["code"].is_null());
    let mut count = 0;
    for (case, expected) in scaled {
        let (tree, plan) = plan_of(case);
        let found = computed(&plan, &tree);
        assert_eq!(found.len(), 6, "{case}");
        for number in found {
            let label: &str = &number.id.entry.label;
            let right = expected[number.id.layer.unwrap().to_string()][label]
                .as_f64()
                .unwrap();
            let Some(Value::Number(value)) = number.value else {
                panic!("{case}: {number:?}");
            };
            let error = (value - right).abs() / right.abs();
            assert!(error < 1e-9, "{case} {label}: {value} for {right}");
        }
        let said = plan.warnings.iter().filter(|it| it.contains("stored as"));
        assert_eq!(said.count(), 1, "{case}: {:?}", plan.warnings);
        count += 1;
    }
    assert!(count >= 11);
}

#[test]
fn what_cannot_be_known_has_a_status_and_no_value() {
    let cases = expected();
    let told = cases
        .iter()
        .filter(|(_, expected)| !expected["code"].is_null());
    let mut count = 0;
    for (case, expected) in told {
        let (tree, plan) = plan_of(case);
        let found = computed(&plan, &tree);
        assert_eq!(found.len(), 6, "{case}");
        assert_eq!(plan.cost.numbers, 6, "{case}");
        for number in found {
            assert_eq!(number.value, None, "{case}");
            let status = number.status.unwrap();
            assert_eq!(
                &*status.code,
                expected["code"].as_str().unwrap(),
                "{case}: {status}"
            );
            for word in expected["words"].as_array().unwrap() {
                let word = word.as_str().unwrap();
                assert!(
                    status.text.contains(word),
                    "{case}: {word} not in: {status}"
                );
            }
        }
        // What only the elements' bytes say cannot be told by the plan.
        if *case != "int8-other-order" {
            let warnings = plan.warnings.join("\n");
            assert!(
                warnings.contains("no numbers at steps 100"),
                "{case}: {warnings}"
            );
            assert_eq!(plan.cost.read_bytes, 0, "{case}");
        }
        count += 1;
    }
    assert!(count >= 15);
}

#[test]
fn a_scale_is_counted_and_read_once() {
    let (_, plan) = plan_of("fp8-blocks-ragged");
    // Two layers of 10 by 20 bytes and 3 by 3 factors of four bytes, for three metrics.
    assert_eq!(plan.cost.read_bytes, 2 * (10 * 20 + 3 * 3 * 4));
}

#[test]
fn one_step_without_values_costs_no_other() {
    let file = |case: &str| {
        std::fs::read(data().join(case).join("checkpoint-100/model.safetensors")).unwrap()
    };
    let steps = [(100, "fp8-rows"), (200, "gptq"), (300, "fp8-rows")];
    let path = |step| format!("checkpoints/step_{step}/learning_dynamics/val_activations.pt");
    let files: MemoryTree = tree(steps.map(|(step, case)| (path(step), file(case))).into());
    let text = "
steps: all
metrics:
  - {metric_name: norm, data_split: val, components: &all
      [{component_name: simple, data_type: activations, layer_suffixes: self_attn.v_proj, layers: all}]}
  - {metric_name: cka, data_split: val, target_checkpoint: 200, components: *all}
  - {metric_name: cka, name: first, data_split: val, target_checkpoint: 100, components: *all}
";
    let (_, _, plan) = planned(&files, text);
    let mut undefined = BTreeMap::new();
    let mut count = 0;
    for lane in &plan.lanes {
        for number in numbers(lane, &files) {
            count += 1;
            if number.value.is_none() {
                let status = number.status.unwrap();
                assert_eq!(&*status.code, "packed");
                let of_target = status.text.contains("the target, step 200, has no values");
                let key = (number.step, of_target);
                *undefined.entry(key).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(count, plan.cost.numbers);
    // All three of step 200, in two layers; at the other steps what is compared with it.
    let all = [((100, true), 2), ((200, false), 6), ((300, true), 2)];
    assert_eq!(undefined, all.into());
}

#[test]
fn a_scale_that_the_config_speaks_of_and_nobody_finds_is_missed() {
    let file = data().join("fp8-without-scale/checkpoint-100/model.safetensors");
    let file = std::fs::read(file).unwrap();
    for (config, has_values) in [
        (r#"{"quantization_config": {"quant_method": "fp8"}}"#, false),
        (r#"{"quantization_config": {}}"#, true),
        (r#"{"hidden_size": 16}"#, true),
    ] {
        let files = tree(vec![
            ("checkpoint-100/model.safetensors".to_owned(), file.clone()),
            ("config.json".to_owned(), config.as_bytes().to_vec()),
        ]);
        let (_, _, plan) = planned(&files, CONFIG);
        for number in plan.lanes.iter().flat_map(|lane| numbers(lane, &files)) {
            assert_eq!(number.value.is_some(), has_values, "{config}");
            if let Some(status) = number.status {
                assert_eq!(&*status.code, "scale_missing");
                assert!(status.text.contains("weight_scale_inv"), "{status}");
            }
        }
    }
}

/// A run of two steps whose `layers.1.a` the shard index expects and no file has, at the second.
fn with_a_gap() -> MemoryTree {
    let names = ["layers.0.a", "layers.1.a", "layers.0.b", "layers.1.b"];
    let entry = |name: &&str| ((*name).to_owned(), vec![8, 4]);
    let whole: Vec<_> = names.iter().map(entry).collect();
    let rest: Vec<_> = whole
        .iter()
        .filter(|(name, _)| name != names[1])
        .cloned()
        .collect();
    let map: Vec<String> = names
        .iter()
        .map(|name| format!(r#""{name}": "x.safetensors""#))
        .collect();
    let index = format!(r#"{{"weight_map": {{{}}}}}"#, map.join(", "));
    tree(vec![
        ("step_1/model.safetensors".to_owned(), safetensors(&whole)),
        ("step_2/x.safetensors".to_owned(), safetensors(&rest)),
        (
            "step_2/model.safetensors.index.json".to_owned(),
            index.into_bytes(),
        ),
    ])
}

#[test]
fn a_tensor_that_cannot_be_read_costs_its_own_numbers() {
    let files = with_a_gap();
    let text = CONFIG.replace("self_attn.v_proj", "a");
    let (run, _, plan) = planned(&files, &text);
    let mut undefined = Vec::new();
    for number in plan.lanes.iter().flat_map(|lane| numbers(lane, &files)) {
        if number.value.is_none() {
            let status = number.status.unwrap();
            assert_eq!(&*status.code, "unreadable");
            assert!(status.text.contains("the shard index says"), "{status}");
            undefined.push((number.step, number.id.layer));
        }
    }
    assert_eq!(undefined, [(2, Some(1)); 3]);
    let told = plan.warnings.join("\n");
    assert!(told.contains("no numbers at steps 2"), "{told}");
    // Who wants to know at once is told at once.
    let text = format!("{text}on_error: stop\n");
    let config = Config::parse(&text, &Registry::default()).unwrap();
    let errors = block_on(Plan::make(&config, &run, &files)).err().unwrap();
    assert!(
        errors.to_string().contains("layers.1.a at step 2"),
        "{errors}"
    );
}

#[test]
fn a_survey_looks_at_the_last_step_that_can_be_read() {
    let whole = safetensors(&[("layers.0.a".to_owned(), vec![8, 4])]);
    let file = |step: u64, bytes: &[u8]| {
        (
            format!("checkpoint-{step}/model.safetensors"),
            bytes.to_vec(),
        )
    };
    for broken in [&b""[..], b"GGUF\x03\0\0\0\x01\0\0", &whole[..30]] {
        let files = tree(vec![file(1, &whole), file(2, &whole), file(3, broken)]);
        let run = block_on(Run::find(&files)).unwrap();
        let survey = block_on(Survey::of(&run, &files, &Catalogs::default()));
        assert_eq!(survey.suffixes.len(), 1);
        assert_eq!(survey.suffixes[0].step, 2);
        let told = survey.warnings.join("\n");
        assert!(told.contains("step 3 was passed over"), "{told}");
    }
    // So it does where the names can be read and the tensors cannot.
    let mut later = whole.clone();
    let place = later.windows(3).position(|it| it == b"F32").unwrap();
    later[place..place + 3].copy_from_slice(b"F99");
    let files = tree(vec![file(1, &whole), file(2, &later)]);
    let run = block_on(Run::find(&files)).unwrap();
    let survey = block_on(Survey::of(&run, &files, &Catalogs::default()));
    assert_eq!(survey.suffixes[0].step, 1);
}

#[test]
fn whole_numbers_are_activations_and_no_weights() {
    let files = |kind: &str| {
        let bytes = std::fs::read(data().join("int32-alone/checkpoint-100/model.safetensors"));
        let path = format!("checkpoints/step_1/learning_dynamics/val_{kind}.pt");
        tree(vec![(path, bytes.unwrap())])
    };
    for (kind, has_values) in [
        ("weights", false),
        ("gradients", false),
        ("activations", true),
    ] {
        let files = files(kind);
        let per = CONFIG.find("  - {metric_name: per").unwrap();
        let text = CONFIG[..per].replace("data_type: weights", &format!("data_type: {kind}"));
        let (_, _, plan) = planned(&files, &text);
        let inputs = plan
            .lanes
            .iter()
            .flat_map(|lane| &lane.steps)
            .flat_map(|step| &step.inputs);
        for inputs in inputs {
            assert_eq!(matches!(inputs, Inputs::Tensors(_)), has_values, "{kind}");
        }
    }
}

#[test]
fn packed_weights_are_no_proposal() {
    let files = LocalTree::scan(data().join("gptq")).unwrap();
    let run = block_on(Run::find(&files)).unwrap();
    let survey = block_on(Survey::of(&run, &files, &Catalogs::default()));
    let names: Vec<&str> = survey
        .suffixes
        .iter()
        .map(|suffix| suffix.name.as_str())
        .collect();
    assert!(!names.contains(&"self_attn.v_proj"), "{names:?}");
    let packed = survey
        .warnings
        .iter()
        .find(|warning| warning.contains("packed"));
    assert!(
        packed.is_some_and(|it| it.contains("self_attn.v_proj")),
        "{:?}",
        survey.warnings
    );
}
