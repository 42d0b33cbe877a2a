//! Gemma: Llama's names, and norms that multiply with 1 + weight.

use super::Architecture;
use super::attention::AttentionTensors;
use super::llama::{APART, GATED, NORMS};

/// Gemma 1 to 3.
pub(super) const GEMMA: Architecture = Architecture {
    name: "Gemma",
    model_types: &[
        "gemma",
        "gemma2",
        "gemma3",
        "gemma3_text",
        "recurrent_gemma",
        "paligemma",
        "vaultgemma",
    ],
    attention: &[AttentionTensors::apart(APART, NORMS)],
    mlps: &[GATED],
    gains_are_one_plus_weight: true,
    ..Architecture::EMPTY
};
