//! Sums over a spectrum, estimated from a few products with the matrix.
//!
//! Stochastic Lanczos quadrature (Ubaru, Chen and Saad, 2017) with random directions: the mean of
//! `q^T f(A^T A) q` over uniformly random unit vectors `q` `[n]` is the mean of `f` over the `n`
//! eigenvalues, and block Lanczos gives a quadrature rule for each (Golub and Meurant, 2010). Three
//! things make few directions enough:
//! - eigenvalues that the rule has found exactly are summed themselves, and left out of the rest;
//! - the mean of the eigenvalues is known exactly, so that of every `f` only what does not follow
//!   them linearly is left to chance;
//! - Gauss's rule and that of Radau with a node at zero err to opposite sides for the square root.

mod rule;

use super::{Facts, Needs};
use crate::linalg::{BlockTridiagonal, PROBES, STEPS};
use crate::measurement::{Measurement, Status};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};
use rule::{Rule, Sum, rules};

/// Matrices whose shorter side has at most so many entries are decomposed, which takes no longer
/// than to estimate.
pub const EXACT: usize = 256;

/// The chance that the largest singular value lies above its interval.
const MISSED: f64 = 0.05;

/// The parameter of metrics that can be estimated.
pub const ESTIMATE: Parameter = Parameter {
    name: "estimate",
    summary: "estimate from a few products with the matrix, and give a 95 % interval",
    kind: ParameterKind::Boolean,
    default: ParameterValue::Boolean(false),
};

/// Suffixes of an estimate's numbers, which no exact number has.
const OUTPUTS: &[&str] = &[".estimate", ".estimate_low", ".estimate_high"];

/// Suffixes of the numbers of a metric that gives one, or its estimate.
#[must_use]
pub fn outputs(parameters: &Parameters) -> &'static [&'static str] {
    if parameters.boolean(ESTIMATE.name) {
        OUTPUTS
    } else {
        &[""]
    }
}

/// What a metric needs that asks for singular values, or for an estimate of sums over them.
#[must_use]
pub fn needs(parameters: &Parameters) -> Needs {
    let spectrum_estimate = parameters.boolean(ESTIMATE.name);
    Needs {
        spectrum_estimate,
        singular_values: !spectrum_estimate,
        ..Needs::default()
    }
}

/// What a metric answers that can be estimated: the estimate where it is asked for, else the number.
pub fn measured(
    parameters: &Parameters,
    estimated: impl FnOnce() -> Result<Estimate, Status>,
    exactly: impl FnOnce() -> Result<f64, Status>,
) -> Vec<Measurement> {
    if !parameters.boolean(ESTIMATE.name) {
        return vec![exactly().into()];
    }
    match estimated() {
        Ok(Estimate { value, low, high }) => [value, low, high].map(Measurement::of).to_vec(),
        Err(status) => vec![Measurement::undefined(status); OUTPUTS.len()],
    }
}

/// A number between two others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The lower end of the 95 % interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// What is known of a matrix's singular values without a decomposition. In the matrix's scale.
#[derive(Clone, Debug)]
pub struct SpectrumEstimate {
    /// Number of singular values.
    n: f64,
    /// The sum of their squares, which is exact.
    squares: f64,
    spectrum: Spectrum,
}

#[derive(Clone, Debug)]
enum Spectrum {
    /// All of them, of a small matrix.
    Exact(Vec<f64>),
    /// Rules that bracket: Gauss's, and that of Radau.
    Rules([Rule; 2]),
}

impl Facts {
    /// What a few products tell of the singular values.
    ///
    /// # Errors
    /// [`Status::NotFinite`], [`Status::NoConvergence`].
    pub fn spectrum_estimate(&self) -> Result<&SpectrumEstimate, Status> {
        self.placed()?;
        self.spectrum_estimate
            .get_or_init(|| SpectrumEstimate::of(self))
            .as_ref()
            .map_err(Clone::clone)
    }
}

impl SpectrumEstimate {
    fn of(facts: &Facts) -> Result<Self, Status> {
        let matrix = facts.compact();
        let n = matrix.nrows().min(matrix.ncols());
        if n <= EXACT {
            return Ok(Self::exact(facts.singular_values()?.to_vec()));
        }
        let squares = matrix.norm_squared();
        let mean = squares / as_float(n);
        let spectrum = if squares > 0.0 {
            Spectrum::Rules(rules(&BlockTridiagonal::of(matrix), n, mean)?)
        } else {
            Spectrum::Exact(vec![0.0; n])
        };
        Ok(Self {
            n: as_float(n),
            squares,
            spectrum,
        })
    }

    /// Of singular values that are known.
    #[must_use]
    pub fn exact(values: Vec<f64>) -> Self {
        Self {
            n: as_float(values.len()),
            squares: values.iter().map(|value| value * value).sum(),
            spectrum: Spectrum::Exact(values),
        }
    }

