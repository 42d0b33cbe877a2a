//! What attention heads write for what they read: the output-value circuit.

use std::rc::Rc;

use ckptscope_checkpoint::architecture::Role;
use ckptscope_checkpoint::{DataKind, ModelShape};
use ckptscope_metrics::{Facts, Parameter, ParameterKind, ParameterValue};
use nalgebra::DMatrix;

use super::{Built, Component, ComponentError, MatrixOutline, Outline, Request, Shape};

/// The output-value circuit of every head, and the layer's: its heads side by side.
///
/// With `H` heads of width `d`, `K` key-value heads, and `k = floor(h / (H / K))` for head `h`:
/// `V_k` are rows `k d .. (k + 1) d` of the value projection `[K d, d_model]`, `O_h` columns
/// `h d .. (h + 1) d` of the output projection `[d_model, H d]`, `gV` and `gO` their gradients,
/// and `A_k` columns `k d .. (k + 1) d` of the value activations `[n, K d]`.
///
/// | data type | per head | shape |
/// |---|---|---|
/// | weights, `form: product` (what the reference tool computes) | `V_k O_h` | `[d, d]` |
/// | weights, `form: circuit` (the circuit proper) | `O_h V_k` | `[d_model, d_model]` |
/// | activations | `A_k O_h^T` | `[n, d_model]` |
/// | gradients | `O_h gV_k + gO_h V_k` | `[d_model, d_model]` |
///
/// Without `layer_suffixes` the model's architecture says which tensors, or parts of them, the
/// projections are, and `form` is `circuit`. Of latent attention `V_k` is the product of its
/// factors, and the norm between them is part of it, up to one positive factor for each token.
///
/// Products of thin factors stay in their factors. Source: Elhage et al., "A mathematical
/// framework for transformer circuits", 2021.
#[derive(Clone, Copy, Debug)]
pub struct OvCircuit;

const ROLES: &[&str] = &["output_layer", "value_layer"];
const OUTPUT: usize = 0;
const VALUE: usize = 1;

const FORM: Parameter = Parameter {
    name: "form",
    summary: "of weights: the reference tool's product V O, or the circuit O V",
    kind: ParameterKind::Choice(&["product", "circuit"]),
    default: ParameterValue::Choice("product"),
};

/// Whether norms between projections are part of a circuit.
pub(crate) const GAINS: Parameter = Parameter {
    name: "gains",
    summary: "whether norms between projections, and within latent attention, are part of it",
    kind: ParameterKind::Boolean,
    default: ParameterValue::Boolean(true),
};

/// Whether a circuit has the layer's own matrix beside those of its heads.
pub(crate) const LAYER_MATRIX: Parameter = Parameter {
    name: "layer_matrix",
    summary: "whether the layer's own matrix is measured beside its heads'; auto: where it is cheap",
    kind: ParameterKind::Choice(&["auto", "always", "never"]),
    default: ParameterValue::Choice("auto"),
};

const PARAMETERS: &[Parameter] = &[FORM];

const BY_ROLE: &[Parameter] = &[
    Parameter {
        default: ParameterValue::Choice("circuit"),
        ..FORM
    },
    GAINS,
    LAYER_MATRIX,
];

