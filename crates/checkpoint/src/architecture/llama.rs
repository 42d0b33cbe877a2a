//! Llama and the many models that name their tensors like it.

use super::Architecture;
use super::attention::{AttentionTensors, NormNames, PositionalScores};
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors, SharedExpert, StackOrder};
use crate::run::ModelConfig;

/// Queries, keys, values and outputs, each apart.
pub(super) const APART: [&str; 4] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
];

/// Norms of queries and keys.
pub(super) const NORMS: &[NormNames] = &[
    NormNames::of("self_attn.q_norm", "self_attn.k_norm"),
    NormNames::of("self_attn.q_layernorm", "self_attn.k_layernorm"),
    NormNames::of("self_attn.query_layernorm", "self_attn.key_layernorm"),
];

/// A gated MLP.
pub(super) const GATED: MlpTensors = MlpTensors::Dense(GATED_LINEARS);

const GATED_LINEARS: Linears = Linears::gated("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj");

/// The same without a gate.
pub(super) const UNGATED: MlpTensors = MlpTensors::plain("mlp.up_proj", "mlp.down_proj");

/// The names of an expert within its number.
pub(super) const EXPERT: Linears = Linears::gated("gate_proj", "up_proj", "down_proj");

/// Experts as Qwen and OLMoE number them.
pub(super) const EXPERTS: MlpTensors = MlpTensors::Experts(ExpertTensors {
    storage: ExpertStorage::Numbered {
        folder: "mlp.experts",
        linears: EXPERT,
    },
    router: "mlp.gate",
    shared: Some(SharedExpert {
        linears: Linears::gated(
            "mlp.shared_expert.gate_proj",
            "mlp.shared_expert.up_proj",
            "mlp.shared_expert.down_proj",
        ),
        router: Some("mlp.shared_expert_gate"),
    }),
});

/// The shared experts of a layer as `DeepSeek` names them: one MLP, however many it counts for.
pub(super) const SHARED_EXPERTS: MlpTensors = MlpTensors::Experts(ExpertTensors {
    storage: ExpertStorage::Numbered {
        folder: "mlp.experts",
        linears: EXPERT,
    },
    router: "mlp.gate",
    shared: Some(SharedExpert {
        linears: Linears::gated(
            "mlp.shared_experts.gate_proj",
            "mlp.shared_experts.up_proj",
            "mlp.shared_experts.down_proj",
        ),
        router: None,
    }),
});

/// Experts as modules of `transformers` 5 hold them, and as Qwen 3 VL stores them.
pub(super) const STACKED_EXPERTS: MlpTensors = MlpTensors::Experts(ExpertTensors {
    storage: ExpertStorage::Stacked {
        linears: Linears::Fused {
            gate_up: "mlp.experts.gate_up_proj",
            takes_turns: false,
            down: "mlp.experts.down_proj",
        },
        order: StackOrder::AsFits,
        is_known_by_name: false,
    },
    router: "mlp.gate",
    shared: None,
});

/// What most of these do with positions.
pub(super) const fn rotation(_: Option<&ModelConfig>) -> Option<PositionalScores> {
    Some(PositionalScores::Rotation)
}

/// Tensors named as Llama's in `transformers`.
pub(super) const LLAMA: Architecture = Architecture {
    name: "Llama",
    model_types: &[
        "llama",
        "mistral",
        "ministral",
        "mistral3",
        "qwen2",
        "qwen2_moe",
        "qwen3",
        "qwen3_moe",
        "qwen3_vl_text",
        "qwen3_vl_moe_text",
        "olmo",
        "olmo2",
        "olmo3",
        "olmoe",
        "smollm3",
        "granite",
        "arcee",
        "apertus",
        "seed_oss",
        "exaone4",
        "hunyuan_v1_dense",
        "ernie4_5",
        "helium",
        "nemotron",
        "glm4_moe",
        "dots1",
        "flex_olmo",
        "minicpm",
        "yi",
        "deepseek",
        "lfm2",
        "ernie4_5_moe",
    ],
    attention: &[
        AttentionTensors::apart(APART, NORMS),
        AttentionTensors::apart(
            [
                "self_attn.q_proj",
                "self_attn.k_proj",
                "self_attn.v_proj",
                "self_attn.out_proj",
            ],
            NORMS,
        ),
    ],
    mlps: &[
        GATED,
        EXPERTS,
        SHARED_EXPERTS,
        STACKED_EXPERTS,
        UNGATED,
        // LFM 2.
        MlpTensors::gated("feed_forward.w1", "feed_forward.w3", "feed_forward.w2"),
    ],
    scores: rotation,
    ..Architecture::EMPTY
};
