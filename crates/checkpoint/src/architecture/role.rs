//! What a tensor does in a model, and why it cannot be told.

ckptscope_vocabulary::words! {
    /// What a map does in a model.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Role {
        /// Queries of all heads: `[heads x width, d_model]`.
        Query = "query",
        /// Keys of all key-value heads: `[kv heads x width, d_model]`.
        Key = "key",
        /// Values of all key-value heads: `[kv heads x width, d_model]`.
        Value = "value",
        /// What heads write: `[d_model, heads x width]`.
        Output = "output",
        /// Of a gated MLP the part that goes through the activation: `[d_mlp, d_model]`.
        Gate = "gate",
        /// What an MLP reads: `[d_mlp, d_model]`.
        Up = "up",
        /// What an MLP writes: `[d_model, d_mlp]`.
        Down = "down",
        /// Which experts a token goes to: `[experts, d_model]`.
        Router = "router",
        /// The gate of the expert that every token goes to.
        SharedGate = "shared_gate",
        /// What the expert that every token goes to reads.
        SharedUp = "shared_up",
        /// What the expert that every token goes to writes.
        SharedDown = "shared_down",
        /// How much of the shared expert a token gets: `[1, d_model]`.
        SharedRouter = "shared_router",
        /// The tokens' vectors: `[vocabulary, d_model]`.
        Embedding = "embedding",
        /// What makes logits of the residual stream: `[vocabulary, d_model]`.
        Unembedding = "unembedding",
        /// The vectors of learned positions: `[positions, d_model]`.
        Positions = "positions",
    }
}

impl Role {
    /// Whether it stands outside of layers.
    #[must_use]
    pub const fn is_outside_layers(self) -> bool {
        matches!(self, Self::Embedding | Self::Unembedding | Self::Positions)
    }

    /// Whether it is part of attention.
    #[must_use]
    pub const fn is_of_attention(self) -> bool {
        matches!(self, Self::Query | Self::Key | Self::Value | Self::Output)
    }
}

/// Why a role's tensors cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    /// The architecture has no attention at all.
    #[error("{architecture} models have no attention")]
    NoAttention {
        /// What the architecture is called.
        architecture: &'static str,
    },
    /// No tensors of attention are known by their names.
    #[error("no tensors of attention were recognised by their names")]
    Unrecognised,
    /// No tensor of this role is known by its name.
    #[error("no tensors of `{role}` were recognised by their names")]
    NothingOf {
        /// The role.
        role: Role,
    },
    /// Several tensors that are called as those of a role.
    #[error("there are several tensors of `{role}`: {}", found.join(", "))]
    Several {
        /// The role.
        role: Role,
        /// Their names.
        found: Vec<String>,
    },
    /// Experts in one tensor, of which no activations are recorded.
    #[error("`{role}` is stacked by expert, which activations are not")]
    Stacked {
        /// The role.
        role: Role,
    },
    /// The number of attention heads is not known.
    #[error("the number of attention heads is not known")]
    HeadsUnknown,
    /// Layers have lost heads, so that which are left and how many is not known.
    #[error("the model's config names heads that were pruned; layers have fewer than it says")]
    HeadsPruned,
    /// The heads of an architecture do not act as circuits say.
    #[error("{architecture} models have no such circuits: {reason}")]
    NoCircuits {
        /// What the architecture is called.
        architecture: &'static str,
        /// What they do instead.
        reason: &'static str,
    },
    /// A fused tensor whose order only the architecture tells, which is not known.
    #[error(
        "`{tensor}` holds queries, keys and values in an order that only the model's type tells; {}",
        found.as_ref().map_or_else(
            || "nothing says it; a config.json beside the weights can, as `{\"model_type\": \"gpt2\"}` \
                does for those of nanoGPT".to_owned(),
            |it| format!("`{it}` is not known to store them so")
        )
    )]
    OrderUnknown {
        /// The tensor.
        tensor: String,
        /// The `model_type`, where a config says one.
        found: Option<String>,
    },
    /// Gates in one tensor with what they are multiplied with, in an order that only the
    /// architecture tells, which is not known.
    #[error(
        "`{tensor}` holds gates and what they are multiplied with in an order that only the \
         model's type tells; {}",
        found.as_ref().map_or("nothing says it".to_owned(), |it| format!("`{it}` is not known to store them so"))
    )]
    TurnsUnknown {
        /// The tensor.
        tensor: String,
        /// The `model_type`, where a config says one.
        found: Option<String>,
    },
    /// A tensor that is no matrix.
    #[error("`{tensor}` has the shape {found:?}, which is not that of {expected}")]
    NoMatrix {
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<u64>,
        /// What it should be.
        expected: &'static str,
    },
    /// A dimension that does not divide.
    #[error("`{tensor}` has {found} {side}, which are no multiple of {parts} {of}")]
    NotWhole {
        /// The tensor.
        tensor: String,
        /// `rows` or `columns`.
        side: &'static str,
        /// How many it has.
        found: u64,
        /// Into how many parts, or of how many.
        parts: u64,
        /// What the parts are.
        of: &'static str,
    },
    /// A dimension that is not what others ask for.
    #[error("`{tensor}` has {found} {side} where {expected} belong")]
    Mismatch {
        /// The tensor.
        tensor: String,
        /// `rows`, `columns`, `gains` or `experts`.
        side: &'static str,
        /// How many it has.
        found: u64,
        /// How many belong.
        expected: u64,
    },
    /// A dimension that config and shapes say differently.
    #[error("{dimension} is {said} as {source_of} says, but `{tensor}` has the shape for {found}")]
    Contradiction {
        /// The dimension.
        dimension: &'static str,
        /// What is said.
        said: u64,
        /// What says it.
        source_of: String,
        /// The tensor.
        tensor: String,
        /// What its shape says.
        found: u64,
    },
    /// Key-value heads that do not divide the heads.
    #[error("{heads} attention heads cannot share {kv_heads} key-value heads evenly")]
    HeadGroups {
        /// Attention heads.
        heads: u64,
        /// Key-value heads.
        kv_heads: u64,
    },
    /// A tensor that others need.
    #[error("there is no `{tensor}` beside `{beside}`")]
    Missing {
        /// The tensor that is not there.
        tensor: &'static str,
        /// One that is.
        beside: String,
    },
    /// A map of several tensors, of which only weights make a matrix.
    #[error("`{role}` is a product of several tensors, which only weights make")]
    OfWeightsOnly {
        /// The role.
        role: Role,
    },
    /// A dimension that config does not say and shapes do not decide.
    #[error("{dimension} is not known, and shapes do not decide it")]
    DimensionUnknown {
        /// The key of configs.
        dimension: &'static str,
    },
}

impl RoleError {
    /// Whether it says no more than that a layer does not have such tensors, or heads as others
    /// have them.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Unrecognised
                | Self::NothingOf { .. }
                | Self::NoAttention { .. }
                | Self::NoCircuits { .. }
        )
    }
}
