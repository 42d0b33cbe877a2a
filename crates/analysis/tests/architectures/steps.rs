//! A step that stores a layer otherwise than others gives no numbers that mean something else.

use ckptscope_checkpoint::MemoryTree;

use super::relatives::{LAYERS, Layer, WAYS, Way, config};
use super::support::{
    Stored, circuits_by, file, numbers, numbers_by_step, planned, stored, told, vector,
};

const METRIC: &str = "norm, norm_type: nuclear";

fn layers(way: &Way, kv_heads: usize) -> Vec<Stored> {
    let of_layer = |number| {
        let layer = way.store.tensors(&Layer::of(number, kv_heads)).into_iter();
        layer.map(move |(name, it)| stored(&format!("{}{number}.{name}", way.stack), &it))
    };
    (0..LAYERS).flat_map(of_layer).collect()
}

/// The model at these steps.
fn run(config: String, steps: &[Vec<Stored>]) -> MemoryTree {
    let path = |step: usize| format!("checkpoint-{step}/model.safetensors");
    let files = steps.iter().enumerate();
    let files = files.map(|(number, tensors)| (path(number + 1), file(tensors)));
    let mut files: Vec<(String, Vec<u8>)> = files.collect();
    files.push(("config.json".to_owned(), config.into_bytes()));
    MemoryTree::new("run", files)
}

fn way(named: &str) -> &'static Way {
    WAYS.iter().find(|way| way.config.contains(named)).unwrap()
}

#[test]
fn a_step_that_stores_a_layer_otherwise_is_left_out_with_a_word() {
    let way = way("internlm2");
    // One key-value head fewer: the same name, and other rows of it.
    let both = config(way.config, 2).replace(", \"num_key_value_heads\": 2", "");
    let tree = run(both, &[layers(way, 2), layers(way, 1)]);
    let alone = config(way.config, 2);
    let alone = run(alone, &[layers(way, 2)]);
    let text = circuits_by(METRIC, "");
    let plan = planned(&tree, &text).unwrap();
    for component in ["ov_circuit", "qk_circuit"] {
        for layer in 0..LAYERS {
            let expected = format!(
                "{component} in layer {layer}, stored otherwise than at other steps: not at steps \
                 2; skipped there"
            );
            assert!(told(&plan).contains(&&*expected), "{:?}", plan.warnings);
        }
    }
    assert_eq!(numbers(&tree, &text), numbers(&alone, &text));
    let mut steps = plan.lanes.iter().flat_map(|lane| &lane.steps);
    assert!(steps.all(|step| step.step == 1));
}

#[test]
fn a_norm_that_comes_later_is_another_way_to_store_a_layer() {
    let way = way("something new");
    let mut later = layers(way, 2);
    for number in 0..LAYERS {
        let name = format!("{}{number}.attention.q_norm.weight", way.stack);
        later.push(vector(&name, &[2.0; 5]));
    }
    let tree = run(config(way.config, 2), &[layers(way, 2), later]);
    let plan = planned(&tree, &circuits_by(METRIC, "")).unwrap();
    let told = told(&plan);
    let of = |component: &str| {
        let begin = format!("{component} in layer 0, stored otherwise");
        told.iter().any(|it| it.starts_with(&begin))
    };
    assert!(of("qk_circuit") && !of("ov_circuit"), "{told:?}");
}

#[test]
fn a_step_whose_shapes_contradict_the_config_is_refused() {
    let way = way("internlm2");
    let tree = run(config(way.config, 2), &[layers(way, 2), layers(way, 1)]);
    let Err(refused) = planned(&tree, &circuits_by(METRIC, "")) else {
        panic!("numbers of another model");
    };
    let refused = refused.to_string();
    let expected = "n_kv_heads is 2 as config.json says, but `attention.wqkv.weight` has the shape \
                    for 1";
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn a_step_without_values_or_tensors_costs_no_other() {
    let way = way("something new");
    let changed = |change: &dyn Fn(&str) -> Option<String>| {
        let tensors = layers(way, 2).into_iter();
        let change = |(name, shape, entries): Stored| Some((change(&name)?, shape, entries));
        tensors.filter_map(change).collect::<Vec<Stored>>()
    };
    let packed = changed(&|name| Some(name.replace("wv.weight", "wv.qweight")));
    let without = changed(&|name| (!name.contains("wv")).then(|| name.to_owned()));
    let text = circuits_by(METRIC, "");
    let alone = numbers(&run(config(way.config, 2), &[layers(way, 2)]), &text);
    for (other, said) in [
        (packed, "no numbers at steps"),
        (
            without,
            "weights of `attention.wv` in layer 0, val split: not at steps",
        ),
    ] {
        for (steps, other_step) in [
            ([layers(way, 2), other.clone()], 2),
            ([other, layers(way, 2)], 1),
        ] {
            let tree = run(config(way.config, 2), &steps);
            let plan = planned(&tree, &text).unwrap();
            let told = told(&plan);
            let expected = format!("{said} {other_step}");
            assert!(told.iter().any(|it| it.contains(&expected)), "{told:?}");
            let found = numbers_by_step(&tree, &text).into_iter();
            let found = found.filter(|((step, _), _)| *step != other_step);
            let found = found.map(|((_, place), value)| (place, value));
            assert!(found.eq(alone.clone()), "{said}");
        }
    }
}
