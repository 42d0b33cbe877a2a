//! Cohere's Command models.

use super::Architecture;
use super::attention::AttentionTensors;
use super::llama::{APART, GATED, NORMS, rotation};

/// Their norms of queries and keys are LayerNorms over each head, with gains of every head.
pub(super) const COHERE: Architecture = Architecture {
    name: "Cohere",
    model_types: &["cohere", "cohere2"],
    attention: &[AttentionTensors::apart(APART, NORMS)],
    mlps: &[GATED],
    has_layer_norms: |_| true,
    scores: rotation,
    ..Architecture::EMPTY
};
