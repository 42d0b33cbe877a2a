//! What a metric answers: a number, or why there is none.

use std::fmt;

/// A metric's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The number; always finite. `None` where it is undefined: `status` says why.
    pub value: Option<f64>,
    /// What should be known of the number, or why there is none.
    pub status: Option<Status>,
}

/// Why a number does not exist, or what to know of one that does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// The matrix has no entries, or too few for this metric.
    TooFewEntries {
        /// Entries there are.
        entries: usize,
        /// Entries needed.
        needed: usize,
    },
    /// Every entry is zero.
    AllZero,
    /// Entries that are NaN or infinite.
    NotFinite {
        /// How many.
        entries: usize,
    },
    /// Singular values that are numerically zero.
    RankDeficient {
        /// Numerical rank.
        rank: usize,
        /// Largest rank that was possible: that of the shape, or of thin factors.
        of: usize,
    },
    /// Singular values that may be nothing but what rounding left when the numbers were stored.
    WithinRounding {
        /// How many are larger than that.
        rank: usize,
        /// Largest rank that was possible: that of the shape, or of thin factors.
        of: usize,
    },
    /// Fewer singular values above rounding than the metric needs.
    TooFewSingularValues {
        /// How many there are.
        values: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Values that are all equal, up to rounding, where the metric is of how they differ.
    AllEqual {
        /// Which values, in words.
        what: &'static str,
    },
    /// Matrices of different shapes, of which entries cannot be compared one by one.
    DifferentShapes {
        /// Rows and columns of the step's matrix.
        step: (usize, usize),
        /// Rows and columns of the target's.
        target: (usize, usize),
    },
    /// Samples whose features are all equal, so that nothing correlates with them.
    ConstantSamples {
        /// How many.
        samples: usize,
    },
    /// Canonical correlations that are largely forced, because two spaces of these dimensions must
    /// nearly meet among so few samples.
    ForcedCorrelations {
        /// Samples there are.
        samples: usize,
        /// Ranks of the two sides together.
        ranks: usize,
    },
    /// A matrix that is no product `[n, r]` times `[r, n]`, as a head's circuit is.
    NotInFactors,
    /// A matrix of which only the tally of its entries is known.
    PlacesUnknown,
    /// A ratio whose divisor is zero.
    ZeroDivisor,
    /// An unbiased estimate that must be positive came out zero or negative.
    NotPositive,
    /// Columns that do not vary over the samples, so that nothing can be compared.
    Constant,
    /// The two sides have different numbers of samples.
    DifferentSamples {
        /// Rows of the step's matrix.
        step: usize,
        /// Rows of the target's matrix.
        target: usize,
    },
    /// Fewer samples than the estimator needs.
    TooFewSamples {
        /// Samples there are.
        samples: usize,
        /// Samples needed.
        needed: usize,
    },
    /// Correlations that are exactly one because there are too few samples to tell otherwise. How
    /// the weights divide among them is left open, so the value is good to about three digits.
    DegenerateCorrelations {
        /// How many are.
        ones: usize,
        /// Samples there are.
        samples: usize,
    },
    /// Directions of PWCCA's `reference` variant whose sign hangs on rounding in LAPACK.
    SignsInDoubt {
        /// How many.
        vectors: usize,
        /// Of how many.
        of: usize,
    },
    /// PWCCA's `reference` variant is not defined here; the value is that of `paper`.
    PaperVariant {
        /// Why: numerical ranks of the two sides against their widths, and the samples.
        reason: String,
    },
    /// The result left the range of float64.
    Overflow,
    /// A decomposition did not converge.
    NoConvergence,
}

impl Measurement {
    /// A number; one that is not finite becomes [`Status::Overflow`].
    #[must_use]
    pub fn of(value: f64) -> Self {
        if value.is_finite() {
            Self {
                value: Some(value),
                status: None,
            }
        } else {
            Self::undefined(Status::Overflow)
        }
    }

    /// No number, and why.
    #[must_use]
    pub const fn undefined(status: Status) -> Self {
        Self {
            value: None,
            status: Some(status),
        }
    }

