//! Why a tensor of a checkpoint has no values.

use crate::dtype::Dtype;

/// Why a tensor has no values to measure. The texts name the tensors beside it by what stands
/// behind the module's name, so that they are the same in every layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// It cannot be read at all.
    #[error("it cannot be read: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
    /// It has no elements.
    #[error(
        "it is empty, of shape {shape:?}; DeepSpeed's ZeRO-3 leaves such placeholders for weights \
         that it did not gather: `python zero_to_fp32.py FOLDER FILE`, in its checkpoint's folder, \
         makes a file of the weights"
    )]
    Empty {
        /// Its shape, which has an extent of 0.
        shape: Vec<u64>,
    },
    /// Whole numbers or truth values, and nothing beside them says what they stand for.
    #[error(
        "it is stored as {dtype}, and nothing beside it says how such numbers become weights; save \
         the weights as floats to measure them"
    )]
    Integers {
        /// Its element type.
        dtype: Dtype,
    },
    /// Several elements in one, or codes.
    #[error(
        "it is packed ({scheme}): stored as {dtype} {shape:?} beside {beside}, which is not \
         unpacked here; save the dequantised model to measure it"
    )]
    Packed {
        /// Who packs so.
        scheme: String,
        /// The element type of what is stored.
        dtype: Dtype,
        /// The shape of what is stored.
        shape: Vec<u64>,
        /// The tensors beside it, in words.
        beside: String,
    },
    /// Factors, zero points or codes beside it that are not understood.
    #[error(
        "it is stored as {dtype} beside {beside}: {reason}, so its values are not known; save the \
         dequantised model to measure it"
    )]
    StorageScale {
        /// Its element type.
        dtype: Dtype,
        /// The tensors beside it, in words.
        beside: String,
        /// What is not understood of them.
        reason: String,
    },
    /// The model's config says that weights are quantised, and no factors are beside it.
    #[error(
        "it is stored as {dtype}, and the model's config says that weights are quantised, but no \
         scale is beside it (`weight_scale_inv`, `weight_scale`), so its values are not known; add \
         the file that has the scales, or save the dequantised model"
    )]
    NoScale {
        /// Its element type.
        dtype: Dtype,
    },
    /// Elements in an order that only their own library knows, as was found when they were read.
    #[error(
        "its elements lie in an order that is not known: `weight_format` is {found}, where 0 is row \
         by row"
    )]
    Order {
        /// The numbers that say so.
        found: String,
    },
}

impl Obstacle {
    /// The word for it that programs read; it stays the same whatever the text says.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::Empty { .. } => "empty_tensor",
            Self::Integers { .. } => "stored_as_integers",
            Self::Packed { .. } => "packed",
            Self::StorageScale { .. } => "scale_not_understood",
            Self::NoScale { .. } => "scale_missing",
            Self::Order { .. } => "order_not_known",
        }
    }

    /// Why several tensors have no values, in a few words that go on behind "because". None where
    /// nobody would expect values of them, and for what is said elsewhere.
    #[must_use]
    pub fn in_short(&self) -> Option<String> {
        match self {
            Self::Packed { scheme, .. } => Some(format!("they are packed ({scheme})")),
            Self::Empty { .. } => Some("they are empty (see `zero_to_fp32.py`)".to_owned()),
            Self::NoScale { .. } => Some("their scales are not there".to_owned()),
            Self::StorageScale { .. } => {
                Some("what stands beside them is not understood".to_owned())
            }
            Self::Unreadable { .. } | Self::Integers { .. } | Self::Order { .. } => None,
        }
    }
}
