//! `DiffLlama`: Llama's tensors, and heads that work in pairs.

use super::Architecture;
use super::llama::LLAMA;

/// `DiffLlama`.
pub(super) const DIFFLLAMA: Architecture = Architecture {
    name: "DiffLlama",
    model_types: &["diffllama"],
    no_circuits: Some(
        "heads work in pairs, each of which writes the difference of two attentions to the values \
         of two heads",
    ),
    ..LLAMA
};
