//! Persimmon, and Fuyu, which reads images with it.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder, NormNames};
use super::llama::rotation;
use super::mlp::MlpTensors;

/// Persimmon: every head's query, key and value together, each normed by a `LayerNorm`.
pub(super) const PERSIMMON: Architecture = Architecture {
    name: "Persimmon",
    model_types: &["persimmon", "fuyu"],
    attention: &[AttentionTensors::fused_by_type(
        "self_attn.query_key_value",
        |_| Some(FusedOrder::ByHead),
        "self_attn.dense",
    )
    .normed(&[NormNames::of(
        "self_attn.q_layernorm",
        "self_attn.k_layernorm",
    )])],
    mlps: &[MlpTensors::plain("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")],
    has_layer_norms: |_| true,
    scores: rotation,
    ..Architecture::EMPTY
};
