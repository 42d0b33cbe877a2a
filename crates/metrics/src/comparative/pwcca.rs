//! Projection-weighted canonical correlation analysis.
//!
//! The `reference` variant needs LAPACK's signs. The reference tool adds means to `X_c u_i`, so its
//! weights depend on the sign of `u_i`, which mathematics leaves open. Flipping some moves the
//! value by 1e-3. `linalg::bidiagonal` and `linalg::division` find the signs that LAPACK gives.
//!
//! Where LAPACK's own choice of a sign is rounding, the status says so: one of some hundred
//! directions.
//!
//! With fewer samples than the two ranks add up to, several correlations are 1 whatever the data.
//! How weights divide among them is open: values of the reference tool move by 5e-4 when their
//! input moves by 1e-15. The status says how many there are.

use ckptscope_vocabulary::Work;
use nalgebra::DMatrix;

use super::same_samples;
use crate::facts::{Directions, Facts, GRAM_SMALLEST, MatrixExtent, Needs, row_sums};
use crate::linalg::{
    ReferenceSingular, cholesky_solve, left_singular, orthonormal_columns, product,
    reference_left_singular, transpose_product, work,
};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, Comparative, DataKind, Form, Metric};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// How much of one set of activations is a linear map of the other: canonical correlations,
/// weighted by how much of the activations each direction accounts for.
///
/// # Definition
/// $X$ `[n, p]` and $Y$ `[n, q]` are centred to $X_c$ and $Y_c$; $\rho_i$ are their canonical
/// correlations; the result is $\sum_i w_i \rho_i / \sum_i w_i$.
///
/// `variant: paper` weighs the canonical variates $h_i$ (orthonormal, spanning the centred columns
/// up to numerical rank) of the side with the lower rank:
/// $w_i = \sum_j |\langle h_i, x_j \rangle|$ over that side's centred columns.
///
/// `variant: reference` is what the reference tool computes. With $u_i$ the left singular vectors
/// of $C_{xx}^{-1/2} C_{xy} C_{yy}^{-1/2}$, directions $D = X_c U + 1\,\bar x$ and $Q$ of
/// $D = QR$: $w_i = \sum_j |Q^T X|_{ij}$ over the columns of $X$ as they are.
///
/// # Range and reading
/// From 0 to 1, where each is a linear map of the other.
///
/// # Applies to
/// Activations, one row per sample, the same samples in the same order.
///
/// # Numerics
/// Singular values of the centred data count above $s_1 \max(n, p)\,2^{-23}$, because activations
/// carry float32 noise. Weights of `reference` depend on the signs of the $u_i$, which mathematics
/// leaves open: they are LAPACK's. With fewer than 5 (p + q) samples the value is biased upwards.
///
/// # Errors
/// Where `reference` is not defined (a side of deficient rank, sides of different widths, no more
/// samples than features) the value is that of `paper`, and the status says so and why. Where the
/// ranks add up to more than $n$, several correlations are 1 whatever the data, and mathematics
/// leaves open how the weights divide among them: the status says so. Undefined
/// where the sample counts differ and where a side is constant over the samples; `not finite` where an
/// entry is NaN or infinite.
///
/// # References
/// A. S. Morcos, M. Raghu and S. Bengio, "Insights on representational similarity in neural
/// networks with canonical correlation", NeurIPS 2018. M. Raghu, J. Gilmer, J. Yosinski and J.
/// Sohl-Dickstein, "SVCCA", NeurIPS 2017.
///
/// # Example
/// One column each, centred (-1, 0, 1) and (-1, 1, 0): the correlation 0.5, whatever its weight.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Comparative, Facts, Metric, Parameters, comparative::pwcca::Pwcca};
///
/// let (step, target) = (dmatrix![1.0; 2.0; 3.0], dmatrix![5.0; 7.0; 6.0]);
/// let (step, target) = (Facts::dense(step), Facts::dense(target));
/// let pwcca = Pwcca.measure(&Parameters::defaults(Pwcca.parameters()), &step, &target);
/// assert!((pwcca[0].value.unwrap() - 0.5).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pwcca;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "variant",
    summary: "the reference tool's weights, or those of the paper",
    kind: ParameterKind::Choice(&["reference", "paper"]),
    default: ParameterValue::Choice("reference"),
}];

