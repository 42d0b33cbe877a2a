//! Projection-weighted canonical correlation analysis.
//!
//! The `reference` variant needs LAPACK's signs. The reference tool adds means to `X_c u_i`, so its
//! weights depend on the sign of `u_i`, which mathematics leaves open. Flipping some moves the
//! value by 1e-3. `linalg::bidiagonal` finds the signs that LAPACK gives.
//!
//! Where LAPACK's own choice of a sign is rounding, the status says so. That is where the deciding
//! component is below rounding, or where a change in the last place flips the sign.
//!
//! With fewer samples than the two ranks add up to, several correlations are 1 whatever the data.
//! How weights divide among them is open: values of the reference tool move by 5e-4 when their
//! input moves by 1e-15. The status says how many there are.

use super::same_samples;
use ckptscope_vocabulary::Work;

use crate::facts::{Basis, Facts, MatrixExtent, Needs};
use crate::linalg::{
    ReferenceSingular, left_singular, orthonormal_columns, product, reference_left_singular,
    transpose_product, work,
};
use crate::measurement::{Measurement, Status};
use crate::metric::{Comparative, DataKind, Form, Metric};
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
    fn name(&self) -> &'static str {
        "pwcca"
    }

    fn title(&self) -> &'static str {
        "PWCCA"
    }

    fn summary(&self) -> &'static str {
        "how much of one checkpoint's activations is a linear map of another's: 0 none, 1 all"
    }

    fn applies_to(&self) -> &'static [DataKind] {
        &[DataKind::Activations]
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            centred_gram: true,
            centred_basis: true,
            ..Needs::default()
        }
    }

    fn work(&self, parameters: &Parameters, extent: MatrixExtent) -> Work {
        let (rows, rank) = (extent.rows, extent.basis_rank());
        let basis = work::product(rank, rows, rank);
        let directions = work::product(rows, rank, rank);
        let projected = work::product(rank, rows, extent.compact_columns());
        let is_reference = parameters.choice("variant") == "reference";
        if is_reference && extent.columns < rows && rank == extent.columns {
            let whitened = work::product(rank, rank, rank) * 2.0;
            let orthonormal = work::orthonormal_columns(rows, rank);
            let decomposed = work::reference_left_singular(rank);
            return basis + whitened + decomposed + directions + orthonormal + projected;
        }
        basis + work::left_singular(rank, rank) + directions + projected
    }

    fn form(&self) -> Form<'_> {
        Form::Comparative(self)
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
    let (x, y) = (step.centred_basis()?, target.centred_basis()?);
    let reason = match variant {
        "reference" => reason_against_reference(step, target, x, y),
        _ => None,
    };
    let mut measurement = match (variant, &reason) {
        // All correlations of a side with itself are 1, whatever their weights.
        _ if std::ptr::eq(step, target) => Measurement::of(1.0),
        ("reference", None) => reference(step, x, y)?,
        _ => Measurement::of(paper(step, target, x, y)?),
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

fn reason_against_reference(step: &Facts, target: &Facts, x: &Basis, y: &Basis) -> Option<String> {
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
fn paper(step: &Facts, target: &Facts, x: &Basis, y: &Basis) -> Result<f64, Status> {
    let (side, basis, other) = if x.rank() <= y.rank() {
        (step, x, y)
    } else {
        (target, y, x)
    };
    let svd = left_singular(&transpose_product(&basis.vectors, &other.vectors))?;
    let variates = product(&basis.vectors, &svd.vectors);
    weighted_mean(&svd.values, &side.absolute_projections(&variates))
}

/// The reference tool's, for two sides of the same width and full rank.
fn reference(step: &Facts, x: &Basis, y: &Basis) -> Result<Measurement, Status> {
    let centred = step.centred()?;
    // C_xx^(-1/2) = V S^(-1) V^T up to a factor, and X_c V S^(-1) is the basis.
    let whitened = product(
        &x.right_vectors,
        &product(
            &transpose_product(&x.vectors, &y.vectors),
            &y.right_vectors.transpose(),
        ),
    );
    let ReferenceSingular {
        svd,
        signs_in_doubt,
    } = reference_left_singular(&whitened)?;
    let mut directions = product(&centred.matrix, &svd.vectors);
    for (mut column, mean) in directions.column_iter_mut().zip(centred.means.iter()) {
        column.add_scalar_mut(*mean);
    }
    let weights = step.absolute_projections(&orthonormal_columns(directions));
    let measurement = Measurement::of(weighted_mean(&svd.values, &weights)?);
    if signs_in_doubt == 0 {
        return Ok(measurement);
    }
    Ok(measurement.noting(Status::SignsInDoubt {
        vectors: signs_in_doubt,
        of: svd.values.len(),
    }))
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
