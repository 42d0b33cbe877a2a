//! One model, stored as many architectures store it: its circuits are the same.

use ckptscope_checkpoint::MemoryTree;
use nalgebra::DMatrix;

use super::support::{Stored, circuits, circuits_by, model, numbers, random, stored, vector};

pub(crate) const D_MODEL: usize = 12;
pub(crate) const HEADS: usize = 4;
const WIDTH: usize = 5;
pub(crate) const LAYERS: usize = 2;

/// The projections of one layer, heads in order.
pub(crate) struct Layer {
    pub(crate) query: DMatrix<f64>,
    pub(crate) key: DMatrix<f64>,
    pub(crate) value: DMatrix<f64>,
    pub(crate) output: DMatrix<f64>,
}

impl Layer {
    pub(crate) fn of(number: usize, kv_heads: usize) -> Self {
        let seed = u32::try_from(10 * number).unwrap();
        Self {
            query: random(HEADS * WIDTH, D_MODEL, seed),
            key: random(kv_heads * WIDTH, D_MODEL, seed + 1),
            value: random(kv_heads * WIDTH, D_MODEL, seed + 2),
            output: random(D_MODEL, HEADS * WIDTH, seed + 3),
        }
    }

    fn kv_heads(&self) -> usize {
        self.key.nrows() / WIDTH
    }
}

/// Rows of one matrix below those of another.
fn below(matrices: &[DMatrix<f64>]) -> DMatrix<f64> {
    let rows: usize = matrices.iter().map(DMatrix::nrows).sum();
    let mut all = DMatrix::zeros(rows, D_MODEL);
    let mut first = 0;
    for matrix in matrices {
        all.rows_mut(first, matrix.nrows()).copy_from(matrix);
        first += matrix.nrows();
    }
    all
}

fn rows(matrix: &DMatrix<f64>, first: usize, count: usize) -> DMatrix<f64> {
    matrix.rows(first, count).into_owned()
}

fn blocks(layer: &Layer) -> DMatrix<f64> {
    below(&[layer.query.clone(), layer.key.clone(), layer.value.clone()])
}

/// The queries of the heads that read a key-value head, its key and its value.
fn by_group(layer: &Layer) -> DMatrix<f64> {
    let queries = HEADS / layer.kv_heads() * WIDTH;
    let group = |k: usize| {
        [
            rows(&layer.query, k * queries, queries),
            rows(&layer.key, k * WIDTH, WIDTH),
            rows(&layer.value, k * WIDTH, WIDTH),
        ]
    };
    let groups: Vec<_> = (0..layer.kv_heads()).flat_map(group).collect();
    below(&groups)
}

/// Four parts of queries, values and keys.
fn four_parts(layer: &Layer) -> DMatrix<f64> {
    let of = HEADS * WIDTH / 4;
    let part = |n: usize| [&layer.query, &layer.value, &layer.key].map(|it| rows(it, n * of, of));
    let parts: Vec<_> = (0..4).flat_map(part).collect();
    below(&parts)
}

