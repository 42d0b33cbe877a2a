//! A component of one's own.

use std::rc::Rc;

use ckptscope_analysis::Component;
use ckptscope_analysis::component::{
    Built, ComponentError, MatrixOutline, Outline, Request, Shape,
};
use ckptscope_checkpoint::DataKind;
use ckptscope_metrics::Facts;
use nalgebra::DMatrix;

/// `V V^T` `[K d, K d]` of the value projection `[K d, d_model]`: how far a layer's values read
/// the same directions of the residual stream.
pub(crate) struct ValueOverlap;

impl Component for ValueOverlap {
    fn name(&self) -> &'static str {
        "value_overlap"
    }

    fn summary(&self) -> &'static str {
        "the value projection times its transpose"
    }

    fn data_kinds(&self) -> &'static [DataKind] {
        &[DataKind::Weights]
    }

    fn suffix_names(&self) -> &'static [&'static str] {
        &["value_layer"]
    }

    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)> {
        vec![(kind, 0)]
    }

    fn outline(&self, request: &Request<'_, Shape>) -> Result<Outline, ComponentError> {
        let [values] = request.tensors::<1>()?;
        Ok(Outline {
            layer: MatrixOutline::product(values.rows, values.rows, values.columns),
            heads: Vec::new(),
        })
    }

    fn build(&self, request: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError> {
        let [values] = request.tensors::<1>()?;
        let layer = Facts::product(Rc::clone(values), Rc::new(values.transpose()));
        Ok(Built {
            layer: Rc::new(layer),
            heads: Vec::new(),
        })
    }
}
