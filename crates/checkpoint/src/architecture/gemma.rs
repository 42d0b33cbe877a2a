//! Gemma: Llama's names, and norms that multiply with 1 + weight.

use super::Architecture;
use super::attention::AttentionTensors;
use super::llama::{APART, GATED, NORMS, rotation};
use super::mlp::MlpTensors;

/// Gemma 1 to 3.
pub(super) const GEMMA: Architecture = Architecture {
    name: "Gemma",
    model_types: &[
        "gemma",
        "gemma2",
        "gemma3",
        "gemma3_text",
        "paligemma",
        "vaultgemma",
    ],
    attention: &[AttentionTensors::apart(APART, NORMS)],
    mlps: &[GATED],
    gains_are_one_plus_weight: true,
    scores: rotation,
    ..Architecture::EMPTY
};

/// Gemma 3n, whose norms multiply with the weight alone.
pub(super) const GEMMA_3N: Architecture = Architecture {
    name: "Gemma 3n",
    model_types: &["gemma3n", "gemma3n_text"],
    gains_are_one_plus_weight: false,
    no_circuits: Some(
        "the last layers attend to keys and values of earlier layers, not to their own",
    ),
    ..GEMMA
};

/// `RecurrentGemma`: attention in every third layer.
pub(super) const RECURRENT_GEMMA: Architecture = Architecture {
    name: "RecurrentGemma",
    model_types: &["recurrent_gemma"],
    attention: &[AttentionTensors::apart(
        [
            "temporal_block.q_proj",
            "temporal_block.k_proj",
            "temporal_block.v_proj",
            "temporal_block.o_proj",
        ],
        &[],
    )],
    mlps: &[MlpTensors::gated(
        "mlp_block.gate_proj",
        "mlp_block.up_proj",
        "mlp_block.down_proj",
    )],
    scores: rotation,
    ..Architecture::EMPTY
};