/// Tensors of a layer, by what stands behind its number.
pub(crate) type Tensors = Vec<(&'static str, DMatrix<f64>)>;

/// How projections are stored.
#[derive(Clone, Copy)]
pub(crate) enum Store {
    /// Queries, keys, values and outputs under these names.
    Apart([&'static str; 4]),
    /// Queries, keys and values fused so, and outputs, under these names.
    Fused(fn(&Layer) -> DMatrix<f64>, [&'static str; 2]),
    /// Otherwise.
    Own(fn(&Layer) -> Tensors),
}

impl Store {
    pub(crate) fn tensors(self, layer: &Layer) -> Tensors {
        match self {
            Self::Apart(names) => {
                let matrices = [&layer.query, &layer.key, &layer.value, &layer.output];
                names.into_iter().zip(matrices.map(Clone::clone)).collect()
            }
            Self::Fused(fuse, [fused, output]) => {
                vec![(fused, fuse(layer)), (output, layer.output.clone())]
            }
            Self::Own(tensors) => tensors(layer),
        }
    }
}

/// A way to store a model.
pub(crate) struct Way {
    /// What config.json has besides dimensions.
    pub(crate) config: &'static str,
    /// What stands before the layer's number.
    pub(crate) stack: &'static str,
    pub(crate) kv_heads: usize,
    pub(crate) store: Store,
}

const LLAMA: Store = Store::Apart([
    "self_attn.q_proj.weight",
    "self_attn.k_proj.weight",
    "self_attn.v_proj.weight",
    "self_attn.o_proj.weight",
]);

const PICO: Store = Store::Apart([
    "attention.q_proj.weight",
    "attention.k_proj.weight",
    "attention.v_proj.weight",
    "attention.o_proj.weight",
]);

/// Every way but Llama's.
pub(crate) const WAYS: &[Way] = &[
    Way {
        config: r#""model_type": "falcon", "new_decoder_architecture": true, "multi_query": true"#,
        stack: "transformer.h.",
        kv_heads: 2,
        store: Store::Fused(
            by_group,
            [
                "self_attention.query_key_value.weight",
                "self_attention.dense.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "falcon", "new_decoder_architecture": false, "multi_query": false"#,
        stack: "transformer.h.",
        kv_heads: HEADS,
        store: Store::Fused(
            by_group,
            [
                "self_attention.query_key_value.weight",
                "self_attention.dense.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "falcon", "multi_query": true"#,
        stack: "transformer.h.",
        kv_heads: 1,
        store: Store::Fused(
            blocks,
            [
                "self_attention.query_key_value.weight",
                "self_attention.dense.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "falcon""#,
        stack: "transformer.h.",
        kv_heads: 1,
        store: Store::Fused(
            blocks,
            [
                "self_attention.query_key_value.weight",
                "self_attention.dense.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "RefinedWeb", "n_head_kv": 2"#,
        stack: "transformer.h.",
        kv_heads: 2,
        store: Store::Fused(
            by_group,
            [
                "self_attention.query_key_value.weight",
                "self_attention.dense.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "RefinedWeb""#,
        stack: "transformer.h.",
        kv_heads: HEADS,
        store: Store::Fused(
            by_group,
            [
                "self_attention.query_key_value.weight",
                "self_attention.dense.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "gpt_bigcode""#,
        stack: "transformer.h.",
        kv_heads: 1,
        store: Store::Fused(blocks, ["attn.c_attn.weight", "attn.c_proj.weight"]),
    },
    Way {
        config: r#""model_type": "gpt_bigcode", "multi_query": true"#,
        stack: "transformer.h.",
        kv_heads: 1,
        store: Store::Fused(blocks, ["attn.c_attn.weight", "attn.c_proj.weight"]),
    },
    Way {
        config: r#""model_type": "gpt_bigcode", "multi_query": false"#,
        stack: "transformer.h.",
        kv_heads: HEADS,
        store: Store::Fused(by_group, ["attn.c_attn.weight", "attn.c_proj.weight"]),
    },
    Way {
        config: r#""model_type": "gpt2""#,
        stack: "h.",
        kv_heads: HEADS,
        store: Store::Own(|it| {
            vec![
                ("attn.c_attn.weight", blocks(it).transpose()),
                ("attn.c_proj.weight", it.output.transpose()),
            ]
        }),
    },
    Way {
        config: r#""model_type": "qwen""#,
        stack: "transformer.h.",
        kv_heads: HEADS,
        store: Store::Fused(blocks, ["attn.c_attn.weight", "attn.c_proj.weight"]),
    },
    Way {
        config: r#""model_type": "persimmon""#,
        stack: "model.layers.",
        kv_heads: HEADS,
        store: Store::Fused(
            by_group,
            ["self_attn.query_key_value.weight", "self_attn.dense.weight"],
        ),
    },
    Way {
        config: r#""model_type": "dbrx""#,
        stack: "transformer.blocks.",
        kv_heads: 2,
        store: Store::Fused(
            blocks,
            [
                "norm_attn_norm.attn.Wqkv.weight",
                "norm_attn_norm.attn.out_proj.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "xlm""#,
        stack: "transformer.attentions.",
        kv_heads: HEADS,
        store: Store::Apart([
            "q_lin.weight",
            "k_lin.weight",
            "v_lin.weight",
            "out_lin.weight",
        ]),
    },
    Way {
        config: r#""model_type": "codegen""#,
        stack: "transformer.h.",
        kv_heads: HEADS,
        store: Store::Fused(four_parts, ["attn.qkv_proj.weight", "attn.out_proj.weight"]),
    },
    Way {
        config: r#""model_type": "internlm2""#,
        stack: "model.layers.",
        kv_heads: 2,
        store: Store::Fused(by_group, ["attention.wqkv.weight", "attention.wo.weight"]),
    },
    Way {
        config: r#""model_type": "baichuan""#,
        stack: "model.layers.",
        kv_heads: HEADS,
        store: Store::Fused(
            blocks,
            ["self_attn.W_pack.weight", "self_attn.o_proj.weight"],
        ),
    },
    Way {
        config: r#""model_type": "chatglm", "multi_query_attention": true"#,
        stack: "transformer.encoder.layers.",
        kv_heads: 2,
        store: Store::Fused(
            blocks,
            [
                "self_attention.query_key_value.weight",
                "self_attention.dense.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "chatglm", "multi_query_attention": false, "multi_query_group_num": 1"#,
        stack: "transformer.encoder.layers.",
        kv_heads: HEADS,
        store: Store::Fused(
            by_group,
            [
                "self_attention.query_key_value.weight",
                "self_attention.dense.weight",
            ],
        ),
    },
    Way {
        config: r#""model_type": "chatglm", "position_encoding_2d": true"#,
        stack: "transformer.layers.",
        kv_heads: HEADS,
        store: Store::Fused(
            by_group,
            ["attention.query_key_value.weight", "attention.dense.weight"],
        ),
    },
    Way {
        config: r#""model_type": "recurrent_gemma""#,
        stack: "model.layers.",
        kv_heads: 1,
        store: Store::Apart([
            "temporal_block.q_proj.weight",
            "temporal_block.k_proj.weight",
            "temporal_block.v_proj.weight",
            "temporal_block.o_proj.weight",
        ]),
    },
    Way {
        config: r#""model_type": "modernbert-decoder""#,
        stack: "model.layers.",
        kv_heads: HEADS,
        store: Store::Apart([
            "attn.q_proj.weight",
            "attn.k_proj.weight",
            "attn.v_proj.weight",
            "attn.Wo.weight",
        ]),
    },
    Way {
        config: r#""model_type": "nomic_bert""#,
        stack: "encoder.layers.",
        kv_heads: HEADS,
        store: Store::Fused(blocks, ["attn.Wqkv.weight", "attn.out_proj.weight"]),
    },
    Way {
        config: r#""model_type": "modernbert""#,
        stack: "model.layers.",
        kv_heads: HEADS,
        store: Store::Fused(blocks, ["attn.Wqkv.weight", "attn.Wo.weight"]),
    },
    Way {
        config: r#""model_type": "phi""#,
        stack: "model.layers.",
        kv_heads: 2,
        store: Store::Apart([
            "self_attn.q_proj.weight",
            "self_attn.k_proj.weight",
            "self_attn.v_proj.weight",
            "self_attn.dense.weight",
        ]),
    },
    Way {
        config: r#""model_type": "gpt_neo""#,
        stack: "transformer.h.",
        kv_heads: HEADS,
        store: Store::Apart([
            "attn.attention.q_proj.weight",
            "attn.attention.k_proj.weight",
            "attn.attention.v_proj.weight",
            "attn.attention.out_proj.weight",
        ]),
    },
    Way {
        config: r#""model_type": "distilbert""#,
        stack: "distilbert.transformer.layer.",
        kv_heads: HEADS,
        store: Store::Apart([
            "attention.q_lin.weight",
            "attention.k_lin.weight",
            "attention.v_lin.weight",
            "attention.out_lin.weight",
        ]),
    },
    Way {
        config: r#""model_type": "electra""#,
        stack: "electra.encoder.layer.",
        kv_heads: HEADS,
        store: Store::Own(|it| {
            let names = [
                "attention.self.query.weight",
                "attention.self.key.weight",
                "attention.self.value.weight",
                "attention.output.dense.weight",
            ];
            let mut tensors = Store::Apart(names).tensors(it);
            tensors.push(("output.dense.weight", random(D_MODEL, 40, 7)));
            tensors
        }),
    },
    Way {
        config: r#""model_type": "mpnet""#,
        stack: "encoder.layer.",
        kv_heads: HEADS,
        store: Store::Apart([
            "attention.attn.q.weight",
            "attention.attn.k.weight",
            "attention.attn.v.weight",
            "attention.attn.o.weight",
        ]),
    },
    Way {
        config: r#""model_type": "something new""#,
        stack: "layers.",
        kv_heads: 2,
        store: Store::Apart([
            "attention.wq.weight",
            "attention.wk.weight",
            "attention.wv.weight",
            "attention.wo.weight",
        ]),
    },
];

pub(crate) fn config(more: &str, kv_heads: usize) -> String {
    format!(
        r#"{{{more}, "hidden_size": {D_MODEL}, "head_dim": {WIDTH}, "num_attention_heads": {HEADS}, "num_key_value_heads": {kv_heads}, "num_hidden_layers": {LAYERS}}}"#
    )
}

fn tree(way: &Way, change: impl Fn(&mut Layer)) -> MemoryTree {
    let mut tensors: Vec<Stored> = Vec::new();
    for number in 0..LAYERS {
        let mut layer = Layer::of(number, way.kv_heads);
        change(&mut layer);
        let named = way.store.tensors(&layer).into_iter();
        tensors
            .extend(named.map(|(name, it)| stored(&format!("{}{number}.{name}", way.stack), &it)));
    }
    model(way.config, &config(way.config, way.kv_heads), &tensors)
}

pub(crate) fn llama(kv_heads: usize) -> Way {
    Way {
        config: r#""model_type": "llama""#,
        stack: "model.layers.",
        kv_heads,
        store: LLAMA,
    }
}

/// A number's label, component, layer and head.
type WithoutStack = (String, String, u64, Option<u64>);

/// The probe of every part of attention.
const PARTS: &str = "steps: all\nmetrics:\n  - {metric_name: probe, data_split: val, components: \
    [{component_name: simple, data_type: weights, part: [query, key, value, output], layers: all}]}\n";

/// Numbers without the stack, which every library calls otherwise.
fn of(tree: &MemoryTree) -> Vec<(WithoutStack, Option<f64>)> {
    let probes = numbers(tree, &circuits_by("probe", ""));
    let numbers = numbers(tree, &circuits("")).into_iter().chain(probes);
    numbers
        .map(|((label, component, _, layer, head), value)| ((label, component, layer, head), value))
        .collect()
}

fn assert_same(found: &MemoryTree, expected: &MemoryTree, name: &str) {
    let (found, expected) = (of(found), of(expected));
    assert_eq!(found.len(), expected.len(), "{name}");
    for ((place, found), (_, expected)) in found.iter().zip(&expected) {
        let is_same = match (found, expected) {
            (Some(found), Some(expected)) => {
                (found - expected).abs() < 1e-12 * expected.abs().max(1.0)
            }
            // A head whose mean is taken off has less than full rank, and no condition number.
            (found, expected) => found.is_none() && expected.is_none(),
        };
        assert!(is_same, "{name}: {place:?}: {found:?} for {expected:?}");
    }
}

#[test]
fn however_projections_are_stored_their_circuits_are_the_same() {
    for way in WAYS {
        let expected = tree(&llama(way.kv_heads), |_| {});
        assert_same(&tree(way, |_| {}), &expected, way.config);
    }
}

#[test]
fn however_projections_are_stored_their_parts_are_the_same() {
    // The probe sees rows in another order, and a map for its transpose.
    let of = |tree: &MemoryTree| numbers(tree, PARTS).into_values().collect::<Vec<_>>();
    for way in WAYS {
        let expected = of(&tree(&llama(way.kv_heads), |_| {}));
        assert_eq!(expected.len(), 4 * LAYERS);
        assert_eq!(of(&tree(way, |_| {})), expected, "{}", way.config);
    }
}

/// Norms of queries and keys, and what they make of the rows of projections.
struct Normed {
    /// What config.json has besides dimensions.
    config: &'static str,
    /// The tensors within a layer.
    norms: Vec<Stored>,
    /// The gains of queries' and keys' rows, over and over.
    gains: [Vec<f64>; 2],
    /// What is added to gains.
    one: f64,
    /// So many rows of queries and keys have their mean taken off together; 0 for none.
    centred: [usize; 2],
    /// How the projections are stored.
    store: Store,
}

impl Normed {
    fn applied(&self, matrix: &mut DMatrix<f64>, side: usize) {
        let (gains, centred) = (&self.gains[side], self.centred[side]);
        if let Some(groups) = matrix.nrows().checked_div(centred) {
            for group in 0..groups {
                let mut rows = matrix.rows_mut(group * centred, centred);
                let mean = rows.row_mean();
                rows.row_iter_mut().for_each(|mut row| row -= &mean);
            }
        }
        for (row, gain) in (0..matrix.nrows()).zip(gains.iter().cycle()) {
            matrix.row_mut(row).scale_mut(self.one + gain);
        }
    }

    /// The model with norms.
    fn stored(&self) -> MemoryTree {
        let mut tensors = Vec::new();
        for number in 0..LAYERS {
            let named = |name: &str| format!("model.layers.{number}.{name}");
            let layer = self.store.tensors(&Layer::of(number, 2)).into_iter();
            tensors.extend(layer.map(|(name, it)| stored(&named(name), &it)));
            let norms = self.norms.iter();
            tensors.extend(norms.map(|(name, shape, it)| (named(name), shape.clone(), it.clone())));
        }
        model(self.config, &config(self.config, 2), &tensors)
    }
}

fn gains_of_all() -> [Vec<f64>; 2] {
    [(HEADS * WIDTH, 90), (2 * WIDTH, 91)]
        .map(|(count, seed)| random(1, count, seed).as_slice().to_vec())
}

fn gains_of_head() -> [Vec<f64>; 2] {
    gains_of_all().map(|gains| gains[..WIDTH].to_vec())
}

fn named(names: [&str; 2], gains: &[Vec<f64>; 2]) -> Vec<Stored> {
    let named = names.into_iter().zip(gains);
    named.map(|(name, gains)| vector(name, gains)).collect()
}

/// Norms of these gains as most name them, with nothing more to them.
fn rms(config: &'static str, gains: [Vec<f64>; 2]) -> Normed {
    Normed {
        config,
        norms: named(
            ["self_attn.q_norm.weight", "self_attn.k_norm.weight"],
            &gains,
        ),
        gains,
        one: 0.0,
        centred: [0, 0],
        store: LLAMA,
    }
}

/// Gains of all heads, or of one head.
fn normed_by_rms() -> Vec<Normed> {
    vec![
        Normed {
            one: 1.0,
            ..rms(
                r#""model_type": "gemma3_text", "rms_norm_eps": 1e-6"#,
                gains_of_head(),
            )
        },
        rms(
            r#""model_type": "olmoe", "rms_norm_eps": 1e-6"#,
            gains_of_all(),
        ),
        rms(
            r#""model_type": "qwen3_moe", "layer_norm_eps": 1e-6"#,
            gains_of_head(),
        ),
        Normed {
            norms: named(
                ["attention.q_norm.weight", "attention.k_norm.weight"],
                &gains_of_all(),
            ),
            store: PICO,
            ..rms(r#""model_type": "pico_decoder""#, gains_of_all())
        },
    ]
}

/// Norms of queries alone, and of keys alone.
fn normed_on_one_side() -> [Normed; 2] {
    [0, 1].map(|side| {
        let mut gains = gains_of_head();
        gains[1 - side] = vec![1.0];
        let mut normed = rms(r#""model_type": "qwen3""#, gains);
        drop(normed.norms.remove(1 - side));
        normed
    })
}

/// `LayerNorms` with a row of gains for each head, whether a type says it or not.
fn in_rows(config: &'static str) -> Normed {
    let normed = rms(config, gains_of_all());
    let norms = normed.norms.into_iter();
    let in_rows = |(name, shape, gains): Stored| (name, vec![shape[0] / WIDTH, WIDTH], gains);
    Normed {
        norms: norms.map(in_rows).collect(),
        centred: [WIDTH, WIDTH],
        ..rms(config, gains_of_all())
    }
}

/// `LayerNorms` with the same gains for all heads.
fn of_phi() -> Normed {
    let names = [
        "self_attn.q_layernorm.weight",
        "self_attn.k_layernorm.weight",
    ];
    Normed {
        norms: named(names, &gains_of_head()),
        centred: [WIDTH, WIDTH],
        store: Store::Apart([
            "self_attn.q_proj.weight",
            "self_attn.k_proj.weight",
            "self_attn.v_proj.weight",
            "self_attn.dense.weight",
        ]),
        ..rms(r#""model_type": "phi""#, gains_of_head())
    }
}

/// `LayerNorms` of each head, with a tensor of each or with rows, and of all heads at once.
fn normed_by_layer_norm() -> Vec<Normed> {
    let of_all = gains_of_all();
    let apart = ["q", "k"].into_iter().zip(&of_all);
    let apart = apart.flat_map(|(letter, gains)| {
        let heads = gains.chunks(WIDTH).enumerate();
        heads.map(move |(head, gains)| {
            let name = format!("self_attn.{letter}_layernorm.norms.{head}.weight");
            vector(&name, gains)
        })
    });
    let apart = Normed {
        norms: apart.collect(),
        centred: [WIDTH, WIDTH],
        ..rms(r#""model_type": "stablelm""#, gains_of_all())
    };
    let of_mpt = |config, centred| Normed {
        norms: named(["attn.q_ln.weight", "attn.k_ln.weight"], &of_all),
        centred,
        store: Store::Fused(blocks, ["attn.Wqkv.weight", "attn.out_proj.weight"]),
        ..rms(config, gains_of_all())
    };
    vec![
        in_rows(r#""model_type": "cohere", "rms_norm_eps": 1e-5"#),
        in_rows(r#""rms_norm_eps": 1e-5"#),
        apart,
        of_phi(),
        of_mpt(r#""model_type": "mpt""#, [HEADS * WIDTH, 2 * WIDTH]),
        of_mpt(
            r#""model_type": "mpt", "norm_type": "low_precision_rmsnorm""#,
            [0, 0],
        ),
    ]
}

#[test]
fn norms_of_queries_and_keys_are_part_of_circuits() {
    let models = normed_by_rms().into_iter().chain(normed_on_one_side());
    for normed in models.chain(normed_by_layer_norm()) {
        let expected = tree(&llama(2), |layer| {
            normed.applied(&mut layer.query, 0);
            normed.applied(&mut layer.key, 1);
        });
        assert_same(&normed.stored(), &expected, normed.config);
    }
}

/// Layers from one on, named as BART's.
fn bart_layers(stack: &str, first: usize) -> Vec<Stored> {
    let names = Store::Apart([
        "self_attn.q_proj.weight",
        "self_attn.k_proj.weight",
        "self_attn.v_proj.weight",
        "self_attn.out_proj.weight",
    ]);
    let of_layer = |number: usize| {
        let layer = names.tensors(&Layer::of(first + number, HEADS)).into_iter();
        layer.map(move |(name, it)| stored(&format!("{stack}{number}.{name}"), &it))
    };
    (0..LAYERS).flat_map(of_layer).collect()
}

#[test]
fn encoder_and_decoder_have_circuits_of_their_own() {
    let [encoder, decoder] = ["model.encoder.layers.", "model.decoder.layers."];
    let mut tensors = bart_layers(encoder, 0);
    tensors.extend(bart_layers(decoder, LAYERS));
    // What the class calls the heads of all layers are the encoder's alone.
    let config = r#"{"model_type": "bart", "num_hidden_layers": 2, "num_attention_heads": 4,
        "encoder_attention_heads": 4, "decoder_attention_heads": 2}"#;
    let both = model("bart", config, &tensors);
    let all = numbers(&both, &circuits(""));
    let mut compared = 0;
    for (stack, first, heads) in [(encoder, 0, 4), (decoder, LAYERS, 2)] {
        let config = format!(r#"{{"model_type": "opt", "num_attention_heads": {heads}}}"#);
        let alone = model("alone", &config, &bart_layers("decoder.layers.", first));
        for ((label, component, _, layer, head), expected) in numbers(&alone, &circuits("")) {
            let place = (label, component, stack.to_owned(), layer, head);
            let (found, expected) = (all[&place].unwrap(), expected.unwrap());
            assert!((found - expected).abs() < 1e-12 * expected, "{place:?}");
            compared += 1;
        }
    }
    assert_eq!(all.len(), compared);
    let chosen = numbers(&both, &circuits(", stack: encoder"));
    assert!(
        chosen
            .iter()
            .all(|(place, value)| all[place] == *value && place.2 == encoder)
    );
}
