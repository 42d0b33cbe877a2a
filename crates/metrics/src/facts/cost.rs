//! What facts cost, from a matrix's shape alone. Seconds follow from a machine's rates.

use ckptscope_vocabulary::Work;

use super::Needs;
use super::estimate::EXACT;
use crate::float32::SUITABLE;
use crate::linalg::{PROBES, STEPS, work};

/// What is known of a matrix before it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixExtent {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// The width of its thin factors; no less than the shorter side where it has none.
    pub inner: usize,
    /// Terms that each entry is the sum of, where it is a product; 0 of any other.
    pub terms: usize,
    /// Whether it is of matrices side by side, whose facts are there.
    pub of_parts: bool,
    /// What of its entries will be in memory.
    pub held: Held,
}

/// What of a matrix's entries is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Each, as float64.
    Wide,
    /// Each, as float64, and all are float32.
    Float32,
    /// Those of float32 in their order, and nothing of where they stand.
    OnlyFloat32,
    /// How often each value occurs; of few bits.
    Tally,
}

/// Values of the upper 16 bits of float32, each of which has a part of its own in a table; and
/// values of 16 bits.
const PARTS: f64 = 65536.0;

/// Times that an entry of a factor costs what an entry costs: it is cut out of a tensor, and looked
/// at.
const OF_FACTOR: f64 = 11.0;

/// Times that a value of 16 bits costs what an entry costs while its count is made and looked up,
/// whether it occurs or not.
const OF_COUNT: f64 = 2.4;

/// Distinct values of 16 bits that a matrix has, at most: weights lie within a few powers of two.
const DISTINCT: f64 = 5000.0;

/// Times that a part of the table costs what an entry costs: its sums are wider.
const OF_PART: f64 = 3.0;

