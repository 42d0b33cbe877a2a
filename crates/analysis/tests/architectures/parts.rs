//! Parts of models by name: whatever tensor they are in, and however it is stored.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use ckptscope_analysis::run_lane;
use ckptscope_checkpoint::{LocalTree, MemoryTree, Tree};
use ckptscope_protocol::Event;
use ckptscope_results::Value;
use futures_lite::future::block_on;
use nalgebra::DMatrix;

use super::models::folder;
use super::support::{Stored, model, planned, random, stored};

const D_MODEL: usize = 6;
const D_MLP: usize = 10;
const EXPERTS: usize = 3;

/// A config of these components of weights.
fn config(components: &[&str]) -> String {
    let mut text = "steps: all\nmetrics:\n".to_owned();
    for (label, metric) in [("norm", "norm"), ("per", "per"), ("probe", "probe")] {
        write!(
            text,
            "  - {{metric_name: {metric}, name: {label}, data_split: val, components: ["
        )
        .unwrap();
        for component in components {
            write!(
                text,
                "{{component_name: simple, data_type: weights, {component}}}, "
            )
            .unwrap();
        }
        text += "]}\n";
    }
    text
}

/// A number's label, component, layer and expert.
type Place = (String, String, Option<u64>, Option<u64>);

fn numbers(tree: &dyn Tree, text: &str) -> BTreeMap<Place, f64> {
    let plan = planned(tree, text).unwrap_or_else(|errors| panic!("{}: {errors}", tree.name()));
    let mut numbers = BTreeMap::new();
    for lane in &plan.lanes {
        let mut listener = |event| {
            if let Event::Number(number) = event {
                let id = &number.id;
                let (label, component) = (id.entry.label.to_string(), id.component.to_string());
                let value = number.value.as_ref().and_then(Value::number);
                let place = (label, component, id.layer, id.expert);
                assert_eq!(numbers.insert(place, value.unwrap()), None);
            }
            ControlFlow::Continue(())
        };
        block_on(run_lane(lane, tree, &mut listener)).unwrap();
    }
    assert_eq!(numbers.len() as u64, plan.cost.numbers);
    numbers
}

