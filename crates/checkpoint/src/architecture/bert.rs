//! BERT and its kin: encoders.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder, PositionalScores};
use super::llama::rotation;
use super::mlp::{Linears, MlpTensors};
use crate::run::ModelConfig;

const EMBEDDING: &[&str] = &["word_embeddings", "tok_embeddings"];
const UNEMBEDDING: &[&str] = &[
    "cls.predictions.decoder",
    "lm_head.decoder",
    "vocab_projector",
    "generator_lm_head",
];
const POSITIONS: &[&str] = &["position_embeddings"];

/// The MLP of most of them; `output.dense` is its own, not attention's.
const MLP: MlpTensors = MlpTensors::plain("intermediate.dense", "output.dense");

/// What positions do to scores, as a key says it.
fn scores(config: Option<&ModelConfig>) -> Option<PositionalScores> {
    let config = config?;
    match (
        config.model_type.as_deref(),
        config.text("position_embedding_type"),
    ) {
        (Some("roformer"), _) | (_, Some("rotary")) => Some(PositionalScores::Rotation),
        (Some("mpnet"), _) => Some(PositionalScores::Relative),
        (_, Some(kind)) if kind.starts_with("relative") => Some(PositionalScores::Relative),
        _ => Some(PositionalScores::Nothing),
    }
}

/// BERT, `RoBERTa`, ELECTRA, ALBERT, `MPNet` and vision transformers.
pub(super) const BERT: Architecture = Architecture {
    name: "BERT",
    model_types: &[
        "bert",
        "bert-generation",
        "roberta",
        "xlm-roberta",
        "xlm-roberta-xl",
        "roberta-prelayernorm",
        "camembert",
        "electra",
        "ernie",
        "esm",
        "layoutlm",
        "roformer",
        "albert",
        "mpnet",
        "vit",
        "deit",
        "mobilebert",
        "data2vec-text",
        "megatron-bert",
        "big_bird",
        "rembert",
        "xmod",
        "dinov2",
    ],
    attention: &[
        AttentionTensors::apart(
            [
                "attention.self.query",
                "attention.self.key",
                "attention.self.value",
                "attention.output.dense",
            ],
            &[],
        ),
        AttentionTensors::apart(
            [
                "attention.attn.q",
                "attention.attn.k",
                "attention.attn.v",
                "attention.attn.o",
            ],
            &[],
        ),
        AttentionTensors::apart(
            [
                "attention.attention.query",
                "attention.attention.key",
                "attention.attention.value",
                "attention.output.dense",
            ],
            &[],
        ),
        AttentionTensors::apart(
            [
                "attention.query",
                "attention.key",
                "attention.value",
                "attention.dense",
            ],
            &[],
        ),
        AttentionTensors::cross([
            "crossattention.self.query",
            "crossattention.self.key",
            "crossattention.self.value",
            "crossattention.output.dense",
        ]),
    ],
    mlps: &[
        MLP,
        MlpTensors::plain("ffn", "ffn_output"),
        MlpTensors::plain("mlp.fc1", "mlp.fc2"),
    ],
    embedding: EMBEDDING,
    unembedding: UNEMBEDDING,
    positions: POSITIONS,
    scores,
    ..Architecture::EMPTY
};

/// `DistilBERT`.
pub(super) const DISTILBERT: Architecture = Architecture {
    name: "DistilBERT",
    model_types: &["distilbert"],
    attention: &[AttentionTensors::apart(
        [
            "attention.q_lin",
            "attention.k_lin",
            "attention.v_lin",
            "attention.out_lin",
        ],
        &[],
    )],
    mlps: &[MlpTensors::plain("ffn.lin1", "ffn.lin2")],
    embedding: EMBEDDING,
    unembedding: UNEMBEDDING,
    positions: POSITIONS,
    scores: |_| Some(PositionalScores::Nothing),
    ..Architecture::EMPTY
};

/// `DeBERTa`: its own maps of positions are no part of a circuit.
pub(super) const DEBERTA: Architecture = Architecture {
    name: "DeBERTa",
    model_types: &["deberta", "deberta-v2"],
    attention: &[
        AttentionTensors::apart(
            [
                "attention.self.query_proj",
                "attention.self.key_proj",
                "attention.self.value_proj",
                "attention.output.dense",
            ],
            &[],
        ),
        AttentionTensors::fused(
            "attention.self.in_proj",
            |_| Some(FusedOrder::ByHead),
            "attention.output.dense",
        ),
    ],
    mlps: &[MLP],
    embedding: EMBEDDING,
    unembedding: UNEMBEDDING,
    positions: POSITIONS,
    scores: |config| match config?.flag("relative_attention") {
        Some(true) => Some(PositionalScores::Relative),
        Some(false) | None => Some(PositionalScores::Nothing),
    },
    ..Architecture::EMPTY
};

/// `ModernBERT`: fused in blocks, its decoder apart, and a gated MLP, the gate's rows first.
pub(super) const MODERNBERT: Architecture = Architecture {
    name: "ModernBERT",
    model_types: &["modernbert", "modernbert-decoder"],
    attention: &[
        AttentionTensors::fused("attn.Wqkv", |_| Some(FusedOrder::Blocks), "attn.Wo"),
        AttentionTensors::apart(
            ["attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.Wo"],
            &[],
        ),
    ],
    mlps: &[MlpTensors::Dense(Linears::Fused {
        gate_up: "mlp.Wi",
        takes_turns: false,
        down: "mlp.Wo",
    })],
    embedding: EMBEDDING,
    unembedding: &["decoder"],
    scores: rotation,
    ..Architecture::EMPTY
};

/// Nomic's BERT: fused in blocks; `fc12` goes through the activation.
pub(super) const NOMIC_BERT: Architecture = Architecture {
    name: "Nomic BERT",
    model_types: &["nomic_bert"],
    attention: &[AttentionTensors::fused(
        "attn.Wqkv",
        |_| Some(FusedOrder::Blocks),
        "attn.out_proj",
    )],
    mlps: &[
        MlpTensors::gated("mlp.fc12", "mlp.fc11", "mlp.fc2"),
        MlpTensors::plain("mlp.fc1", "mlp.fc2"),
    ],
    scores: rotation,
    embedding: EMBEDDING,
    unembedding: UNEMBEDDING,
    ..Architecture::EMPTY
};
