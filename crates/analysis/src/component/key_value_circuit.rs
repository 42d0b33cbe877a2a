//! Keys against values. The example to copy when adding a component.

use std::rc::Rc;

use ckptscope_checkpoint::DataKind;
use ckptscope_metrics::Facts;
use nalgebra::DMatrix;

use super::{Built, Component, ComponentError, MatrixOutline, Outline, Request, Shape};

/// `K V^T` `[K d, K d]` of the key and value projections `[K d, d_model]` of one layer: how far
/// what a layer attends by and what it passes on read the same directions of the residual stream.
#[derive(Clone, Copy, Debug)]
pub struct KeyValueCircuit;

impl Component for KeyValueCircuit {
    fn name(&self) -> &'static str {
        "key_value_circuit"
    }

    fn summary(&self) -> &'static str {
        "the key projection times the value projection transposed"
    }

    fn data_kinds(&self) -> &'static [DataKind] {
        &[DataKind::Weights]
    }

    fn suffix_names(&self) -> &'static [&'static str] {
        &["key_layer", "value_layer"]
    }

    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)> {
        vec![(kind, 0), (kind, 1)]
    }

    fn outline(&self, request: &Request<'_, Shape>) -> Result<Outline, ComponentError> {
        let [keys, values] = request.tensors::<2>()?;
        if keys.columns != values.columns {
            return Err(ComponentError::Mismatch {
                role: "value_layer",
                side: "columns",
                found: values.columns,
                expected: keys.columns,
            });
        }
        let layer = MatrixOutline::product(keys.rows, values.rows, keys.columns);
        Ok(Outline {
            layer,
            heads: Vec::new(),
        })
    }

    fn build(&self, request: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError> {
        request.with_shapes(|shapes| self.outline(shapes))?;
        let [keys, values] = request.tensors::<2>()?;
        let layer = Facts::product(Rc::clone(keys), Rc::new(values.transpose()));
        Ok(Built {
            layer: Rc::new(layer),
            heads: Vec::new(),
        })
    }
}
