//! The matrices of a component as the model's architecture has them: cut out of stored tensors,
//! turned, multiplied with the gains of norms.
//!
//! An [`Assembly`] is plain data and goes with its job. So a component sees `[out, in]` matrices
//! only, heads in order, however a library stores them.

use std::borrow::Cow;
use std::rc::Rc;

use ckptscope_checkpoint::architecture::{Latent, Projection, RowNorm, Rows, View};
use ckptscope_checkpoint::{HeadShape, ModelShape};
use ckptscope_metrics::linalg::product;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::component::{ComponentError, Shape};

/// How the matrices of a component's inputs come about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assembly {
    /// Of each input, in the order of the component's; tensors by their places among the job's.
    pub inputs: Vec<AssembledInput>,
    /// The shapes of the job's tensors: parts of others would be cut out in the wrong places.
    #[serde(default)]
    pub stored: Vec<StoredShape>,
    /// The tensors of each input in words, in the same order: `attention.o_proj`.
    #[serde(default)]
    pub made_of: Vec<String>,
    /// The heads of the layer, as the tensors' shapes have them.
    pub heads: HeadShape,
}

/// The shape of a tensor that a matrix is cut out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredShape {
    /// Rows; none where there may be any number of them, as in activations.
    #[serde(default)]
    pub rows: Option<usize>,
    /// Columns.
    pub columns: usize,
}

/// How the matrix of an input comes about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssembledInput {
    /// The map.
    pub projection: Projection<usize>,
    /// Whether what the map writes are the columns of the tensor, as in activations.
    #[serde(default)]
    pub writes_columns: bool,
}

type Entries = DMatrix<f64>;

impl Assembly {
    /// Whether gains of norms are part of some input.
    #[must_use]
    pub fn has_gains(&self) -> bool {
        let mut projections = self.inputs.iter().map(|input| &input.projection);
        projections.any(|it| {
            let of_latent = it.latent.as_ref().and_then(|latent| latent.norm.as_ref());
            it.norm.is_some() || of_latent.is_some()
        })
    }

    /// The model's dimensions with the heads of this layer.
    #[must_use]
    pub fn model(&self, model: &ModelShape) -> ModelShape {
        ModelShape {
            n_heads: self.heads.n_heads.or(model.n_heads),
            n_kv_heads: self.heads.n_kv_heads.or(model.n_kv_heads),
            d_head: self.heads.d_head.or(model.d_head),
            ..model.clone()
        }
    }

    /// The shapes of the matrices, of those of the stored tensors.
    ///
    /// # Errors
    /// [`ComponentError::OtherShape`], [`ComponentError::NoRoom`], [`ComponentError::TensorCount`].
    pub fn shapes(&self, stored: &[Shape]) -> Result<Vec<Shape>, ComponentError> {
        for (expected, found) in self.stored.iter().zip(stored) {
            expected.must_be(*found)?;
        }
        let inputs = self.inputs.iter();
        inputs.map(|input| input.shape(stored)).collect()
    }

    /// The matrices, of the stored ones.
    ///
    /// # Errors
    /// As [`Assembly::shapes`].
    pub fn matrices(&self, stored: &[Rc<Entries>]) -> Result<Vec<Rc<Entries>>, ComponentError> {
        let shapes: Vec<Shape> = stored.iter().map(|it| Shape::of(it)).collect();
        self.shapes(&shapes)?;
        let inputs = self.inputs.iter();
        Ok(inputs.map(|input| input.matrix(stored)).collect())
    }
}

impl StoredShape {
    fn must_be(self, found: Shape) -> Result<(), ComponentError> {
        let rows = self.rows.unwrap_or(found.rows);
        if (rows, self.columns) == (found.rows, found.columns) {
            return Ok(());
        }
        let columns = self.columns;
        Err(ComponentError::OtherShape {
            found,
            expected: Shape { rows, columns },
        })
    }
}

impl AssembledInput {
    fn shape(&self, stored: &[Shape]) -> Result<Shape, ComponentError> {
        let turned = |shape: Shape| match self.writes_columns {
            true => shape.transposed(),
            false => shape,
        };
        let shapes: Vec<Shape> = stored.iter().map(|shape| turned(*shape)).collect();
        Ok(turned(projection_shape(&self.projection, &shapes)?))
    }

