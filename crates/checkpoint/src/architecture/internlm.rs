//! `InternLM` 2, whose fused tensor is grouped, and Baichuan, whose is in blocks.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder, PositionalScores};
use super::llama::GATED;
use super::mlp::MlpTensors;

/// `InternLM` 2 and Baichuan.
pub(super) const INTERNLM: Architecture = Architecture {
    name: "InternLM",
    model_types: &["internlm2", "internlm", "internlm3", "baichuan"],
    attention: &[
        AttentionTensors::fused(
            "attention.wqkv",
            |_| Some(FusedOrder::ByGroup),
            "attention.wo",
        ),
        AttentionTensors::fused(
            "self_attn.W_pack",
            |_| Some(FusedOrder::Blocks),
            "self_attn.o_proj",
        ),
        AttentionTensors::apart(super::llama::APART, &[]),
    ],
    mlps: &[
        MlpTensors::gated("feed_forward.w1", "feed_forward.w3", "feed_forward.w2"),
        GATED,
    ],
    embedding: &["tok_embeddings", "embed_tokens"],
    unembedding: &["output", "lm_head"],
    scores: |config| match config?.model_type.as_deref() {
        // The larger Baichuan has ALiBi, and says nothing of it.
        Some("baichuan") => None,
        _ => Some(PositionalScores::Rotation),
    },
    ..Architecture::EMPTY
};
