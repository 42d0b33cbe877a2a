//! From stored elements to `f64`, in the column-major order of the matrix view.

use crate::catalog::TensorEntry;
use crate::dtype::Dtype;

/// Rows and columns of a tile. A tile of `f64` and its source lines fit the first-level cache.
/// Taller and flatter tiles measured the same: what is left is the memory's own pace.
const TILE: usize = 32;

/// Widens the elements of a tensor whose view of its storage is `bytes`. `None` where the bytes are not
/// as many as the shape and strides want, or there is no memory for the values.
#[must_use]
pub fn widen(entry: &TensorEntry, bytes: &[u8]) -> Option<Vec<f64>> {
    let (_, length) = entry.view_range()?;
    if u64::try_from(bytes.len()) != Ok(length) {
        return None;
    }
    let mut values = if entry.placement.big_endian && entry.dtype.bytes() > 1 {
        let swapped = swapped(bytes, usize::try_from(entry.dtype.bytes()).ok()?)?;
        widen_little_endian(entry, &swapped)?
    } else {
        widen_little_endian(entry, bytes)?
    };
    if entry.placement.negated {
        values.iter_mut().for_each(|value| *value = -*value);
    }
    Some(values)
}

fn widen_little_endian(entry: &TensorEntry, bytes: &[u8]) -> Option<Vec<f64>> {
    let elements = Elements {
        bytes,
        size: usize::try_from(entry.dtype.bytes()).ok()?,
        decode: match entry.dtype {
            Dtype::F64 => |from, to| each(from, to, f64::from_le_bytes),
            Dtype::F32 => |from, to| each(from, to, |it| f32::from_le_bytes(it).into()),
            Dtype::F16 => |from, to| each(from, to, |it| f16_value(u16::from_le_bytes(it))),
            Dtype::BF16 => |from, to| each(from, to, |it| bf16_value(u16::from_le_bytes(it))),
            Dtype::F8E4M3 => |from, to| each(from, to, |[it]| E4M3[usize::from(it)]),
            Dtype::F8E5M2 => |from, to| each(from, to, |[it]| E5M2[usize::from(it)]),
            Dtype::I64 => |from, to| each(from, to, |it| i64::from_le_bytes(it) as f64),
            Dtype::I32 => |from, to| each(from, to, |it| i32::from_le_bytes(it).into()),
            Dtype::I16 => |from, to| each(from, to, |it| i16::from_le_bytes(it).into()),
            Dtype::I8 => |from, to| each(from, to, |it| i8::from_le_bytes(it).into()),
            Dtype::U64 => |from, to| each(from, to, |it| u64::from_le_bytes(it) as f64),
            Dtype::U32 => |from, to| each(from, to, |it| u32::from_le_bytes(it).into()),
            Dtype::U16 => |from, to| each(from, to, |it| u16::from_le_bytes(it).into()),
            Dtype::U8 => |from, to| each(from, to, |[it]| it.into()),
            Dtype::Bool => |from, to| each(from, to, |[it]| f64::from(u8::from(it != 0))),
        },
    };
    elements.arranged(entry)
}

fn each<const N: usize>(bytes: &[u8], values: &mut [f64], decode: impl Fn([u8; N]) -> f64) {
    let (elements, _) = bytes.as_chunks::<N>();
    for (value, element) in values.iter_mut().zip(elements) {
        *value = decode(*element);
    }
}

/// Stored elements, whatever they are: how they are arranged is compiled once.
struct Elements<'a> {
    bytes: &'a [u8],
    /// Bytes of one.
    size: usize,
    decode: fn(&[u8], &mut [f64]),
}

