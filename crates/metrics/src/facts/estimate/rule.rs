//! Quadrature rules for the mean of a function over eigenvalues.

use nalgebra::DMatrix;

use super::as_float;
use crate::linalg::{BlockTridiagonal, PROBES, STEPS, SymmetricEigen, product, symmetric_eigen};
use crate::measurement::Status;

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

/// A quadrature rule for each direction. Its nodes are eigenvalues of `A^T A` over their mean.
#[derive(Clone, Debug)]
pub(super) struct Rule {
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
pub(super) struct Sum {
    pub(super) value: f64,
    pub(super) margin: f64,
}

impl Rule {
    /// With so many eigenvalues found, of `n` of this mean.
    fn of(eigen: &SymmetricEigen, found: usize, n: usize, mean: f64) -> Self {
        let others = as_float(n - found);
        let mut nodes: Vec<f64> = eigen
            .values
            .iter()
            .map(|value| value.max(0.0) / mean)
            .collect();
        let found: Vec<f64> = nodes.drain(..found).collect();
        let share = |probe: usize, node: usize| eigen.vectors[(probe, found.len() + node)].powi(2);
        let all: Vec<f64> = (0..PROBES)
            .map(|probe| (0..nodes.len()).map(|node| share(probe, node)).sum())
            .collect();
        let weights = DMatrix::from_fn(PROBES, nodes.len(), |probe, node| {
            share(probe, node) / all[probe]
        });
        let rest = as_float(n) - found.iter().sum::<f64>();
        Self {
            found,
            nodes,
            weights,
            others,
            mean: (rest / others).max(0.0),
        }
    }

    pub(super) fn largest(&self) -> f64 {
        let first = self.found.first().or_else(|| self.nodes.first());
        first.copied().unwrap_or(0.0)
    }

    /// Square roots of all eigenvalues, descending. As many nodes as there are directions lie close
    /// together, which says nothing of the spectrum: each such group counts as one, half of whose
    /// weight lies above its mean, and between groups and beyond them values fall evenly.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let groups = self.groups();
        let most = self.found.last().copied().unwrap_or(self.largest()).sqrt();
        let at = move |place: f64| {
            let next = groups.partition_point(|(middle, _)| *middle < place);
            let next = next.clamp(1, groups.len().saturating_sub(1).max(1));
            let value = match groups.get(next - 1..=next) {
                Some(&[before, after]) => {
                    let part = (place - before.0) / (after.0 - before.0);
                    before.1 + part * (after.1 - before.1)
                }
                _ => groups.first().map_or(0.0, |(_, value)| *value),
            };
            value.clamp(0.0, most)
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
        let others = self.others as u32;
        let others = (0..others).map(move |other| at((f64::from(other) + 0.5) / self.others));
        self.found.iter().map(|value| value.sqrt()).chain(others)
    }

    /// Groups of as many nodes as there are directions, from the largest on: where the middle of
    /// each one's weight lies, from 0 to 1, and the mean of its square roots.
    fn groups(&self) -> Vec<(f64, f64)> {
        let mut above = 0.0;
        let nodes: Vec<usize> = (0..self.nodes.len()).collect();
        let mut groups: Vec<_> = nodes.rchunks(PROBES).collect();
        groups.reverse();
        let group = |nodes: &[usize]| {
            let weight = |node: &usize| self.weights.column(*node).sum() / as_float(PROBES);
            let all: f64 = nodes.iter().map(weight).sum();
            let values = nodes
                .iter()
                .map(|node| weight(node) * self.nodes[*node].sqrt());
            above += all;
            (all > 0.0).then(|| (above - all / 2.0, values.sum::<f64>() / all))
        };
        groups.into_iter().filter_map(group).collect()
    }

    /// The sum of `f` over the spectrum. Of the part that is left to chance, what follows the
    /// eigenvalues linearly is replaced by what their mean, which is known, makes of it.
    pub(super) fn sum(&self, f: &dyn Fn(f64) -> f64) -> Sum {
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
pub(super) fn rules(form: &BlockTridiagonal, n: usize, mean: f64) -> Result<[Rule; 2], Status> {
    let gauss = symmetric_eigen(&assembled(form, None))?;
    let last = gauss.vectors.rows(PROBES * (STEPS - 1), PROBES);
    let out = product(&form.below[STEPS - 1], &last.into_owned());
    let found = count_found(&gauss, &out, n);
    // The last block that makes the matrix singular as often as there are directions.
    let mut divided = out.clone();
    let floor = ROUNDING * gauss.values[0];
    for (column, value) in divided
        .as_mut_slice()
        .chunks_exact_mut(PROBES)
        .zip(&gauss.values)
    {
        let inverse = if *value > floor { 1.0 / value } else { 0.0 };
        column.iter_mut().for_each(|entry| *entry *= inverse);
    }
    let last = product(&divided, &out.transpose());
    let radau = symmetric_eigen(&assembled(form, Some(&last)))?;
    Ok([gauss, radau].map(|eigen| Rule::of(&eigen, found, n, mean)))
}

/// Eigenvalues from the largest on that are found: no product leads out of their vectors, and the
/// directions have no larger share in them than in any other vector. Of several equal eigenvalues
/// a few directions see one vector each, which has the share of all of them.
fn count_found(eigen: &SymmetricEigen, out: &DMatrix<f64>, n: usize) -> usize {
    let probes = as_float(PROBES);
    let mut share = 0.0;
    // Some nodes must stay for all the others.
    let most = eigen.values.len() - PROBES;
    for (place, value) in eigen.values.iter().take(most).enumerate() {
        share += as_float(n) * squares(&eigen.vectors.column(place).as_slice()[..PROBES]);
        let expected = probes * as_float(place + 1);
        let is_found = *value > ROUNDING * eigen.values[0]
            && squares(out.column(place).as_slice()).sqrt() <= FOUND * value
            && share <= expected + SHARE_ERRORS * (2.0 * expected).sqrt();
        if !is_found {
            return place;
        }
    }
    most
}

fn squares(vector: &[f64]) -> f64 {
    vector.iter().map(|entry| entry * entry).sum()
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
