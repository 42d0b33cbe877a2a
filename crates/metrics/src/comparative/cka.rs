//! Centred kernel alignment with the linear kernel.

use nalgebra::DMatrix;

use super::same_samples;
use ckptscope_vocabulary::Work;

use crate::facts::{Facts, MatrixExtent, Needs};
use crate::linalg::transpose_product;
use crate::measurement::{Measurement, Status};
use crate::metric::{About, Bias, Comparative, DataKind, Form, Metric};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// How alike two sets of activations arrange the same samples: linear centred kernel alignment.
///
/// # Definition
/// With the columns of $X$ `[n, p]` and $Y$ `[n, q]` centred to $X_c$ and $Y_c$:
/// $$ \mathrm{CKA} = \frac{\lVert X_c^T Y_c \rVert_F^2}
///    {\lVert X_c^T X_c \rVert_F \, \lVert Y_c^T Y_c \rVert_F} $$
/// With `debiased: true` the three terms are replaced by unbiased estimates of the
/// Hilbert-Schmidt independence criterion. With $g_i$ and $h_i$ the squared lengths of the rows of
/// $X_c$ and $Y_c$, each product $\lVert X_c^T Y_c \rVert_F^2$ becomes
/// $$ \lVert X_c^T Y_c \rVert_F^2 - \frac{n}{n-2} \sum_i g_i h_i
///    + \frac{\sum_i g_i \sum_i h_i}{(n-1)(n-2)} $$
///
/// # Range and reading
/// From 0 to 1, where one is the other up to rotation and scale. What it comes to by chance is
/// `cka_chance`; of the debiased value that is 0, and it may be negative.
///
/// # Applies to
/// Activations, one row per sample, the same samples in the same order.
///
/// # Numerics
/// Products of thin factors stay in their factors. Sample by sample where there are fewer samples
/// than features on both sides, else feature by feature. With fewer than 5 (p + q) samples the
/// value is biased upwards, unless it is debiased.
///
/// # Errors
/// Undefined where the sample counts differ, where a side is constant over the samples, and, debiased,
/// with fewer than four samples or where a side's estimate is not positive; `not finite` where an
/// entry is NaN or infinite.
///
/// # References
/// S. Kornblith, M. Norouzi, H. Lee and G. Hinton, "Similarity of neural network representations
/// revisited", ICML 2019. G. J. Székely and M. L. Rizzo, "Partial distance correlation with
/// methods for dissimilarities", Annals of Statistics 42 (2014).
///
/// # Example
/// Centred columns (-1, 0, 1) and (-1, 1, 0): $1^2 / (2 \cdot 2) = 0.25$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Comparative, Facts, Parameters, comparative::cka::Cka};
///
/// let (step, target) = (dmatrix![1.0; 2.0; 3.0], dmatrix![5.0; 7.0; 6.0]);
/// let (step, target) = (Facts::dense(step), Facts::dense(target));
/// let cka = Cka.measure(&Parameters::default(), &step, &target);
/// assert!((cka[0].value.unwrap() - 0.25).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cka;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "debiased",
    summary: "whether the unbiased estimator is used, which may be negative",
    kind: ParameterKind::Boolean,
    default: ParameterValue::Boolean(false),
}];

/// Samples that the unbiased estimator needs.
const DEBIASED_SAMPLES: usize = 4;

impl Metric for Cka {
    fn about(&self) -> About<'_> {
        About {
            name: "cka",
            title: "CKA",
            summary: "how alike two checkpoints arrange the same samples: 0 not at all, 1 up to rotation and scale",
            applies_to: &[DataKind::Activations],
            parameters: PARAMETERS,
            form: Form::Comparative(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            centred_gram: true,
            ..Needs::default()
        }
    }

    fn work(&self, _: &Parameters, extent: MatrixExtent) -> Work {
        extent.cross_gram()
    }
}

impl Comparative for Cka {
    fn measure(&self, parameters: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement> {
        let estimate = if parameters.boolean("debiased") {
            debiased
        } else {
            plain
        };
        vec![
            same_samples(step, target)
                .and_then(|()| estimate(step, target))
                .into(),
        ]
    }

    fn bias(&self, parameters: &Parameters) -> Option<Bias> {
        (!parameters.boolean("debiased")).then_some(Bias::Upwards)
    }
}

fn plain(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let lengths = step.centred_gram()?.norm() * target.centred_gram()?.norm();
    Ok(squared_cross_norm(step, target)? / lengths)
}

/// `||X_c^T Y_c||_F^2`, which is the inner product of the two Gram matrices of samples.
fn squared_cross_norm(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let (x, y) = (&step.centred()?.matrix, &target.centred()?.matrix);
    let samples = x.nrows();
    if samples < x.ncols() && samples < y.ncols() {
        return Ok(step.centred_gram()?.dot(target.centred_gram()?));
    }
    Ok(transpose_product(x, y).norm_squared())
}

fn debiased(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let samples = step.rows();
    if samples < DEBIASED_SAMPLES {
        return Err(Status::TooFewSamples {
            samples,
            needed: DEBIASED_SAMPLES,
        });
    }
    let (g, h) = (
        squared_rows(&step.centred()?.matrix),
        squared_rows(&target.centred()?.matrix),
    );
    let of_step = unbiased(step.centred_gram()?.norm_squared(), &g, &g);
    let of_target = unbiased(target.centred_gram()?.norm_squared(), &h, &h);
    if of_step <= 0.0 || of_target <= 0.0 {
        return Err(Status::NotPositive);
    }
    Ok(unbiased(squared_cross_norm(step, target)?, &g, &h) / (of_step.sqrt() * of_target.sqrt()))
}

#[allow(clippy::cast_precision_loss)] // a number of samples
fn unbiased(squared_norm: f64, g: &[f64], h: &[f64]) -> f64 {
    let n = g.len() as f64;
    let together: f64 = g.iter().zip(h).map(|(g, h)| g * h).sum();
    let apart = g.iter().sum::<f64>() * h.iter().sum::<f64>();
    squared_norm - n / (n - 2.0) * together + apart / ((n - 1.0) * (n - 2.0))
}

fn squared_rows(matrix: &DMatrix<f64>) -> Vec<f64> {
    let mut squares = vec![0.0; matrix.nrows()];
    for column in matrix.column_iter() {
        for (square, entry) in squares.iter_mut().zip(column.iter()) {
            *square += entry * entry;
        }
    }
    squares
}
