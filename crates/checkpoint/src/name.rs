//! Tensor names: which layer a tensor belongs to.

/// The parts of a tensor's name around its layer number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerName<'a> {
    /// What stands before the number, with the dot: `model.layers.`.
    pub prefix: &'a str,
    /// The layer.
    pub number: u64,
    /// What stands after it, in full: `self_attn.v_proj.weight`.
    pub rest: &'a str,
    /// What stands after it, without a trailing `.weight`: `self_attn.v_proj`.
    pub suffix: &'a str,
}

/// The segments that are followed by a layer's number.
const LAYER_SEGMENTS: &[&str] = &["layers", "h", "blocks", "block"];

/// Finds the first `layers.N` (or `h.N`, `blocks.N`, `block.N`) in a tensor's name.
///
/// ```
/// let name = "model.layers.10.self_attn.v_proj.weight";
/// let layer = ckptscope_checkpoint::layer_of(name).ok_or("no layer")?;
/// assert_eq!(layer.prefix, "model.layers.");
/// assert_eq!(layer.number, 10);
/// assert_eq!(layer.rest, "self_attn.v_proj.weight");
/// assert_eq!(layer.suffix, "self_attn.v_proj");
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn layer_of(name: &str) -> Option<LayerName<'_>> {
    let mut start = 0;
    let mut after_layer_segment = false;
    for segment in name.split('.') {
        if after_layer_segment && let Some(number) = layer_number(segment) {
            let (prefix, rest) = name.split_at(start);
            let rest = rest.get(segment.len()..)?;
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            return Some(LayerName {
                prefix,
                number,
                rest,
                suffix: without_weight(rest),
            });
        }
        after_layer_segment = LAYER_SEGMENTS.contains(&segment);
        start += segment.len() + 1;
    }
    None
}

fn layer_number(segment: &str) -> Option<u64> {
    let digits = segment.bytes().all(|byte| byte.is_ascii_digit());
    if digits { segment.parse().ok() } else { None }
}

/// What configs may leave off at the end of a name.
pub(crate) const WEIGHT: &str = ".weight";

pub(crate) fn without_weight(rest: &str) -> &str {
    rest.strip_suffix(WEIGHT).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::{LayerName, layer_of};

    fn parts(name: &str) -> Option<(&str, u64, &str)> {
        layer_of(name).map(
            |LayerName {
                 prefix,
                 number,
                 suffix,
                 ..
             }| (prefix, number, suffix),
        )
    }

    #[test]
    fn the_first_numbered_layer_segment_counts() {
        assert_eq!(
            parts("_forward_module.layers.3.attention.o_proj"),
            Some(("_forward_module.layers.", 3, "attention.o_proj"))
        );
        assert_eq!(parts("layers.0.a.weight"), Some(("layers.", 0, "a")));
        assert_eq!(
            parts("h.11.attn.c_attn.bias"),
            Some(("h.", 11, "attn.c_attn.bias"))
        );
        assert_eq!(
            parts("blocks.layers.2.blocks.7.x"),
            Some(("blocks.layers.", 2, "blocks.7.x"))
        );
        assert_eq!(parts("layers.4"), Some(("layers.", 4, "")));
        assert_eq!(parts("block.4.weight"), Some(("block.", 4, "weight")));
    }

    #[test]
    fn names_without_a_layer_have_none() {
        for name in [
            "",
            "layers",
            "layers.x.1",
            "embed.weight",
            "mylayers.3.a",
            "layers..1",
        ] {
            assert_eq!(parts(name), None, "{name}");
        }
        assert_eq!(parts("layers.99999999999999999999.a"), None);
    }
}
