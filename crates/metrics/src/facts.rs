//! What several metrics need of one matrix and nobody should compute twice.
//!
//! A metric declares what it needs ([`Needs`]). So facts are made in the order that costs least,
//! sorting gives sums along, and the plan can price them.

mod centred;
mod comparison;
mod cost;
mod eigenvalues;
mod entries;
pub mod estimate;
mod matrix;
mod precision;
pub mod rank;
mod samples;
mod scale;
mod spectrum;
pub(crate) mod sum;

use std::cell::OnceCell;
use std::rc::Rc;

use nalgebra::DMatrix;

pub use centred::{Centred, Directions};
pub(crate) use centred::{GRAM_SMALLEST, row_sums};
pub use cost::{Held, MatrixExtent};
pub use entries::MagnitudeSums;
pub use matrix::{Counted, Matrix};
pub use precision::Precision;
pub use rank::LargestRank;
use scale::Scale;

use crate::float32::Float32Entries;
use crate::measurement::Status;
use crate::tally::Tally;
use entries::Sorted;
use estimate::SpectrumEstimate;

/// One matrix `[m, n]` and what is known of it. Every fact is computed on first use and lives as
/// long as the matrix.
///
/// A matrix whose largest magnitude is beyond 1e±30 is kept multiplied by a power of two, so that
/// no square or fourth power overflows or vanishes; [`Facts::unscaled`] gives its facts in their
/// own units. Ratios need not care.
#[derive(Debug)]
pub struct Facts {
    matrix: Matrix,
    scale: Scale,
    /// Of a product that is not kept in factors, what rounding may have left of a zero.
    rounding_of_product: Option<f64>,
    precision: OnceCell<Precision>,
    usual_rank: OnceCell<LargestRank>,
    not_finite: usize,
    /// The entries wherever they stand, in the matrix's scale, where they were counted.
    counted: OnceCell<Option<Counted>>,
    /// Those of float32, in their order.
    ordered: OnceCell<Option<Float32Entries>>,
    sums: OnceCell<MagnitudeSums>,
    magnitudes: OnceCell<Sorted>,
    sorted_entries: OnceCell<Vec<f64>>,
    dissimilarities: OnceCell<Result<Vec<f64>, Status>>,
    right_factor: OnceCell<DMatrix<f64>>,
    compact: OnceCell<DMatrix<f64>>,
    singular_values: OnceCell<Result<Vec<f64>, Status>>,
    spectrum_estimate: OnceCell<Result<SpectrumEstimate, Status>>,
    centred: OnceCell<Result<Centred, Status>>,
    centred_gram: OnceCell<DMatrix<f64>>,
    directions: OnceCell<Result<Directions, Status>>,
    basis: OnceCell<DMatrix<f64>>,
}

/// Which facts somebody will ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Count, sums and the largest of the entries' magnitudes.
    pub magnitude_sums: bool,
    /// The entries' magnitudes in ascending order.
    pub sorted_magnitudes: bool,
    /// The entries in ascending order.
    pub sorted_entries: bool,
    /// Entries at some places of that order.
    pub entries_by_rank: bool,
    /// Singular values.
    pub singular_values: bool,
    /// Sums over singular values, estimated.
    pub spectrum_estimate: bool,
    /// Eigenvalues of a product, from its factors.
    pub eigenvalues: bool,
    /// How unlike each sample is every other.
    pub dissimilarities: bool,
    /// The Gram matrix of the centred columns, and its product with the target's.
    pub centred_gram: bool,
    /// Singular values of the centred columns, and vectors of one side.
    pub centred_directions: bool,
    /// These, an orthonormal basis, and its product with the target's.
    pub centred_basis: bool,
}

impl Needs {
    /// What either of the two needs.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            magnitude_sums: self.magnitude_sums || other.magnitude_sums,
            sorted_magnitudes: self.sorted_magnitudes || other.sorted_magnitudes,
            sorted_entries: self.sorted_entries || other.sorted_entries,
            entries_by_rank: self.entries_by_rank || other.entries_by_rank,
            singular_values: self.singular_values || other.singular_values,
            spectrum_estimate: self.spectrum_estimate || other.spectrum_estimate,
            eigenvalues: self.eigenvalues || other.eigenvalues,
            dissimilarities: self.dissimilarities || other.dissimilarities,
            centred_gram: self.centred_gram || other.centred_gram,
            centred_directions: self.centred_directions || other.centred_directions,
            centred_basis: self.centred_basis || other.centred_basis,
        }
    }
}

impl Needs {
    /// Whether entries must be put in order, if only for some of them.
    #[must_use]
    pub const fn wants_order(self) -> bool {
        self.sorted_magnitudes || self.sorted_entries || self.entries_by_rank
    }

    /// Whether directions of the centred columns are found, with a basis or without.
    #[must_use]
    pub const fn wants_directions(self) -> bool {
        self.centred_directions || self.centred_basis
    }
}

impl Facts {
    /// Of a matrix given by its entries, owned or shared.
    #[must_use]
    pub fn dense(entries: impl Into<Rc<DMatrix<f64>>>) -> Self {
        Self::of(Matrix::Dense(entries.into()))
    }

    /// Of `left` `[m, r]` times `right` `[r, n]`, kept in its factors where `r` is less than both
    /// `m` and `n`.
    ///
    /// # Panics
    /// When the inner dimensions differ.
    #[must_use]
    pub fn product(left: Rc<DMatrix<f64>>, right: Rc<DMatrix<f64>>) -> Self {
        assert_eq!(
            left.ncols(),
            right.nrows(),
            "the inner dimensions of a product"
        );
        Self::of(Matrix::Product { left, right })
    }

