//! `ChatGLM` 2 and 3, and GLM 4 as they were first published.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder};
use super::mlp::{Linears, MlpTensors};

/// `ChatGLM`: all queries, all keys, all values.
pub(super) const CHATGLM: Architecture = Architecture {
    name: "ChatGLM",
    model_types: &["chatglm"],
    attention: &[AttentionTensors::fused_by_type(
        "self_attention.query_key_value",
        |_| Some(FusedOrder::Blocks),
        "self_attention.dense",
    )],
    mlps: &[MlpTensors::Dense(Linears::Fused {
        gate_up: "mlp.dense_h_to_4h",
        takes_turns: false,
        down: "mlp.dense_4h_to_h",
    })],
    embedding: &["word_embeddings"],
    unembedding: &["output_layer"],
    ..Architecture::EMPTY
};
