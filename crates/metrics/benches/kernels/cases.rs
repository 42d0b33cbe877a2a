//! The kernels, and the matrices they are timed on.

use std::hint::black_box;
use std::rc::Rc;

use ckptscope_metrics::comparative::{cka::Cka, pwcca::Pwcca};
use ckptscope_metrics::sort::sort_magnitudes;
use ckptscope_metrics::{Comparative, Facts, Metric, ParameterValue, Parameters, linalg};
use nalgebra::DMatrix;

/// What is timed: a number to look at, so that nothing is left out.
pub(crate) type Kernel = Box<dyn FnMut() -> f64>;

/// One kernel.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Rows and columns of its matrix in a model of this width.
    pub(crate) shape: fn(d_model: usize) -> (usize, usize),
    /// What is timed in a model of this width.
    pub(crate) kernel: fn(d_model: usize) -> Kernel,
    /// The widest model whose matrices memory and patience suffice for.
    pub(crate) widest: usize,
}

/// Samples of activations.
const SAMPLES: usize = 1430;

/// Width of an attention head.
const D_HEAD: usize = 64;

/// Every kernel, the cheapest first; before them what the machine does at best.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "limit: copy",
        shape: weights,
        widest: 4096,
        kernel: |d_model| of_weights(d_model, |w| black_box((*w).clone())[0]),
    },
    Case {
        name: "limit: product",
        shape: square,
        widest: 4096,
        kernel: |d_model| timed(square(d_model), |w| linalg::product(&w, &w)[0]),
    },
    Case {
        name: "entry statistics",
        shape: weights,
        widest: 4096,
        kernel: |d_model| of_weights(d_model, |w| Facts::dense(w).magnitude_sums().unwrap().sum),
    },
    Case {
        name: "sorted magnitudes",
        shape: weights,
        widest: 4096,
        kernel: |d_model| of_weights(d_model, |w| sorted(w.iter().map(|x| x.abs()).collect())),
    },
    Case {
        name: "sorted magnitudes, 9 of 10 are zero",
        shape: weights,
        widest: 2048,
        kernel: |d_model| {
            of_weights(d_model, |w| {
                sorted(w.iter().map(|x| (x.abs() - 1.645).max(0.0)).collect())
            })
        },
    },
    Case {
        name: "sorted magnitudes of heads side by side",
        shape: heads,
        widest: 1536,
        kernel: |d_model| {
            of_heads(d_model, |layer| {
                layer.sorted_magnitudes().unwrap().last().unwrap()
            })
        },
    },
    Case {
        name: "gram",
        shape: weights,
        widest: 4096,
        kernel: |d_model| of_weights(d_model, |w| linalg::gram_of_rows(&w)[0]),
    },
    Case {
        name: "singular values",
        shape: weights,
        widest: 4096,
        kernel: |d_model| of_weights(d_model, |w| linalg::singular_values(&w).unwrap()[0]),
    },
    Case {
        name: "singular values by decomposition",
        shape: weights,
        widest: 4096,
        kernel: |d_model| {
            of_weights(d_model, |w| {
                linalg::singular_values_by_decomposition(&w).unwrap()[0]
            })
        },
    },
    Case {
        name: "singular values of a square",
        shape: square,
        widest: 4096,
        kernel: |d_model| timed(square(d_model), |w| linalg::singular_values(&w).unwrap()[0]),
    },
    Case {
        name: "estimate of a square",
        shape: square,
        widest: 4096,
        kernel: |d_model| {
            timed(square(d_model), |w| {
                Facts::dense(w)
                    .spectrum_estimate()
                    .unwrap()
                    .effective_rank()
                    .value
            })
        },
    },
    Case {
        name: "singular values of a product of factors",
        shape: square,
        widest: 4096,
        kernel: of_factors,
    },
    Case {
        name: "singular values of heads side by side",
        shape: heads,
        widest: 1536,
        kernel: |d_model| of_heads(d_model, |layer| layer.singular_values().unwrap()[0]),
    },
    Case {
        name: "cka",
        shape: activations,
        widest: 2048,
        kernel: |d_model| of_activations(d_model, &Cka, Parameters::defaults(Cka.parameters())),
    },
    Case {
        name: "pwcca, reference",
        shape: activations,
        widest: 2048,
        kernel: |d_model| of_activations(d_model, &Pwcca, variant("reference")),
    },
    Case {
        name: "pwcca, paper",
        shape: activations,
        widest: 2048,
        kernel: |d_model| of_activations(d_model, &Pwcca, variant("paper")),
    },
];

const fn weights(d_model: usize) -> (usize, usize) {
    (d_model, 4 * d_model)
}

const fn square(d_model: usize) -> (usize, usize) {
    (d_model, d_model)
}

const fn activations(d_model: usize) -> (usize, usize) {
    (SAMPLES, d_model)
}

const fn heads(d_model: usize) -> (usize, usize) {
    (SAMPLES, d_model.div_ceil(D_HEAD) * d_model)
}

fn of_weights(d_model: usize, kernel: fn(Rc<DMatrix<f64>>) -> f64) -> Kernel {
    timed(weights(d_model), kernel)
}

fn timed(shape: (usize, usize), kernel: fn(Rc<DMatrix<f64>>) -> f64) -> Kernel {
    let weights = gaussian(shape.0, shape.1, 1);
    Box::new(move || kernel(Rc::clone(&weights)))
}

fn sorted(mut magnitudes: Vec<f64>) -> f64 {
    sort_magnitudes(&mut magnitudes);
    black_box(&magnitudes)[magnitudes.len() / 2]
}

fn of_factors(d_model: usize) -> Kernel {
    let (left, right) = (gaussian(d_model, D_HEAD, 2), gaussian(D_HEAD, d_model, 3));
    Box::new(move || {
        let facts = Facts::product(Rc::clone(&left), Rc::clone(&right));
        facts.singular_values().unwrap()[0]
    })
}

/// The output-value circuit of activations: `SAMPLES` by `d_model` per head, and as many heads as
/// make a model's width, every three of which share a left factor.
fn of_heads(d_model: usize, kernel: fn(&Facts) -> f64) -> Kernel {
    let heads = d_model.div_ceil(D_HEAD);
    let values: Vec<_> = (0..heads.div_ceil(3))
        .map(|k| gaussian(SAMPLES, D_HEAD, k as u64))
        .collect();
    let outputs: Vec<_> = (0..heads)
        .map(|h| gaussian(D_HEAD, d_model, 99 + h as u64))
        .collect();
    Box::new(move || {
        let product = |h: usize| Facts::product(Rc::clone(&values[h / 3]), Rc::clone(&outputs[h]));
        kernel(&Facts::side_by_side(
            (0..heads).map(|h| Rc::new(product(h))).collect(),
        ))
    })
}

fn of_activations(
    d_model: usize,
    metric: &'static dyn Comparative,
    parameters: Parameters,
) -> Kernel {
    let step = gaussian(SAMPLES, d_model, 4);
    let target = Rc::new(&*step + &*gaussian(SAMPLES, d_model, 5));
    Box::new(move || {
        let facts = |matrix: &Rc<DMatrix<f64>>| Facts::dense(Rc::clone(matrix));
        let measured = metric.measure(&parameters, &facts(&step), &facts(&target));
        measured[0].value.unwrap()
    })
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
