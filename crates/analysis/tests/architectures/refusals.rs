//! Where names, shapes and config do not fit, nothing is made up.

use super::support::{Stored, circuits, model, planned, random, stored};

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
    ] {
        let refused = refused(config, &shapes);
        assert!(refused.contains(expected), "{refused}");
    }
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
