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

use nalgebra::DMatrix;

use super::{Facts, Needs};
use crate::linalg::{BlockTridiagonal, PROBES, STEPS, symmetric_eigen};
use crate::measurement::{Measurement, Status};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// Matrices whose shorter side has at most so many entries are decomposed, which takes no longer
/// than to estimate.
pub const EXACT: usize = 256;

/// An eigenvalue counts as found where it is this exact, relatively: by how far its vector is from
/// one that is only stretched.
const FOUND: f64 = 1e-3;

/// Beside the largest, an eigenvalue below this may be rounding.
const ROUNDING: f64 = 1e-14;

/// Standard errors to each side of a 95 % interval: of the normal distribution, where the spread
/// follows from the spectrum; of Student's with `PROBES - 1` degrees of freedom, where it is that
/// among the directions.
const NORMAL: f64 = 1.96;
const STUDENT: f64 = 2.365;

/// Standard errors by which an eigenvalue's share of the directions may exceed what is expected.
const SHARE_ERRORS: f64 = 4.0;

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

/// A quadrature rule for each direction. Its nodes are eigenvalues of `A^T A` over their mean.
#[derive(Clone, Debug)]
struct Rule {
    /// Eigenvalues that were found, descending.
    found: Vec<f64>,
    /// Nodes for the others,
    nodes: Vec<f64>,
    /// and their weights `[PROBES, nodes]`, whose rows add up to one.
    weights: DMatrix<f64>,
    /// How many others there are, and their mean, which is exact.
    others: f64,
    mean: f64,
}

