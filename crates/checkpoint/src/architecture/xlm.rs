//! XLM and Flaubert, whose attentions and MLPs are two stacks.

use super::Architecture;
use super::attention::{AttentionTensors, PositionalScores};
use super::mlp::MlpTensors;

/// XLM: `attentions.3.q_lin` beside `ffns.3.lin1`.
pub(super) const XLM: Architecture = Architecture {
    name: "XLM",
    model_types: &["xlm", "flaubert"],
    attention: &[AttentionTensors::apart(
        ["q_lin", "k_lin", "v_lin", "out_lin"],
        &[],
    )],
    mlps: &[MlpTensors::plain("lin1", "lin2")],
    embedding: &["embeddings"],
    unembedding: &["pred_layer.proj"],
    positions: &["position_embeddings"],
    scores: |_| Some(PositionalScores::Nothing),
    ..Architecture::EMPTY
};