impl Component for OvCircuit {
    fn name(&self) -> &'static str {
        "ov_circuit"
    }

    fn summary(&self) -> &'static str {
        "what each attention head writes for what it reads: output and value projections combined"
    }

    fn data_kinds(&self) -> &'static [DataKind] {
        &[
            DataKind::Weights,
            DataKind::Gradients,
            DataKind::Activations,
        ]
    }

    fn roles(&self) -> &'static [&'static str] {
        ROLES
    }

    fn parts(&self) -> &'static [Role] {
        &[Role::Output, Role::Value]
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn parameters_by_role(&self) -> &'static [Parameter] {
        BY_ROLE
    }

    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)> {
        let weights = DataKind::Weights;
        match kind {
            DataKind::Weights => vec![(weights, OUTPUT), (weights, VALUE)],
            DataKind::Activations => vec![(weights, OUTPUT), (kind, VALUE)],
            DataKind::Gradients => {
                vec![
                    (weights, OUTPUT),
                    (weights, VALUE),
                    (kind, OUTPUT),
                    (kind, VALUE),
                ]
            }
        }
    }

    fn dimensions(&self, request: &Request<'_, Shape>) -> ModelShape {
        let Ok(heads) = Heads::of(request) else {
            return ModelShape::default();
        };
        ModelShape {
            n_heads: Some(heads.count as u64),
            n_kv_heads: Some(heads.kv_count as u64),
            d_head: Some(heads.width as u64),
            ..ModelShape::default()
        }
    }

    fn outline(&self, request: &Request<'_, Shape>) -> Result<Outline, ComponentError> {
        let heads = Heads::of(request)?;
        let head = match request.kind {
            DataKind::Weights if is_circuit(request) => {
                MatrixOutline::thin(heads.d_model, heads.d_model, heads.width)
            }
            DataKind::Weights => MatrixOutline::dense(heads.width, heads.width),
            DataKind::Activations => MatrixOutline::thin(heads.rows, heads.d_model, heads.width),
            DataKind::Gradients => {
                MatrixOutline::thin(heads.d_model, heads.d_model, 2 * heads.width)
            }
        };
        let all = vec![head; heads.count];
        let mut layer = MatrixOutline::side_by_side(&all);
        if request.kind == DataKind::Activations {
            layer.inner = layer.inner.min(heads.width * heads.kv_count);
        }
        Ok(Outline { layer, heads: all })
    }

    fn build(&self, request: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError> {
        let heads = request.with_shapes(Heads::of)?;
        let all = match request.kind {
            DataKind::Weights => of_weights(&heads, request.tensors()?, is_circuit(request)),
            DataKind::Activations => of_activations(&heads, request.tensors()?),
            DataKind::Gradients => of_gradients(&heads, request.tensors()?),
        };
        Ok(Built {
            layer: Rc::new(Facts::side_by_side(all.clone())),
            heads: all,
        })
    }
}

fn is_circuit<T>(request: &Request<'_, T>) -> bool {
    request.parameters.choice("form") == "circuit"
}

fn of_weights(heads: &Heads, [o, v]: &[Rc<DMatrix<f64>>; 2], circuit: bool) -> Vec<Rc<Facts>> {
    let values: Vec<_> = (0..heads.kv_count)
        .map(|k| Rc::new(heads.value_rows(v, k)))
        .collect();
    let product = |h: usize| {
        let output = Rc::new(heads.output_columns(o, h));
        let value = Rc::clone(&values[heads.kv_of(h)]);
        Rc::new(if circuit {
            Facts::product(output, value)
        } else {
            Facts::product(value, output)
        })
    };
    (0..heads.count).map(product).collect()
}

/// Heads of one key-value head share their left factor, so that facts of the layer can take them
/// together.
fn of_activations(heads: &Heads, [o, a]: &[Rc<DMatrix<f64>>; 2]) -> Vec<Rc<Facts>> {
    let values: Vec<_> = (0..heads.kv_count)
        .map(|k| Rc::new(heads.value_columns(a, k)))
        .collect();
    let product = |h: usize| {
        let output = Rc::new(heads.output_columns(o, h).transpose());
        Rc::new(Facts::product(Rc::clone(&values[heads.kv_of(h)]), output))
    };
    (0..heads.count).map(product).collect()
}

/// `O_h gV_k + gO_h V_k`, as one product of `[O_h gO_h]` and `[gV_k; V_k]`.
fn of_gradients(heads: &Heads, [o, v, go, gv]: &[Rc<DMatrix<f64>>; 4]) -> Vec<Rc<Facts>> {
    let d = heads.width;
    let rights: Vec<_> = (0..heads.kv_count)
        .map(|k| {
            let mut right = DMatrix::zeros(2 * d, heads.d_model);
            right.rows_mut(0, d).copy_from(&heads.value_rows(gv, k));
            right.rows_mut(d, d).copy_from(&heads.value_rows(v, k));
            Rc::new(right)
        })
        .collect();
    let product = |h: usize| {
        let mut left = DMatrix::zeros(heads.d_model, 2 * d);
        left.columns_mut(0, d)
            .copy_from(&heads.output_columns(o, h));
        left.columns_mut(d, d)
            .copy_from(&heads.output_columns(go, h));
        Rc::new(Facts::product(
            Rc::new(left),
            Rc::clone(&rights[heads.kv_of(h)]),
        ))
    };
    (0..heads.count).map(product).collect()
}

