//! The kernels, and the matrices they are timed on.

use std::hint::black_box;
use std::rc::Rc;

use ckptscope_metrics::comparative::{cka::Cka, pwcca::Pwcca};
use ckptscope_metrics::sort::sort_magnitudes;
use ckptscope_metrics::{Comparative, Facts, Metric, ParameterValue, Parameters, linalg};
use nalgebra::DMatrix;

/// What is timed: a number to look at, so that nothing is left out.
type Kernel = Box<dyn FnMut() -> f64>;

/// A kernel with the shape of its matrix, made for a model's width.
type Make = fn(d_model: usize) -> ((usize, usize), Kernel);

/// One kernel.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) kernel: Make,
}

/// Samples of activations.
const SAMPLES: usize = 1430;

/// Width of an attention head.
const D_HEAD: usize = 64;

/// Every kernel, the cheapest first.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "entry statistics",
        kernel: |d_model| of_weights(d_model, |w| Facts::dense(w).magnitude_sums().unwrap().sum),
    },
    Case {
        name: "sorted magnitudes",
        kernel: |d_model| of_weights(d_model, |w| sorted(w.iter().map(|x| x.abs()).collect())),
    },
    Case {
        name: "sorted magnitudes, 9 of 10 are zero",
        kernel: |d_model| {
            of_weights(d_model, |w| {
                sorted(w.iter().map(|x| (x.abs() - 1.645).max(0.0)).collect())
            })
        },
    },
    Case {
        name: "sorted magnitudes of heads side by side",
        kernel: |d_model| {
            of_heads(d_model, |layer| {
                layer.sorted_magnitudes().unwrap().last().unwrap()
            })
        },
    },
    Case {
        name: "gram",
        kernel: |d_model| of_weights(d_model, |w| linalg::gram_of_rows(&w)[0]),
    },
    Case {
        name: "singular values",
        kernel: |d_model| of_weights(d_model, |w| linalg::singular_values(&w).unwrap()[0]),
    },
    Case {
        name: "singular values by decomposition",
        kernel: |d_model| {
            of_weights(d_model, |w| {
                linalg::singular_values_by_decomposition(&w).unwrap()[0]
            })
        },
    },
    Case {
        name: "singular values of a square",
        kernel: |d_model| {
            timed((d_model, d_model), |w| {
                linalg::singular_values(&w).unwrap()[0]
            })
        },
    },
    Case {
        name: "singular values of a product of factors",
        kernel: of_factors,
    },
    Case {
        name: "singular values of heads side by side",
        kernel: |d_model| of_heads(d_model, |layer| layer.singular_values().unwrap()[0]),
    },
    Case {
        name: "cka",
        kernel: |d_model| of_activations(d_model, &Cka, Parameters::defaults(Cka.parameters())),
    },
    Case {
        name: "pwcca, reference",
        kernel: |d_model| of_activations(d_model, &Pwcca, variant("reference")),
    },
    Case {
        name: "pwcca, paper",
        kernel: |d_model| of_activations(d_model, &Pwcca, variant("paper")),
    },
];

fn of_weights(d_model: usize, kernel: fn(Rc<DMatrix<f64>>) -> f64) -> ((usize, usize), Kernel) {
    timed((d_model, 4 * d_model), kernel)
}

fn timed(shape: (usize, usize), kernel: fn(Rc<DMatrix<f64>>) -> f64) -> ((usize, usize), Kernel) {
    let weights = gaussian(shape.0, shape.1, 1);
    (shape, Box::new(move || kernel(Rc::clone(&weights))))
}

fn sorted(mut magnitudes: Vec<f64>) -> f64 {
    sort_magnitudes(&mut magnitudes);
    black_box(&magnitudes)[magnitudes.len() / 2]
}

fn of_factors(d_model: usize) -> ((usize, usize), Kernel) {
    let (left, right) = (gaussian(d_model, D_HEAD, 2), gaussian(D_HEAD, d_model, 3));
    let kernel = move || {
        let facts = Facts::product(Rc::clone(&left), Rc::clone(&right));
        facts.singular_values().unwrap()[0]
    };
    ((d_model, d_model), Box::new(kernel))
}

/// The output-value circuit of activations: `SAMPLES` by `d_model` per head, and as many heads as
/// make a model's width, every three of which share a left factor.
fn of_heads(d_model: usize, kernel: fn(&Facts) -> f64) -> ((usize, usize), Kernel) {
    let heads = d_model / D_HEAD;
    let values: Vec<_> = (0..heads / 3)
        .map(|k| gaussian(SAMPLES, D_HEAD, k as u64))
        .collect();
    let outputs: Vec<_> = (0..heads)
        .map(|h| gaussian(D_HEAD, d_model, 99 + h as u64))
        .collect();
    let layer = move || {
        let product = |h: usize| Facts::product(Rc::clone(&values[h / 3]), Rc::clone(&outputs[h]));
        Facts::side_by_side((0..heads).map(|h| Rc::new(product(h))).collect())
    };
    (
        (SAMPLES, heads * d_model),
        Box::new(move || kernel(&layer())),
    )
}

fn of_activations(
    d_model: usize,
    metric: &'static dyn Comparative,
    parameters: Parameters,
) -> ((usize, usize), Kernel) {
    let step = gaussian(SAMPLES, d_model, 4);
    let target = Rc::new(&*step + &*gaussian(SAMPLES, d_model, 5));
    let kernel = move || {
        let facts = |matrix: &Rc<DMatrix<f64>>| Facts::dense(Rc::clone(matrix));
        let measured = metric.measure(&parameters, &facts(&step), &facts(&target));
        measured[0].value.unwrap()
    };
    ((SAMPLES, d_model), Box::new(kernel))
}

fn variant(word: &'static str) -> Parameters {
    Parameters::defaults(Pwcca.parameters()).with("variant", ParameterValue::Choice(word))
}

/// Independent standard normal entries, the same on every run (splitmix64, Box and Muller).
#[allow(clippy::cast_precision_loss)] // 53 bits
fn gaussian(rows: usize, columns: usize, seed: u64) -> Rc<DMatrix<f64>> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((bits ^ (bits >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    };
    Rc::new(DMatrix::from_fn(rows, columns, |_, _| {
        let (radius, angle) = (uniform(), uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }))
}
