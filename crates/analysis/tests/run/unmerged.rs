//! Weights that the model does not compute with as they are stored: adapters and masks beside them,
//! and packed bytes that are called floats.

use ckptscope_checkpoint::MemoryTree;
use proptest::prelude::*;

use crate::support::{layers, planned, safetensors, tree};

const MODULE: &str = "model.layers.{}.self_attn.v_proj.";

/// A checkpoint of two layers whose `v_proj` has a weight and these.
fn run_of(beside: &[(&str, &[u64])], config: &str) -> MemoryTree {
    let named = |name: &str| format!("{MODULE}{name}");
    let beside: Vec<_> = beside.iter().map(|(name, it)| (named(name), *it)).collect();
    let tensors: Vec<_> = beside
        .iter()
        .map(|(name, it)| (name.as_str(), *it))
        .collect();
    let files = vec![
        (
            "model.safetensors".to_owned(),
            safetensors(&layers(2, &tensors)),
        ),
        ("config.json".to_owned(), config.as_bytes().to_vec()),
    ];
    tree(files)
}

/// What is said of the weight.
fn told(tree: &MemoryTree, suffix: &str) -> Vec<String> {
    let config = format!(
        "metrics:\n  - metric_name: gini\n    data_split: val\n    components:\n      - \
         component_name: simple\n        data_type: weights\n        layer_suffixes: {suffix}\n        \
         layers: all\nsteps: all\n"
    );
    let (_, _, plan) = planned(tree, &config);
    let of_storage = |said: &String| said.starts_with("weights of `");
    plan.warnings.into_iter().filter(of_storage).collect()
}

#[test]
fn a_mask_that_is_not_applied_is_told() {
    let tree = run_of(&[("weight", &[8, 8]), ("weight_mask", &[8, 8])], "{}");
    let said = told(&tree, "self_attn.v_proj");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("`weight_mask`, which is not applied"),
        "{said:?}"
    );
}

#[test]
fn an_adapter_of_what_is_wrapped_is_told() {
    for (wrapped, adapter) in [
        ("base_layer", "lora_A.default.weight"),
        ("linear", "lora_B"),
    ] {
        let weight = format!("{wrapped}.weight");
        let tree = run_of(&[(&weight, &[8, 8]), (adapter, &[2, 8])], "{}");
        let said = told(&tree, &format!("self_attn.v_proj.{wrapped}"));
        assert!(said.len() == 1 && said[0].contains(adapter), "{said:?}");
    }
}

#[test]
fn a_column_of_floats_is_packed_where_the_config_says_so() {
    let few = r#"{"quantization_config": {"load_in_4bit": true, "bnb_4bit_quant_storage": "f32"}}"#;
    let column: &[(&str, &[u64])] = &[("weight", &[32, 1])];
    let said = told(&run_of(column, few), "self_attn.v_proj");
    assert!(
        said.len() == 1 && said[0].contains("it is packed"),
        "{said:?}"
    );
    assert_eq!(told(&run_of(column, "{}"), "self_attn.v_proj"), [""; 0]);
    assert_eq!(
        told(&run_of(&[("weight", &[1, 32])], few), "self_attn.v_proj"),
        [""; 0]
    );
}

proptest! {
    /// Whatever adapter stands beside a weight is told, and what is of none is not.
    #[test]
    fn adapters_are_told(
        kind in prop::sample::select(vec!["lora_A", "lora_B", "hada_w1_a", "lokr_w1", "ia3_l", "oft_r", "vera_lambda_b"]),
        name in prop::sample::select(vec!["", ".weight", ".default", ".default.weight"]),
        other in prop::sample::select(vec!["bias", "norm.weight", "lorax.weight", "inner.lora_A"]),
    ) {
        let adapter = format!("{kind}{name}");
        let with = run_of(&[("weight", &[8, 8]), (&adapter, &[2, 8]), (other, &[8])], "{}");
        let said = told(&with, "self_attn.v_proj");
        prop_assert_eq!(said.len(), 1);
        prop_assert!(said[0].contains(&format!("`{adapter}` of an adapter")), "{:?}", said);
        let without = run_of(&[("weight", &[8, 8]), (other, &[8])], "{}");
        prop_assert_eq!(told(&without, "self_attn.v_proj"), Vec::<String>::new());
    }
}