/// The dimensions of a layer's attention, checked against its tensors.
struct Heads {
    count: usize,
    kv_count: usize,
    width: usize,
    d_model: usize,
    /// Rows of the value tensor: samples of activations.
    rows: usize,
}

impl Heads {
    fn of(request: &Request<'_, Shape>) -> Result<Self, ComponentError> {
        let (found, expected) = (request.tensors.len(), OvCircuit.inputs(request.kind).len());
        let ([output, value, rest @ ..], true) = (request.tensors, found == expected) else {
            return Err(ComponentError::TensorCount { found, expected });
        };
        let model = request.model;
        let count = size(model.n_heads).ok_or(ComponentError::HeadsUnknown)?;
        let width = match size(model.d_head) {
            Some(width) => width,
            None => per_head("output_layer", "columns", output.columns, count)?,
        };
        expect(
            "output_layer",
            "columns",
            output.columns,
            count.saturating_mul(width),
        )?;
        let of_activations = request.kind == DataKind::Activations;
        let (side, total) = if of_activations {
            ("columns", value.columns)
        } else {
            ("rows", value.rows)
        };
        let kv_count = match size(model.n_kv_heads) {
            Some(kv_count) => kv_count,
            None => whole_heads("value_layer", side, total, width)?,
        };
        expect("value_layer", side, total, kv_count.saturating_mul(width))?;
        if kv_count == 0 || !count.is_multiple_of(kv_count) {
            return Err(ComponentError::HeadGroups {
                heads: count,
                kv_heads: kv_count,
            });
        }
        if !of_activations {
            expect("value_layer", "columns", value.columns, output.rows)?;
        }
        for (gradient, (role, weight)) in rest.iter().zip([
            ("output_layer gradient", output),
            ("value_layer gradient", value),
        ]) {
            expect(role, "rows", gradient.rows, weight.rows)?;
            expect(role, "columns", gradient.columns, weight.columns)?;
        }
        Ok(Self {
            count,
            kv_count,
            width,
            d_model: output.rows,
            rows: value.rows,
        })
    }

    /// The key-value head that head `h` reads.
    fn kv_of(&self, h: usize) -> usize {
        h / (self.count / self.kv_count)
    }

    fn output_columns(&self, output: &DMatrix<f64>, h: usize) -> DMatrix<f64> {
        output.columns(h * self.width, self.width).into_owned()
    }

    fn value_rows(&self, value: &DMatrix<f64>, k: usize) -> DMatrix<f64> {
        value.rows(k * self.width, self.width).into_owned()
    }

    fn value_columns(&self, activations: &DMatrix<f64>, k: usize) -> DMatrix<f64> {
        activations.columns(k * self.width, self.width).into_owned()
    }
}

pub(super) fn size(dimension: Option<u64>) -> Option<usize> {
    dimension
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size > 0)
}

/// The width of one of `heads`.
pub(super) fn per_head(
    role: &'static str,
    side: &'static str,
    found: usize,
    heads: usize,
) -> Result<usize, ComponentError> {
    if found > 0 && found.is_multiple_of(heads) {
        Ok(found / heads)
    } else {
        Err(ComponentError::NotPerHead {
            role,
            side,
            found,
            heads,
        })
    }
}

/// How many heads of `width` there are.
pub(super) fn whole_heads(
    role: &'static str,
    side: &'static str,
    found: usize,
    width: usize,
) -> Result<usize, ComponentError> {
    if found > 0 && found.is_multiple_of(width) {
        Ok(found / width)
    } else {
        Err(ComponentError::NotWholeHeads {
            role,
            side,
            found,
            width,
        })
    }
}

pub(super) fn expect(
    role: &'static str,
    side: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), ComponentError> {
    if found == expected {
        Ok(())
    } else {
        Err(ComponentError::Mismatch {
            role,
            side,
            found,
            expected,
        })
    }
}