    /// Whether nothing is left to chance.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        matches!(self.spectrum, Spectrum::Exact(_))
    }

    /// The singular values, descending; of those that were not found, as many as there are, spread
    /// as the directions' rules have them on average.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        match &self.spectrum {
            Spectrum::Exact(values) => values.clone(),
            Spectrum::Rules([gauss, _]) => {
                let unit = (self.squares / self.n).sqrt();
                gauss.values().map(|value| value * unit).collect()
            }
        }
    }

    /// The same where singular values have shares.
    ///
    /// # Errors
    /// [`Status::TooFewEntries`] where there are none, [`Status::AllZero`].
    pub fn of_shares(&self) -> Result<&Self, Status> {
        if self.n == 0.0 {
            Err(Status::TooFewEntries {
                entries: 0,
                needed: 1,
            })
        } else if self.squares == 0.0 {
            Err(Status::AllZero)
        } else {
            Ok(self)
        }
    }

    /// The sum of singular values.
    #[must_use]
    pub fn nuclear_norm(&self) -> Estimate {
        let unit = (self.squares / self.n).sqrt();
        let most = self.n * unit;
        self.bracket(
            self.squares.sqrt(),
            most,
            &|rule| {
                let sum = rule.sum(&f64::sqrt);
                Sum {
                    value: sum.value * unit,
                    margin: sum.margin * unit,
                }
            },
            &|values| values.iter().sum(),
        )
    }

    /// The exponential of the entropy of their shares $p_i = s_i / \sum_j s_j$.
    #[must_use]
    pub fn effective_rank(&self) -> Estimate {
        self.bracket(
            1.0,
            self.n,
            &|rule| {
                // With S the sum of values and T that of s ln s the entropy is ln S - T / S.
                let sum = rule.sum(&f64::sqrt).value;
                let weighted = rule.sum(&root_times_log).value;
                let rank = sum * (-weighted / sum).exp();
                let slope = (1.0 + weighted / sum) / sum;
                let margin = rule
                    .sum(&|x| slope * x.sqrt() - root_times_log(x) / sum)
                    .margin;
                Sum {
                    value: rank,
                    margin: rank * margin,
                }
            },
            &|values| exponential_of_entropy(values, 1),
        )
    }

    /// The same of the shares of their squares.
    #[must_use]
    pub fn spectral_entropy_rank(&self) -> Estimate {
        self.bracket(
            1.0,
            self.n,
            &|rule| {
                let entropy = rule.sum(&|x| -times_log(x) / self.n);
                let rank = self.n * entropy.value.exp();
                Sum {
                    value: rank,
                    margin: rank * entropy.margin,
                }
            },
            &|values| exponential_of_entropy(values, 2),
        )
    }

    /// The largest of them. The lower end is one that `A` reaches.
    #[must_use]
    pub fn largest(&self) -> Estimate {
        match &self.spectrum {
            Spectrum::Exact(values) => Estimate::exact(values.first().copied().unwrap_or(0.0)),
            Spectrum::Rules([gauss, _]) => {
                let found = (gauss.largest() * self.squares / self.n).sqrt();
                let high = (found / (1.0 - shortfall(self.n)).sqrt()).min(self.squares.sqrt());
                Estimate {
                    value: found,
                    low: found,
                    high: high.max(found),
                }
            }
        }
    }

    /// The sum of squares over the largest square.
    #[must_use]
    pub fn stable_rank(&self) -> Estimate {
        let largest = self.largest();
        let of = |largest: f64| (self.squares / (largest * largest)).clamp(1.0, self.n);
        Estimate {
            value: of(largest.value),
            low: of(largest.high),
            high: of(largest.low),
        }
    }

    /// What both rules say, within what is possible.
    fn bracket(
        &self,
        least: f64,
        most: f64,
        by_rule: &dyn Fn(&Rule) -> Sum,
        exactly: &dyn Fn(&[f64]) -> f64,
    ) -> Estimate {
        match &self.spectrum {
            Spectrum::Exact(values) => Estimate::exact(exactly(values)),
            Spectrum::Rules(rules) => {
                let [a, b] = rules.each_ref().map(by_rule);
                let margin = a.margin.max(b.margin);
                Estimate {
                    value: f64::midpoint(a.value, b.value).clamp(least, most),
                    low: (a.value.min(b.value) - margin).clamp(least, most),
                    high: (a.value.max(b.value) + margin).clamp(least, most),
                }
            }
        }
    }
}

impl Estimate {
    /// A number that is known.
    #[must_use]
    pub const fn exact(value: f64) -> Self {
        Self {
            value,
            low: value,
            high: value,
        }
    }

    /// All three, each by the same function, which grows.
    ///
    /// # Errors
    /// Those of the function.
    pub fn map<E>(self, mut growing: impl FnMut(f64) -> Result<f64, E>) -> Result<Self, E> {
        Ok(Self {
            value: growing(self.value)?,
            low: growing(self.low)?,
            high: growing(self.high)?,
        })
    }
}

/// By how much, relatively, the largest eigenvalue may exceed what was found of it, but for a
/// chance of [`MISSED`] (Kuczynski and Wozniakowski, 1992, theorem 4.1, for every direction by
/// itself).
fn shortfall(n: f64) -> f64 {
    let chance = (1.648 * n.sqrt()).ln() - MISSED.ln() / as_float(PROBES);
    (chance / as_float(2 * STEPS - 1)).powi(2).min(0.99)
}

fn exponential_of_entropy(values: &[f64], power: i32) -> f64 {
    let powers = || values.iter().map(|value| value.powi(power));
    let sum: f64 = powers().sum();
    (-powers().map(|value| times_log(value / sum)).sum::<f64>()).exp()
}

/// `x ln x`.
fn times_log(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

/// `s ln s` with `s` the square root of `x`.
fn root_times_log(x: f64) -> f64 {
    times_log(x.sqrt())
}

#[allow(clippy::cast_precision_loss)] // a count
fn as_float(count: usize) -> f64 {
    count as f64
}
