//! What a component is: tensors of one layer, combined into matrices.

use std::rc::Rc;

use trainscope_checkpoint::{DataKind, ModelShape, Tensor};
use trainscope_metrics::{Facts, Parameter, Parameters};

/// Selects tensors of one layer and combines them into matrices.
pub trait Component: Sync {
    /// The name in a config file, and in keys where [`Component::key`] says so.
    fn name(&self) -> &'static str;

    /// One line for menus and help.
    fn summary(&self) -> &'static str;

    /// The kinds of data it is made of.
    fn data_kinds(&self) -> &'static [DataKind];

    /// The parts that `layer_suffixes` must name, in order; empty where `layer_suffixes` is one
    /// plain suffix.
    fn roles(&self) -> &'static [&'static str];

    /// The parameters a config may give.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// The tensors it reads of one layer: (kind, index into the suffixes).
    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)>;

    /// Combines the tensors, in the order of [`Component::inputs`], into matrices: the layer's
    /// own and, where it has heads, one per head.
    ///
    /// # Errors
    /// [`ComponentError`] when the shapes do not fit the model.
    fn build(&self, request: &BuildRequest<'_>) -> Result<Built, ComponentError>;
}

/// Every component, in the order in which they are shown.
pub const COMPONENTS: &[&dyn Component] = &[];

/// What a component is built from.
pub struct BuildRequest<'a> {
    /// The kind of data asked for.
    pub kind: DataKind,
    /// The values of its parameters.
    pub parameters: &'a Parameters,
    /// The model's dimensions.
    pub model: &'a ModelShape,
    /// The tensors, in the order of [`Component::inputs`].
    pub tensors: &'a [Rc<Tensor>],
}

/// The matrices of one layer's component.
pub struct Built {
    /// The layer's own.
    pub layer: Rc<Facts>,
    /// One per head, in order; empty where it has none.
    pub heads: Vec<Rc<Facts>>,
}

/// Tensors that do not make a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {}
