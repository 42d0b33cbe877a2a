//! A matrix as a file of safetensors, for whoever is sent one.

use crate::dtype::Dtype;
use crate::tensor::Tensor;

/// What the tensor of such a file is called.
pub const MATRIX: &str = "matrix";

/// A file of safetensors with the transpose of a tensor seen as a matrix, called [`MATRIX`]: its
/// values stand by columns. They have the fewest bits of bfloat16, float32 and float64 that hold
/// each exactly, but for the bits of a NaN.
#[must_use]
pub fn matrix_file(tensor: &Tensor) -> Vec<u8> {
    let dtype = narrowest(&tensor.values);
    let bytes = tensor.values.len() as u64 * dtype.bytes();
    let (rows, columns) = (tensor.rows(), tensor.columns());
    let header = format!(
        r#"{{"{MATRIX}":{{"dtype":"{dtype}","shape":[{columns},{rows}],"data_offsets":[0,{bytes}]}}}}"#
    );
    // What the format asks for: data that begin at a multiple of eight.
    let header = format!("{header:<width$}", width = header.len().next_multiple_of(8));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.reserve_exact(header.len() + usize::try_from(bytes).unwrap_or_default());
    file.extend_from_slice(header.as_bytes());
    for value in &tensor.values {
        match dtype {
            Dtype::BF16 => file.extend_from_slice(&narrow(*value).to_le_bytes()[2..]),
            Dtype::F32 => file.extend_from_slice(&narrow(*value).to_le_bytes()),
            _ => file.extend_from_slice(&value.to_le_bytes()),
        }
    }
    file
}

fn narrowest(values: &[f64]) -> Dtype {
    let mut bits = 0;
    for value in values {
        let is_exact = f64::from(narrow(*value)).to_bits() == value.to_bits();
        if !is_exact && !value.is_nan() {
            return Dtype::F64;
        }
        bits |= narrow(*value).to_bits();
    }
    match bits & 0xffff {
        0 => Dtype::BF16,
        _ => Dtype::F32,
    }
}

#[allow(clippy::cast_possible_truncation)] // whoever asks checks that nothing is lost
const fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::{MATRIX, matrix_file};
    use crate::contents::Contents;
    use crate::dtype::Dtype;
    use crate::read::read_stored;
    use crate::run::{DataKind, Run};
    use crate::tensor::Tensor;
    use crate::tree::MemoryTree;

    /// The matrix in a file, with its dtype.
    fn read_again(file: Vec<u8>) -> (Tensor, Dtype) {
        let tree = MemoryTree::new("sent", [("matrix.safetensors", file)]);
        block_on(async {
            let run = Run::find(&tree).await.unwrap();
            let content = run.steps[0].parts[0].read(&tree).await.unwrap();
            let contents = Contents::of(content.files, &tree).await;
            let held = &contents.tensors[0];
            assert_eq!((contents.tensors.len(), held.name.as_str()), (1, MATRIX));
            let stored = held.values(DataKind::Weights).unwrap();
            let dtype = stored.elements.dtype;
            (read_stored(&tree, stored).await.unwrap(), dtype)
        })
    }

    #[test]
    fn a_file_holds_each_value_in_the_fewest_bits() {
        let tiny = f64::from_bits(1);
        for (values, dtype) in [
            (vec![1.0, -2.5, 0.0, -0.0, 1.5, f64::INFINITY], Dtype::BF16),
            (vec![1.0, -2.5, 0.1_f32.into(), 0.0, 7.0, 8.0], Dtype::F32),
            (vec![1.0, -2.5, 0.1, 0.0, 7.0, 8.0], Dtype::F64),
            (vec![1.0, tiny, 3.0, 4.0, 5.0, 1e300], Dtype::F64),
        ] {
            let tensor = Tensor {
                shape: vec![2, 3],
                values,
            };
            let (again, found) = read_again(matrix_file(&tensor));
            assert_eq!((again.shape.as_slice(), found), (&[3, 2][..], dtype));
            // By columns, of the transpose.
            for (row, column) in [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)] {
                let (sent, found) = (
                    tensor.values[column * 2 + row],
                    again.values[row * 3 + column],
                );
                assert_eq!(sent.to_bits(), found.to_bits());
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let tensor = Tensor {
            shape: vec![2, 1],
            values: vec![f64::NAN, 1.0],
        };
        let (again, _) = read_again(matrix_file(&tensor));
        assert!(again.values[0].is_nan() && again.values[1] == 1.0);
    }
}
