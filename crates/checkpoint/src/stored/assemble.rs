//! Values of what was read: chunks put together, elements times their factors.

use super::{Chunk, ChunkedTensor, StorageScale, StoredTensor, Wrapped, count};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::error::ReadError;
use crate::format::catalog_of;
use crate::read::{TensorBytes, too_large};
use crate::tensor::Tensor;

pub(super) fn values(tensor: &StoredTensor, bytes: &[TensorBytes]) -> Result<Tensor, ReadError> {
    let mut bytes = bytes.iter();
    let mut values = elements(&tensor.elements, &mut bytes)?;
    if let Some(scale) = &tensor.scale {
        let factors = elements(&scale.factors, &mut bytes)?;
        if let Some(order) = &scale.order {
            check_order(tensor.name(), &elements(order, &mut bytes)?)?;
        }
        multiply(&mut values, scale, &factors);
    }
    Ok(values)
}

/// The stored elements of a tensor, of its chunks' bytes.
fn elements<'a>(
    tensor: &ChunkedTensor,
    bytes: &mut impl Iterator<Item = &'a TensorBytes>,
) -> Result<Tensor, ReadError> {
    let mut next = || bytes.next().ok_or_else(|| missing(tensor));
    if let Some(chunk) = tensor.only_chunk() {
        return chunk.elements(next()?);
    }
    let mut whole = unfilled(tensor)?;
    for chunk in &tensor.chunks {
        let part = chunk.elements(next()?)?;
        copy_into(&mut whole, &part, &chunk.offsets);
    }
    Ok(whole)
}

impl Chunk {
    /// Its elements, of its bytes.
    fn elements(&self, bytes: &TensorBytes) -> Result<Tensor, ReadError> {
        match &self.wrapped {
            None => bytes.widen(&self.entry),
            Some(wrapped) => self.unwrapped(wrapped, bytes),
        }
    }

    fn unwrapped(&self, wrapped: &Wrapped, bytes: &TensorBytes) -> Result<Tensor, ReadError> {
        let error = |reason: String| ReadError::Chunk {
            path: self.path.clone(),
            tensor: self.entry.name.clone(),
            reason,
        };
        let file = bytes.as_file(&self.path);
        // The bytes are at hand, so that nothing is waited for.
        let catalog = pin!(catalog_of(&file)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(catalog) = catalog else {
            return Err(error("it is not at hand".to_owned()));
        };
        let catalog = catalog.map_err(|reason| error(reason.to_string()))?;
        let [found] = catalog.tensors.as_slice() else {
            let count = catalog.tensors.len();
            return Err(error(format!(
                "there are {count} tensors where one belongs"
            )));
        };
        if (found.dtype, &found.shape) != (wrapped.dtype, &wrapped.shape) {
            return Err(error(format!(
                "it is {} {:?}, not {} {:?}",
                found.dtype, found.shape, wrapped.dtype, wrapped.shape
            )));
        }
        let part = bytes.part(found.byte_range());
        part.ok_or_else(|| error("its bytes end too soon".to_owned()))?
            .widen(found)
    }
}

/// A tensor none of whose elements is known yet: NaN, so that none is taken for a number.
fn unfilled(tensor: &ChunkedTensor) -> Result<Tensor, ReadError> {
    let path = tensor.chunks.first().map_or("", |chunk| &chunk.path);
    let error = || too_large(path, &tensor.name, &tensor.shape);
    let shape = tensor
        .shape
        .iter()
        .map(|extent| usize::try_from(*extent).ok());
    let shape: Option<Vec<usize>> = shape.collect();
    let count = usize::try_from(count(&tensor.shape)).ok();
    let (shape, count) = shape.zip(count).ok_or_else(error)?;
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| error())?;
    values.resize(count, f64::NAN);
    Ok(Tensor { shape, values })
}

