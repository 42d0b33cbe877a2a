//! Which tokens attention heads attend to: the query-key circuit.

use std::rc::Rc;

use ckptscope_checkpoint::architecture::{Attention, PositionalScores, Role};
use ckptscope_checkpoint::{DataKind, ModelShape};
use ckptscope_metrics::{Facts, Parameter};
use nalgebra::DMatrix;

use super::heads::{Heads, Side, rows_of};
use super::ov_circuit::{GAINS, LAYER_MATRIX};
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

    fn suffix_names(&self) -> &'static [&'static str] {
        &["query_layer", "key_layer"]
    }

    fn roles(&self) -> &'static [Role] {
        &[Role::Query, Role::Key]
    }

    fn parameters_by_role(&self) -> &'static [Parameter] {
        BY_ROLE
    }

    fn remark(&self, attention: &Attention) -> Option<&'static str> {
        match attention.scores {
            Some(PositionalScores::Nothing) => None,
            Some(PositionalScores::Rotation) => Some(
                "the part of scores that does not depend on positions: those of tokens at the same \
                 position, where rotary embeddings turn nothing",
            ),
            Some(PositionalScores::Alibi) => Some(
                "the part of scores that does not depend on positions: without what ALiBi takes \
                 off by distance",
            ),
            Some(PositionalScores::Relative) => Some(
                "the part of scores that does not depend on positions: without what relative \
                 positions add",
            ),
            None => Some("the part of scores that does not depend on positions"),
        }
    }

    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)> {
        vec![(kind, 0), (kind, 1)]
    }

    fn dimensions(&self, request: &Request<'_, Shape>) -> ModelShape {
        heads(request).map_or_else(|_| ModelShape::default(), |heads| heads.dimensions())
    }

    fn outline(&self, request: &Request<'_, Shape>) -> Result<Outline, ComponentError> {
        let heads = heads(request)?;
        // Keys may read another stream than queries: that of an encoder.
        let [queries, keys] = request.tensors::<2>()?;
        let head = MatrixOutline::product(queries.columns, keys.columns, heads.width);
        let all = vec![head; heads.count];
        Ok(Outline {
            layer: MatrixOutline::side_by_side(&all),
            heads: all,
        })
    }

    fn build(&self, request: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError> {
        let heads = request.with_shapes(heads)?;
        let [queries, keys] = request.tensors::<2>()?;
        let rows = |matrix: &DMatrix<f64>, head| rows_of(matrix, head * heads.width, heads.width);
        let keys: Vec<_> = (0..heads.kv_count)
            .map(|k| Rc::new(rows(keys, k)))
            .collect();
        let circuit = |h: usize| {
            let query = Rc::new(rows(queries, h).transpose());
            let key = &keys[heads.kv_of(h)];
            Rc::new(Facts::product(query, Rc::clone(key)))
        };
        let all: Vec<_> = (0..heads.count).map(circuit).collect();
        Ok(Built {
            layer: Rc::new(Facts::side_by_side(all.clone())),
            heads: all,
        })
    }
}

/// The heads of a layer's queries and keys, checked against its tensors.
fn heads(request: &Request<'_, Shape>) -> Result<Heads, ComponentError> {
    let [queries, keys] = request.tensors::<2>()?;
    let of_queries = Side::rows("query_layer", queries.rows);
    Heads::of(
        request.model,
        of_queries,
        Side::rows("key_layer", keys.rows),
    )
}