impl Elements<'_> {
    /// Decodes and arranges the elements: as they lie where they are column-major already, tile by
    /// tile where they are row-major, one by one where they are anything else.
    fn arranged(&self, entry: &TensorEntry) -> Option<Vec<f64>> {
        let count = usize::try_from(entry.elements()).ok()?;
        if count == 0 {
            return Some(Vec::new());
        }
        let rows = match entry.shape.as_slice() {
            [] | [_] => 1,
            [first, ..] => usize::try_from(*first).ok()?,
        };
        let row_major = entry.is_row_major();
        let mut values = room(count)?;
        if entry.is_column_major() || (row_major && rows == 1) {
            let mut line = [0.0; TILE * TILE];
            for first in (0..count).step_by(line.len()) {
                let line = &mut line[..(TILE * TILE).min(count - first)];
                self.decode_at(first, line);
                values.extend_from_slice(line);
            }
        } else if row_major {
            values.resize(count, 0.0);
            self.transpose(rows, &mut values);
        } else {
            self.gather(entry, count, &mut values)?;
        }
        Some(values)
    }

    /// Decodes the elements from `first` on that there is room for.
    fn decode_at(&self, first: usize, values: &mut [f64]) {
        let bytes = first * self.size..(first + values.len()) * self.size;
        (self.decode)(&self.bytes[bytes], values);
    }

    /// Row-major elements `[rows, columns]` to column-major values. Each tile is decoded row by row
    /// into a small tile and leaves it column by column, so that both sides are walked in lines.
    fn transpose(&self, rows: usize, values: &mut [f64]) {
        let columns = values.len() / rows;
        let mut tile = [[0.0; TILE]; TILE];
        for first_row in (0..rows).step_by(TILE) {
            let height = TILE.min(rows - first_row);
            for first_column in (0..columns).step_by(TILE) {
                let width = TILE.min(columns - first_column);
                for (row, line) in tile.iter_mut().enumerate().take(height) {
                    let start = (first_row + row) * columns + first_column;
                    self.decode_at(start, &mut line[..width]);
                }
                for column in 0..width {
                    let start = (first_column + column) * rows + first_row;
                    let target = &mut values[start..start + height];
                    for (value, line) in target.iter_mut().zip(&tile) {
                        *value = line[column];
                    }
                }
            }
        }
    }

    /// Elements by their strides: a column of the matrix view is a walk along the first dimension,
    /// and the columns are the multi-indices of the others in row-major order.
    fn gather(&self, entry: &TensorEntry, count: usize, values: &mut Vec<f64>) -> Option<()> {
        let numbers = |numbers: &[u64]| -> Option<Vec<usize>> {
            numbers
                .iter()
                .map(|number| usize::try_from(*number).ok())
                .collect()
        };
        let shape = numbers(&entry.shape)?;
        // A stride that does not fit belongs to a dimension of one element and is never taken.
        let strides: Vec<usize> = entry
            .placement
            .strides
            .iter()
            .map(|stride| usize::try_from(*stride).unwrap_or(0))
            .collect();
        // A vector is one row: its only dimension runs along the columns.
        let split = usize::from(shape.len() > 1);
        let (rows, row_stride) = if split == 1 {
            (shape[0], strides[0])
        } else {
            (1, 0)
        };
        let (extents, steps) = (&shape[split..], &strides[split..]);
        let mut index = vec![0; extents.len()];
        for _ in 0..count / rows {
            let base: usize = index
                .iter()
                .zip(steps)
                .map(|(index, step)| index * step)
                .sum();
            for row in 0..rows {
                let mut value = [0.0];
                self.decode_at(base + row * row_stride, &mut value);
                values.extend(value);
            }
            advance(&mut index, extents);
        }
        Some(())
    }
}

/// The next multi-index in row-major order.
fn advance(index: &mut [usize], extents: &[usize]) {
    for (position, extent) in index.iter_mut().zip(extents).rev() {
        *position += 1;
        if *position < *extent {
            return;
        }
        *position = 0;
    }
}

fn swapped(bytes: &[u8], element: usize) -> Option<Vec<u8>> {
    let mut swapped = room(bytes.len())?;
    swapped.extend_from_slice(bytes);
    swapped.chunks_exact_mut(element).for_each(<[u8]>::reverse);
    Some(swapped)
}

/// Memory for so many items; `None` where there is none.
fn room<T>(count: usize) -> Option<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(count).ok()?;
    Some(items)
}

/// bfloat16 is the upper half of a 32-bit float.
fn bf16_value(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}

/// IEEE half precision. Its exponent and fraction, moved to their places in a 32-bit float, make
/// a number too small by 2^112, subnormals included; infinities and NaN want the exponent filled.
fn f16_value(bits: u16) -> f64 {
    const REBIAS: f32 = f32::from_bits((127 + 112) << 23);
    let magnitude = u32::from(bits & 0x7fff) << 13;
    let sign = u32::from(bits & 0x8000) << 16;
    let finite = (f32::from_bits(magnitude) * REBIAS).to_bits();
    let special = magnitude | 0x7f80_0000;
    let is_special = bits & 0x7c00 == 0x7c00;
    f32::from_bits(sign | if is_special { special } else { finite }).into()
}

/// Every value of float8 e4m3fn: bias 7, no infinities, NaN only where all bits are set.
static E4M3: [f64; 256] = {
    let mut table = [0.0; 256];
    let mut bits = 0;
    while bits < 256 {
        table[bits] = if bits & 0x7f == 0x7f {
            f64::NAN
        } else {
            f8_value(bits, 3, 7)
        };
        bits += 1;
    }
    table
};

/// Every value of float8 e5m2: bias 15, infinities and NaN as IEEE has them.
static E5M2: [f64; 256] = {
    let mut table = [0.0; 256];
    let mut bits = 0;
    while bits < 256 {
        let sign = if bits & 0x80 != 0 { -1.0 } else { 1.0 };
        table[bits] = match bits & 0x7f {
            0x7c => sign * f64::INFINITY,
            0x7d..=0x7f => f64::NAN,
            _ => f8_value(bits, 2, 15),
        };
        bits += 1;
    }
    table
};

/// A finite eight-bit float: sign, exponent, and a fraction of `fraction_bits`.
const fn f8_value(bits: usize, fraction_bits: u32, bias: i32) -> f64 {
    let one = 1 << fraction_bits;
    let fraction = bits & (one - 1);
    let exponent = ((bits & 0x7f) >> fraction_bits) as i32;
    let (significand, power) = if exponent == 0 {
        (fraction, 1 - bias)
    } else {
        (one + fraction, exponent - bias)
    };
    let magnitude = significand as f64 / one as f64 * power_of_two(power);
    if bits & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    }
}

const fn power_of_two(power: i32) -> f64 {
    f64::from_bits(((1023 + power) as u64) << 52)
}