    /// Of tensors whose shapes were looked at.
    fn matrix(&self, stored: &[Rc<Entries>]) -> Rc<Entries> {
        if !self.writes_columns {
            return projected(&self.projection, stored);
        }
        if self.projection == Projection::stored(View::whole(self.projection.view.tensor)) {
            return Rc::clone(&stored[self.projection.view.tensor]);
        }
        let turned: Vec<_> = stored.iter().map(|it| Rc::new(it.transpose())).collect();
        Rc::new(projected(&self.projection, &turned).transpose())
    }
}

fn projection_shape(
    projection: &Projection<usize>,
    stored: &[Shape],
) -> Result<Shape, ComponentError> {
    let mut shape = view_shape(&projection.view, stored)?;
    if let Some(latent) = &projection.latent {
        let read = view_shape(&latent.view, stored)?;
        must_fit(read.rows, shape.columns)?;
        shape.columns = read.columns;
        if let Some(norm) = &latent.norm {
            norm_must_fit(norm, read.rows, stored)?;
        }
        if let Some(shared) = &latent.shared {
            let shared = view_shape(shared, stored)?;
            must_fit(shared.columns, shape.columns)?;
            let heads = size(latent.heads)?;
            must_fit(shape.rows % heads.max(1), 0)?;
            let rows = shared.rows.checked_mul(heads);
            let rows = rows.and_then(|rows| rows.checked_add(shape.rows));
            shape.rows = rows.ok_or_else(|| no_room(shape))?;
        }
    }
    if let Some(norm) = &projection.norm {
        norm_must_fit(norm, shape.rows, stored)?;
    }
    Ok(shape)
}

fn view_shape(view: &View<usize>, stored: &[Shape]) -> Result<Shape, ComponentError> {
    let of = *tensor(stored, view.tensor)?;
    let found = view.shape(of.rows as u64, of.columns as u64);
    let (rows, columns) = found.ok_or_else(|| no_room(of))?;
    Ok(Shape {
        rows: size(rows)?,
        columns: size(columns)?,
    })
}

/// Whether there is a gain for each row, or for each of a whole number of runs of them.
fn norm_must_fit(
    norm: &RowNorm<usize>,
    rows: usize,
    stored: &[Shape],
) -> Result<(), ComponentError> {
    let mut gains = 0;
    for gain in &norm.gains {
        let shape = tensor(stored, *gain)?;
        gains += shape.rows * shape.columns;
    }
    let (group, rest) = (size(norm.group)?, |by: usize| rows.checked_rem(by));
    match (rest(gains), rest(group)) {
        (Some(0), Some(0)) => Ok(()),
        _ => Err(ComponentError::NoRoom {
            rows,
            columns: gains,
        }),
    }
}

fn tensor<T>(stored: &[T], place: usize) -> Result<&T, ComponentError> {
    stored.get(place).ok_or(ComponentError::TensorCount {
        found: stored.len(),
        expected: place + 1,
    })
}

fn must_fit(found: usize, expected: usize) -> Result<(), ComponentError> {
    if found == expected {
        return Ok(());
    }
    Err(ComponentError::NoRoom {
        rows: found,
        columns: expected,
    })
}

const fn no_room(shape: Shape) -> ComponentError {
    ComponentError::NoRoom {
        rows: shape.rows,
        columns: shape.columns,
    }
}

fn size(extent: u64) -> Result<usize, ComponentError> {
    usize::try_from(extent).map_err(|_| ComponentError::NoRoom {
        rows: usize::MAX,
        columns: 0,
    })
}

/// The map. From here on, shapes were looked at.
fn projected(projection: &Projection<usize>, stored: &[Rc<Entries>]) -> Rc<Entries> {
    let mut map = cut(&projection.view, stored);
    if let Some(latent) = &projection.latent {
        map = Rc::new(through(&map, latent, stored));
    }
    match &projection.norm {
        Some(norm) => Rc::new(normed(&map, norm, stored)),
        None => map,
    }
}

