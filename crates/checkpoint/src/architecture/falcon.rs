//! Falcon, in its three layouts.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder};
use super::mlp::{Linears, MlpTensors};
use crate::run::ModelConfig;

/// Falcon 7B (one key-value head), 40B and 180B (grouped), and those of `RefinedWeb` (by head).
pub(super) const FALCON: Architecture = Architecture {
    name: "Falcon",
    model_types: &["falcon", "RefinedWeb", "RefinedWebModel"],
    attention: &[AttentionTensors::fused_by_type(
        "self_attention.query_key_value",
        order,
        "self_attention.dense",
    )],
    mlps: &[MlpTensors::Dense(Linears::Plain {
        up: "mlp.dense_h_to_4h",
        down: "mlp.dense_4h_to_h",
    })],
    embedding: &["word_embeddings"],
    ..Architecture::EMPTY
};

/// Keys that are left out are the class's defaults: one key-value head, the old architecture.
fn order(config: Option<&ModelConfig>) -> Option<FusedOrder> {
    let config = config?;
    let is_new = config.flag("new_decoder_architecture") == Some(true);
    let has_groups = config.has("n_head_kv") && config.model_type.as_deref() == Some("RefinedWeb");
    Some(match config.flag("multi_query") {
        _ if is_new || has_groups => FusedOrder::ByGroup,
        Some(false) => FusedOrder::ByHead,
        Some(true) | None => FusedOrder::Blocks,
    })
}
