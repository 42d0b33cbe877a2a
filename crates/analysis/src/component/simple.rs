//! A tensor as it is.

use std::rc::Rc;

use ckptscope_checkpoint::DataKind;
use ckptscope_metrics::Facts;
use nalgebra::DMatrix;

use super::{Built, Component, ComponentError, MatrixOutline, Outline, Request, Shape};

/// The tensor itself: `[out, in]` of weights and gradients, `[samples, features]` of activations.
/// A vector is one row; more than two dimensions are flattened to (first, rest).
///
/// With `part` it is what the model's architecture has for that part, as `[out, in]`: rows of a
/// tensor that holds several parts, turned where linear maps are stored `[in, out]`, and each
/// expert by itself. Of latent attention it is the product of the maps to and from the latent,
/// without the norm between them.
#[derive(Clone, Copy, Debug)]
pub struct Simple;

impl Component for Simple {
    fn name(&self) -> &'static str {
        "simple"
    }

    fn summary(&self) -> &'static str {
        "a tensor as it is"
    }

    fn data_kinds(&self) -> &'static [DataKind] {
        &[
            DataKind::Weights,
            DataKind::Gradients,
            DataKind::Activations,
        ]
    }

    fn suffix_names(&self) -> &'static [&'static str] {
        &[]
    }

    fn is_its_tensor(&self) -> bool {
        true
    }

    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)> {
        vec![(kind, 0)]
    }

    fn outline(&self, request: &Request<'_, Shape>) -> Result<Outline, ComponentError> {
        let [shape] = request.tensors::<1>()?;
        Ok(Outline {
            layer: MatrixOutline::dense(shape.rows, shape.columns),
            heads: Vec::new(),
        })
    }

    fn build(&self, request: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError> {
        let [tensor] = request.tensors::<1>()?;
        Ok(Built {
            layer: Rc::new(Facts::dense(Rc::clone(tensor))),
            heads: Vec::new(),
        })
    }
}
