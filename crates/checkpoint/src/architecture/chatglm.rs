//! `ChatGLM` 2 and 3, and GLM 4 as they were first published.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder};
use super::llama::rotation;
use super::mlp::{Linears, MlpTensors};

/// `ChatGLM`: all queries, all keys, all values where several heads share a key-value head, else
/// every head's query, key and value. The first version has other names, and always the latter.
pub(super) const CHATGLM: Architecture = Architecture {
    name: "ChatGLM",
    model_types: &["chatglm"],
    attention: &[
        AttentionTensors::fused_by_type(
            "self_attention.query_key_value",
            |config| match config?.flag("multi_query_attention") {
                Some(true) => Some(FusedOrder::Blocks),
                Some(false) | None => Some(FusedOrder::ByHead),
            },
            "self_attention.dense",
        ),
        AttentionTensors::fused_by_type(
            "attention.query_key_value",
            |_| Some(FusedOrder::ByHead),
            "attention.dense",
        ),
    ],
    mlps: &[MlpTensors::Dense(Linears::Fused {
        gate_up: "mlp.dense_h_to_4h",
        takes_turns: false,
        down: "mlp.dense_4h_to_h",
    })],
    embedding: &["word_embeddings"],
    unembedding: &["output_layer"],
    scores: rotation,
    ..Architecture::EMPTY
};
