//! T5 and its kin: encoder-decoders.

use super::Architecture;
use super::attention::{AttentionTensors, PositionalScores};
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors};

/// The MLP is the encoder's second part and the decoder's third; version 1.1 has a gate.
const MLP: &[MlpTensors] = &[
    MlpTensors::gated(
        "layer.1.DenseReluDense.wi_0",
        "layer.1.DenseReluDense.wi_1",
        "layer.1.DenseReluDense.wo",
    ),
    MlpTensors::gated(
        "layer.2.DenseReluDense.wi_0",
        "layer.2.DenseReluDense.wi_1",
        "layer.2.DenseReluDense.wo",
    ),
    MlpTensors::plain("layer.1.DenseReluDense.wi", "layer.1.DenseReluDense.wo"),
    MlpTensors::plain("layer.2.DenseReluDense.wi", "layer.2.DenseReluDense.wo"),
];

/// The same of Switch Transformers, whose sparse layers have experts.
const SWITCH: &[MlpTensors] = &[
    MlpTensors::plain("layer.1.mlp.wi", "layer.1.mlp.wo"),
    MlpTensors::plain("layer.2.mlp.wi", "layer.2.mlp.wo"),
    MlpTensors::Experts(ExpertTensors {
        storage: ExpertStorage::Numbered {
            folder: "layer.1.mlp.experts.expert_",
            linears: EXPERT,
        },
        router: "layer.1.mlp.router.classifier",
        shared: None,
    }),
    MlpTensors::Experts(ExpertTensors {
        storage: ExpertStorage::Numbered {
            folder: "layer.2.mlp.experts.expert_",
            linears: EXPERT,
        },
        router: "layer.2.mlp.router.classifier",
        shared: None,
    }),
];

const EXPERT: Linears = Linears::plain("wi", "wo");

/// T5's attention with mixtures of experts.
pub(super) const SWITCH_TRANSFORMERS: Architecture = Architecture {
    name: "Switch Transformers",
    model_types: &["switch_transformers"],
    mlps: SWITCH,
    ..T5
};

/// T5.
pub(super) const T5: Architecture = Architecture {
    name: "T5",
    model_types: &["t5", "mt5", "umt5", "longt5"],
    attention: &[
        AttentionTensors::apart(
            [
                "layer.0.SelfAttention.q",
                "layer.0.SelfAttention.k",
                "layer.0.SelfAttention.v",
                "layer.0.SelfAttention.o",
            ],
            &[],
        ),
        AttentionTensors::cross([
            "layer.1.EncDecAttention.q",
            "layer.1.EncDecAttention.k",
            "layer.1.EncDecAttention.v",
            "layer.1.EncDecAttention.o",
        ]),
    ],
    mlps: MLP,
    embedding: &["shared", "embed_tokens"],
    scores: |_| Some(PositionalScores::Relative),
    ..Architecture::EMPTY
};
