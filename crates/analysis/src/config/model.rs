//! `model`: the model's dimensions, said by whoever asks.

use ckptscope_checkpoint::ModelShape;

use super::cursor::{At, Fields};
use super::keys::MODEL;
use super::problem::Problems;
use super::tree::Value;

/// Dimensions that a config says. They come before those of the model's own files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelEntry {
    /// Width of the residual stream.
    pub d_model: Option<u64>,
    /// Number of layers.
    pub n_layers: Option<u64>,
    /// Number of attention heads.
    pub n_heads: Option<u64>,
    /// Number of key-value heads.
    pub n_kv_heads: Option<u64>,
    /// Width of one head.
    pub d_head: Option<u64>,
}

/// What [`ModelShape::source`] says of a config's dimensions.
const SOURCE: &str = "the analysis config";

/// No model has more of anything.
const MOST: u64 = 1 << 32;

impl ModelEntry {
    /// Each dimension by its key.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, Option<u64>); 5] {
        [
            ("d_model", self.d_model),
            ("n_layers", self.n_layers),
            ("n_heads", self.n_heads),
            ("n_kv_heads", self.n_kv_heads),
            ("d_head", self.d_head),
        ]
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A run's dimensions with these in their places; none where neither says any.
    #[must_use]
    pub fn over(&self, run: Option<&ModelShape>) -> Option<ModelShape> {
        if self.is_empty() {
            return run.cloned();
        }
        let of_run = run.cloned().unwrap_or_default();
        let source = match run {
            Some(run) => format!("{} and {SOURCE}", run.source),
            None => SOURCE.to_owned(),
        };
        Some(ModelShape {
            d_model: self.d_model.or(of_run.d_model),
            n_layers: self.n_layers.or(of_run.n_layers),
            n_heads: self.n_heads.or(of_run.n_heads),
            n_kv_heads: self.n_kv_heads.or(of_run.n_kv_heads),
            d_head: self.d_head.or(of_run.d_head),
            source,
            layers: of_run.layers,
            // Who says the heads means those of the components of this config.
            other_models: match self.n_heads {
                Some(_) => Vec::new(),
                None => of_run.other_models,
            },
        })
    }
}

/// `model`: a map of dimensions.
pub(super) fn model(at: &At<'_>, problems: &mut Problems) -> Option<ModelEntry> {
    let fields = Fields::of(at, "a map of dimensions, as in {n_heads: 12}", problems)?;
    fields.check_keys(&MODEL.names(), problems, |_| None);
    let mut size = |key: &str| fields.optional(key, |at| dimension(at, problems));
    // All of them are read before one that is wrong counts: all problems are reported together.
    let (d_model, n_layers, n_heads) = (size("d_model"), size("n_layers"), size("n_heads"));
    let (n_kv_heads, d_head) = (size("n_kv_heads"), size("d_head"));
    Some(ModelEntry {
        d_model: d_model?,
        n_layers: n_layers?,
        n_heads: n_heads?,
        n_kv_heads: n_kv_heads?,
        d_head: d_head?,
    })
}

fn dimension(at: &At<'_>, problems: &mut Problems) -> Option<u64> {
    let size = match at.node.value {
        Value::Whole(size) => u64::try_from(size).ok(),
        _ => None,
    };
    let size = size.filter(|size| (1..=MOST).contains(size));
    size.or_else(|| problems.unexpected(at, "a whole number above 0"))
}
