//! What a component is: tensors of one layer, combined into matrices.

mod heads;

use std::rc::Rc;

use ckptscope_checkpoint::architecture::{Attention, Role};
use ckptscope_checkpoint::{DataKind, ModelShape};
use ckptscope_metrics::{Facts, LargestRank, Parameter, Parameters, Precision};
use nalgebra::DMatrix;

/// Selects tensors of one layer and combines them into matrices.
///
/// A component is one file under `src/component`, named after it, and one line in [`COMPONENTS`].
pub trait Component: Sync {
    /// The name in a config file and, unless it has one plain suffix, in keys.
    fn name(&self) -> &'static str;

    /// One line for menus and help.
    fn summary(&self) -> &'static str;

    /// The kinds of data it can be made of.
    fn data_kinds(&self) -> &'static [DataKind];

    /// What `layer_suffixes` calls its tensors, in order; empty where `layer_suffixes` is one plain
    /// suffix, which then stands in keys.
    fn suffix_names(&self) -> &'static [&'static str];

    /// What these tensors do in a model, in the same order, where its architecture can say which
    /// they are: a config may then leave `layer_suffixes` out. Empty where it may not.
    fn roles(&self) -> &'static [Role] {
        &[]
    }

    /// The parameters a config may give.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// The parameters of a config that leaves `layer_suffixes` out, with their defaults there.
    fn parameters_by_role(&self) -> &'static [Parameter] {
        self.parameters()
    }

    /// What whoever reads its numbers must know where it is made of this attention, if anything.
    fn remark(&self, _: &Attention) -> Option<&'static str> {
        None
    }

    /// Whether its only matrix is its only tensor as it is.
    fn is_its_tensor(&self) -> bool {
        false
    }

    /// The tensors it reads of one layer: (kind, index into the suffixes).
    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)>;

    /// The model's dimensions as it takes them, those included that the tensors' shapes decide
    /// because the model's files are silent. Nothing where it needs none.
    fn dimensions(&self, _request: &Request<'_, Shape>) -> ModelShape {
        ModelShape::default()
    }

    /// The shapes of the matrices it will build, from the tensors' shapes alone.
    ///
    /// # Errors
    /// [`ComponentError`] when the shapes do not fit each other or the model.
    fn outline(&self, request: &Request<'_, Shape>) -> Result<Outline, ComponentError>;

    /// Combines the tensors into matrices: the layer's own and, where it has heads, one per head.
    ///
    /// # Errors
    /// [`ComponentError`] when the shapes do not fit each other or the model.
    fn build(&self, request: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError>;
}

ckptscope_vocabulary::registry! {
    /// Every component, in the order in which they are shown.
    pub const COMPONENTS: [&dyn Component] = pub mod {
        simple: Simple;
        ov_circuit: OvCircuit;
        qk_circuit: QkCircuit;
        key_value_circuit: KeyValueCircuit;
    }
}

/// What is asked of a component, with the tensors' shapes or their values.
pub struct Request<'a, T> {
    /// The kind of data asked for.
    pub kind: DataKind,
    /// The values of its parameters.
    pub parameters: &'a Parameters,
    /// The model's dimensions.
    pub model: &'a ModelShape,
    /// The tensors, as matrices, in the order of [`Component::inputs`].
    pub tensors: &'a [T],
}

/// Rows and columns of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
}

/// The shapes of a layer's matrices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The layer's own.
    pub layer: MatrixOutline,
    /// One per head, in order; empty where it has none.
    pub heads: Vec<MatrixOutline>,
}

/// The shape of one matrix and of what it costs to work with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixOutline {
    /// Rows and columns.
    pub shape: Shape,
    /// The largest rank it can have by construction: the width of its thin factors.
    pub inner: usize,
    /// Terms that each entry is the sum of, where it is a product; 0 of any other.
    pub terms: usize,
}

/// The matrices of one layer's component.
#[derive(Clone)]
pub struct Built {
    /// The layer's own.
    pub layer: Rc<Facts>,
    /// One per head, in order; empty where it has none.
    pub heads: Vec<Rc<Facts>>,
}

impl Built {
    /// Says in which precision the tensors were stored of which the matrices are made.
    pub(crate) fn set_precision(&self, precision: Precision) {
        for facts in self.heads.iter().chain([&self.layer]) {
            facts.set_precision(precision);
        }
    }

    /// Says that metrics may hold the matrices against the rank that their factors leave.
    pub(crate) fn set_possible_rank(&self) {
        for facts in self.heads.iter().chain([&self.layer]) {
            facts.set_usual_rank(LargestRank::Possible);
        }
    }
}

