//! Activations by role: `[samples, features]`, however the weights are stored.

use ckptscope_checkpoint::MemoryTree;

use super::relatives::{D_MODEL, HEADS, LAYERS, Layer, WAYS, Way, config, llama};
use super::support::{Stored, file, numbers, planned, stored};

const CONFIG: &str = "steps: all
metrics:
  - {metric_name: norm, norm_type: nuclear, name: nuclear, data_split: val, components:
      [{component_name: ov_circuit, data_type: activations, layers: all}]}
  - {metric_name: stable_rank, data_split: val, components:
      [{component_name: ov_circuit, data_type: activations, layers: all}]}
";

/// A run that recorded weights, and what the maps wrote for as many samples as the model is wide,
/// changed in some way.
fn recorded(way: &Way, change: impl Fn(Stored) -> Stored) -> MemoryTree {
    let is_turned = way.config.contains("\"gpt2\"");
    let (mut weights, mut activations): (Vec<Stored>, Vec<Stored>) = (Vec::new(), Vec::new());
    for number in 0..LAYERS {
        let named = |name: &str| format!("{}{number}.{name}", way.stack);
        let of = |first| way.store.tensors(&Layer::of(first + number, way.kv_heads));
        weights.extend(of(0).iter().map(|(name, it)| stored(&named(name), it)));
        // Rows of these are features, and columns samples.
        let written = of(LAYERS).into_iter();
        activations.extend(written.map(|(name, it)| {
            let by_sample = if is_turned { it } else { it.transpose() };
            change(stored(&named(name.trim_end_matches(".weight")), &by_sample))
        }));
    }
    let path = |kind| format!("checkpoints/step_1/learning_dynamics/val_{kind}.pt");
    let config = config(way.config, way.kv_heads).into_bytes();
    let files = vec![
        (path("weights"), file(&weights)),
        (path("activations"), file(&activations)),
        ("config.json".to_owned(), config),
    ];
    MemoryTree::new(way.config, files)
}

#[test]
fn activations_of_other_features_than_the_map_writes_are_refused() {
    // As many samples, but of two positions side by side: what would be cut out is of the first.
    let positions = |(name, shape, entries): Stored| {
        let shape = vec![shape[0] / 2, 2, shape[1]];
        (name, shape, entries)
    };
    for named in ["\"gpt2\"", "internlm2"] {
        let way = WAYS.iter().find(|way| way.config.contains(named)).unwrap();
        let Err(refused) = planned(&recorded(way, positions), CONFIG) else {
            panic!("{named}: a part of activations was taken for all of them");
        };
        let refused = refused.to_string();
        assert!(refused.contains("stands where one of 6 by"), "{refused}");
    }
}

#[test]
fn activations_of_every_storage_give_the_same_circuits() {
    for way in WAYS {
        let found = numbers(&recorded(way, |it| it), CONFIG);
        let expected = numbers(&recorded(&llama(way.kv_heads), |it| it), CONFIG);
        assert_eq!(found.len(), 2 * LAYERS * (HEADS + 1), "{}", way.config);
        for ((place, found), expected) in found.iter().zip(expected.values()) {
            let (found, expected) = (found.unwrap(), expected.unwrap());
            let is_same = (found - expected).abs() < 1e-12 * expected;
            assert!(is_same, "{}: {place:?}: {found} for {expected}", way.config);
        }
    }
}

#[test]
fn a_circuit_of_activations_is_the_activations_times_the_output_projection() {
    let way = llama(2);
    let found = numbers(&recorded(&way, |it| it), CONFIG);
    let (weights, written) = (Layer::of(0, 2), Layer::of(LAYERS, 2));
    let width = weights.output.ncols() / HEADS;
    for head in 0..HEADS {
        let values = written.value.rows(head / 2 * width, width).transpose();
        let circuit = values * weights.output.columns(head * width, width).transpose();
        assert_eq!(circuit.shape(), (D_MODEL, D_MODEL));
        let expected: f64 = circuit.singular_values().iter().sum();
        let of_head = found.iter().find(|((label, _, _, layer, of), _)| {
            (label.as_str(), *layer, *of) == ("nuclear", 0, Some(head as u64))
        });
        let found = of_head.unwrap().1.unwrap();
        assert!(
            (found - expected).abs() < 1e-12 * expected,
            "{head}: {found} for {expected}"
        );
    }
}