fn cut(view: &View<usize>, stored: &[Rc<Entries>]) -> Rc<Entries> {
    let whole = &stored[view.tensor];
    let mut part = Cow::Borrowed(&**whole);
    if let Some(slice) = view.slice {
        let (index, columns) = (at(slice.index), at(slice.columns));
        let rows = at(slice.rows);
        let entry = |row, column| match whole.ncols() == columns {
            true => whole[(index * rows + row, column)],
            false => whole[(index, row * columns + column)],
        };
        part = Cow::Owned(Entries::from_fn(rows, columns, entry));
    }
    if view.transposed {
        part = Cow::Owned(part.transpose());
    }
    if let Some(rows) = view.rows {
        part = Cow::Owned(some_rows(&part, rows));
    }
    match part {
        Cow::Borrowed(_) => Rc::clone(whole),
        Cow::Owned(part) => Rc::new(part),
    }
}

/// A number of rows or columns of a matrix in memory.
fn at(extent: u64) -> usize {
    usize::try_from(extent).unwrap_or(usize::MAX)
}

fn some_rows(matrix: &Entries, rows: Rows) -> Entries {
    let mut part = Entries::zeros(at(rows.count * rows.width), matrix.ncols());
    for (to, from) in rows.each().enumerate() {
        part.row_mut(to).copy_from(&matrix.row(at(from)));
    }
    part
}

/// A map of what a latent writes, as a map of what the latent reads.
fn through(map: &Entries, latent: &Latent<usize>, stored: &[Rc<Entries>]) -> Entries {
    let mut narrow = cut(&latent.view, stored);
    if let Some(norm) = &latent.norm {
        narrow = Rc::new(normed(&narrow, norm, stored));
    }
    let own = product(map, &narrow);
    let Some(shared) = &latent.shared else {
        return own;
    };
    let shared = cut(shared, stored);
    let heads = at(latent.heads).max(1);
    let (width, more) = (own.nrows() / heads, shared.nrows());
    let mut all = Entries::zeros(own.nrows() + heads * more, own.ncols());
    for head in 0..heads {
        let start = head * (width + more);
        let rows = own.rows(head * width, width);
        all.rows_mut(start, width).copy_from(&rows);
        all.rows_mut(start + width, more).copy_from(&*shared);
    }
    all
}

/// A map followed by the linear part of a norm.
fn normed(map: &Entries, norm: &RowNorm<usize>, stored: &[Rc<Entries>]) -> Entries {
    let gains = gains(norm, stored);
    let mut normed = map.clone();
    if norm.is_centred {
        let group = at(norm.group);
        for start in (0..normed.nrows()).step_by(group) {
            let mut rows = normed.rows_mut(start, group);
            let mean = rows.row_mean();
            rows.row_iter_mut().for_each(|mut row| row -= &mean);
        }
    }
    for (row, gain) in (0..normed.nrows()).zip(gains.iter().cycle()) {
        normed.row_mut(row).scale_mut(*gain);
    }
    normed
}