    /// The same with something to know of it.
    #[must_use]
    pub fn noting(mut self, status: Status) -> Self {
        self.status.get_or_insert(status);
        self
    }
}

impl Status {
    /// The word for it that programs read; it stays the same whatever the text says.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooFewEntries { .. } => "too_few_entries",
            Self::AllZero => "all_zero",
            Self::NotFinite { .. } => "not_finite",
            Self::RankDeficient { .. } => "rank_deficient",
            Self::WithinRounding { .. } => "within_rounding",
            Self::TooFewSingularValues { .. } => "too_few_singular_values",
            Self::AllEqual { .. } => "all_equal",
            Self::DifferentShapes { .. } => "different_shapes",
            Self::ConstantSamples { .. } => "constant_samples",
            Self::ForcedCorrelations { .. } => "forced_correlations",
            Self::NotInFactors => "not_in_factors",
            Self::PlacesUnknown => "places_unknown",
            Self::ZeroDivisor => "zero_divisor",
            Self::NotPositive => "not_positive",
            Self::Constant => "constant",
            Self::DifferentSamples { .. } => "different_samples",
            Self::TooFewSamples { .. } => "too_few_samples",
            Self::DegenerateCorrelations { .. } => "degenerate_correlations",
            Self::SignsInDoubt { .. } => "signs_in_doubt",
            Self::PaperVariant { .. } => "paper_variant",
            Self::Overflow => "overflow",
            Self::NoConvergence => "no_convergence",
        }
    }
}

impl From<Result<f64, Status>> for Measurement {
    fn from(result: Result<f64, Status>) -> Self {
        result.map_or_else(Self::undefined, Self::of)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewEntries { entries, needed } => {
                write!(f, "{entries} entries, at least {needed} needed")
            }
            Self::AllZero => f.write_str("all entries are zero"),
            Self::NotFinite { entries } => write!(f, "not finite: {entries} entries"),
            Self::RankDeficient { rank, of } => write!(f, "rank {rank} of {of}"),
            Self::WithinRounding { rank, of } => write!(
                f,
                "rank {rank} of {of}: smaller singular values may be what rounding left when the \
                 numbers were stored"
            ),
            Self::TooFewSingularValues { values, needed } => write!(
                f,
                "{values} singular values above rounding, at least {needed} needed"
            ),
            Self::AllEqual { what } => write!(f, "all {what} are equal"),
            Self::DifferentShapes { step, target } => write!(
                f,
                "different shapes: {} x {} at this step, {} x {} at the target",
                step.0, step.1, target.0, target.1
            ),
            Self::ConstantSamples { samples } => {
                write!(f, "{samples} samples whose features are all equal")
            }
            Self::ForcedCorrelations { samples, ranks } => write!(
                f,
                "canonical correlations are largely forced: {samples} samples, and {ranks} \
                 dimensions on both sides together"
            ),
            Self::NotInFactors => {
                f.write_str("only a head's circuit has it, as ov_circuit with form: circuit")
            }
            Self::PlacesUnknown => {
                f.write_str("entries were counted, and where each stands is not known")
            }
            Self::ZeroDivisor => f.write_str("the divisor is zero"),
            Self::NotPositive => {
                f.write_str("an unbiased estimate of a side with itself is not positive")
            }
            Self::Constant => f.write_str("constant over the samples"),
            Self::DifferentSamples { step, target } => {
                write!(
                    f,
                    "different sample counts: {step} at this step, {target} at the target"
                )
            }
            Self::TooFewSamples { samples, needed } => {
                write!(f, "{samples} samples, at least {needed} needed")
            }
            Self::DegenerateCorrelations { ones, samples } => {
                write!(
                    f,
                    "{ones} correlations are 1 because there are only {samples} samples; good to 3 digits"
                )
            }
            Self::SignsInDoubt { vectors, of } => {
                write!(
                    f,
                    "the signs of {vectors} of {of} directions hang on rounding; good to 3 digits"
                )
            }
            Self::PaperVariant { reason } => write!(f, "variant paper, because {reason}"),
            Self::Overflow => f.write_str("beyond the range of float64"),
            Self::NoConvergence => f.write_str("the decomposition did not converge"),
        }
    }
}
