//! Element types of stored tensors.

use serde::{Deserialize, Serialize};

ckptscope_vocabulary::words! {
    /// The element type of a stored tensor. Every one of them widens to `f64`; integers beyond 2^53
    /// round to the nearest. Floats come before integers and truth values, the widest first.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[allow(missing_docs)] // the names are the documentation
    pub enum Dtype {
        F64 = "F64",
        F32 = "F32",
        F16 = "F16",
        BF16 = "BF16",
        F8E4M3 = "F8_E4M3",
        F8E5M2 = "F8_E5M2",
        I64 = "I64",
        I32 = "I32",
        I16 = "I16",
        I8 = "I8",
        U64 = "U64",
        U32 = "U32",
        U16 = "U16",
        U8 = "U8",
        Bool = "BOOL",
    }
}

impl Dtype {
    /// Bytes of one element.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::BF16 | Self::I16 | Self::U16 => 2,
            Self::F8E4M3 | Self::F8E5M2 | Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// Whether its elements are fractions.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(
            self,
            Self::F64 | Self::F32 | Self::F16 | Self::BF16 | Self::F8E4M3 | Self::F8E5M2
        )
    }

    /// How many bits the fraction of a float has; integers are exact and have none.
    #[must_use]
    pub const fn fraction_bits(self) -> Option<u32> {
        match self {
            Self::F64 => Some(52),
            Self::F32 => Some(23),
            Self::F16 => Some(10),
            Self::BF16 => Some(7),
            Self::F8E4M3 => Some(3),
            Self::F8E5M2 => Some(2),
            _ => None,
        }
    }
}
