//! What a tensor does in its layer, by the names that are usual.

use ckptscope_checkpoint::architecture;

use crate::config::LayerSuffix;
use crate::survey::Suffix;

/// What a weight matrix does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Makes the values that attention passes on.
    Value,
    /// Writes what attention found to the residual stream.
    Output,
    /// Writes what the MLP found to the residual stream.
    Down,
    /// Makes queries, keys and values at once.
    Fused,
}

/// Names that mean one thing wherever they stand.
const NAMES: &[(&str, Role)] = &[
    ("v_proj", Role::Value),
    ("value_proj", Role::Value),
    ("w_v", Role::Value),
    ("wv", Role::Value),
    ("to_v", Role::Value),
    ("o_proj", Role::Output),
    ("out_proj", Role::Output),
    ("w_o", Role::Output),
    ("to_out", Role::Output),
    ("down_proj", Role::Down),
    ("w_2", Role::Down),
    ("w2", Role::Down),
    ("fc2", Role::Down),
    ("fc_out", Role::Down),
    ("linear2", Role::Down),
    ("lin2", Role::Down),
    ("dense_4h_to_h", Role::Down),
    ("c_attn", Role::Fused),
    ("query_key_value", Role::Fused),
    ("qkv_proj", Role::Fused),
    ("qkv", Role::Fused),
    ("wqkv", Role::Fused),
    ("in_proj_weight", Role::Fused),
];

/// Names that mean one thing in attention and another in the MLP.
const SHARED_NAMES: &[&str] = &["c_proj", "dense", "proj", "wo", "out"];

/// Names that mean something in attention only.
const ATTENTION_NAMES: &[&str] = &["value", "v"];

const ATTENTION_WORDS: &[&str] = &["att"];
const MLP_WORDS: &[&str] = &[
    "mlp",
    "ffn",
    "feed_forward",
    "ffw",
    "swiglu",
    "densereludense",
];

impl Role {
    /// What a part of a model is where names alone say it.
    pub(super) const fn usual(part: architecture::Role) -> Option<Self> {
        match part {
            architecture::Role::Value => Some(Self::Value),
            architecture::Role::Output => Some(Self::Output),
            _ => None,
        }
    }

    /// Of a suffix as configs write it.
    pub(super) fn of(suffix: &str) -> Option<Self> {
        let lower = suffix.to_ascii_lowercase();
        let mut segments = lower
            .rsplit('.')
            .skip_while(|segment| segment.bytes().all(|byte| byte.is_ascii_digit()));
        let last = segments.next()?;
        if let Some((_, role)) = NAMES.iter().find(|(name, _)| *name == last) {
            return Some(*role);
        }
        let within = segments.next().unwrap_or_default();
        let is_in = |words: &[&str]| words.iter().any(|word| within.contains(word));
        if SHARED_NAMES.contains(&last) && is_in(ATTENTION_WORDS) {
            Some(Self::Output)
        } else if SHARED_NAMES.contains(&last) && is_in(MLP_WORDS) {
            Some(Self::Down)
        } else if ATTENTION_NAMES.contains(&last) && is_in(ATTENTION_WORDS) {
            Some(Self::Value)
        } else {
            None
        }
    }
}

/// Whether metrics say something of it: a matrix of fractions with more than one row and column,
/// in every layer that has it.
pub(super) fn is_matrix(suffix: &Suffix) -> bool {
    let is_one = |shape: &Vec<u64>| shape.len() == 2 && shape.iter().all(|extent| *extent > 1);
    suffix.is_float
        && suffix.is_readable
        && !suffix.shapes.is_empty()
        && suffix.shapes.values().all(is_one)
}

/// Whether it is one of many of its like in a layer: an expert's.
pub(super) fn is_numbered(suffix: &Suffix) -> bool {
    let is_number = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_digit());
    let segments = LayerSuffix::of(&suffix.name).within.split('.');
    segments.rev().skip(1).any(is_number)
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn usual_names() {
        for (suffix, role) in [
            ("attention.v_proj", Some(Role::Value)),
            ("self_attn.o_proj", Some(Role::Output)),
            ("self_attn.out_proj", Some(Role::Output)),
            ("swiglu.w_2", Some(Role::Down)),
            ("mlp.down_proj", Some(Role::Down)),
            ("attn.c_attn", Some(Role::Fused)),
            ("attn.c_proj", Some(Role::Output)),
            ("mlp.c_proj", Some(Role::Down)),
            ("attention.query_key_value", Some(Role::Fused)),
            ("attention.dense", Some(Role::Output)),
            ("mlp.dense_4h_to_h", Some(Role::Down)),
            ("self_attention.dense", Some(Role::Output)),
            ("attn.to_out.0", Some(Role::Output)),
            ("attention.wo", Some(Role::Output)),
            ("feed_forward.w2", Some(Role::Down)),
            ("fc2", Some(Role::Down)),
            ("mlp.experts.0.down_proj", Some(Role::Down)),
            ("mlp.c_fc", None),
            ("ln_1", None),
            ("attn.c_proj.bias", None),
            ("dense", None),
            ("", None),
        ] {
            assert_eq!(Role::of(suffix), role, "{suffix}");
        }
    }
}
