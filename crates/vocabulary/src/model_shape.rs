//! The dimensions of a model.

use std::collections::BTreeMap;

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
    /// Number of key-value heads; in results the same as `n_heads` where the file has none and
    /// the tensors' shapes allow it.
    pub n_kv_heads: Option<u64>,
    /// Width of one head; in results `d_model / n_heads` where the file does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_head: Option<u64>,
    /// Path of the file that said so.
    pub source: String,
    /// The heads of each layer, where layers differ in them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub layers: BTreeMap<u64, HeadShape>,
    /// What the file calls the other models that it describes besides, such as `vision`. Where
    /// there are any, these are the dimensions of the text model alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_models: Vec<String>,
}

/// The attention heads of one layer; `None` where all layers have the same or the file does not
/// say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeadShape {
    /// Number of attention heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_heads: Option<u64>,
    /// Number of key-value heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_kv_heads: Option<u64>,
    /// Width of one head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_head: Option<u64>,
}

impl ModelShape {
    /// The dimensions as one layer has them.
    #[must_use]
    pub fn of_layer(&self, layer: u64) -> Self {
        let own = self.layers.get(&layer).copied().unwrap_or_default();
        Self {
            n_heads: self.n_heads.or(own.n_heads),
            n_kv_heads: self.n_kv_heads.or(own.n_kv_heads),
            d_head: self.d_head.or(own.d_head),
            layers: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// With what a file means that does not say more: as many key-value heads as heads, and heads
    /// of width `d_model / n_heads` where that is whole.
    #[must_use]
    pub fn with_usual(&self) -> Self {
        let has_own = |dimension: fn(&HeadShape) -> Option<u64>| {
            self.layers.values().any(|own| dimension(own).is_some())
        };
        let n_kv_heads = self.n_heads.filter(|_| !has_own(|own| own.n_kv_heads));
        let sizes = self.d_model.zip(self.n_heads);
        let sizes = sizes.filter(|_| !has_own(|own| own.d_head));
        let d_head = sizes.and_then(|(width, heads)| {
            let rest = width.checked_rem(heads)?;
            (rest == 0).then(|| width / heads)
        });
        Self {
            n_kv_heads: self.n_kv_heads.or(n_kv_heads),
            d_head: self.d_head.or(d_head),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HeadShape, ModelShape};

    #[test]
    fn layers_may_differ_in_their_heads() {
        let of = |n_heads| HeadShape {
            n_heads: Some(n_heads),
            ..HeadShape::default()
        };
        let model = ModelShape {
            d_head: Some(4),
            layers: [(0, of(2)), (1, of(3))].into(),
            ..ModelShape::default()
        };
        assert_eq!(model.of_layer(1).n_heads, Some(3));
        assert_eq!(model.of_layer(1).d_head, Some(4));
        assert_eq!(model.of_layer(2).n_heads, None);
        assert_eq!(model.with_usual().n_kv_heads, None);
    }

    #[test]
    fn what_is_usual_is_filled_in() {
        let model = ModelShape {
            d_model: Some(64),
            n_heads: Some(8),
            ..ModelShape::default()
        };
        let usual = model.with_usual();
        assert_eq!((usual.n_kv_heads, usual.d_head), (Some(8), Some(8)));
        let odd = ModelShape {
            d_model: Some(65),
            ..model
        };
        assert_eq!(odd.with_usual().d_head, None);
        let headless = ModelShape {
            n_heads: Some(0),
            ..odd
        };
        assert_eq!(headless.with_usual().d_head, None);
    }
}
