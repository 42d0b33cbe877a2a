//! GPT-NeoX, of which Pythia is.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder};
use super::llama::rotation;
use super::mlp::MlpTensors;

/// GPT-NeoX: every head's query, key and value together.
pub(super) const GPT_NEOX: Architecture = Architecture {
    name: "GPT-NeoX",
    model_types: &["gpt_neox", "gpt_neox_japanese"],
    attention: &[AttentionTensors::fused(
        "attention.query_key_value",
        |_| Some(FusedOrder::ByHead),
        "attention.dense",
    )],
    mlps: &[MlpTensors::plain("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")],
    embedding: &["embed_in"],
    unembedding: &["embed_out"],
    scores: rotation,
    ..Architecture::EMPTY
};
