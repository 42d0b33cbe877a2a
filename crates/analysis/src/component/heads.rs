//! Heads and key-value heads, and whether tensors are as wide as these ask for.

use ckptscope_checkpoint::ModelShape;
use nalgebra::DMatrix;

use super::ComponentError;

/// How many heads a layer has, and how wide they are.
pub(super) struct Heads {
    /// Heads.
    pub(super) count: usize,
    /// Key-value heads.
    pub(super) kv_count: usize,
    /// Width of one.
    pub(super) width: usize,
}

/// The side of a tensor along which heads lie.
#[derive(Clone, Copy)]
pub(super) struct Side {
    /// Which tensor.
    pub(super) role: &'static str,
    /// `rows` or `columns`.
    pub(super) side: &'static str,
    /// How many there are.
    pub(super) found: usize,
}

impl Heads {
    /// Of a model, or where it is silent of the tensors in which heads and key-value heads lie.
    pub(super) fn of(
        model: &ModelShape,
        heads: Side,
        kv_heads: Side,
    ) -> Result<Self, ComponentError> {
        let (count, width) = match (size(model.n_heads), size(model.d_head)) {
            (None, None) => return Err(ComponentError::HeadsUnknown),
            (Some(count), Some(width)) => (count, width),
            (Some(count), None) => (count, heads.per_head(count)?),
            (None, Some(width)) => (heads.whole_heads(width)?, width),
        };
        heads.must_be(count.saturating_mul(width))?;
        let kv_count = match size(model.n_kv_heads) {
            Some(kv_count) => kv_count,
            None => kv_heads.whole_heads(width)?,
        };
        kv_heads.must_be(kv_count.saturating_mul(width))?;
        if !count.is_multiple_of(kv_count) {
            return Err(ComponentError::HeadGroups {
                heads: count,
                kv_heads: kv_count,
            });
        }
        Ok(Self {
            count,
            kv_count,
            width,
        })
    }

    /// The key-value head that head `h` reads.
    pub(super) const fn kv_of(&self, h: usize) -> usize {
        h / (self.count / self.kv_count)
    }

    /// The model's dimensions as they were taken.
    pub(super) fn dimensions(&self) -> ModelShape {
        ModelShape {
            n_heads: Some(self.count as u64),
            n_kv_heads: Some(self.kv_count as u64),
            d_head: Some(self.width as u64),
            ..ModelShape::default()
        }
    }
}

impl Side {
    pub(super) const fn rows(role: &'static str, found: usize) -> Self {
        Self {
            role,
            side: "rows",
            found,
        }
    }

    pub(super) const fn columns(role: &'static str, found: usize) -> Self {
        Self {
            role,
            side: "columns",
            found,
        }
    }

    pub(super) const fn must_be(self, expected: usize) -> Result<(), ComponentError> {
        if self.found == expected {
            return Ok(());
        }
        let Self { role, side, found } = self;
        Err(ComponentError::Mismatch {
            role,
            side,
            found,
            expected,
        })
    }

    /// The width of one of `heads`.
    fn per_head(self, heads: usize) -> Result<usize, ComponentError> {
        let Self { role, side, found } = self;
        if found > 0 && found.is_multiple_of(heads) {
            return Ok(found / heads);
        }
        Err(ComponentError::NotPerHead {
            role,
            side,
            found,
            heads,
        })
    }

    /// How many heads of `width` there are.
    fn whole_heads(self, width: usize) -> Result<usize, ComponentError> {
        let Self { role, side, found } = self;
        if found > 0 && found.is_multiple_of(width) {
            return Ok(found / width);
        }
        Err(ComponentError::NotWholeHeads {
            role,
            side,
            found,
            width,
        })
    }
}

fn size(dimension: Option<u64>) -> Option<usize> {
    dimension
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size > 0)
}

/// Columns `first..first + count` of a matrix.
pub(super) fn columns_of(matrix: &DMatrix<f64>, first: usize, count: usize) -> DMatrix<f64> {
    let rows = matrix.nrows();
    let entries = &matrix.as_slice()[first * rows..(first + count) * rows];
    DMatrix::from_vec(rows, count, entries.to_vec())
}

/// Rows `first..first + count` of a matrix. Each column's are copied at once; nalgebra goes entry by
/// entry.
pub(super) fn rows_of(matrix: &DMatrix<f64>, first: usize, count: usize) -> DMatrix<f64> {
    let columns = matrix.ncols();
    let mut entries = Vec::with_capacity(count * columns);
    for column in matrix.as_slice().chunks_exact(matrix.nrows().max(1)) {
        entries.extend_from_slice(&column[first..first + count]);
    }
    DMatrix::from_vec(count, columns, entries)
}
