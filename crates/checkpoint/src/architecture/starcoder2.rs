//! `StarCoder` 2: Llama's attention, and an MLP without a gate under GPT-2's names.

use super::Architecture;
use super::attention::AttentionTensors;
use super::llama::{APART, rotation};
use super::mlp::MlpTensors;

/// `StarCoder` 2.
pub(super) const STARCODER2: Architecture = Architecture {
    name: "StarCoder2",
    model_types: &["starcoder2"],
    attention: &[AttentionTensors::apart(APART, &[])],
    mlps: &[MlpTensors::plain("mlp.c_fc", "mlp.c_proj")],
    scores: rotation,
    ..Architecture::EMPTY
};
