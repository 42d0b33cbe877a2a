//! The tensors of a step that are in memory.

use std::rc::Rc;

use ckptscope_checkpoint::read::TensorBytes;
use ckptscope_checkpoint::{ReadError, StoredTensor};
use ckptscope_metrics::Precision;
use nalgebra::DMatrix;

use crate::plan::{Inputs, LaneStep};

/// Each tensor as bytes until the first job that reads it, and as a matrix until the last.
pub(super) struct StepTensors<'a> {
    step: &'a LaneStep,
    tensors: Vec<Held>,
    readers: Vec<usize>,
}

#[derive(Clone)]
enum Held {
    Nothing,
    Bytes(Vec<TensorBytes>),
    Matrix(Rc<DMatrix<f64>>),
}

impl<'a> StepTensors<'a> {
    pub(super) fn of(step: &'a LaneStep) -> Self {
        let mut readers = vec![0; step.tensors.len()];
        for &input in step.inputs.iter().flat_map(Inputs::tensors) {
            readers[input] += 1;
        }
        Self {
            step,
            tensors: vec![Held::Nothing; step.tensors.len()],
            readers,
        }
    }

    /// Takes tensors in that were fetched.
    pub(super) fn add(&mut self, fetched: Vec<(usize, Vec<TensorBytes>)>) {
        for (index, bytes) in fetched {
            self.tensors[index] = Held::Bytes(bytes);
        }
    }

    /// The coarsest precision in which a job's inputs are stored.
    pub(super) fn precision(&self, inputs: &[usize]) -> Precision {
        let each = inputs
            .iter()
            .map(|&index| stored_precision(&self.step.tensors[index]));
        each.fold(Precision::DOUBLE, Precision::coarser)
    }

    /// The matrices of a job's inputs; those that no later job reads are let go.
    pub(super) fn take(&mut self, inputs: &[usize]) -> Result<Vec<Rc<DMatrix<f64>>>, ReadError> {
        for &index in inputs {
            if let Held::Bytes(bytes) = &self.tensors[index] {
                let tensor = self.step.tensors[index].values(bytes)?;
                let (rows, columns) = (tensor.rows(), tensor.columns());
                let matrix = DMatrix::from_vec(rows, columns, tensor.values);
                self.tensors[index] = Held::Matrix(Rc::new(matrix));
            }
        }
        let matrices = inputs.iter().filter_map(|&index| self.take_one(index));
        Ok(matrices.collect())
    }

    fn take_one(&mut self, index: usize) -> Option<Rc<DMatrix<f64>>> {
        self.readers[index] -= 1;
        let Held::Matrix(matrix) = &self.tensors[index] else {
            return None;
        };
        let matrix = Rc::clone(matrix);
        if self.readers[index] == 0 {
            self.tensors[index] = Held::Nothing;
        }
        Some(matrix)
    }
}

/// Integers are exact as they are. With a scale they are what numbers up to the largest were rounded
/// to, and that has a sign.
fn stored_precision(tensor: &StoredTensor) -> Precision {
    let dtype = tensor.elements.dtype;
    let integer_bits = tensor.scale.as_ref().map(|_| 8 * dtype.bytes() as u32 - 2);
    let bits = dtype.fraction_bits().or(integer_bits);
    bits.map_or(Precision::DOUBLE, Precision::of_fraction_bits)
}
