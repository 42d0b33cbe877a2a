//! Microsoft's Phi: versions 1 and 2 apart, 3 and 4 fused.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder, NormNames};
use super::llama::rotation;
use super::mlp::{Linears, MlpTensors};

/// Phi 1, 1.5 and 2.
pub(super) const PHI: Architecture = Architecture {
    name: "Phi",
    model_types: &["phi"],
    attention: &[
        AttentionTensors::apart(
            [
                "self_attn.q_proj",
                "self_attn.k_proj",
                "self_attn.v_proj",
                "self_attn.dense",
            ],
            &[NormNames::of(
                "self_attn.q_layernorm",
                "self_attn.k_layernorm",
            )],
        ),
        AttentionTensors::fused("mixer.Wqkv", |_| Some(FusedOrder::Blocks), "mixer.out_proj"),
    ],
    mlps: &[MlpTensors::plain("mlp.fc1", "mlp.fc2")],
    has_layer_norms: |_| true,
    scores: rotation,
    ..Architecture::EMPTY
};

/// Phi 3 and 4: all queries, all keys, all values; the gate's rows, then what it multiplies.
pub(super) const PHI3: Architecture = Architecture {
    name: "Phi 3",
    model_types: &["phi3", "phi4", "phi4_multimodal", "glm", "glm4"],
    attention: &[
        AttentionTensors::fused(
            "self_attn.qkv_proj",
            |_| Some(FusedOrder::Blocks),
            "self_attn.o_proj",
        ),
        AttentionTensors::apart(super::llama::APART, &[]),
    ],
    mlps: &[MlpTensors::Dense(Linears::Fused {
        gate_up: "mlp.gate_up_proj",
        takes_turns: false,
        down: "mlp.down_proj",
    })],
    scores: rotation,
    ..Architecture::EMPTY
};