/// Tensors that do not make a component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// The number of tensors is not the number of inputs.
    #[error("{found} tensors where {expected} belong")]
    TensorCount {
        /// How many there are.
        found: usize,
        /// How many belong.
        expected: usize,
    },
    /// The model's number of heads is not known.
    #[error("the number of attention heads is not known")]
    HeadsUnknown,
    /// A dimension that does not divide into the heads.
    #[error("the {role} tensor has {found} {side}, which is no multiple of {heads} heads")]
    NotPerHead {
        /// Which tensor.
        role: &'static str,
        /// `rows` or `columns`.
        side: &'static str,
        /// How many there are.
        found: usize,
        /// How many heads there are.
        heads: usize,
    },
    /// A dimension that is no whole number of heads of the known width.
    #[error(
        "the {role} tensor has {found} {side}, which is no multiple of the width {width} of a head"
    )]
    NotWholeHeads {
        /// Which tensor.
        role: &'static str,
        /// `rows` or `columns`.
        side: &'static str,
        /// How many there are.
        found: usize,
        /// How many make one head.
        width: usize,
    },
    /// The key-value heads do not divide the heads.
    #[error("{heads} attention heads cannot share {kv_heads} key-value heads evenly")]
    HeadGroups {
        /// Attention heads.
        heads: usize,
        /// Key-value heads.
        kv_heads: usize,
    },
    /// A tensor that does not have what is to be cut out of it, or gains that are not as many as
    /// the rows.
    #[error("a tensor of {rows} by {columns} has no room for what is to be cut out of it")]
    NoRoom {
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// A tensor of another shape than that of which it is known where its parts are.
    #[error(
        "a tensor of {} by {} stands where one of {} by {} belongs",
        found.rows, found.columns, expected.rows, expected.columns
    )]
    OtherShape {
        /// Its shape.
        found: Shape,
        /// The shape that belongs.
        expected: Shape,
    },
    /// A dimension that is not what another tensor or the model asks for.
    #[error("the {role} tensor has {found} {side} where {expected} belong")]
    Mismatch {
        /// Which tensor.
        role: &'static str,
        /// `rows` or `columns`.
        side: &'static str,
        /// How many there are.
        found: usize,
        /// How many belong.
        expected: usize,
    },
}

impl<T> Request<'_, T> {
    /// The tensors, if there are as many as the inputs.
    ///
    /// # Errors
    /// [`ComponentError::TensorCount`].
    pub fn tensors<const N: usize>(&self) -> Result<&[T; N], ComponentError> {
        let found = self.tensors.len();
        self.tensors
            .try_into()
            .map_err(|_| ComponentError::TensorCount { found, expected: N })
    }
}

impl Request<'_, Rc<DMatrix<f64>>> {
    /// Calls `look` with the same request for the shapes alone.
    pub fn with_shapes<R>(&self, look: impl FnOnce(&Request<'_, Shape>) -> R) -> R {
        let shapes: Vec<Shape> = self
            .tensors
            .iter()
            .map(|tensor| Shape::of(tensor))
            .collect();
        look(&Request {
            kind: self.kind,
            parameters: self.parameters,
            model: self.model,
            tensors: &shapes,
        })
    }
}

impl Shape {
    /// Of a matrix.
    #[must_use]
    pub fn of(matrix: &DMatrix<f64>) -> Self {
        Self {
            rows: matrix.nrows(),
            columns: matrix.ncols(),
        }
    }

    /// Of the matrix turned.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
        }
    }
}

impl MatrixOutline {
    /// Of a matrix `rows` by `columns` that may have full rank.
    #[must_use]
    pub fn dense(rows: usize, columns: usize) -> Self {
        Self {
            shape: Shape { rows, columns },
            inner: rows.min(columns),
            terms: 0,
        }
    }

    /// Of a product whose inner dimension is `terms`.
    #[must_use]
    pub fn product(rows: usize, columns: usize, terms: usize) -> Self {
        let dense = Self::dense(rows, columns);
        Self {
            inner: terms.min(dense.inner),
            terms,
            ..dense
        }
    }

    /// Of `heads` side by side.
    #[must_use]
    pub fn side_by_side(heads: &[Self]) -> Self {
        let rows = heads.first().map_or(0, |head| head.shape.rows);
        let columns = heads.iter().map(|head| head.shape.columns).sum();
        let inner: usize = heads.iter().map(|head| head.inner).sum();
        let dense = Self::dense(rows, columns);
        Self {
            inner: inner.min(dense.inner),
            ..dense
        }
    }
}
