//! BLOOM.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder, PositionalScores};
use super::mlp::MlpTensors;

/// BLOOM: every head's query, key and value together.
pub(super) const BLOOM: Architecture = Architecture {
    name: "BLOOM",
    model_types: &["bloom"],
    attention: &[AttentionTensors::fused_by_type(
        "self_attention.query_key_value",
        |_| Some(FusedOrder::ByHead),
        "self_attention.dense",
    )],
    mlps: &[MlpTensors::plain("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")],
    embedding: &["word_embeddings"],
    scores: |_| Some(PositionalScores::Alibi),
    ..Architecture::EMPTY
};
