//! Where names, shapes and config do not fit, nothing is made up.

use super::support::{
    Stored, circuits, circuits_by, model, numbers, planned, random, stored, told, vector,
};

const D_MODEL: usize = 12;

fn tensors(shapes: &[(&str, usize, usize)]) -> Vec<Stored> {
    let tensor = |(name, rows, columns): &(&str, usize, usize)| {
        stored(
            &format!("model.layers.0.{name}.weight"),
            &random(*rows, *columns, 1),
        )
    };
    shapes.iter().map(tensor).collect()
}

const LLAMA: [(&str, usize, usize); 4] = [
    ("self_attn.q_proj", 20, D_MODEL),
    ("self_attn.k_proj", 10, D_MODEL),
    ("self_attn.v_proj", 10, D_MODEL),
    ("self_attn.o_proj", D_MODEL, 20),
];

fn refused(config: &str, shapes: &[(&str, usize, usize)]) -> String {
    let tree = model("model", config, &tensors(shapes));
    match planned(&tree, &circuits("")) {
        Ok(_) => panic!("made up from {config}"),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn dimensions_that_contradict_each_other_are_refused() {
    let with = |shape| {
        let mut shapes = LLAMA;
        shapes[1] = shape;
        shapes
    };
    for (config, shapes, expected) in [
        (
            r#"{"model_type": "llama", "num_attention_heads": 3}"#,
            LLAMA,
            "`self_attn.q_proj.weight` has 20 rows, which are no multiple of 3 attention heads",
        ),
        (
            r#"{"model_type": "llama", "num_attention_heads": 4, "head_dim": 4}"#,
            LLAMA,
            "d_head is 4 as config.json says, but `self_attn.q_proj.weight` has the shape for 5",
        ),
        (
            r#"{"model_type": "llama", "num_attention_heads": 4, "num_key_value_heads": 4}"#,
            LLAMA,
            "n_kv_heads is 4 as config.json says, but `self_attn.k_proj.weight` has the shape for 2",
        ),
        (
            r#"{"model_type": "llama", "num_attention_heads": 4}"#,
            with(("self_attn.k_proj", 15, D_MODEL)),
            "`self_attn.v_proj.weight` has 10 rows where 15 belong",
        ),
        (
            r#"{"model_type": "llama"}"#,
            LLAMA,
            "the number of attention heads is not known",
        ),
        (
            r#"{"model_type": "llama", "num_attention_heads": 4, "hidden_size": 20}"#,
            LLAMA,
            "d_model is 20 as config.json says, but `self_attn.q_proj.weight` has the shape for 12",
        ),
        // Half of the rows of a layer, or a layer that has lost half of its heads.
        (
            r#"{"model_type": "llama", "num_attention_heads": 4, "hidden_size": 12}"#,
            LLAMA,
            "d_model / n_heads is 3 as config.json says, but `self_attn.q_proj.weight` has the \
             shape for 5",
        ),
        (
            r#"{"model_type": "bert", "num_attention_heads": 4, "pruned_heads": {"0": [1, 2]}}"#,
            LLAMA,
            "names heads that were pruned",
        ),
        (
            r#"{"model_type": "diffllama", "num_attention_heads": 4, "head_dim": 5}"#,
            LLAMA,
            "DiffLlama models have no such circuits: heads work in pairs",
        ),
        (
            r#"{"model_type": "gemma3n_text", "num_attention_heads": 4, "head_dim": 5}"#,
            LLAMA,
            "Gemma 3n models have no such circuits: the last layers attend to keys",
        ),
    ] {
        let refused = refused(config, &shapes);
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn fused_and_narrow_projections_read_the_stream_of_the_model() {
    let heads = r#""num_attention_heads": 4, "hidden_size": 20"#;
    let fused = [
        ("attention.query_key_value", 60, D_MODEL),
        ("attention.dense", D_MODEL, 20),
    ];
    let latent = [
        ("self_attn.q_proj", 32, D_MODEL),
        ("self_attn.kv_a_proj_with_mqa", 9, D_MODEL),
        ("self_attn.kv_b_proj", 40, 6),
        ("self_attn.o_proj", D_MODEL, 20),
    ];
    for (model_type, shapes, tensor) in [
        ("gpt_neox", &fused[..], "attention.query_key_value"),
        ("deepseek_v3", &latent[..], "self_attn.kv_a_proj_with_mqa"),
    ] {
        let refused = refused(
            &format!(r#"{{"model_type": "{model_type}", {heads}}}"#),
            shapes,
        );
        let expected = format!(
            "d_model is 20 as config.json says, but `{tensor}.weight` has the shape for 12"
        );
        assert!(refused.contains(&expected), "{refused}");
    }
}

#[test]
fn values_have_a_width_of_their_own_only_where_the_config_says_so() {
    let shapes = [
        ("self_attn.q_proj", 20, D_MODEL),
        ("self_attn.k_proj", 10, D_MODEL),
        ("self_attn.v_proj", 6, D_MODEL),
        ("self_attn.o_proj", D_MODEL, 12),
    ];
    let with = |more: &str| format!(r#"{{"model_type": "llama", "num_attention_heads": 4{more}}}"#);
    let said = with(r#", "head_dim": 5, "v_head_dim": 3"#);
    let tree = model("model", &said, &tensors(&shapes));
    assert!(planned(&tree, &circuits("")).is_ok());
    for (more, expected) in [
        (
            "",
            "`self_attn.o_proj.weight` has 12 columns where 20 belong",
        ),
        (
            r#", "head_dim": 5"#,
            "d_head is 5 as config.json says, but `self_attn.o_proj.weight` has the shape for 3",
        ),
        (
            r#", "head_dim": 5, "v_head_dim": 4"#,
            "v_head_dim is 4 as config.json says",
        ),
    ] {
        let refused = refused(&with(more), &shapes);
        assert!(refused.contains(expected), "{refused}");
    }
}

/// A text model beside others in one file.
fn beside(others: &str, stack: &str) -> Vec<String> {
    let config = format!(
        r#"{{"text_config": {{"model_type": "llama", "num_attention_heads": 4}}, {others}}}"#
    );
    let mut all = tensors(&LLAMA);
    let of_other = tensors(&LLAMA).into_iter();
    all.extend(of_other.map(|(name, shape, it)| (name.replace("model.", stack), shape, it)));
    let tree = model("model", &config, &all);
    let found = numbers(&tree, &circuits_by("norm, norm_type: nuclear", ""));
    let stacks = found.keys().map(|(_, _, stack, ..)| stack.clone());
    let stacks: std::collections::BTreeSet<String> = stacks.collect();
    stacks.into_iter().collect()
}

#[test]
fn other_models_of_a_file_do_not_get_the_heads_of_the_text_model() {
    for (others, stack) in [
        (
            r#""qformer_config": {"num_attention_heads": 2}"#,
            "qformer.encoder.",
        ),
        (r#""qformer_config": {"vocab_size": 9}"#, "qformer.encoder."),
        (r#""vision_config": {}"#, "vision_tower.encoder."),
        (r#""talker_config": {"hidden_size": 9}"#, "talker.model."),
    ] {
        assert_eq!(beside(others, stack), ["model.layers."], "{others}");
    }
}

#[test]
fn tensors_beside_projections_that_are_no_part_of_circuits_are_told() {
    let heads = r#""num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 5"#;
    let plan = |model_type: &str, more: &[&str]| {
        let mut all = tensors(&LLAMA);
        let beside = more
            .iter()
            .map(|name| vector(&format!("model.layers.0.{name}"), &[1.0; 5]));
        all.extend(beside);
        let config = format!(r#"{{"model_type": "{model_type}", {heads}}}"#);
        let plan = planned(
            &model("model", &config, &all),
            &circuits_by("stable_rank", ""),
        );
        plan.unwrap()
    };
    let harmless = [
        "self_attn.q_proj.bias",
        "self_attn.rotary_emb.inv_freq",
        "self_attn.sinks",
        "self_attn.bias",
        "input_layernorm.weight",
    ];
    assert_eq!(told(&plan("llama", &harmless)).len(), 1);
    for (model_type, name) in [
        ("llama", "self_attn.attn_sub_norm.weight"),
        ("llama", "self_attn.q_proj.lora_A.default.weight"),
        ("starcoder2", "self_attn.q_norm.weight"),
        ("gpt_oss", "self_attn.k_norm.weight"),
        ("llama", "self_attn.q_scale"),
    ] {
        let plan = plan(model_type, &[name]);
        for component in ["ov", "qk"] {
            let expected =
                format!("{component}_circuit: `{name}` beside the projections are left out");
            assert!(told(&plan).contains(&&*expected), "{:?}", plan.warnings);
        }
    }
}

#[test]
fn what_is_usual_of_an_unknown_type_is_said_to_be_assumed() {
    let config = r#"{"model_type": "new", "num_attention_heads": 4, "head_dim": 5}"#;
    let mut all = tensors(&LLAMA);
    for name in ["q_norm", "k_norm"] {
        all.push(vector(
            &format!("model.layers.0.self_attn.{name}.weight"),
            &[1.0; 5],
        ));
    }
    let plan = planned(&model("model", config, &all), &circuits("")).unwrap();
    for expected in [
        "norms of queries, keys and latents are taken for x / rms(x) times the weight",
        "each key-value head is taken for that of 2 heads in a row",
    ] {
        let mut told = plan.warnings.iter();
        assert!(told.any(|it| it.ends_with(expected)), "{:?}", plan.warnings);
    }
    // Of a lone norm it is said that there is no other.
    all.pop();
    let plan = planned(&model("model", config, &all), &circuits("")).unwrap();
    let expected = "there is a norm `self_attn.q_norm` and no `self_attn.k_norm`";
    let mut told = plan.warnings.iter();
    assert!(told.any(|it| it.contains(expected)), "{:?}", plan.warnings);
}

#[test]
fn a_fused_tensor_has_an_order_only_where_the_type_says_it() {
    let shapes = [
        ("self_attention.query_key_value", 60, D_MODEL),
        ("self_attention.dense", D_MODEL, 20),
    ];
    for (config, expected) in [
        (r#"{"num_attention_heads": 4}"#, "nothing says it"),
        (
            r#"{"model_type": "new", "num_attention_heads": 4}"#,
            "`new` is not known to store them so",
        ),
    ] {
        let refused = refused(config, &shapes);
        assert!(refused.contains(expected), "{refused}");
        assert!(
            refused.contains("`self_attention.query_key_value` holds queries"),
            "{refused}"
        );
    }
}

#[test]
fn gpt_2_is_known_by_name_only_where_its_maps_are_turned() {
    let turned = [("attn.c_attn", D_MODEL, 36), ("attn.c_proj", 12, D_MODEL)];
    let stored = [("attn.c_attn", 36, D_MODEL), ("attn.c_proj", D_MODEL, 12)];
    let heads = r#"{"num_attention_heads": 4}"#;
    assert!(planned(&model("model", heads, &tensors(&turned)), &circuits("")).is_ok());
    let refused = refused(heads, &stored);
    assert!(
        refused.contains("`attn.c_attn` holds queries, keys and values in an order"),
        "{refused}"
    );
}

#[test]
fn tensors_of_unknown_names_are_no_attention() {
    let refused = refused(r#"{"num_attention_heads": 4}"#, &[("mix.a", 20, D_MODEL)]);
    assert!(
        refused.contains("no tensors of attention were recognised"),
        "{refused}"
    );
    assert!(refused.contains("layers have mix.a"), "{refused}");
}

#[test]
fn what_is_assumed_of_an_unknown_type_is_said() {
    let config = r#"{"model_type": "new", "num_attention_heads": 4}"#;
    let plan = planned(&model("model", config, &tensors(&LLAMA)), &circuits("")).unwrap();
    let told = plan
        .warnings
        .iter()
        .filter(|it| it.contains("the model's type `new` is not known"));
    assert_eq!(told.count(), 2, "{:?}", plan.warnings);
}

#[test]
fn a_dimension_that_config_json_lacks_can_be_said() {
    let tree = model("model", "", &tensors(&LLAMA));
    let said = format!("model: {{n_heads: 4}}\n{}", circuits(""));
    assert!(planned(&tree, &said).is_ok());
}

#[test]
fn circuits_of_named_tensors_take_no_keys_of_roles() {
    let text = circuits(", layer_suffixes: {output_layer: a, value_layer: b}, gains: false");
    let refused =
        ckptscope_analysis::Config::parse(&text, &ckptscope_analysis::Registry::default());
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("gains"), "{refused}");
}
