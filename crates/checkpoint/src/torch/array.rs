//! NumPy's arrays in a pickle: a dtype, a shape, and bytes that stand in the pickle itself.

use super::value::{Object, Value, Values};
use crate::dtype::Dtype;

/// An array as the pickle describes it.
pub(super) struct Array {
    pub(super) dtype: Dtype,
    pub(super) big_endian: bool,
    pub(super) shape: Vec<u64>,
    /// In elements, as [`Placement`](crate::Placement) has them.
    pub(super) strides: Vec<u64>,
    /// [`Value::Bytes`] or [`Value::BytesAsText`].
    pub(super) bytes: Value,
}

/// Whether an object is an array of NumPy, or one of its numbers.
pub(super) fn is_array(object: &Object<'_>) -> bool {
    matches!(
        (object.module, object.name),
        (
            "numpy.core.multiarray" | "numpy._core.multiarray",
            "_reconstruct" | "scalar"
        ) | ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer")
    )
}

/// The array that an object is, or why it cannot be read.
pub(super) fn array(values: &Values<'_>, object: &Object<'_>) -> Result<Array, String> {
    let arguments = values.items(object.arguments).unwrap_or_default();
    match (object.name, arguments) {
        ("scalar", &[dtype, bytes]) => array_of(values, dtype, Some(Vec::new()), false, bytes),
        (
            "_frombuffer",
            &[bytes, dtype, shape, order] | &[bytes, dtype, shape, order, Value::None],
        ) => {
            let is_fortran = match values.text(order) {
                Some("C") => false,
                Some("F") => true,
                _ => return Err("it is a NumPy array of an order that is not known".to_owned()),
            };
            array_of(values, dtype, extents(values, shape), is_fortran, bytes)
        }
        ("_reconstruct", _) => match values.items(object.state).unwrap_or_default() {
            &[_, shape, dtype, Value::Bool(is_fortran), bytes]
            | &[shape, dtype, Value::Bool(is_fortran), bytes] => {
                array_of(values, dtype, extents(values, shape), is_fortran, bytes)
            }
            _ => Err("it is a NumPy array of a subclass that is not known".to_owned()),
        },
        _ => Err("it is a NumPy array that was saved in a way that is not known".to_owned()),
    }
}

fn array_of(
    values: &Values<'_>,
    dtype: Value,
    shape: Option<Vec<u64>>,
    is_fortran: bool,
    bytes: Value,
) -> Result<Array, String> {
    let (dtype, big_endian) = element(values, dtype)?;
    let shape = shape.ok_or("it is a NumPy array whose shape is not natural numbers")?;
    let strides = strides(&shape, is_fortran);
    Ok(Array {
        dtype,
        big_endian,
        shape,
        strides,
        bytes,
    })
}

fn extents(values: &Values<'_>, shape: Value) -> Option<Vec<u64>> {
    let items = values.items(shape)?.iter();
    items.map(|item| values.natural(*item)).collect()
}

/// The distances between neighbours of a dense array: C's order has the last dimension fastest,
/// Fortran's the first. A product that cannot be counted is of more elements than there are bytes.
fn strides(shape: &[u64], is_fortran: bool) -> Vec<u64> {
    let mut next: u64 = 1;
    let mut stride = |extent: &u64| {
        let current = next;
        next = next.saturating_mul(*extent);
        current
    };
    if is_fortran {
        return shape.iter().map(stride).collect();
    }
    let mut strides: Vec<u64> = shape.iter().rev().map(&mut stride).collect();
    strides.reverse();
    strides
}

/// The elements that `numpy.dtype(name, align, copy)` and its state mean, and whether they are
/// big-endian: `(version, byte order, subarray, names, fields, ...)`.
fn element(values: &Values<'_>, dtype: Value) -> Result<(Dtype, bool), String> {
    let unknown = |name: &str| format!("it is a NumPy array of {name}, which is not supported");
    let object = values.object(dtype);
    let object = object.filter(|it| (it.module, it.name) == ("numpy", "dtype"));
    let object = object.ok_or_else(|| unknown("elements of no dtype"))?;
    let named = values
        .items(object.arguments)
        .and_then(|items| items.first().copied());
    let name = match named {
        Some(Value::Global(_)) => values
            .global(named.unwrap_or(Value::None))
            .map(|(_, name)| name),
        Some(text) => values.text(text),
        None => None,
    };
    let name = name.unwrap_or("no name");
    let (mut order, mut is_plain) = ("<", true);
    if let Some(&[_, byte_order, subarray, names, ..]) = values.items(object.state) {
        order = values.text(byte_order).unwrap_or("<");
        is_plain = subarray == Value::None && names == Value::None;
    }
    let found = DTYPES.iter().find(|(known, _)| *known == name);
    match found {
        Some((_, dtype)) if is_plain => Ok((*dtype, order == ">")),
        Some(_) => Err(unknown("records")),
        None if name.starts_with('O') => Err(unknown("objects")),
        None => Err(unknown(name)),
    }
}

/// NumPy's names of elements: its own, and those that `ml_dtypes` adds.
const DTYPES: &[(&str, Dtype)] = &[
    ("f8", Dtype::F64),
    ("f4", Dtype::F32),
    ("f2", Dtype::F16),
    ("bfloat16", Dtype::BF16),
    ("float8_e4m3fn", Dtype::F8E4M3),
    ("float8_e5m2", Dtype::F8E5M2),
    ("i8", Dtype::I64),
    ("i4", Dtype::I32),
    ("i2", Dtype::I16),
    ("i1", Dtype::I8),
    ("u8", Dtype::U64),
    ("u4", Dtype::U32),
    ("u2", Dtype::U16),
    ("u1", Dtype::U8),
    ("b1", Dtype::Bool),
];