/// The config of a model of a type.
fn typed(model_type: &str) -> String {
    format!(r#"{{"model_type": "{model_type}", "hidden_size": {D_MODEL}}}"#)
}

/// The same that says whether the unembedding is the embedding.
fn tied(model_type: &str, is_tied: bool) -> String {
    typed(model_type).replace('}', &format!(", \"tie_word_embeddings\": {is_tied}}}"))
}

/// The maps of an MLP.
struct Mlp {
    gate: DMatrix<f64>,
    up: DMatrix<f64>,
    down: DMatrix<f64>,
}

impl Mlp {
    fn of(seed: u32) -> Self {
        Self {
            gate: random(D_MLP, D_MODEL, seed),
            up: random(D_MLP, D_MODEL, seed + 1),
            down: random(D_MODEL, D_MLP, seed + 2),
        }
    }

    /// The gate's rows before those of what it multiplies.
    fn blocks(&self) -> DMatrix<f64> {
        let row = |row: usize| match row.checked_sub(D_MLP) {
            None => self.gate.row(row),
            Some(row) => self.up.row(row),
        };
        DMatrix::from_rows(
            &(0..2 * D_MLP)
                .map(|it| row(it).into_owned())
                .collect::<Vec<_>>(),
        )
    }

    /// The same, taking turns.
    fn turns(&self) -> DMatrix<f64> {
        let row = |row: usize| match row % 2 {
            0 => self.gate.row(row / 2),
            _ => self.up.row(row / 2),
        };
        DMatrix::from_rows(
            &(0..2 * D_MLP)
                .map(|it| row(it).into_owned())
                .collect::<Vec<_>>(),
        )
    }
}

/// Matrices in one tensor.
fn stack(name: &str, matrices: &[DMatrix<f64>]) -> Stored {
    let (rows, columns) = matrices[0].shape();
    let entries = matrices
        .iter()
        .flat_map(|it| it.transpose().as_slice().to_vec());
    let shape = vec![matrices.len(), rows, columns];
    (name.to_owned(), shape, entries.collect())
}

const PARTS: &[&str] = &["part: [gate, up, down], layers: all"];

/// The numbers of an MLP as Llama stores it.
fn of_llama(mlp: &Mlp) -> BTreeMap<Place, f64> {
    let tensors = [("gate", &mlp.gate), ("up", &mlp.up), ("down", &mlp.down)];
    let tensors = tensors
        .map(|(name, matrix)| stored(&format!("model.layers.0.mlp.{name}_proj.weight"), matrix));
    let named =
        ["gate", "up", "down"].map(|name| format!("layer_suffixes: mlp.{name}_proj, layers: all"));
    let tree = model("llama", &typed("llama"), &tensors);
    let by_name = numbers(&tree, &config(&named.each_ref().map(String::as_str)));
    let by_part = numbers(&tree, &config(PARTS));
    // Both are in the order of their names.
    assert!(by_name.values().eq(by_part.values()));
    by_part
}

fn assert_close(found: f64, expected: f64, name: &str) {
    assert!(
        (found - expected).abs() <= 1e-12 * expected.abs(),
        "{name}: {found} for {expected}"
    );
}

#[test]
fn a_gate_is_found_in_whatever_tensor_it_is() {
    let mlp = Mlp::of(1);
    let expected = of_llama(&mlp);
    let layer = |name: &str| format!("layers.0.{name}.weight");
    for (model_type, fused, matrix, down) in [
        ("phi3", "mlp.gate_up_proj", mlp.blocks(), "mlp.down_proj"),
        ("glm4", "mlp.gate_up_proj", mlp.blocks(), "mlp.down_proj"),
        (
            "chatglm",
            "mlp.dense_h_to_4h",
            mlp.blocks(),
            "mlp.dense_4h_to_h",
        ),
        ("modernbert", "mlp.Wi", mlp.blocks(), "mlp.Wo"),
    ] {
        let tensors = [
            stored(&layer(fused), &matrix),
            stored(&layer(down), &mlp.down),
        ];
        let tree = model(model_type, &typed(model_type), &tensors);
        for (place, found) in numbers(&tree, &config(PARTS)) {
            assert_close(found, expected[&place], model_type);
        }
    }
}

#[test]
fn maps_are_turned_where_they_are_stored_the_other_way() {
    let mlp = Mlp::of(5);
    let expected = of_llama(&mlp);
    // Queries, keys and values in a row say which way linear maps are stored, also without a type.
    for config_json in [r#"{"model_type": "gpt2", "n_head": 2}"#, ""] {
        let tensors = [
            stored("h.0.attn.c_attn.weight", &random(D_MODEL, 3 * D_MODEL, 9)),
            stored("h.0.attn.c_proj.weight", &random(D_MODEL, D_MODEL, 8)),
            stored("h.0.mlp.c_fc.weight", &mlp.up.transpose()),
            stored("h.0.mlp.c_proj.weight", &mlp.down.transpose()),
        ];
        let tree = model("gpt2", config_json, &tensors);
        let plan = planned(&tree, &config(&["part: [up, down], layers: all"])).unwrap();
        let views = plan.lanes[0].jobs.iter().map(|job| {
            let input = &job.assembly.as_ref().unwrap().inputs[0];
            input.projection.view.transposed
        });
        assert!(views.clone().all(|it| it) && views.count() == 2);
        for (place, found) in numbers(&tree, &config(&["part: [up, down], layers: all"])) {
            assert_close(found, expected[&place], config_json);
        }
    }
}

#[test]
fn every_expert_has_its_own_numbers_also_where_all_are_in_one_tensor() {
    let experts = experts();
    let all = |map| of_each(&experts, map);
    let numbered = |folder: &str, names: [&str; 3]| {
        let mut tensors = Vec::new();
        for (number, expert) in experts.iter().enumerate() {
            for (name, matrix) in names.iter().zip([&expert.gate, &expert.up, &expert.down]) {
                tensors.push(stored(
                    &format!("layers.4.{folder}.{number}.{name}.weight"),
                    matrix,
                ));
            }
        }
        tensors
    };
    let gpt_oss = vec![
        stack(
            "layers.4.mlp.experts.gate_up_proj",
            &all(|it| it.turns().transpose()),
        ),
        stack(
            "layers.4.mlp.experts.down_proj",
            &all(|it| it.down.transpose()),
        ),
    ];
    let granite = vec![
        stack(
            "layers.4.block_sparse_moe.input_linear.weight",
            &all(Mlp::blocks),
        ),
        stack(
            "layers.4.block_sparse_moe.output_linear.weight",
            &all(|it| it.down.clone()),
        ),
    ];
    for (model_type, tensors) in [
        (
            "jamba",
            numbered(
                "feed_forward.experts",
                ["gate_proj", "up_proj", "down_proj"],
            ),
        ),
        (
            "mixtral",
            numbered("block_sparse_moe.experts", ["w1", "w3", "w2"]),
        ),
        (
            "qwen3_moe",
            numbered("mlp.experts", ["gate_proj", "up_proj", "down_proj"]),
        ),
        (
            "deepseek_v3",
            numbered("mlp.experts", ["gate_proj", "up_proj", "down_proj"]),
        ),
        ("gpt_oss", gpt_oss),
        ("granitemoe", granite),
    ] {
        assert_are_experts(model_type, &tensors, &experts);
    }
}

/// The experts of a layer.
fn experts() -> Vec<Mlp> {
    (0..EXPERTS).map(|it| Mlp::of(20 + 3 * it as u32)).collect()
}

/// A matrix of each.
fn of_each(experts: &[Mlp], map: fn(&Mlp) -> DMatrix<f64>) -> Vec<DMatrix<f64>> {
    experts.iter().map(map).collect()
}

/// The rows of a matrix of each, one expert below the other.
fn below(experts: &[Mlp], map: fn(&Mlp) -> DMatrix<f64>) -> DMatrix<f64> {
    let all = of_each(experts, map);
    let (rows, columns) = all[0].shape();
    DMatrix::from_fn(rows * all.len(), columns, |row, column| {
        all[row / rows][(row % rows, column)]
    })
}

/// Whether tensors of layer 4 have the numbers of these experts.
fn assert_are_experts(model_type: &str, tensors: &[Stored], experts: &[Mlp]) {
    let tree = model(model_type, &typed(model_type), tensors);
    let found = numbers(&tree, &config(PARTS));
    assert_eq!(found.len(), 9 * EXPERTS, "{model_type}");
    for ((label, component, layer, expert), found) in found {
        assert_eq!(layer, Some(4));
        let expected = of_llama(&experts[expert.unwrap() as usize]);
        let place = (label, component, Some(0), None);
        assert_close(found, expected[&place], model_type);
    }
}

#[test]
fn experts_are_stacked_as_what_they_read_and_write_fits() {
    let experts = experts();
    let stacked = |folder: &str, gate_up: fn(&Mlp) -> DMatrix<f64>, down| {
        let name = |tensor| format!("layers.4.{folder}.{tensor}_proj");
        vec![
            stack(&name("gate_up"), &of_each(&experts, gate_up)),
            stack(&name("down"), &of_each(&experts, down)),
        ]
    };
    let in_out = |folder| {
        stacked(
            folder,
            |it| it.blocks().transpose(),
            |it| it.down.transpose(),
        )
    };
    let out_in = || stacked("mlp.experts", Mlp::blocks, |it| it.down.clone());
    for (model_type, tensors) in [
        ("llama4_text", in_out("feed_forward.experts")),
        ("jamba", in_out("feed_forward.experts")),
        ("qwen3_vl_moe_text", in_out("mlp.experts")),
        ("qwen3_moe", out_in()),
        ("mixtral", out_in()),
        ("deepseek_v3", out_in()),
    ] {
        assert_are_experts(model_type, &tensors, &experts);
    }
}

#[test]
fn experts_below_each_other_are_as_many_as_the_router_knows() {
    let experts = experts();
    let named = |name: &str, map| {
        stored(
            &format!("blocks.4.ffn.experts.mlp.{name}"),
            &below(&experts, map),
        )
    };
    let router = random(EXPERTS, D_MODEL, 1);
    let tensors = [
        named("w1", |it| it.gate.clone()),
        named("v1", |it| it.up.clone()),
        named("w2", |it| it.down.transpose()),
        stored("blocks.4.ffn.router.layer.weight", &router),
    ];
    assert_are_experts("dbrx", &tensors, &experts);
}

#[test]
fn experts_have_numbers_behind_a_word_too() {
    let experts: Vec<Mlp> = (0..EXPERTS).map(|it| Mlp::of(50 + 3 * it as u32)).collect();
    let mut tensors = Vec::new();
    for (number, expert) in experts.iter().enumerate() {
        for (name, matrix) in [("wi", &expert.up), ("wo", &expert.down)] {
            let name = format!("encoder.block.0.layer.1.mlp.experts.expert_{number}.{name}.weight");
            tensors.push(stored(&name, matrix));
        }
    }
    let model_type = "switch_transformers";
    let tree = model(model_type, &typed(model_type), &tensors);
    let found = numbers(&tree, &config(&["part: [up, down], layers: all"]));
    assert_eq!(found.len(), 6 * EXPERTS);
    for ((label, component, layer, expert), found) in found {
        let expected = of_llama(&experts[expert.unwrap() as usize]);
        assert_close(
            found,
            expected[&(label, component, layer, None)],
            model_type,
        );
    }
}

#[test]
fn stacked_experts_whose_order_no_other_tensor_tells_are_refused() {
    let alone = [stack("layers.0.mlp.experts.down_proj", &[Mlp::of(3).down])];
    let tree = model("qwen3_moe", &typed("qwen3_moe"), &alone);
    let refused = refused(&tree, "part: down, layers: all");
    assert!(
        refused.contains("there is no `mlp.experts.gate_up_proj`"),
        "{refused}"
    );
}

#[test]
fn gates_of_stacked_experts_have_an_order_only_where_the_type_says_it() {
    let mlp = Mlp::of(3);
    let tensors = [
        stack(
            "layers.0.mlp.experts.gate_up_proj",
            &[mlp.blocks().transpose()],
        ),
        stack("layers.0.mlp.experts.down_proj", &[mlp.down.transpose()]),
    ];
    for (config, expected) in [
        (String::new(), "nothing says it"),
        (typed("new"), "`new` is not known to store them so"),
    ] {
        let refused = refused(&model("new", &config, &tensors), "part: gate, layers: all");
        assert!(
            refused.contains("holds gates and what they are multiplied with"),
            "{refused}"
        );
        assert!(refused.contains(expected), "{refused}");
    }
}

/// The sums of the squares of some components of each layer, experts together.
fn squares(tree: &dyn Tree, components: &[&str]) -> BTreeMap<Option<u64>, f64> {
    let mut squares = BTreeMap::new();
    for ((label, _, layer, _), value) in numbers(tree, &config(components)) {
        if label == "norm" {
            *squares.entry(layer).or_default() += value * value;
        }
    }
    squares
}

#[test]
fn parts_of_tiny_models_make_up_their_tensors() {
    for (name, parts, tensors) in [
        (
            "llama",
            "[query, key, value, output]",
            "[self_attn.q_proj, self_attn.k_proj, self_attn.v_proj, self_attn.o_proj]",
        ),
        (
            "llama",
            "[gate, up, down]",
            "[mlp.gate_proj, mlp.up_proj, mlp.down_proj]",
        ),
        ("gpt2", "[query, key, value]", "attn.c_attn"),
        ("gpt2", "[up, down]", "[mlp.c_fc, mlp.c_proj]"),
        (
            "gpt_neox",
            "[query, key, value]",
            "attention.query_key_value",
        ),
        (
            "bloom",
            "[query, key, value]",
            "self_attention.query_key_value",
        ),
        (
            "falcon-multi-query",
            "[query, key, value]",
            "self_attention.query_key_value",
        ),
        (
            "mpt",
            "[query, key, value, output]",
            "[attn.Wqkv, attn.out_proj]",
        ),
        ("phi3", "[query, key, value]", "self_attn.qkv_proj"),
        ("phi3", "[gate, up]", "mlp.gate_up_proj"),
        ("opt", "[up, down]", "[fc1, fc2]"),
        ("bert", "[up, down]", "[intermediate.dense, output.dense]"),
        ("starcoder2", "[up, down]", "[mlp.c_fc, mlp.c_proj]"),
        ("gptj", "[up, down]", "[mlp.fc_in, mlp.fc_out]"),
        ("gpt_oss", "[gate, up]", "mlp.experts.gate_up_proj"),
        ("gpt_oss", "down", "mlp.experts.down_proj"),
        ("gpt_oss", "router", "mlp.router"),
        ("mixtral", "router", "block_sparse_moe.gate"),
        (
            "deepseek_v2",
            "[shared_gate, shared_up, shared_down]",
            "[mlp.shared_experts.gate_proj, mlp.shared_experts.up_proj, mlp.shared_experts.down_proj]",
        ),
        (
            "qwen2_moe",
            "[router, shared_router]",
            "[mlp.gate, mlp.shared_expert_gate]",
        ),
    ] {
        let tree = LocalTree::scan(folder().join(name)).unwrap();
        let by_part = squares(&tree, &[&format!("part: {parts}, layers: all")]);
        let by_name = squares(&tree, &[&format!("layer_suffixes: {tensors}, layers: all")]);
        assert!(by_part.keys().eq(by_name.keys()), "{name} {parts}");
        for (layer, found) in by_part {
            assert_close(found, by_name[&layer], &format!("{name} {parts}"));
        }
    }
}

#[test]
fn layers_that_have_another_part_are_left_out() {
    // The first layer has one MLP, the others have experts.
    let tree = LocalTree::scan(folder().join("deepseek_v2")).unwrap();
    let found = numbers(&tree, &config(&["part: down, layers: all"]));
    let experts = |layer| {
        let of_layer = found
            .keys()
            .filter(move |it| it.0 == "norm" && it.2 == Some(layer));
        of_layer.map(|it| it.3).collect::<Vec<_>>()
    };
    assert_eq!(experts(0), [None]);
    assert_eq!(experts(1), [Some(0), Some(1), Some(2), Some(3)]);
    let found = numbers(&tree, &config(&["part: router, layers: all"]));
    assert!(found.keys().all(|it| it.2 != Some(0)) && !found.is_empty());
}

fn refused(tree: &dyn Tree, component: &str) -> String {
    match planned(tree, &config(&[component])) {
        Ok(_) => panic!("{component} was made up"),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn what_a_model_does_not_have_is_said() {
    let of = |name: &str| LocalTree::scan(folder().join(name)).unwrap();
    for (name, component, said) in [
        (
            "mamba",
            "part: value, layers: all",
            "Mamba models have no attention",
        ),
        (
            "gpt2",
            "part: gate, layers: all",
            "no tensors of `gate` were recognised",
        ),
        (
            "deepseek_v2",
            "part: router, layers: [0]",
            "layer 0: no tensors of `router`",
        ),
        (
            "llama",
            "part: positions, layers: none",
            "no tensors of `positions` were recognised",
        ),
        (
            "llama",
            "part: positions, layers: none",
            "outside of layers there are lm_head",
        ),
    ] {
        let refused = refused(&of(name), component);
        assert!(refused.contains(said), "{name}: {refused}");
    }
}

#[test]
fn an_mlp_whose_shapes_do_not_fit_its_names_is_refused_and_not_halved() {
    let mlp = Mlp::of(40);
    let tensors = [
        stored("layers.0.mlp.dense_h_to_4h.weight", &mlp.blocks()),
        stored("layers.0.mlp.dense_4h_to_h.weight", &mlp.down),
    ];
    let neox = model("neox", &typed("gpt_neox"), &tensors);
    let said = refused(&neox, "part: up, layers: all");
    assert!(said.contains("has 20 rows where 10 belong"), "{said}");
    // Without a type the architecture that they fit is taken, and that is said.
    let unknown = model("unknown", "", &tensors);
    let plan = planned(&unknown, &config(&["part: up, layers: all"])).unwrap();
    let told = |word: &str| plan.warnings.iter().any(|it| it.contains(word));
    assert!(told("taken for those of ChatGLM"), "{:?}", plan.warnings);
    let found = numbers(&unknown, &config(&["part: up, layers: all"]));
    assert_close(
        found[&("norm".to_owned(), "up".to_owned(), Some(0), None)],
        mlp.up.norm(),
        "up",
    );
}

/// A model with these tensors outside of its layers.
fn outside(config: &str, names: &[&str]) -> MemoryTree {
    let mut tensors = vec![stored(
        "model.layers.0.mlp.up_proj.weight",
        &random(4, 3, 1),
    )];
    let named = names.iter().zip(2..);
    tensors.extend(named.map(|(name, seed)| stored(name, &random(7, 3, seed))));
    model("outside", config, &tensors)
}

#[test]
fn embeddings_are_found_outside_of_layers() {
    let names = ["model.embed_tokens.weight", "lm_head.weight"];
    let tree = outside(&typed("llama"), &names);
    let parts = numbers(
        &tree,
        &config(&["part: [embedding, unembedding], layers: none"]),
    );
    let named = "layer_suffixes: [model.embed_tokens, lm_head], layers: none";
    let named = numbers(&tree, &config(&[named]));
    for (part, name) in [
        ("embedding", "model.embed_tokens"),
        ("unembedding", "lm_head"),
    ] {
        let of = |name: &str| ("norm".to_owned(), name.to_owned(), None, None);
        assert_close(parts[&of(part)], named[&of(name)], part);
    }
}

#[test]
fn an_unembedding_that_is_the_embedding_is_said_and_one_that_is_not_there_is_not_made_up() {
    let part = "part: unembedding, layers: none";
    let names = ["model.embed_tokens.weight"];
    let of = |config: &str| outside(config, &names);
    for (config_json, said) in [
        (&tied("qwen2", true), None),
        (&typed("smollm3"), Some("no config says that it is not")),
    ] {
        let plan = planned(&of(config_json), &config(&[part])).unwrap();
        let warnings = plan.warnings.join("\n");
        assert!(
            warnings.contains("unembedding: model.embed_tokens"),
            "{warnings}"
        );
        assert_eq!(
            warnings.contains("no config says"),
            said.is_some(),
            "{warnings}"
        );
    }
    let untied = of(&tied("llama", false));
    let said = refused(&untied, part);
    assert!(said.contains("no tensors of `unembedding`"), "{said}");
}

#[test]
fn of_several_embeddings_none_is_taken() {
    let names = [
        "encoder.embed_positions.weight",
        "decoder.embed_positions.weight",
    ];
    let tree = outside(&typed("whisper"), &names);
    let said = refused(&tree, "part: positions, layers: none");
    assert!(said.contains("several tensors of `positions`"), "{said}");
    assert!(said.contains("encoder.embed_positions"), "{said}");
}

#[test]
fn activations_are_samples_by_features_whichever_way_weights_are_stored() {
    let values = random(20, 3 * D_MODEL, 77);
    let weights = [
        stored("h.0.attn.c_attn.weight", &random(D_MODEL, 3 * D_MODEL, 9)),
        stored("h.0.attn.c_proj.weight", &random(D_MODEL, D_MODEL, 8)),
    ];
    let file = |tensors: &[Stored]| {
        let tree = model("part", "", tensors);
        block_on(async {
            let source = tree.open("model.safetensors").await.unwrap();
            source.read_at(0, source.bytes()).await.unwrap()
        })
    };
    let activations = [stored("h.0.attn.c_attn", &values)];
    let at = |kind: &str| format!("checkpoints/step_1/learning_dynamics/val_{kind}.pt");
    let files = vec![
        (at("weights"), file(&weights)),
        (at("activations"), file(&activations)),
        (
            "config.json".to_owned(),
            br#"{"model_type": "gpt2", "n_head": 2}"#.to_vec(),
        ),
    ];
    let tree = MemoryTree::new("run", files);
    let text = config(&["part: value, layers: all"]).replace("weights", "activations");
    let found = numbers(&tree, &text.replace("per, name: per", "hoyer, name: per"));
    let expected = values.columns(2 * D_MODEL, D_MODEL).norm();
    let place = ("norm".to_owned(), "value".to_owned(), Some(0), None);
    assert_close(found[&place], expected, "values of activations");
}
