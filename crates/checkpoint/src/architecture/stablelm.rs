//! StableLM.

use super::Architecture;
use super::attention::{AttentionTensors, NormNames};
use super::llama::{APART, GATED, rotation};

/// Norms of queries and keys, where there are any, are LayerNorms with a tensor for each head.
pub(super) const STABLELM: Architecture = Architecture {
    name: "StableLM",
    model_types: &["stablelm", "stablelm_epoch"],
    attention: &[AttentionTensors::apart(
        APART,
        &[NormNames {
            query: "self_attn.q_layernorm.norms",
            key: "self_attn.k_layernorm.norms",
            is_by_head: true,
        }],
    )],
    mlps: &[GATED],
    has_layer_norms: |_| true,
    scores: rotation,
    ..Architecture::EMPTY
};
