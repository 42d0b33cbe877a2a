//! MPT.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder, NormNames, PositionalScores};
use super::mlp::MlpTensors;

/// MPT: all queries, all keys, all values. Where `qk_ln` asks for norms of queries and keys, they
/// are of the kind that `norm_type` names: a `LayerNorm` where it names none.
pub(super) const MPT: Architecture = Architecture {
    name: "MPT",
    model_types: &["mpt"],
    attention: &[AttentionTensors::fused(
        "attn.Wqkv",
        |_| Some(FusedOrder::Blocks),
        "attn.out_proj",
    )
    .normed(&[NormNames::of("attn.q_ln", "attn.k_ln")])],
    mlps: &[MlpTensors::plain("ffn.up_proj", "ffn.down_proj")],
    has_layer_norms: |config| {
        let kind = config.and_then(|config| config.text("norm_type"));
        kind.is_none_or(|kind| !kind.to_ascii_lowercase().contains("rms"))
    },
    embedding: &["wte"],
    positions: &["wpe"],
    scores: |config| match config?.part("attn_config").and_then(|it| it.flag("alibi")) {
        Some(false) => None,
        Some(true) | None => Some(PositionalScores::Alibi),
    },
    ..Architecture::EMPTY
};
