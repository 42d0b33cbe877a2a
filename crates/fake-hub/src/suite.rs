//! A repository with a revision for each of many steps, as suites of models are published.

use crate::repository::Repository;

/// The repository of [`suite`].
pub const SUITE: &str = "ckptscope/suite";

/// The step of [`suite`] that has the bytes of the last one.
pub const FINAL_TOO_SOON: u64 = 57_000;

/// The step of [`suite`] that has the bytes of the one before, which is 1000 steps earlier.
pub const LIKE_ITS_NEIGHBOUR: u64 = 81_000;

/// The step of [`suite`] that has no weights.
pub const WITHOUT_WEIGHTS: u64 = 99_000;

/// The step of [`suite`] whose model lacks [`LACKING_TENSOR`].
pub const LACKING: u64 = 120_000;

/// What the model of step [`LACKING`] lacks.
pub const LACKING_TENSOR: &str = "model.layers.1.self_attn.v_proj.weight";

/// The file that has a step's model.
const MODEL: &str = "model.safetensors";

/// A model's config.
const CONFIG: &str = r#"{"hidden_size": 6, "num_hidden_layers": 2, "num_attention_heads": 2}"#;

/// The steps of [`suite`], ascending: 154 of them.
#[must_use]
pub fn steps() -> Vec<u64> {
    let early = [0].into_iter().chain((0..10).map(|power| 1 << power));
    early
        .chain((1..=143).map(|thousand| thousand * 1000))
        .collect()
}

/// [`SUITE`]: a branch `step{N}` for each of the [`steps`], of which four are wrong, and the last
/// step on `main`.
#[must_use]
pub fn suite() -> Repository {
    let mut suite = sound(SUITE, &steps());
    let last = steps().last().copied().unwrap_or_default();
    let mut replace = |step: u64, model: Option<Vec<u8>>| {
        suite.commit(&format!("step{step}"), "Upload", [(MODEL, model)]);
    };
    replace(FINAL_TOO_SOON, Some(model(last, &[])));
    replace(
        LIKE_ITS_NEIGHBOUR,
        Some(model(LIKE_ITS_NEIGHBOUR - 1000, &[])),
    );
    replace(WITHOUT_WEIGHTS, None);
    replace(LACKING, Some(model(LACKING, &[LACKING_TENSOR])));
    suite
}

/// A repository with a branch `step{N}` for each step, of which the last is on `main` too.
#[must_use]
pub fn sound(name: &str, steps: &[u64]) -> Repository {
    let mut suite = Repository::new(name);
    let config = CONFIG.as_bytes().to_vec();
    suite.commit("main", "Say what this is", [("config.json", Some(config))]);
    for step in steps {
        let files = [(MODEL, Some(model(*step, &[])))];
        suite.commit(&format!("step{step}"), "Upload", files);
    }
    if let Some(last) = steps.last() {
        suite.commit("main", "Upload", [(MODEL, Some(model(*last, &[])))]);
    }
    suite
}

/// A model of two layers as safetensors: numbers that no other step has, without these tensors.
#[must_use]
pub fn model(step: u64, without: &[&str]) -> Vec<u8> {
    let shapes = [
        ("model.embed_tokens.weight", [16, 6]),
        ("model.layers.0.self_attn.v_proj.weight", [6, 6]),
        ("model.layers.0.mlp.down_proj.weight", [6, 12]),
        ("model.layers.1.self_attn.v_proj.weight", [6, 6]),
        ("model.layers.1.mlp.down_proj.weight", [6, 12]),
    ];
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (index, (name, shape)) in shapes.iter().enumerate() {
        if without.contains(name) {
            continue;
        }
        let start = data.len();
        let [rows, columns] = shape;
        let seed = step.wrapping_mul(31).wrapping_add(index as u64);
        data.extend(
            numbers(seed)
                .take(rows * columns)
                .flat_map(f32::to_le_bytes),
        );
        let end = data.len();
        entries.push(format!(
            r#""{name}":{{"dtype":"F32","shape":[{rows},{columns}],"data_offsets":[{start},{end}]}}"#
        ));
    }
    let header = format!("{{{}}}", entries.join(","));
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &data].concat()
}

/// Numbers of no pattern between -1 and 1, from a linear congruential generator.
fn numbers(seed: u64) -> impl Iterator<Item = f32> {
    let first = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |state: &u64| {
        let next = state.wrapping_mul(6_364_136_223_846_793_005);
        Some(next.wrapping_add(1_442_695_040_888_963_407))
    };
    let states = std::iter::successors(Some(first), next);
    states.map(|state| {
        let bytes = state.to_le_bytes();
        f32::from(i16::from_le_bytes([bytes[5], bytes[6]])) / 32768.0
    })
}