/// What a norm multiplies with, row by row of its tensors.
fn gains(norm: &RowNorm<usize>, stored: &[Rc<Entries>]) -> Vec<f64> {
    let tensors = norm.gains.iter().map(|place| &stored[*place]);
    let by_row = tensors.map(|tensor| tensor.transpose());
    let stored: Vec<f64> = by_row.flat_map(|it| it.as_slice().to_vec()).collect();
    let more = if norm.is_one_plus { 1.0 } else { 0.0 };
    stored.into_iter().map(|gain| gain + more).collect()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use ckptscope_checkpoint::HeadShape;
    use ckptscope_checkpoint::architecture::{Latent, Projection, RowNorm, Rows, Slice, View};
    use nalgebra::{DMatrix, dmatrix};

    use super::{AssembledInput, Assembly, StoredShape};
    use crate::component::{ComponentError, Shape};

    fn assembled(
        projection: Projection<usize>,
        writes_columns: bool,
        stored: &[DMatrix<f64>],
    ) -> Result<DMatrix<f64>, ComponentError> {
        let assembly = Assembly {
            inputs: vec![AssembledInput {
                projection,
                writes_columns,
            }],
            stored: Vec::new(),
            made_of: Vec::new(),
            heads: HeadShape::default(),
        };
        let stored: Vec<_> = stored.iter().cloned().map(Rc::new).collect();
        let matrices = assembly.matrices(&stored)?;
        Ok((*matrices[0]).clone())
    }

    #[test]
    fn experts_are_cut_out_turned_and_taken_every_other_row() {
        // Two experts of [2, 4], stored [in, out].
        let stored = dmatrix![
            0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0;
            10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0
        ];
        let view = View {
            tensor: 0,
            slice: Some(Slice {
                index: 1,
                rows: 2,
                columns: 4,
            }),
            transposed: true,
            rows: Some(Rows {
                start: 1,
                width: 1,
                stride: 2,
                count: 2,
            }),
        };
        let found = assembled(Projection::stored(view), false, &[stored]);
        assert_eq!(found, Ok(dmatrix![11.0, 15.0; 13.0, 17.0]));
    }

    #[test]
    fn of_activations_columns_are_taken() {
        let stored = dmatrix![0.0, 1.0, 2.0; 3.0, 4.0, 5.0];
        let view = View::whole(0).rows(Rows::block(1, 2));
        let found = assembled(Projection::stored(view), true, &[stored]);
        assert_eq!(found, Ok(dmatrix![1.0, 2.0; 4.0, 5.0]));
    }

    #[test]
    fn a_norm_multiplies_each_row_the_mean_of_its_group_taken_off() {
        let norm = RowNorm {
            gains: vec![1],
            group: 2,
            is_one_plus: true,
            is_centred: true,
        };
        let projection = Projection {
            norm: Some(norm),
            ..Projection::stored(View::whole(0))
        };
        let map = dmatrix![1.0, 0.0; 3.0, 2.0; 5.0, 5.0; 5.0, 7.0];
        let found = assembled(projection, false, &[map, dmatrix![0.0, 1.0]]);
        let expected = dmatrix![-1.0, -1.0; 2.0, 2.0; 0.0, -1.0; 0.0, 2.0];
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn a_latent_is_read_and_rows_that_heads_share_stand_behind_each() {
        let latent = Latent {
            view: View::whole(1).rows(Rows::block(0, 1)),
            norm: None,
            shared: Some(View::whole(1).rows(Rows::block(1, 1))),
            heads: 2,
        };
        let projection = Projection {
            latent: Some(latent),
            ..Projection::stored(View::whole(0))
        };
        let stored = [dmatrix![2.0; 3.0], dmatrix![1.0, 10.0; 7.0, 8.0]];
        let found = assembled(projection, false, &stored);
        let expected = dmatrix![2.0, 20.0; 7.0, 8.0; 3.0, 30.0; 7.0, 8.0];
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn a_tensor_of_another_shape_is_not_cut_into() {
        let input = |writes_columns| AssembledInput {
            projection: Projection::stored(View::whole(0).rows(Rows::block(1, 2))),
            writes_columns,
        };
        let of = |rows, writes_columns| Assembly {
            inputs: vec![input(writes_columns)],
            stored: vec![StoredShape { rows, columns: 4 }],
            made_of: Vec::new(),
            heads: HeadShape::default(),
        };
        let shape = |rows, columns| Shape { rows, columns };
        let weights = of(Some(3), false);
        assert_eq!(weights.shapes(&[shape(3, 4)]), Ok(vec![shape(2, 4)]));
        let refused = ComponentError::OtherShape {
            found: shape(6, 4),
            expected: shape(3, 4),
        };
        assert_eq!(weights.shapes(&[shape(6, 4)]), Err(refused));
        // Of activations the samples may be any, the features not.
        let activations = of(None, true);
        assert_eq!(activations.shapes(&[shape(9, 4)]), Ok(vec![shape(9, 2)]));
        let refused = ComponentError::OtherShape {
            found: shape(9, 8),
            expected: shape(9, 4),
        };
        assert_eq!(activations.shapes(&[shape(9, 8)]), Err(refused));
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let view = View::whole(0).rows(Rows::block(1, 2));
        let found = assembled(Projection::stored(view), false, &[dmatrix![1.0; 2.0]]);
        let refused = ComponentError::NoRoom {
            rows: 2,
            columns: 1,
        };
        assert_eq!(found, Err(refused));
        let found = assembled(Projection::stored(View::whole(3)), false, &[]);
        let refused = ComponentError::TensorCount {
            found: 0,
            expected: 4,
        };
        assert_eq!(found, Err(refused));
    }
}