/// Copies a chunk to its place, a column of the matrix view at a time.
fn copy_into(whole: &mut Tensor, part: &Tensor, offsets: &[u64]) {
    let offsets: Vec<usize> = offsets
        .iter()
        .map(|offset| usize::try_from(*offset).unwrap_or(usize::MAX))
        .collect();
    let (first_row, first_column) = match offsets.as_slice() {
        [] => (0, &[][..]),
        [_] => (0, offsets.as_slice()),
        [first, rest @ ..] => (*first, rest),
    };
    let (rows, height) = (whole.rows(), part.rows());
    let extents = columns_of(&whole.shape).to_vec();
    let mut index: Vec<usize> = vec![0; columns_of(&part.shape).len()];
    for source in part.values.chunks_exact(height.max(1)) {
        let place = index
            .iter()
            .zip(first_column)
            .map(|(index, first)| index.saturating_add(*first));
        let flat = |flat: usize, (index, extent): (usize, &usize)| {
            flat.saturating_mul(*extent).saturating_add(index)
        };
        let column = place.zip(&extents).fold(0, flat);
        let start = column.saturating_mul(rows).saturating_add(first_row);
        if let Some(target) = whole.values.get_mut(start..start.saturating_add(height)) {
            target.copy_from_slice(source);
        }
        advance(&mut index, columns_of(&part.shape));
    }
}

/// The dimensions that run along the columns of the matrix view: all of a vector's, all but the
/// first of others.
fn columns_of<T>(shape: &[T]) -> &[T] {
    match shape {
        [_, rest @ ..] if !rest.is_empty() => rest,
        _ => shape,
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

/// Multiplies every element with the factor of its block.
fn multiply(values: &mut Tensor, scale: &StorageScale, factors: &Tensor) {
    let block: Vec<usize> = scale
        .block
        .iter()
        .map(|extent| usize::try_from(*extent).unwrap_or(usize::MAX).max(1))
        .collect();
    let rows = values.rows().max(1);
    let height = if block.len() > 1 { block[0] } else { 1 };
    let extents = columns_of(&values.shape).to_vec();
    let widths = columns_of(&block);
    // Blocks along each dimension of the columns, and all of them together.
    let grid = extents
        .iter()
        .zip(widths)
        .map(|(extent, width)| extent.div_ceil(*width));
    let grid: Vec<usize> = grid.collect();
    let across: usize = grid.iter().product();
    let divisor = f64::from(scale.divisor);
    let mut index: Vec<usize> = vec![0; extents.len()];
    for column in values.values.chunks_exact_mut(rows) {
        let blocks = index.iter().zip(widths).map(|(index, width)| index / width);
        let right = blocks
            .zip(&grid)
            .fold(0, |flat, (block, count)| flat * count + block);
        for (down, part) in column.chunks_mut(height).enumerate() {
            let factor = in_row_major_order(factors, down * across + right);
            for value in part {
                *value = *value * factor / divisor;
            }
        }
        advance(&mut index, &extents);
    }
}

/// An element by its place in row-major order; NaN where there is none.
fn in_row_major_order(tensor: &Tensor, place: usize) -> f64 {
    let (rows, columns) = (tensor.rows(), tensor.columns());
    let found = place
        .checked_rem(columns)
        .map(|column| column * rows + place / columns);
    found
        .and_then(|index| tensor.values.get(index))
        .copied()
        .unwrap_or(f64::NAN)
}

fn check_order(tensor: &str, order: &Tensor) -> Result<(), ReadError> {
    match order.values.as_slice() {
        [0.0] => Ok(()),
        found => Err(ReadError::Order {
            tensor: tensor.to_owned(),
            found: format!("{found:?}"),
        }),
    }
}

/// Bytes that whoever read them did not hand over.
fn missing(tensor: &ChunkedTensor) -> ReadError {
    let path = tensor
        .chunks
        .first()
        .map_or_else(String::new, |chunk| chunk.path.clone());
    ReadError::Short {
        path,
        offset: 0,
        length: count(&tensor.shape),
    }
}