/// A sum over the spectrum, and half the width of its 95 % interval.
#[derive(Clone, Copy, Debug)]
struct Sum {
    value: f64,
    margin: f64,
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
            |rule| {
                let sum = rule.sum(f64::sqrt);
                Sum {
                    value: sum.value * unit,
                    margin: sum.margin * unit,
                }
            },
            |values| values.iter().sum(),
        )
    }

    /// The exponential of the entropy of their shares $p_i = s_i / \sum_j s_j$.
    #[must_use]
    pub fn effective_rank(&self) -> Estimate {
        self.bracket(
            1.0,
            self.n,
            |rule| {
                // With S the sum of values and T that of s ln s the entropy is ln S - T / S.
                let sum = rule.sum(f64::sqrt).value;
                let weighted = rule.sum(root_times_log).value;
                let rank = sum * (-weighted / sum).exp();
                let slope = (1.0 + weighted / sum) / sum;
                let margin = rule
                    .sum(|x| slope * x.sqrt() - root_times_log(x) / sum)
                    .margin;
                Sum {
                    value: rank,
                    margin: rank * margin,
                }
            },
            |values| exponential_of_entropy(values.iter().copied()),
        )
    }

    /// The same of the shares of their squares.
    #[must_use]
    pub fn spectral_entropy_rank(&self) -> Estimate {
        self.bracket(
            1.0,
            self.n,
            |rule| {
                let entropy = rule.sum(|x| -times_log(x) / self.n);
                let rank = self.n * entropy.value.exp();
                Sum {
                    value: rank,
                    margin: rank * entropy.margin,
                }
            },
            |values| exponential_of_entropy(values.iter().map(|value| value * value)),
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
        by_rule: impl Fn(&Rule) -> Sum,
        exactly: impl Fn(&[f64]) -> f64,
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

    /// An estimate's numbers, in the order of their suffixes.
    #[must_use]
    pub fn measured(estimate: Result<Self, Status>) -> Vec<Measurement> {
        match estimate {
            Ok(Self { value, low, high }) => [value, low, high].map(Measurement::of).to_vec(),
            Err(status) => vec![Measurement::undefined(status); OUTPUTS.len()],
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

impl Rule {
    fn largest(&self) -> f64 {
        let first = self.found.first().or_else(|| self.nodes.first());
        first.copied().unwrap_or(0.0)
    }

    /// Square roots of all eigenvalues, descending: between two nodes they fall evenly, and half
    /// the weight of a node lies above it.
    fn values(&self) -> impl Iterator<Item = f64> {
        let weights = self.weights.row_mean();
        let mut above = 0.0;
        let middles: Vec<(f64, f64)> = self
            .nodes
            .iter()
            .zip(weights.iter())
            .map(|(node, weight)| {
                above += weight;
                (above - weight / 2.0, node.sqrt())
            })
            .collect();
        let at = move |place: f64| {
            let next = middles.partition_point(|(middle, _)| *middle < place);
            let (Some(after), Some(before)) =
                (middles.get(next), middles.get(next.saturating_sub(1)))
            else {
                return middles.last().map_or(0.0, |(_, value)| *value);
            };
            let width = after.0 - before.0;
            let part = if width > 0.0 {
                (place - before.0) / width
            } else {
                0.0
            };
            before.1 + part * (after.1 - before.1)
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
        let others = self.others as u32;
        let others = (0..others).map(move |other| at((f64::from(other) + 0.5) / self.others));
        self.found.iter().map(|value| value.sqrt()).chain(others)
    }

    /// The sum of `f` over the spectrum. Of the part that is left to chance, what follows the
    /// eigenvalues linearly is replaced by what their mean, which is known, makes of it.
    fn sum(&self, f: impl Fn(f64) -> f64) -> Sum {
        let values: Vec<f64> = self.nodes.iter().map(|node| f(*node)).collect();
        let probes = as_float(PROBES);
        let average = |of: &dyn Fn(usize) -> f64| {
            let nodes = 0..self.nodes.len();
            nodes
                .map(|node| self.weights.column(node).sum() / probes * of(node))
                .sum::<f64>()
        };
        let node_mean = average(&|node| self.nodes[node]);
        let value_mean = average(&|node| values[node]);
        let off = |node: usize| (self.nodes[node] - node_mean, values[node] - value_mean);
        let variance = average(&|node| off(node).0.powi(2));
        let together = average(&|node| off(node).0 * off(node).1);
        let slope = if variance > 0.0 {
            together / variance
        } else {
            0.0
        };
        let rest = |node: usize| off(node).1 - slope * off(node).0;
        let by_spectrum =
            2.0 / ((self.others + 2.0) * probes) * average(&|node| rest(node).powi(2));
        let of_probes: Vec<f64> = (0..PROBES)
            .map(|probe| {
                let nodes = 0..self.nodes.len();
                nodes
                    .map(|node| self.weights[(probe, node)] * rest(node))
                    .sum()
            })
            .collect();
        let by_probes =
            of_probes.iter().map(|rest| rest * rest).sum::<f64>() / (probes * (probes - 1.0));
        let mean = value_mean + slope * (self.mean - node_mean);
        // What is below rounding may be anything from there to zero.
        let floor = ROUNDING * self.largest();
        let is_below = |node: usize| if self.nodes[node] <= floor { 1.0 } else { 0.0 };
        let below = average(&is_below) * f(floor).abs();
        let margin = (NORMAL * by_spectrum.sqrt()).max(STUDENT * by_probes.sqrt()) + below;
        Sum {
            value: self.found.iter().map(|value| f(*value)).sum::<f64>() + self.others * mean,
            margin: self.others * margin,
        }
    }
}

/// Gauss's rule, and that of Radau, for `n` eigenvalues of this mean.
fn rules(form: &BlockTridiagonal, n: usize, mean: f64) -> Result<[Rule; 2], Status> {
    let gauss = symmetric_eigen(&assembled(form, None))?;
    let leading_out = &form.below[STEPS - 1] / mean;
    let last = gauss.vectors.rows(PROBES * (STEPS - 1), PROBES);
    let out = &leading_out * last;
    let values: Vec<f64> = gauss
        .values
        .iter()
        .map(|value| value.max(0.0) / mean)
        .collect();
    let largest = values.first().copied().unwrap_or(0.0);
    let found = count_found(&values, &gauss.vectors, &out, n);
    // The last block that makes the matrix singular as often as there are directions.
    let mut scaled = out.clone();
    for (mut column, value) in scaled.column_iter_mut().zip(&values) {
        let is_rounding = *value <= ROUNDING * largest;
        column *= if is_rounding { 0.0 } else { mean / value };
    }
    let radau = symmetric_eigen(&assembled(form, Some(&(scaled * out.transpose()))))?;
    let radau_values: Vec<f64> = radau
        .values
        .iter()
        .map(|value| value.max(0.0) / mean)
        .collect();
    Ok([
        rule(&values, &gauss.vectors, found, n),
        rule(&radau_values, &radau.vectors, found, n),
    ])
}

/// Eigenvalues from the largest on that are found: no product leads out of their vectors, and the
/// directions have no larger share in them than in any other vector. Of several equal eigenvalues
/// a few directions see one vector each, which has the share of all of them.
fn count_found(values: &[f64], vectors: &DMatrix<f64>, out: &DMatrix<f64>, n: usize) -> usize {
    let largest = values.first().copied().unwrap_or(0.0);
    let probes = as_float(PROBES);
    let mut share = 0.0;
    // Some nodes must stay for all the others.
    let most = values.len() - PROBES;
    for (place, value) in values.iter().take(most).enumerate() {
        share += as_float(n) * vectors.view((0, place), (PROBES, 1)).norm_squared();
        let expected = probes * as_float(place + 1);
        let is_found = *value > ROUNDING * largest
            && out.column(place).norm() <= FOUND * value
            && share <= expected + SHARE_ERRORS * (2.0 * expected).sqrt();
        if !is_found {
            return place;
        }
    }
    most
}

fn rule(values: &[f64], vectors: &DMatrix<f64>, found: usize, n: usize) -> Rule {
    let others = as_float(n - found);
    let mut weights = vectors
        .view((0, found), (PROBES, values.len() - found))
        .map(|x| x * x);
    for mut row in weights.row_iter_mut() {
        let sum = row.sum();
        row /= sum;
    }
    let (found, nodes) = values.split_at(found);
    let rest = as_float(n) - found.iter().sum::<f64>();
    Rule {
        found: found.to_vec(),
        nodes: nodes.to_vec(),
        weights,
        others,
        mean: (rest / others).max(0.0),
    }
}

/// The block tridiagonal matrix, and with `last` one block more.
fn assembled(form: &BlockTridiagonal, last: Option<&DMatrix<f64>>) -> DMatrix<f64> {
    let blocks = STEPS + usize::from(last.is_some());
    let size = (PROBES, PROBES);
    let mut whole = DMatrix::zeros(PROBES * blocks, PROBES * blocks);
    let diagonal = form.diagonal.iter().chain(last);
    for (step, block) in diagonal.enumerate() {
        whole
            .view_mut((PROBES * step, PROBES * step), size)
            .copy_from(block);
    }
    for (step, block) in form.below.iter().take(blocks - 1).enumerate() {
        whole
            .view_mut((PROBES * (step + 1), PROBES * step), size)
            .copy_from(block);
    }
    whole
}

/// By how much, relatively, the largest eigenvalue may exceed what was found of it, but for a
/// chance of [`MISSED`] (Kuczynski and Wozniakowski, 1992, theorem 4.1, for every direction by
/// itself).
fn shortfall(n: f64) -> f64 {
    let chance = (1.648 * n.sqrt()).ln() - MISSED.ln() / as_float(PROBES);
    (chance / as_float(2 * STEPS - 1)).powi(2).min(0.99)
}

fn exponential_of_entropy(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let sum: f64 = values.clone().sum();
    (-values.map(|value| times_log(value / sum)).sum::<f64>()).exp()
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
