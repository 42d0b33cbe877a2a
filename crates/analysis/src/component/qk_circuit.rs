//! Which tokens attention heads attend to: the query-key circuit.

use std::rc::Rc;

use ckptscope_checkpoint::DataKind;
use ckptscope_checkpoint::architecture::Role;
use ckptscope_metrics::{Facts, Parameter};
use nalgebra::DMatrix;

use super::ov_circuit::{GAINS, LAYER_MATRIX, expect, per_head, size, whole_heads};
use super::{Built, Component, ComponentError, MatrixOutline, Outline, Request, Shape};

/// The query-key circuit of every head, and the layer's: its heads side by side.
///
/// With `H` heads whose queries and keys are `d` wide, `K` key-value heads, and
/// `k = floor(h / (H / K))` for head `h`: `Q_h` are rows `h d .. (h + 1) d` of the query projection
/// `[H d, d_model]`, and `K_k` rows `k d .. (k + 1) d` of the key projection `[K d, d_model]`.
/// The circuit is `Q_h^T K_k` `[d_model, d_model]`: `x^T Q_h^T K_k y` is the score of query `x` for
/// key `y`, before scale and softmax, biases left out.
///
/// It is the part of scores that does not depend on positions: with rotary embeddings the score of
/// two tokens at the same position, with other kinds of positions the score without what these add.
///
/// Without `layer_suffixes` the model's architecture says which tensors, or parts of them, the
/// projections are. Norms of queries and keys, and those within latent attention, then are part of
/// the circuit, up to one positive factor for each token: gains multiply the rows, and a LayerNorm
/// takes the mean over the head off first.
///
/// Circuits stay in their factors. Source: Elhage et al., "A mathematical framework for transformer
/// circuits", 2021.
#[derive(Clone, Copy, Debug)]
pub struct QkCircuit;

const BY_ROLE: &[Parameter] = &[GAINS, LAYER_MATRIX];

impl Component for QkCircuit {
    fn name(&self) -> &'static str {
        "qk_circuit"
    }

    fn summary(&self) -> &'static str {
        "which tokens each attention head attends to, positions aside: query and key projections combined"
    }

    fn data_kinds(&self) -> &'static [DataKind] {
        &[DataKind::Weights]
    }

    fn roles(&self) -> &'static [&'static str] {
        &["query_layer", "key_layer"]
    }

    fn parts(&self) -> &'static [Role] {
        &[Role::Query, Role::Key]
    }

    fn parameters_by_role(&self) -> &'static [Parameter] {
        BY_ROLE
    }

    fn remark(&self) -> Option<&'static str> {
        Some("the part of scores that does not depend on positions")
    }

    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)> {
        vec![(kind, 0), (kind, 1)]
    }

    fn outline(&self, request: &Request<'_, Shape>) -> Result<Outline, ComponentError> {
        let heads = Heads::of(request)?;
        let head = MatrixOutline::thin(heads.d_model, heads.d_model_of_keys, heads.width);
        let all = vec![head; heads.count];
        Ok(Outline {
            layer: MatrixOutline::side_by_side(&all),
            heads: all,
        })
    }

    fn build(&self, request: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError> {
        let heads = request.with_shapes(Heads::of)?;
        let [queries, keys] = request.tensors::<2>()?;
        let rows =
            |matrix: &DMatrix<f64>, head| matrix.rows(head * heads.width, heads.width).into_owned();
        let keys: Vec<_> = (0..heads.kv_count)
            .map(|k| Rc::new(rows(keys, k)))
            .collect();
        let circuit = |h: usize| {
            let query = Rc::new(rows(queries, h).transpose());
            let key = &keys[h / (heads.count / heads.kv_count)];
            Rc::new(Facts::product(query, Rc::clone(key)))
        };
        let all: Vec<_> = (0..heads.count).map(circuit).collect();
        Ok(Built {
            layer: Rc::new(Facts::side_by_side(all.clone())),
            heads: all,
        })
    }
}

/// The dimensions of a layer's queries and keys, checked against its tensors.
struct Heads {
    count: usize,
    kv_count: usize,
    width: usize,
    d_model: usize,
    /// Width of the stream that keys read: another stack's where a decoder attends to an encoder.
    d_model_of_keys: usize,
}

impl Heads {
    fn of(request: &Request<'_, Shape>) -> Result<Self, ComponentError> {
        let [queries, keys] = request.tensors::<2>()?;
        let model = request.model;
        let count = size(model.n_heads).ok_or(ComponentError::HeadsUnknown)?;
        let width = match size(model.d_head) {
            Some(width) => width,
            None => per_head("query_layer", "rows", queries.rows, count)?,
        };
        let expected = count.saturating_mul(width);
        expect("query_layer", "rows", queries.rows, expected)?;
        let kv_count = match size(model.n_kv_heads) {
            Some(kv_count) => kv_count,
            None => whole_heads("key_layer", "rows", keys.rows, width)?,
        };
        expect(
            "key_layer",
            "rows",
            keys.rows,
            kv_count.saturating_mul(width),
        )?;
        if !count.is_multiple_of(kv_count) {
            return Err(ComponentError::HeadGroups {
                heads: count,
                kv_heads: kv_count,
            });
        }
        Ok(Self {
            count,
            kv_count,
            width,
            d_model: queries.columns,
            d_model_of_keys: keys.columns,
        })
    }
}
