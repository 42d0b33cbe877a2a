//! How unlike the samples of a matrix are.

use nalgebra::DMatrix;

use super::Facts;
use crate::linalg::gram_of_rows;
use crate::measurement::Status;

impl Facts {
    /// `1 - r_ij` for each pair `i < j` of rows, `r_ij` the correlation of the two over the columns:
    /// `m (m - 1) / 2` of them, good to about 1e-14.
    ///
    /// # Errors
    /// [`Status::NotFinite`]; [`Status::ConstantSamples`] where some row is all equal.
    pub fn dissimilarities(&self) -> Result<&[f64], Status> {
        self.placed()?;
        self.dissimilarities
            .get_or_init(|| self.dissimilarities_of_rows())
            .as_deref()
            .map_err(Clone::clone)
    }

    fn dissimilarities_of_rows(&self) -> Result<Vec<f64>, Status> {
        let gram = self.gram_of_centred_rows()?;
        let lengths: Vec<f64> = gram.diagonal().iter().map(|square| square.sqrt()).collect();
        let mut found = Vec::with_capacity(lengths.len() * lengths.len().saturating_sub(1) / 2);
        for (i, length) in lengths.iter().enumerate() {
            for (j, other) in lengths.iter().enumerate().skip(i + 1) {
                found.push(1.0 - gram[(j, i)] / (length * other));
            }
        }
        Ok(found)
    }

    /// `X_r X_r^T` `[m, m]`, each row over its largest magnitude and the mean taken off it; some
    /// columns at a time. Correlations do not depend on the scale of a row, and squares do.
    fn gram_of_centred_rows(&self) -> Result<DMatrix<f64>, Status> {
        let (rows, columns) = self.matrix.shape();
        let mut largest = vec![0.0_f64; rows];
        self.for_each_column(|column| {
            for (largest, entry) in largest.iter_mut().zip(column) {
                *largest = largest.max(entry.abs());
            }
        });
        let scaled = |row: usize, entry: f64| match largest[row] {
            0.0 => 0.0,
            largest => entry / largest,
        };
        let mut means = vec![0.0; rows];
        let mut squares = vec![0.0; rows];
        self.for_each_column(|column| {
            for (row, entry) in column.iter().enumerate() {
                let entry = scaled(row, *entry);
                means[row] += entry;
                squares[row] += entry * entry;
            }
        });
        #[allow(clippy::cast_precision_loss)] // sizes of matrices in memory
        let count = columns as f64;
        for mean in &mut means {
            *mean /= count;
        }
        let mut gram = DMatrix::zeros(rows, rows);
        self.matrix.for_each_panel(|entries| {
            let width = entries.len() / rows.max(1);
            let centred = |i, j| scaled(i, entries[j * rows + i]) - means[i];
            let centred = DMatrix::from_fn(rows, width, centred);
            gram += gram_of_rows(&centred);
        });
        // What is left of a row of equal entries is rounding.
        let rounding = count * f64::EPSILON;
        let is_constant =
            |row: &usize| gram[(*row, *row)].sqrt() <= rounding * squares[*row].sqrt();
        match (0..rows).filter(is_constant).count() {
            0 => Ok(gram),
            samples => Err(Status::ConstantSamples { samples }),
        }
    }

    fn for_each_column(&self, mut look: impl FnMut(&[f64])) {
        let rows = self.rows().max(1);
        let mut look_at_panel = |entries: &[f64]| entries.chunks_exact(rows).for_each(&mut look);
        self.matrix.for_each_panel(&mut look_at_panel);
    }
}
