//! What attention heads write for what they read: the output-value circuit.

use std::rc::Rc;

use ckptscope_checkpoint::architecture::Role;
use ckptscope_checkpoint::{DataKind, ModelShape};
use ckptscope_metrics::{Facts, Parameter, ParameterKind, ParameterValue};
use nalgebra::DMatrix;

use super::heads::{Heads, Side, columns_of, rows_of};
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

    fn suffix_names(&self) -> &'static [&'static str] {
        ROLES
    }

    fn roles(&self) -> &'static [Role] {
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
        let attention = Attention::of(request);
        attention.map_or_else(|_| ModelShape::default(), |it| it.heads.dimensions())
    }

    fn outline(&self, request: &Request<'_, Shape>) -> Result<Outline, ComponentError> {
        let attention = Attention::of(request)?;
        let (heads, d_model) = (&attention.heads, attention.d_model);
        let head = match request.kind {
            DataKind::Weights if is_circuit(request) => {
                MatrixOutline::product(d_model, d_model, heads.width)
            }
            DataKind::Weights => MatrixOutline::product(heads.width, heads.width, d_model),
            DataKind::Activations => MatrixOutline::product(attention.rows, d_model, heads.width),
            DataKind::Gradients => MatrixOutline::product(d_model, d_model, 2 * heads.width),
        };
        let all = vec![head; heads.count];
        let mut layer = MatrixOutline::side_by_side(&all);
        if request.kind == DataKind::Activations {
            layer.inner = layer.inner.min(heads.width * heads.kv_count);
        }
        Ok(Outline { layer, heads: all })
    }

    fn build(&self, request: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError> {
        let attention = request.with_shapes(Attention::of)?;
        let all = match request.kind {
            DataKind::Weights => of_weights(&attention, request.tensors()?, is_circuit(request)),
            DataKind::Activations => of_activations(&attention, request.tensors()?),
            DataKind::Gradients => of_gradients(&attention, request.tensors()?),
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

fn of_weights(
    attention: &Attention,
    [o, v]: &[Rc<DMatrix<f64>>; 2],
    circuit: bool,
) -> Vec<Rc<Facts>> {
    let values: Vec<_> = (0..attention.heads.kv_count)
        .map(|k| Rc::new(attention.value_rows(v, k)))
        .collect();
    let product = |h: usize| {
        let output = Rc::new(attention.output_columns(o, h));
        let value = Rc::clone(&values[attention.heads.kv_of(h)]);
        Rc::new(if circuit {
            Facts::product(output, value)
        } else {
            Facts::product(value, output)
        })
    };
    (0..attention.heads.count).map(product).collect()
}

/// Heads of one key-value head share their left factor, so that facts of the layer can take them
/// together.
fn of_activations(attention: &Attention, [o, a]: &[Rc<DMatrix<f64>>; 2]) -> Vec<Rc<Facts>> {
    let values: Vec<_> = (0..attention.heads.kv_count)
        .map(|k| Rc::new(attention.value_columns(a, k)))
        .collect();
    let product = |h: usize| {
        let output = Rc::new(attention.output_columns(o, h).transpose());
        Rc::new(Facts::product(
            Rc::clone(&values[attention.heads.kv_of(h)]),
            output,
        ))
    };
    (0..attention.heads.count).map(product).collect()
}

/// `O_h gV_k + gO_h V_k`, as one product of `[O_h gO_h]` and `[gV_k; V_k]`.
fn of_gradients(attention: &Attention, [o, v, go, gv]: &[Rc<DMatrix<f64>>; 4]) -> Vec<Rc<Facts>> {
    let d = attention.heads.width;
    let rights: Vec<_> = (0..attention.heads.kv_count)
        .map(|k| {
            let mut right = DMatrix::zeros(2 * d, attention.d_model);
            right.rows_mut(0, d).copy_from(&attention.value_rows(gv, k));
            right.rows_mut(d, d).copy_from(&attention.value_rows(v, k));
            Rc::new(right)
        })
        .collect();
    let product = |h: usize| {
        let mut left = DMatrix::zeros(attention.d_model, 2 * d);
        left.columns_mut(0, d)
            .copy_from(&attention.output_columns(o, h));
        left.columns_mut(d, d)
            .copy_from(&attention.output_columns(go, h));
        Rc::new(Facts::product(
            Rc::new(left),
            Rc::clone(&rights[attention.heads.kv_of(h)]),
        ))
    };
    (0..attention.heads.count).map(product).collect()
}

/// A layer's attention, checked against its tensors.
struct Attention {
    heads: Heads,
    d_model: usize,
    /// Rows of the value tensor: samples of activations.
    rows: usize,
}

impl Attention {
    fn of(request: &Request<'_, Shape>) -> Result<Self, ComponentError> {
        let (found, expected) = (request.tensors.len(), OvCircuit.inputs(request.kind).len());
        let ([output, value, rest @ ..], true) = (request.tensors, found == expected) else {
            return Err(ComponentError::TensorCount { found, expected });
        };
        let of_activations = request.kind == DataKind::Activations;
        let of_values = if of_activations {
            Side::columns("value_layer", value.columns)
        } else {
            Side::rows("value_layer", value.rows)
        };
        let of_heads = Side::columns("output_layer", output.columns);
        let heads = Heads::of(request.model, of_heads, of_values)?;
        if !of_activations {
            Side::columns("value_layer", value.columns).must_be(output.rows)?;
        }
        for (gradient, (role, weight)) in rest.iter().zip([
            ("output_layer gradient", output),
            ("value_layer gradient", value),
        ]) {
            Side::rows(role, gradient.rows).must_be(weight.rows)?;
            Side::columns(role, gradient.columns).must_be(weight.columns)?;
        }
        Ok(Self {
            heads,
            d_model: output.rows,
            rows: value.rows,
        })
    }

    fn output_columns(&self, output: &DMatrix<f64>, h: usize) -> DMatrix<f64> {
        let width = self.heads.width;
        columns_of(output, h * width, width)
    }

    fn value_rows(&self, value: &DMatrix<f64>, k: usize) -> DMatrix<f64> {
        let width = self.heads.width;
        rows_of(value, k * width, width)
    }

    fn value_columns(&self, activations: &DMatrix<f64>, k: usize) -> DMatrix<f64> {
        let width = self.heads.width;
        columns_of(activations, k * width, width)
    }
}