impl MatrixExtent {
    /// Of a matrix that is given by its entries.
    #[must_use]
    pub fn dense(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            inner: rows.min(columns),
            terms: 0,
            of_parts: false,
            held: Held::Wide,
        }
    }

    /// Its facts, and that it is there: what these needs take.
    #[must_use]
    pub fn work(self, needs: Needs) -> Work {
        let asked = [
            (true, self.made()),
            (needs.magnitude_sums, self.sums()),
            (needs.sorted_magnitudes, self.sorted()),
            (needs.sorted_entries, self.sorted()),
            (needs.entries_by_rank, self.by_rank()),
            (needs.singular_values, self.spectrum()),
            (needs.spectrum_estimate, self.spectrum_estimate()),
            (needs.eigenvalues, self.eigenvalues()),
            (needs.dissimilarities, self.dissimilarities()),
            (needs.centred_gram, self.centred_gram()),
            (needs.wants_directions(), self.centred_directions()),
            (needs.centred_basis, self.centred_basis()),
        ];
        let wants_spectrum = needs.singular_values || needs.spectrum_estimate;
        let wants_compact = wants_spectrum || needs.centred_gram || needs.wants_directions();
        let compact = (wants_compact, self.compact());
        let asked = asked.into_iter().chain([compact]);
        asked.filter(|(is_asked, _)| *is_asked).map(|it| it.1).sum()
    }

    /// A look at all of what is held, so many times.
    #[must_use]
    pub fn looked_at(self, times: f64) -> Work {
        let count = match self.held {
            Held::Wide => self.count(),
            Held::Float32 if !self.is_ordered() => self.count(),
            Held::Float32 | Held::OnlyFloat32 => self.count() + OF_PART * PARTS,
            Held::Tally => self.count().min(DISTINCT),
        };
        entries(times * count)
    }

    /// `X_c^T Y_c` of two such matrices, or the inner product of their Gram matrices of samples.
    #[must_use]
    pub fn cross_gram(self) -> Work {
        let columns = self.compact_columns();
        if self.rows < columns {
            return entries(2.0 * float(self.rows) * float(self.rows));
        }
        work::product(columns, self.rows, columns)
    }

    /// Ranks of all pairs of rows, of two such matrices.
    #[must_use]
    pub fn ranked_pairs(self) -> Work {
        let pairs = float(self.rows) * float(self.rows) / 2.0;
        let comparisons = 2.0 * OF_INDEX * pairs * pairs.max(2.0).log2();
        Work {
            comparisons,
            ..entries(10.0 * pairs)
        }
    }

    /// How many directions a basis of its centred columns has, if data are in general position.
    #[must_use]
    pub fn basis_rank(self) -> usize {
        self.rows.saturating_sub(1).min(self.compact_columns())
    }

    /// Columns of its compact form.
    #[must_use]
    pub fn compact_columns(self) -> usize {
        if self.is_thin() {
            self.inner
        } else {
            self.columns
        }
    }

    fn count(self) -> f64 {
        float(self.rows) * float(self.columns)
    }

    fn is_thin(self) -> bool {
        self.inner < self.rows.min(self.columns)
    }

    fn is_product(self) -> bool {
        self.terms > 0
    }

    /// Whether entries of float32 are put in order by their bits.
    fn is_ordered(self) -> bool {
        let count = (self.rows as u64).saturating_mul(self.columns as u64);
        SUITABLE.contains(&count)
    }

    /// Copies of what it is made of, and the look at their size.
    fn made(self) -> Work {
        match self.held {
            Held::Tally => self.looked_at(1.0) + entries(OF_COUNT * PARTS),
            Held::OnlyFloat32 => self.looked_at(1.0),
            Held::Wide | Held::Float32 if self.of_parts => Work::default(),
            Held::Wide | Held::Float32 if self.is_product() => {
                let factors = (float(self.rows) + float(self.columns)) * float(self.terms);
                let formed = if self.is_thin() {
                    Work::default()
                } else {
                    work::product(self.rows, self.terms, self.columns)
                };
                entries(OF_FACTOR * factors) + formed
            }
            Held::Wide | Held::Float32 => entries(2.0 * self.count()),
        }
    }

    /// A product's entries, formed to be looked at.
    fn formed(self) -> Work {
        if self.is_thin() && !self.of_parts {
            work::product(self.rows, self.inner, self.columns)
        } else {
            Work::default()
        }
    }

    fn sums(self) -> Work {
        match self.held {
            _ if self.of_parts => Work::default(),
            Held::Float32 if self.is_ordered() => entries(3.0 * self.count()) + entries(PARTS),
            _ => self.formed() + self.looked_at(1.0),
        }
    }

    fn sorted(self) -> Work {
        let count = self.count();
        match self.held {
            Held::Tally => self.looked_at(4.0),
            Held::OnlyFloat32 => entries(7.0 * count + 20.0 * PARTS),
            Held::Float32 if self.is_ordered() => entries(10.0 * count + 20.0 * PARTS),
            Held::Wide | Held::Float32 => {
                let sort = Work {
                    comparisons: count * count.max(2.0).log2(),
                    ..Work::default()
                };
                self.formed() + sort + entries(3.0 * count)
            }
        }
    }

    fn by_rank(self) -> Work {
        match self.held {
            Held::Wide | Held::Float32 => self.formed() + entries(5.0 * self.count()),
            Held::Tally | Held::OnlyFloat32 => self.sorted(),
        }
    }

    /// Thin factors brought to one: see [`Facts::compact`](super::Facts::compact).
    fn compact(self) -> Work {
        if !self.is_thin() {
            return Work::default();
        }
        if self.of_parts {
            return entries(2.0 * float(self.rows) * float(self.inner));
        }
        let triangle = work::triangular_factor(self.columns, self.inner);
        triangle + work::product(self.rows, self.inner, self.inner)
    }

    fn spectrum(self) -> Work {
        work::singular_values(self.rows, self.compact_columns())
    }

    /// Blocks of a few columns times the matrix and its transpose, one after the other.
    fn spectrum_estimate(self) -> Work {
        if self.inner <= EXACT {
            return self.spectrum();
        }
        let directions = float(PROBES * STEPS);
        Work {
            vectors: 4.0 * float(self.rows) * float(self.compact_columns()) * directions,
            ..Work::default()
        }
    }

    fn eigenvalues(self) -> Work {
        if self.rows != self.columns {
            return Work::default();
        }
        work::product(self.inner, self.rows, self.inner) + work::eigenvalues(self.inner)
    }

    fn dissimilarities(self) -> Work {
        let pairs = float(self.rows) * float(self.rows) / 2.0;
        work::gram(self.rows, self.columns) + entries(8.0 * self.count() + 4.0 * pairs)
    }

    fn centred_gram(self) -> Work {
        let columns = self.compact_columns();
        let (short, long) = (self.rows.min(columns), self.rows.max(columns));
        let centred = entries(14.0 * float(self.rows) * float(columns));
        centred + work::gram(short, long)
    }

    fn centred_directions(self) -> Work {
        work::symmetric_eigen(self.rows.min(self.compact_columns()))
    }

    fn centred_basis(self) -> Work {
        let columns = self.compact_columns();
        if self.rows < columns {
            return Work::default();
        }
        let basis = work::product(self.rows, columns, columns);
        basis + entries(2.0 * float(self.rows) * float(columns))
    }
}

