//! The element types of PyTorch's storages, by the names a pickle gives them.

use crate::dtype::Dtype;

/// The element type of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StorageType {
    /// Elements that can be read.
    Known(Dtype),
    /// Elements that cannot be read but whose size is known: complex, quantised.
    Other { name: &'static str, bytes: u64 },
    /// Plain bytes, to which each tensor brings its own dtype.
    Untyped,
}

impl StorageType {
    /// The type of a storage class, as in `torch.FloatStorage`.
    pub(super) fn of_class(module: &str, class: &str) -> Option<Self> {
        if !matches!(module, "torch" | "torch.cuda" | "torch.storage") {
            return None;
        }
        let found = STORAGE_TYPES.iter().find(|(name, _)| *name == class);
        found.map(|(_, storage_type)| *storage_type)
    }

    /// Bytes of one element, as the storage counts them.
    pub(super) const fn bytes(self) -> u64 {
        match self {
            Self::Known(dtype) => dtype.bytes(),
            Self::Other { bytes, .. } => bytes,
            Self::Untyped => 1,
        }
    }
}

/// The dtype that `torch.{name}` stands for.
pub(super) fn dtype_of_global(module: &str, name: &str) -> Option<Dtype> {
    let found = DTYPES.iter().find(|(dtype, _)| *dtype == name);
    if module == "torch" {
        found.map(|(_, dtype)| *dtype)
    } else {
        None
    }
}

const STORAGE_TYPES: &[(&str, StorageType)] = &[
    ("DoubleStorage", StorageType::Known(Dtype::F64)),
    ("FloatStorage", StorageType::Known(Dtype::F32)),
    ("HalfStorage", StorageType::Known(Dtype::F16)),
    ("BFloat16Storage", StorageType::Known(Dtype::BF16)),
    ("LongStorage", StorageType::Known(Dtype::I64)),
    ("IntStorage", StorageType::Known(Dtype::I32)),
    ("ShortStorage", StorageType::Known(Dtype::I16)),
    ("CharStorage", StorageType::Known(Dtype::I8)),
    ("ByteStorage", StorageType::Known(Dtype::U8)),
    ("BoolStorage", StorageType::Known(Dtype::Bool)),
    ("UntypedStorage", StorageType::Untyped),
    ("_UntypedStorage", StorageType::Untyped),
    (
        "ComplexDoubleStorage",
        StorageType::Other {
            name: "complex128",
            bytes: 16,
        },
    ),
    (
        "ComplexFloatStorage",
        StorageType::Other {
            name: "complex64",
            bytes: 8,
        },
    ),
    (
        "QInt8Storage",
        StorageType::Other {
            name: "qint8",
            bytes: 1,
        },
    ),
    (
        "QUInt8Storage",
        StorageType::Other {
            name: "quint8",
            bytes: 1,
        },
    ),
    (
        "QInt32Storage",
        StorageType::Other {
            name: "qint32",
            bytes: 4,
        },
    ),
    (
        "QUInt4x2Storage",
        StorageType::Other {
            name: "quint4x2",
            bytes: 1,
        },
    ),
    (
        "QUInt2x4Storage",
        StorageType::Other {
            name: "quint2x4",
            bytes: 1,
        },
    ),
];

const DTYPES: &[(&str, Dtype)] = &[
    ("float64", Dtype::F64),
    ("float32", Dtype::F32),
    ("float16", Dtype::F16),
    ("bfloat16", Dtype::BF16),
    ("float8_e4m3fn", Dtype::F8E4M3),
    ("float8_e5m2", Dtype::F8E5M2),
    ("int64", Dtype::I64),
    ("int32", Dtype::I32),
    ("int16", Dtype::I16),
    ("int8", Dtype::I8),
    ("uint64", Dtype::U64),
    ("uint32", Dtype::U32),
    ("uint16", Dtype::U16),
    ("uint8", Dtype::U8),
    ("bool", Dtype::Bool),
];
