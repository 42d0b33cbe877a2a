//! Which tensors of a model are its queries, keys, values, experts and the rest.
//!
//! Libraries store the same maps under other names, fused, transposed or stacked. An
//! [`Architecture`] says how one family of models does it: adding one is one file below this module
//! and one line in [`ARCHITECTURES`]. [`Roles`] chooses it by `model_type` of the model's config,
//! else by the tensors' names, and finds the tensors, or [views](View) of them, of one layer.
//!
//! Dimensions come from config and shapes, and must agree. Where they do not, nothing is made up:
//! a [`RoleError`] says what was found.

mod attention;
mod left_over;
mod mlp;
mod role;
mod roles;
mod view;

use std::collections::BTreeMap;

pub use attention::{
    AttentionKind, AttentionStorage, AttentionTensors, FusedOrder, NormNames, PositionalScores,
};
pub use mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors, SharedExpert, StackOrder};
pub use role::{Role, RoleError};
pub use roles::{Attention, FoundParts, ModelPart, OutsidePart, Roles};
pub use view::{Latent, Projection, RowNorm, Rows, Slice, View};

use crate::run::ModelConfig;

/// The tensors of a layer: the extents of each, by what stands after the layer's number in its
/// name.
pub type LayerTensors = BTreeMap<String, Vec<u64>>;

/// How a family of models stores its maps. Names are what stands after a layer's number, without
/// `.weight` at their ends.
#[derive(Clone, Copy, Debug)]
pub struct Architecture {
    /// As people call it.
    pub name: &'static str,
    /// The `model_type` of configs that are of it.
    pub model_types: &'static [&'static str],
    /// Its attention modules; the first whose tensors a layer has counts. None of models that have
    /// no attention.
    pub attention: &'static [AttentionTensors],
    /// Its MLPs and experts; the first whose tensors a layer has counts.
    pub mlps: &'static [MlpTensors],
    /// Whether its norms multiply with 1 + weight.
    pub gains_are_one_plus_weight: bool,
    /// Whether its norms of queries and keys are LayerNorms, which take the mean off first.
    pub has_layer_norms: fn(Option<&ModelConfig>) -> bool,
    /// What positions do to its scores, as the model's config says; none where that is not known.
    pub scores: fn(Option<&ModelConfig>) -> Option<PositionalScores>,
    /// Why its heads have no circuits, where they do not act as circuits say.
    pub no_circuits: Option<&'static str>,
    /// A tensor that has more columns than rows where linear maps are stored `[in, out]`.
    pub is_transposed_where_wide: Option<&'static str>,
    /// The ends of names of embeddings: `[vocabulary, d_model]`.
    pub embedding: &'static [&'static str],
    /// The ends of names of unembeddings: `[vocabulary, d_model]`.
    pub unembedding: &'static [&'static str],
    /// The ends of names of tables of positions: `[positions, d_model]`.
    pub positions: &'static [&'static str],
}

impl Architecture {
    /// One of nothing, for others to be made of.
    pub(crate) const EMPTY: Self = Self {
        name: "",
        model_types: &[],
        attention: &[],
        mlps: &[],
        gains_are_one_plus_weight: false,
        has_layer_norms: |_| false,
        scores: |_| None,
        no_circuits: None,
        is_transposed_where_wide: None,
        embedding: &["embed_tokens"],
        unembedding: &["lm_head"],
        positions: &[],
    };
}

ckptscope_vocabulary::registry! {
    /// Every architecture. Of several that name a layer's tensors alike the first counts, where no
    /// config says which one it is.
    pub const ARCHITECTURES: [&Architecture] = mod {
        llama: LLAMA;
        diffllama: DIFFLLAMA;
        gemma: GEMMA_3N, RECURRENT_GEMMA, GEMMA;
        cohere: COHERE;
        stablelm: STABLELM;
        starcoder2: STARCODER2;
        mixtral: MIXTRAL;
        jamba: JAMBA;
        llama4: LLAMA4;
        hunyuan: HUNYUAN;
        deepseek: DEEPSEEK;
        gpt_oss: GPT_OSS;
        phi: PHI3, PHI;
        internlm: INTERNLM;
        gpt2: GPT2, GPT_BIGCODE;
        gpt_neo: GPT_NEO;
        gptj: GPTJ, CODEGEN;
        gpt_neox: GPT_NEOX;
        persimmon: PERSIMMON;
        bloom: BLOOM;
        falcon: FALCON;
        chatglm: CHATGLM;
        mpt: MPT;
        dbrx: DBRX;
        jetmoe: JETMOE;
        zamba: ZAMBA;
        opt: OPT;
        bert: BERT, DISTILBERT, DEBERTA, MODERNBERT, NOMIC_BERT;
        xlm: XLM;
        ctrl: CTRL;
        t5: T5, SWITCH_TRANSFORMERS;
        pico: PICO;
        mamba: MAMBA, RWKV, XLSTM;
    }
}