/// Times that a comparison costs which looks its numbers up by their places.
const OF_INDEX: f64 = 10.0;

fn entries(count: f64) -> Work {
    Work {
        entries: count,
        ..Work::default()
    }
}

#[allow(clippy::cast_precision_loss)] // an estimate
const fn float(size: usize) -> f64 {
    size as f64
}

#[cfg(test)]
mod tests {
    use ckptscope_vocabulary::Rates;

    use super::{Held, MatrixExtent, Needs};
    use crate::metric::Metric;
    use crate::{METRICS, Parameters};

    const SIDES: [usize; 6] = [2, 63, 64, 300, 1024, 4096];

    fn parameters(metric: &dyn Metric) -> Parameters {
        Parameters::defaults(metric.parameters())
    }

    fn seconds(metric: &dyn Metric, extent: MatrixExtent) -> f64 {
        let parameters = parameters(metric);
        let work = extent.work(metric.needs(&parameters)) + metric.work(&parameters, extent);
        work.seconds(&Rates::ORDINARY)
    }

    fn extents() -> Vec<MatrixExtent> {
        let mut all = Vec::new();
        for rows in SIDES {
            for columns in SIDES {
                let dense = MatrixExtent::dense(rows, columns);
                let inner = 1.max(dense.inner / 4);
                let terms = inner;
                let product = MatrixExtent {
                    inner,
                    terms,
                    ..dense
                };
                all.extend([dense, product]);
                all.extend(
                    [Held::Float32, Held::OnlyFloat32, Held::Tally]
                        .map(|held| MatrixExtent { held, ..dense }),
                );
            }
        }
        all
    }

    #[test]
    fn whatever_is_computed_takes_time() {
        for metric in METRICS {
            for extent in extents() {
                let seconds = seconds(*metric, extent);
                assert!(
                    seconds > 0.0 && seconds.is_finite(),
                    "{} {extent:?}",
                    metric.name()
                );
            }
        }
    }

    /// Wider ones may take less: from a certain shape on a Gram matrix is tried.
    #[test]
    fn larger_matrices_of_a_shape_take_longer() {
        for metric in METRICS {
            for extent in extents() {
                let larger = MatrixExtent {
                    rows: 2 * extent.rows,
                    columns: 2 * extent.columns,
                    inner: 2 * extent.inner,
                    terms: 2 * extent.terms,
                    ..extent
                };
                let (few, many) = (seconds(*metric, extent), seconds(*metric, larger));
                assert!(many >= few, "{} {extent:?}", metric.name());
            }
        }
    }

    #[test]
    fn entries_take_longer_the_more_they_are() {
        let needs = Needs {
            magnitude_sums: true,
            sorted_magnitudes: true,
            ..Needs::default()
        };
        for rows in SIDES {
            let of = |columns| MatrixExtent::dense(rows, columns).work(needs);
            let times = SIDES.map(|columns| of(columns).seconds(&Rates::ORDINARY));
            assert!(times.is_sorted_by(|few, many| few < many), "{rows}");
        }
    }

    #[test]
    fn facts_add_up() {
        let extent = MatrixExtent::dense(300, 500);
        let sums = Needs {
            magnitude_sums: true,
            ..Needs::default()
        };
        let values = Needs {
            singular_values: true,
            ..Needs::default()
        };
        let nothing = extent.work(Needs::default());
        let apart = extent.work(sums) + extent.work(values);
        let both = extent.work(sums.and(values)) + nothing;
        assert!((apart.operations() / both.operations() - 1.0).abs() < 1e-12);
    }
}
