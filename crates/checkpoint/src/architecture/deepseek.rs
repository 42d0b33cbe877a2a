//! `DeepSeek` V2 and V3: attention by way of latents, and experts beside shared ones.

use super::Architecture;
use super::attention::{AttentionKind, AttentionStorage, AttentionTensors};
use super::llama::{GATED, SHARED_EXPERTS, STACKED_EXPERTS, rotation};

/// Keys and values read one narrow latent, queries another where `q_lora_rank` says so.
const LATENT: AttentionTensors = AttentionTensors {
    kind: AttentionKind::Itself,
    storage: AttentionStorage::Latent {
        query: "self_attn.q_proj",
        query_latent: [
            "self_attn.q_a_proj",
            "self_attn.q_a_layernorm",
            "self_attn.q_b_proj",
        ],
        key_value_latent: [
            "self_attn.kv_a_proj_with_mqa",
            "self_attn.kv_a_layernorm",
            "self_attn.kv_b_proj",
        ],
    },
    output: "self_attn.o_proj",
    norms: &[],
};

/// `DeepSeek` V2, V3 and who names tensors like them.
pub(super) const DEEPSEEK: Architecture = Architecture {
    name: "DeepSeek",
    model_types: &["deepseek_v2", "deepseek_v3", "kimi_k2", "minicpm3"],
    attention: &[LATENT],
    mlps: &[GATED, SHARED_EXPERTS, STACKED_EXPERTS],
    scores: rotation,
    ..Architecture::EMPTY
};
