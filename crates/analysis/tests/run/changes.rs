//! What changes from step to step or from layer to layer is told: shapes, stacks, how weights are
//! stored.

use ckptscope_checkpoint::MemoryTree;
use proptest::prelude::*;

use crate::support::{planned, safetensors, tree};

type Tensors<'a> = &'a [(&'a str, &'a [u64])];

/// A run of these steps.
fn run_of(steps: &[(u64, Tensors<'_>)]) -> MemoryTree {
    let file = |(step, tensors): &(u64, Tensors<'_>)| {
        let tensors = tensors
            .iter()
            .map(|(name, shape)| ((*name).to_owned(), shape.to_vec()));
        let content = safetensors(&tensors.collect::<Vec<_>>());
        (format!("step_{step}/model.safetensors"), content)
    };
    tree(steps.iter().map(file).collect())
}

/// The warnings of a config of one component.
fn told(tree: &MemoryTree, component: &str) -> Vec<String> {
    let config = format!(
        "metrics:\n  - metric_name: gini\n    data_split: val\n    components:\n      - \
         {{component_name: simple, data_type: weights, layers: all, {component}}}\nsteps: all\n"
    );
    planned(tree, &config).2.warnings
}

const STUDENT: &str = "model.layers.0.up.weight";
const AVERAGE: &str = "ema.model.layers.0.up.weight";

#[test]
fn a_stack_that_stands_beside_the_chosen_one_is_never_taken_for_it() {
    let both: Tensors<'_> = &[(STUDENT, &[4, 4]), (AVERAGE, &[4, 4])];
    let average: Tensors<'_> = &[(AVERAGE, &[4, 4])];
    let tree = run_of(&[(100, both), (200, average)]);
    let said = told(&tree, "layer_suffixes: up, stack: model.layers");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("not at steps 200; skipped there"),
        "{said:?}"
    );
    let config = "metrics:\n  - {metric_name: gini, data_split: val, components: [{component_name: \
                  simple, data_type: weights, layers: all, layer_suffixes: up, stack: \
                  model.layers}]}\nsteps: all\n";
    let (_, _, plan) = planned(&tree, config);
    let steps = plan.lanes.iter().flat_map(|lane| &lane.steps);
    let read: Vec<u64> = steps
        .filter(|step| !step.tensors.is_empty())
        .map(|step| step.step)
        .collect();
    assert_eq!(read, [100]);
}

#[test]
fn a_layer_that_stores_a_tensor_otherwise_is_told() {
    let tensors: Tensors<'_> = &[
        ("layers.0.up.base_layer.weight", &[4, 4]),
        ("layers.0.up.lora_A.weight", &[2, 4]),
        ("layers.0.up.bias", &[4]),
        ("layers.1.up.weight", &[4, 4]),
        ("layers.1.upper.weight", &[4, 4]),
        ("layers.2.up_norm.weight", &[4]),
        // Layers of another kind lack it altogether.
        ("layers.2.down.weight", &[4, 4]),
    ];
    let said = told(&run_of(&[(100, tensors)]), "layer_suffixes: up");
    let expected = "weights of `up`: not in layer 0, which has `up.base_layer.weight`, \
                    `up.lora_A.weight` instead";
    assert_eq!(said, [expected]);
}

proptest! {
    /// Shapes that are the same at all steps are not told of, and others are, with their steps.
    #[test]
    fn shapes_that_change_are_told(widths in prop::collection::vec(1..4u64, 1..5)) {
        let shapes: Vec<[u64; 2]> = widths.iter().map(|width| [4, *width]).collect();
        let tensors: Vec<[(&str, &[u64]); 1]> = shapes.iter().map(|it| [(STUDENT, &it[..])]).collect();
        let steps = (0..).zip(tensors.iter().map(<[_; 1]>::as_slice));
        let said = told(&run_of(&steps.collect::<Vec<_>>()), "layer_suffixes: up");
        let differ = widths.iter().any(|width| *width != widths[0]);
        prop_assert_eq!(said.len(), usize::from(differ), "{:?}", said);
        for width in widths.iter().filter(|_| differ) {
            let shape = format!("[4, {width}] at step");
            prop_assert!(said[0].contains(&shape), "{:?}", said);
        }
    }
}
