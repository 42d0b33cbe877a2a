//! The dimensions of a model.

use serde::{Deserialize, Serialize};

/// The model's dimensions, from the training config (pico's) or `config.json`; `None` where the
/// file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelShape {
    /// Width of the residual stream.
    pub d_model: Option<u64>,
    /// Number of layers.
    pub n_layers: Option<u64>,
    /// Number of attention heads.
    pub n_heads: Option<u64>,
    /// Number of key-value heads; the same as `n_heads` where the file has none.
    pub n_kv_heads: Option<u64>,
    /// Width of one head where the file says so, else `d_model / n_heads`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_head: Option<u64>,
    /// Path of the file that said so.
    pub source: String,
}
