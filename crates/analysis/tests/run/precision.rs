//! What the precision of stored numbers, odd files and biased estimates make numbers and warnings
//! say.

use std::fmt::Write as _;

use ckptscope_analysis::plan::Catalogs;
use ckptscope_analysis::{Survey, results};
use ckptscope_checkpoint::{MemoryTree, Run};
use futures_lite::future::block_on;

use crate::support::{bundled, numbers, planned, tree};

/// Elements of a stored tensor.
#[derive(Clone, Copy)]
enum Stored {
    F64,
    Bf16,
}

/// A safetensors file of matrices, with so many bytes behind the last that belong to none.
fn file(tensors: &[(&str, [usize; 2], &[f64], Stored)], unowned: usize) -> Vec<u8> {
    let (mut header, mut data) = ("{".to_owned(), Vec::new());
    for (name, shape, values, stored) in tensors {
        let begin = data.len();
        let dtype = match stored {
            Stored::F64 => "F64",
            Stored::Bf16 => "BF16",
        };
        for value in *values {
            match stored {
                Stored::F64 => data.extend(value.to_le_bytes()),
                // Cut off where it should be rounded, which changes twice as much at most.
                Stored::Bf16 => {
                    data.extend(((*value as f32).to_bits() >> 16).to_le_bytes()[..2].iter());
                }
            }
        }
        let comma = if begin > 0 { "," } else { "" };
        write!(
            header,
            r#"{comma}"{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{}]}}"#,
            data.len()
        )
        .unwrap();
    }
    header.push('}');
    data.extend(vec![0; unowned]);
    [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        &data,
    ]
    .concat()
}

/// A product `[rows, rank] [rank, columns]` of numbers without pattern, by rows.
fn of_rank(rank: usize, rows: usize, columns: usize) -> Vec<f64> {
    let entry = |seed: usize| {
        let mut bits = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((bits ^ (bits >> 32)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let item = |row: usize, column: usize| {
        let terms =
            (0..rank).map(|k| entry(1 + row * rank + k) * entry(501 + k * columns + column));
        terms.sum::<f64>()
    };
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    places.map(|(row, column)| item(row, column)).collect()
}

fn condition_config(component: &str) -> String {
    format!(
        "metrics:\n  - metric_name: condition_number\n    data_split: val\n    components:\n      - \
         {{{component}, data_type: weights, layers: all}}\nsteps: all\n"
    )
}

/// The status of the only number.
fn status(tree: &MemoryTree, component: &str) -> Option<String> {
    let (_, _, plan) = planned(tree, &condition_config(component));
    let found: Vec<_> = plan
        .lanes
        .iter()
        .flat_map(|lane| numbers(lane, tree))
        .collect();
    assert_eq!(found.len(), 1);
    found[0].status.as_ref().map(ToString::to_string)
}

#[test]
fn the_coarsest_input_decides_what_rounding_may_have_left() {
    let (keys, values) = (of_rank(8, 8, 8), of_rank(2, 8, 8));
    let run = |keys_stored, values_stored| {
        let tensors = [
            ("layers.0.k", [8, 8], &keys[..], keys_stored),
            ("layers.0.v", [8, 8], &values[..], values_stored),
        ];
        tree(vec![(
            "checkpoint-1/model.safetensors".to_owned(),
            file(&tensors, 0),
        )])
    };
    let product =
        "component_name: key_value_circuit, layer_suffixes: {key_layer: k, value_layer: v}";
    let alone = |suffix| format!("component_name: simple, layer_suffixes: {suffix}");
    let coarse = run(Stored::F64, Stored::Bf16);
    for component in [product, &alone("v")] {
        let told = status(&coarse, component).unwrap();
        assert!(told.starts_with("rank 2 of 8: "), "{component}: {told}");
    }
    assert_eq!(status(&coarse, &alone("k")), None);
    // Of float64 alone nothing was rounded: the rank is what it is.
    let exact = run(Stored::F64, Stored::F64);
    assert_eq!(status(&exact, product).as_deref(), Some("rank 2 of 8"));
}

#[test]
fn what_is_odd_about_files_is_told_once() {
    let weights = of_rank(2, 2, 2);
    let tensors = [("layers.0.w", [2, 2], &weights[..], Stored::F64)];
    let path = |step| format!("checkpoint-{step}/model.safetensors");
    let files = [(1, 5), (2, 5), (3, 0), (4, 7)];
    let tree = tree(
        files
            .map(|(step, unowned)| (path(step), file(&tensors, unowned)))
            .into(),
    );
    let text = condition_config("component_name: simple, layer_suffixes: w");
    let (run, config, plan) = planned(&tree, &text);
    let results = results::planned("odd", "run", &config, &run, &plan);
    assert_eq!(plan.warnings.len(), 1, "{:?}", plan.warnings);
    assert_eq!(results.warnings, plan.warnings);
    let start = format!(
        "{} and 2 other files: some bytes of the data belong to no tensor",
        path(1)
    );
    assert!(plan.warnings[0].starts_with(&start), "{}", plan.warnings[0]);
    // What is not read is not told of.
    let (_, _, plan) = planned(&tree, &text.replace("steps: all", "steps: [3]"));
    assert_eq!(plan.warnings, Vec::<String>::new());
    let run = block_on(Run::find(&tree)).unwrap();
    let survey = block_on(Survey::of(&run, &tree, &Catalogs::default()));
    assert!(
        survey.warnings[0].starts_with(&path(4)),
        "{:?}",
        survey.warnings
    );
}

#[test]
fn what_is_debiased_is_not_said_to_be_biased() {
    let text = |debiased| {
        format!(
            "metrics:\n  - metric_name: cka\n    debiased: {debiased}\n    target_checkpoint: last\n    \
             data_split: train\n    components:\n      - {{component_name: simple, data_type: \
             activations, layer_suffixes: attention.o_proj, layers: 1}}\nsteps: [0, 2000]\n"
        )
    };
    let biased = |debiased| {
        let (_, _, plan) = planned(&bundled(), &text(debiased));
        plan.warnings
            .iter()
            .filter(|it| it.contains("biased upwards"))
            .count()
    };
    assert_eq!((biased(false), biased(true)), (1, 0));
}
