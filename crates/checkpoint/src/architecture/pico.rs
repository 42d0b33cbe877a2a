//! Pico, and models named as Meta's first Llama.

use super::Architecture;
use super::attention::{AttentionTensors, NormNames};
use super::llama::rotation;
use super::mlp::MlpTensors;

/// Norms of queries and keys, of models that are named so and have some.
const NORMS: &[NormNames] = &[NormNames::of("attention.q_norm", "attention.k_norm")];

/// pico-train's decoder, and Llama as Meta publishes it.
pub(super) const PICO: Architecture = Architecture {
    name: "Pico",
    model_types: &["pico", "pico_decoder"],
    attention: &[
        AttentionTensors::apart(
            [
                "attention.q_proj",
                "attention.k_proj",
                "attention.v_proj",
                "attention.o_proj",
            ],
            NORMS,
        ),
        AttentionTensors::apart(
            [
                "attention.wq",
                "attention.wk",
                "attention.wv",
                "attention.wo",
            ],
            NORMS,
        ),
    ],
    mlps: &[
        MlpTensors::gated("swiglu.w_0", "swiglu.w_1", "swiglu.w_2"),
        MlpTensors::gated("feed_forward.w1", "feed_forward.w3", "feed_forward.w2"),
    ],
    embedding: &["embedding_proj", "tok_embeddings"],
    unembedding: &["de_embedding_proj", "output"],
    scores: rotation,
    ..Architecture::EMPTY
};