    /// Of matrices `[m, n_i]` side by side: `[m, n_1 + n_2 + ...]`.
    ///
    /// # Panics
    /// When the numbers of rows differ.
    #[must_use]
    pub fn side_by_side(blocks: Vec<Rc<Self>>) -> Self {
        let rows = blocks.first().map_or(0, |block| block.rows());
        assert!(
            blocks.iter().all(|block| block.rows() == rows),
            "the rows of blocks side by side"
        );
        Self::of(Matrix::SideBySide(blocks))
    }

    /// Of a matrix `[rows, columns]` of which only the tally of its entries is known. What depends
    /// on where they stand has no value.
    #[must_use]
    pub fn counted_values(rows: usize, columns: usize, tally: &Tally) -> Self {
        Self::counted_only(rows, columns, Counted::Values(Rc::new(tally.clone())))
    }

    /// Of a matrix `[rows, columns]` of float32, of which is known only what its entries are. What
    /// depends on where they stand has no value. Every number is the same bit for bit as that of
    /// [`Facts::dense`], which counts such entries too.
    #[must_use]
    pub fn float32(rows: usize, columns: usize, entries: Rc<Float32Entries>) -> Self {
        Self::counted_only(rows, columns, Counted::Float32(entries))
    }

    fn counted_only(rows: usize, columns: usize, entries: Counted) -> Self {
        let facts = Self::of(Matrix::Counted {
            rows,
            columns,
            entries,
        });
        if let Matrix::Counted { entries, .. } = &facts.matrix {
            facts.counted.get_or_init(|| Some(entries.clone()));
        }
        facts
    }

    /// Says how often each value occurs among the entries. Sums and order come from that, and are
    /// the same bit for bit as those of [`Facts::counted_values`].
    pub fn set_tally(&self, tally: &Tally) {
        let counted = || Counted::Values(Rc::new(tally.clone())).divided_by(self.scale);
        self.counted.get_or_init(|| Some(counted()));
    }

    /// Rows `m`.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.matrix.shape().0
    }

    /// Columns `n`.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.matrix.shape().1
    }

    /// The largest rank the shape allows: `min(m, n)`.
    #[must_use]
    pub fn full_rank(&self) -> usize {
        self.rows().min(self.columns())
    }

    /// Says in which precision the numbers were stored of which the matrix is made: the coarsest of
    /// them. Whoever reads tensors says so of all that is built of them, and what was said first
    /// stays.
    pub fn set_precision(&self, precision: Precision) {
        self.precision.get_or_init(|| precision);
    }

    /// In which precision the numbers were stored of which the matrix is made;
    /// [`Precision::DOUBLE`] where nobody said.
    #[must_use]
    pub fn precision(&self) -> Precision {
        *self.precision.get().unwrap_or(&Precision::DOUBLE)
    }

    /// A number in the matrix's scale, in its own units.
    ///
    /// # Errors
    /// [`Status::Overflow`] where that leaves the range of float64.
    pub fn unscaled(&self, value: f64) -> Result<f64, Status> {
        let unscaled = self.scale.restore(value);
        let vanished = unscaled == 0.0 && value != 0.0;
        if vanished || !unscaled.is_finite() {
            Err(Status::Overflow)
        } else {
            Ok(unscaled)
        }
    }

    /// Computes what will be asked for, in the order that costs least.
    pub fn prepare(&self, needs: Needs) {
        // The sorted magnitudes give the statistics along; the other way the entries of a product
        // would be formed twice. A fact that does not exist says so again when it is asked for.
        if needs.sorted_magnitudes {
            let _ = self.sorted_magnitudes();
        }
        if needs.magnitude_sums {
            let _ = self.magnitude_sums();
        }
        if needs.sorted_entries {
            let _ = self.sorted_entries();
        }
        if needs.singular_values {
            let _ = self.singular_values();
        }
        if needs.spectrum_estimate {
            let _ = self.spectrum_estimate();
        }
    }

    fn of(matrix: Matrix) -> Self {
        let (matrix, scale, rounding_of_product) = matrix.normalised();
        let not_finite = matrix.not_finite();
        Self {
            matrix,
            scale,
            rounding_of_product,
            precision: OnceCell::new(),
            usual_rank: OnceCell::new(),
            not_finite,
            counted: OnceCell::new(),
            ordered: OnceCell::new(),
            sums: OnceCell::new(),
            magnitudes: OnceCell::new(),
            sorted_entries: OnceCell::new(),
            dissimilarities: OnceCell::new(),
            right_factor: OnceCell::new(),
            compact: OnceCell::new(),
            singular_values: OnceCell::new(),
            spectrum_estimate: OnceCell::new(),
            centred: OnceCell::new(),
            centred_gram: OnceCell::new(),
            directions: OnceCell::new(),
            basis: OnceCell::new(),
        }
    }

    fn finite(&self) -> Result<(), Status> {
        match self.not_finite {
            0 => Ok(()),
            entries => Err(Status::NotFinite { entries }),
        }
    }

    /// Whether entries are finite, and known by their places.
    fn placed(&self) -> Result<(), Status> {
        self.finite()?;
        match self.matrix {
            Matrix::Counted { .. } => Err(Status::PlacesUnknown),
            _ => Ok(()),
        }
    }
}
