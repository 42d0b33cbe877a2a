//! The tensors of a step that are in memory.

use std::rc::Rc;

use ckptscope_checkpoint::read::{PatternCounts, TensorBytes};
use ckptscope_checkpoint::{ReadError, StoredTensor};
use ckptscope_metrics::{Float32Entries, Precision, Tally};
use nalgebra::DMatrix;

use super::fetch::FetchedTensor;
use super::float32;
use crate::component::Shape;
use crate::plan::{Inputs, Job, LaneStep, float32_entry, matrix_shape};

/// Each tensor as bytes until the first job that reads it, and as a matrix until the last. Where
/// jobs ask how often each value occurs, that is counted before, and where none asks for more
/// there is no matrix.
pub(super) struct StepTensors<'a> {
    step: &'a LaneStep,
    tensors: Vec<Held>,
    readers: Vec<usize>,
    /// Which tensors are counted.
    counted: Vec<bool>,
    /// Which are counted and nothing else.
    counted_only: Vec<bool>,
    /// Of which the order of their entries is wanted.
    ordered: Vec<bool>,
}

#[derive(Clone)]
enum Held {
    Nothing,
    Bytes(Vec<TensorBytes>),
    Counts(PatternCounts),
    Tally(Rc<Tally>),
    Float32(Rc<Float32Entries>),
    Matrix(Rc<DMatrix<f64>>, Option<Rc<Tally>>),
}

/// What a job works with.
pub(super) enum Taken {
    /// Its tensors as matrices, and how often each value occurs in the first, where that was
    /// counted.
    Matrices(Vec<Rc<DMatrix<f64>>>, Option<Rc<Tally>>),
    /// Of its only tensor, how often each value occurs.
    Tally(Shape, Rc<Tally>),
    /// Of its only tensor of float32, the entries wherever they stand.
    Float32(Shape, Rc<Float32Entries>),
}

impl<'a> StepTensors<'a> {
    pub(super) fn of(step: &'a LaneStep, jobs: &[Job]) -> Self {
        let mut readers = vec![0; step.tensors.len()];
        for &input in step.inputs.iter().flat_map(Inputs::tensors) {
            readers[input] += 1;
        }
        let tensors = || 0..step.tensors.len();
        Self {
            step,
            tensors: vec![Held::Nothing; step.tensors.len()],
            readers,
            counted: tensors().map(|it| step.counts(jobs, it)).collect(),
            counted_only: tensors().map(|it| step.counts_only(jobs, it)).collect(),
            ordered: tensors().map(|it| step.orders(jobs, it)).collect(),
        }
    }

    /// Takes tensors in that were fetched.
    pub(super) fn add(&mut self, fetched: Vec<(usize, FetchedTensor)>) {
        for (index, fetched) in fetched {
            self.tensors[index] = match fetched {
                FetchedTensor::Bytes(bytes) => Held::Bytes(bytes),
                FetchedTensor::Counts(counts) => Held::Counts(counts),
                FetchedTensor::Float32(entries) => Held::Float32(Rc::new(entries)),
            };
        }
    }

    /// The coarsest precision in which a job's inputs are stored.
    pub(super) fn precision(&self, inputs: &[usize]) -> Precision {
        let each = inputs
            .iter()
            .map(|&index| stored_precision(&self.step.tensors[index]));
        each.fold(Precision::DOUBLE, Precision::coarser)
    }

    /// A job's inputs; those that no later job reads are let go.
    pub(super) fn take(&mut self, inputs: &[usize]) -> Result<Taken, ReadError> {
        for &index in inputs {
            self.make(index)?;
        }
        let mut matrices = Vec::with_capacity(inputs.len());
        let mut first_tally = None;
        for &index in inputs {
            let shape = matrix_shape(self.step.tensors[index].shape());
            match self.take_one(index) {
                Held::Tally(tally) => return Ok(Taken::Tally(shape, tally)),
                Held::Float32(entries) => return Ok(Taken::Float32(shape, entries)),
                Held::Matrix(matrix, tally) => {
                    matrices.push(matrix);
                    first_tally = first_tally.or(tally);
                }
                Held::Nothing | Held::Bytes(_) | Held::Counts(_) => {}
            }
        }
        Ok(Taken::Matrices(matrices, first_tally))
    }

    /// Makes of what was read what jobs work with.
    fn make(&mut self, index: usize) -> Result<(), ReadError> {
        let stored = &self.step.tensors[index];
        let made = match &self.tensors[index] {
            Held::Bytes(bytes) => {
                if let (true, Some(entry), [bytes]) =
                    (self.counted_only[index], float32_entry(stored), &**bytes)
                {
                    let entries = float32::of_bytes(bytes, entry, self.ordered[index])?;
                    self.tensors[index] = Held::Float32(Rc::new(entries));
                    return Ok(());
                }
                let counts = if self.counted[index] {
                    PatternCounts::of_bytes(stored, bytes)?
                } else {
                    None
                };
                match counts.map(|counts| tally(stored, &counts)).transpose()? {
                    Some(tally) if self.counted_only[index] => Held::Tally(tally),
                    tally => {
                        let tensor = stored.values(bytes)?;
                        let (rows, columns) = (tensor.rows(), tensor.columns());
                        let matrix = DMatrix::from_vec(rows, columns, tensor.values);
                        Held::Matrix(Rc::new(matrix), tally)
                    }
                }
            }
            Held::Counts(counts) => Held::Tally(tally(stored, counts)?),
            Held::Nothing | Held::Tally(_) | Held::Float32(_) | Held::Matrix(..) => return Ok(()),
        };
        self.tensors[index] = made;
        Ok(())
    }

    fn take_one(&mut self, index: usize) -> Held {
        self.readers[index] -= 1;
        if self.readers[index] == 0 {
            std::mem::replace(&mut self.tensors[index], Held::Nothing)
        } else {
            self.tensors[index].clone()
        }
    }
}

fn tally(stored: &StoredTensor, counts: &PatternCounts) -> Result<Rc<Tally>, ReadError> {
    let path = stored.extents().next().map_or("", |extent| extent.path);
    Ok(Rc::new(Tally::of(counts.values(path)?)))
}

/// Integers are exact as they are. With a scale they are what numbers up to the largest were rounded
/// to, and that has a sign.
fn stored_precision(tensor: &StoredTensor) -> Precision {
    let dtype = tensor.elements.dtype;
    let integer_bits = tensor.scale.as_ref().map(|_| 8 * dtype.bytes() as u32 - 2);
    let bits = dtype.fraction_bits().or(integer_bits);
    bits.map_or(Precision::DOUBLE, Precision::of_fraction_bits)
}
