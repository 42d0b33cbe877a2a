//! Tensors outside of layers, which a config names in full.

use ckptscope_analysis::plan::PlanErrors;
use ckptscope_analysis::{Config, Plan, Registry, results};
use ckptscope_checkpoint::{MemoryTree, Run};
use futures_lite::future::block_on;

use crate::support::{numbers, planned, safetensors, tree};

fn run_of(tensors: &[(&str, [u64; 2])]) -> MemoryTree {
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), shape.to_vec()))
        .collect();
    let path = "checkpoint-3/model.safetensors".to_owned();
    tree(vec![(path, safetensors(&tensors))])
}

fn model() -> MemoryTree {
    run_of(&[
        ("model.embed.weight", [6, 4]),
        ("module.head.weight", [5, 4]),
        ("head", [2, 4]),
        ("model.layers.0.norm.weight", [3, 4]),
        ("model.layers.1.norm.weight", [3, 4]),
        ("norm.weight", [1, 4]),
    ])
}

fn config(components: &[&str]) -> String {
    let mut text =
        "metrics:\n  - metric_name: norm\n    data_split: val\n    components:\n".to_owned();
    for component in components {
        text += &format!("      - {{component_name: simple, data_type: weights, {component}}}\n");
    }
    text + "steps: all\n"
}

fn refusal(tree: &MemoryTree, component: &str) -> String {
    let run = block_on(Run::find(tree)).unwrap();
    let config = Config::parse(&config(&[component]), &Registry::default()).unwrap();
    let plan: Result<Plan, PlanErrors> = block_on(Plan::make(&config, &run, tree));
    plan.err()
        .map(|errors| errors.to_string())
        .unwrap_or_default()
}

#[test]
fn tensors_outside_of_layers_have_no_layer_in_tables() {
    let tree = model();
    let text = config(&[
        "layer_suffixes: [model.embed, head, head.weight, norm], layers: none",
        "layer_suffixes: norm, layers: all",
    ]);
    let (run, config, plan) = planned(&tree, &text);
    let lanes: Vec<Option<u64>> = plan.lanes.iter().map(|lane| lane.layer).collect();
    assert_eq!(lanes, [None, Some(0), Some(1)]);
    let mut told = results::planned("outside", "model", &config, &run, &plan);
    for lane in &plan.lanes {
        told.series.extend(numbers(lane, &tree));
    }
    told.sort();
    let rows: Vec<(String, Option<u64>)> =
        told.rows().map(|(id, _)| (id.key(), id.layer)).collect();
    let expected = [
        ("model.embed.weights", None),
        ("head.weights", None),
        ("head.weight.weights", None),
        ("norm.weights", None),
        ("model.layers.0.norm.weights", Some(0)),
        ("model.layers.1.norm.weights", Some(1)),
    ];
    let expected = expected.map(|(key, layer)| (key.to_owned(), layer));
    assert_eq!(rows, expected);
    assert!(!told.names_stacks(), "no stack beside none");
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let tree = model();
    let told = refusal(&tree, "layer_suffixes: model.embde, layers: none");
    assert!(
        told.contains("no weights outside of layers are called `model.embde`"),
        "{told}"
    );
    assert!(told.contains("did you mean `model.embed`?"), "{told}");
    assert!(
        told.contains("head, head.weight, model.embed, norm"),
        "{told}"
    );
    let told = refusal(&tree, "layer_suffixes: model.embed, layers: all");
    assert!(
        told.contains("it is outside of layers (`layers: none`)"),
        "{told}"
    );
    let twice = run_of(&[("embed.weight", [6, 4]), ("module.embed.weight", [6, 4])]);
    let told = refusal(&twice, "layer_suffixes: embed, layers: none");
    assert!(told.contains("outside of layers 2 times"), "{told}");
}

#[test]
fn a_config_with_them_is_written_as_it_was_read() {
    let text = config(&["layer_suffixes: model.embed, layers: none"]);
    let read = Config::parse(&text, &Registry::default()).unwrap();
    let again = Config::parse(&read.to_yaml(), &Registry::default()).unwrap();
    assert_eq!(read, again);
    assert!(read.to_yaml().contains("layers: none"));
}

#[test]
fn several_tensors_or_a_stack_are_no_single_tensor_outside() {
    let refused = |text: &str| {
        let errors = Config::parse(text, &Registry::default()).unwrap_err();
        errors.to_string()
    };
    let stack = "stack: encoder, layer_suffixes: a, layers: none";
    for component in [stack, "layer_suffixes: encoder.*.a, layers: none"] {
        let told = refused(&config(&[component]));
        assert!(
            told.contains("a tensor outside of layers is of no stack"),
            "{told}"
        );
    }
    let circuit = config(&["layer_suffixes: {output_layer: a, value_layer: b}, layers: none"]);
    let told = refused(&circuit.replace("component_name: simple", "component_name: ov_circuit"));
    assert!(
        told.contains("none is for single tensors outside of layers"),
        "{told}"
    );
    let twice = "layer_suffixes: a, layers: none";
    let told = refused(&config(&[twice, twice]));
    assert!(
        told.contains("both are a.weights outside of layers"),
        "{told}"
    );
}
