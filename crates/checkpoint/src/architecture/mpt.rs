//! MPT.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder};
use super::mlp::{Linears, MlpTensors};

/// MPT: all queries, all keys, all values.
pub(super) const MPT: Architecture = Architecture {
    name: "MPT",
    model_types: &["mpt"],
    attention: &[AttentionTensors::fused(
        "attn.Wqkv",
        |_| Some(FusedOrder::Blocks),
        "attn.out_proj",
    )],
    mlps: &[MlpTensors::Dense(Linears::Plain {
        up: "ffn.up_proj",
        down: "ffn.down_proj",
    })],
    embedding: &["wte"],
    positions: &["wpe"],
    ..Architecture::EMPTY
};
