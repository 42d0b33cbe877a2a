//! Models of state spaces, and others that attend to nothing.

use super::Architecture;

/// Mamba.
pub(super) const MAMBA: Architecture = Architecture {
    name: "Mamba",
    model_types: &["mamba", "mamba2", "falcon_mamba"],
    embedding: &["embeddings"],
    ..Architecture::EMPTY
};

/// RWKV: its `attention` mixes a token with those before it by shares that decay.
pub(super) const RWKV: Architecture = Architecture {
    name: "RWKV",
    model_types: &["rwkv"],
    embedding: &["embeddings"],
    unembedding: &["head"],
    ..Architecture::EMPTY
};

/// `xLSTM`.
pub(super) const XLSTM: Architecture = Architecture {
    name: "xLSTM",
    model_types: &["xlstm"],
    embedding: &["embeddings"],
    ..Architecture::EMPTY
};
