//! OPT, and the encoder-decoders whose names it has: BART, Whisper, Marian.

use super::Architecture;
use super::attention::{AttentionTensors, PositionalScores};
use super::mlp::MlpTensors;

/// OPT, BART and their kin.
pub(super) const OPT: Architecture = Architecture {
    name: "OPT",
    model_types: &[
        "opt",
        "bart",
        "mbart",
        "plbart",
        "marian",
        "pegasus",
        "blenderbot",
        "blenderbot-small",
        "m2m_100",
        "whisper",
        "biogpt",
        "xglm",
        "clip",
        "clip_text_model",
        "clip_vision_model",
        "siglip",
    ],
    attention: &[
        AttentionTensors::apart(
            [
                "self_attn.q_proj",
                "self_attn.k_proj",
                "self_attn.v_proj",
                "self_attn.out_proj",
            ],
            &[],
        ),
        AttentionTensors::cross([
            "encoder_attn.q_proj",
            "encoder_attn.k_proj",
            "encoder_attn.v_proj",
            "encoder_attn.out_proj",
        ]),
    ],
    mlps: &[
        MlpTensors::plain("fc1", "fc2"),
        MlpTensors::plain("mlp.fc1", "mlp.fc2"),
    ],
    embedding: &["shared", "embed_tokens", "token_embedding"],
    positions: &["embed_positions", "position_embedding"],
    scores: |_| Some(PositionalScores::Nothing),
    ..Architecture::EMPTY
};