impl Metric for Pwcca {
    fn about(&self) -> About<'_> {
        About {
            name: "pwcca",
            title: "PWCCA",
            summary: "how much of one checkpoint's activations is a linear map of another's: 0 none, 1 all",
            applies_to: &[DataKind::Activations],
            parameters: PARAMETERS,
            form: Form::Comparative(self),
        }
    }

    fn needs(&self, parameters: &Parameters) -> Needs {
        Needs {
            centred_gram: true,
            centred_directions: true,
            centred_basis: parameters.choice("variant") == "paper",
            ..Needs::default()
        }
    }

    fn work(&self, parameters: &Parameters, extent: MatrixExtent) -> Work {
        let (rows, rank) = (extent.rows, extent.basis_rank());
        let square = work::product(rank, rank, rank);
        let crossed = work::product(rank, rows, rank);
        let is_reference = parameters.choice("variant") == "reference";
        if is_reference && extent.columns < rows && rank == extent.columns {
            let weights = square * 3.0;
            return crossed + square * 4.0 + work::reference_left_singular(rank) + weights;
        }
        let directions = work::product(rows, rank, rank);
        let projected = work::product(rank, rows, extent.compact_columns());
        crossed + work::left_singular(rank, rank) + directions + projected
    }
}

impl Comparative for Pwcca {
    fn measure(&self, parameters: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement> {
        let result = same_samples(step, target)
            .and_then(|()| pwcca(parameters.choice("variant"), step, target));
        vec![result.unwrap_or_else(Measurement::undefined)]
    }
}

fn pwcca(variant: &str, step: &Facts, target: &Facts) -> Result<Measurement, Status> {
    let (x, y) = (step.centred_directions()?, target.centred_directions()?);
    let reason = match variant {
        "reference" => reason_against_reference(step, target, x, y),
        _ => None,
    };
    let mut measurement = match (variant, &reason) {
        // All correlations of a side with itself are 1, whatever their weights.
        _ if std::ptr::eq(step, target) => Measurement::of(1.0),
        ("reference", None) => reference(step, target)?,
        _ => Measurement::of(paper(step, target)?),
    };
    if let Some(reason) = reason {
        measurement = measurement.noting(Status::PaperVariant { reason });
    }
    // Two spaces of these dimensions, both orthogonal to the constant vector, must share so many.
    let samples = step.rows();
    let ones = (x.rank() + y.rank()).saturating_sub(samples - 1);
    let is_same = std::ptr::eq(step, target);
    if ones > 1 && !is_same {
        measurement = measurement.noting(Status::DegenerateCorrelations { ones, samples });
    }
    Ok(measurement)
}

fn reason_against_reference(
    step: &Facts,
    target: &Facts,
    x: &Directions,
    y: &Directions,
) -> Option<String> {
    let (samples, p, q) = (step.rows(), step.columns(), target.columns());
    if samples <= p.max(q) {
        return Some(format!("{samples} samples of {} features", p.max(q)));
    }
    if x.rank() < p {
        return Some(format!("this step has rank {} of {p}", x.rank()));
    }
    if y.rank() < q {
        return Some(format!("the target has rank {} of {q}", y.rank()));
    }
    (p != q).then(|| format!("{p} features at this step, {q} at the target"))
}

/// Morcos et al. 2018, over numerical ranks.
fn paper(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let (x, y) = (step.centred_basis()?, target.centred_basis()?);
    let (side, basis, other) = if x.ncols() <= y.ncols() {
        (step, x, y)
    } else {
        (target, y, x)
    };
    let svd = left_singular(&transpose_product(basis, other))?;
    let variates = product(basis, &svd.vectors);
    weighted_mean(&svd.values, &side.absolute_projections(&variates))
}

/// The reference tool's, for two sides of the same width and full rank.
fn reference(step: &Facts, target: &Facts) -> Result<Measurement, Status> {
    let ReferenceSingular {
        svd,
        signs_in_doubt,
    } = reference_left_singular(&whitened(step, target)?)?;
    let weights = match weights_by_gram(step, &svd.vectors)? {
        Some(weights) => weights,
        None => weights_by_directions(step, &svd.vectors)?,
    };
    let measurement = Measurement::of(weighted_mean(&svd.values, &weights)?);
    if signs_in_doubt == 0 {
        return Ok(measurement);
    }
    Ok(measurement.noting(Status::SignsInDoubt {
        vectors: signs_in_doubt,
        of: svd.values.len(),
    }))
}

/// `C_xx^(-1/2) C_xy C_yy^(-1/2)` `[p, p]`, where `C_xx = X_c^T X_c` and so on.
///
/// With `X_c = U S V^T` and `Y_c = P T W^T` it is `V (U^T P) W^T`, and `U^T P` is
/// `S^-1 (V^T C_xy W) T^-1`, which does without `U` and `P` where no singular value is small.
fn whitened(step: &Facts, target: &Facts) -> Result<DMatrix<f64>, Status> {
    let (x, y) = (step.centred_directions()?, target.centred_directions()?);
    let (v, w) = (
        step.centred_right_vectors()?,
        target.centred_right_vectors()?,
    );
    let correlations = if x.are_of_columns() && y.are_of_columns() {
        let cross = transpose_product(&step.centred()?.matrix, &target.centred()?.matrix);
        let mut inner = transpose_product(&v, &product(&cross, &w));
        for (mut column, right) in inner.column_iter_mut().zip(&y.values) {
            for (entry, left) in column.iter_mut().zip(&x.values) {
                *entry /= left * right;
            }
        }
        inner
    } else {
        transpose_product(step.centred_basis()?, target.centred_basis()?)
    };
    Ok(product(&v, &product(&correlations, &w.transpose())))
}

/// `sum_j |Q^T X|_ij` for `D = X_c U + 1 m^T = Q R`, with the means `m`.
fn weights_by_directions(step: &Facts, vectors: &DMatrix<f64>) -> Result<Vec<f64>, Status> {
    let centred = step.centred()?;
    let mut directions = product(&centred.matrix, vectors);
    for (mut column, mean) in directions.column_iter_mut().zip(centred.means.iter()) {
        column.add_scalar_mut(*mean);
    }
    Ok(step.absolute_projections(&orthonormal_columns(directions)))
}

/// The same of Gram matrices, where they are exact enough: `Q^T X` is `R^-T D^T X`, with `R` of
/// `D^T D = R^T R`. Centred columns add up to zero, so `D^T X = U^T C_xx + n m m^T` and
/// `D^T D = U^T C_xx U + n m m^T`.
fn weights_by_gram(step: &Facts, vectors: &DMatrix<f64>) -> Result<Option<Vec<f64>>, Status> {
    let (gram, means) = (step.centred_gram()?, &step.centred()?.means);
    #[allow(clippy::cast_precision_loss)] // a number of samples
    let samples = step.rows() as f64;
    let Directions { values, .. } = step.centred_directions()?;
    let largest = values[0].powi(2) + samples * means.norm_squared();
    let smallest = values[values.len() - 1].powi(2);
    if smallest < GRAM_SMALLEST * largest {
        return Ok(None);
    }
    let means = means.transpose();
    let mut products = transpose_product(vectors, gram);
    let mut lengths = product(&products, vectors);
    products.ger(samples, &means, &means, 1.0);
    lengths.ger(samples, &means, &means, 1.0);
    Ok(cholesky_solve(lengths, products).map(|projections| row_sums(&projections)))
}

fn weighted_mean(correlations: &[f64], weights: &[f64]) -> Result<f64, Status> {
    let total: f64 = weights
        .iter()
        .zip(correlations)
        .map(|(weight, _)| weight)
        .sum();
    if total == 0.0 {
        return Err(Status::Constant);
    }
    let sum: f64 = weights
        .iter()
        .zip(correlations)
        .map(|(w, rho)| w * rho.clamp(0.0, 1.0))
        .sum();
    Ok(sum / total)
}
