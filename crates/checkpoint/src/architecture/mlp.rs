//! How MLPs and experts are stored.

use super::role::{Role, RoleError};
use super::roles::{Layer, ModelPart};
use super::view::{Projection, Rows, Slice, View};

/// An MLP, or experts.
#[derive(Clone, Copy, Debug)]
pub enum MlpTensors {
    /// One that every token goes through.
    Dense(Linears),
    /// Several, of which a token goes to some.
    Experts(ExpertTensors),
}

/// The linear maps of an MLP.
#[derive(Clone, Copy, Debug)]
pub enum Linears {
    /// Without a gate.
    Plain {
        /// What it reads.
        up: &'static str,
        /// What it writes.
        down: &'static str,
    },
    /// With a gate.
    Gated {
        /// The part that goes through the activation.
        gate: &'static str,
        /// The part that is multiplied with it.
        up: &'static str,
        /// What it writes.
        down: &'static str,
    },
    /// With a gate in one tensor with what it is multiplied with: the gate's rows first, or gate
    /// and the other taking turns.
    Fused {
        /// Both.
        gate_up: &'static str,
        /// Whether their rows take turns.
        takes_turns: bool,
        /// What it writes.
        down: &'static str,
    },
}

/// Experts, the router and an expert that all tokens go to.
#[derive(Clone, Copy, Debug)]
pub struct ExpertTensors {
    /// Where they are.
    pub storage: ExpertStorage,
    /// Which experts a token goes to.
    pub router: &'static str,
    /// The one that every token goes to, where there is one.
    pub shared: Option<SharedExpert>,
}

/// Where experts are.
#[derive(Clone, Copy, Debug)]
pub enum ExpertStorage {
    /// Each in tensors of its own: `folder.3.name`.
    Numbered {
        /// What stands before the expert's number; a dot stands between them where it has no `_`
        /// at its end.
        folder: &'static str,
        /// The names behind it.
        linears: Linears,
    },
    /// All in tensors of three dimensions, the expert first.
    Stacked {
        /// The tensors.
        linears: Linears,
        /// How each expert's matrix is stored.
        order: StackOrder,
        /// Whether the names alone say which architecture it is.
        is_known_by_name: bool,
    },
    /// All in matrices `[experts x d_mlp, d_model]`, also what is written: an expert's rows of
    /// that are turned.
    InRows {
        /// The tensors.
        linears: Linears,
    },
}

/// How an expert's matrix is stored among those of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackOrder {
    /// `[experts, out, in]`.
    OutIn,
    /// `[experts, in, out]`.
    InOut,
    /// The one of them that what is read and what is written fit in.
    AsFits,
}

/// An expert that every token goes to.
#[derive(Clone, Copy, Debug)]
pub struct SharedExpert {
    /// Its maps.
    pub linears: Linears,
    /// How much of it a token gets, where that is computed.
    pub router: Option<&'static str>,
}

/// A name in front of another.
type Prefix<'a> = Option<(&'a str, u64)>;

impl MlpTensors {
    /// One without a gate, by the names of what it reads and writes.
    pub(crate) const fn plain(up: &'static str, down: &'static str) -> Self {
        Self::Dense(Linears::plain(up, down))
    }

    /// One with a gate, by the names of that, of what it multiplies, and of what is written.
    pub(crate) const fn gated(gate: &'static str, up: &'static str, down: &'static str) -> Self {
        Self::Dense(Linears::gated(gate, up, down))
    }

    /// What a layer has of a role; nothing where it does not have these tensors.
    pub(crate) fn parts(&self, layer: &Layer<'_>, role: Role) -> Result<Vec<ModelPart>, RoleError> {
        match self {
            Self::Dense(linears) => {
                let found = linears.part(layer, role, None)?;
                Ok(found.map(ModelPart::plain).into_iter().collect())
            }
            Self::Experts(experts) => experts.parts(layer, role),
        }
    }

    /// Why a role of an architecture that the config does not name is of no use.
    pub(crate) fn order_unknown(&self, layer: &Layer<'_>, role: Role) -> Option<RoleError> {
        let Self::Experts(experts) = self else {
            return None;
        };
        let ExpertStorage::Stacked {
            linears,
            is_known_by_name: false,
            ..
        } = experts.storage
        else {
            return None;
        };
        let (tensor, _) = linears.tensor(role).filter(|(_, place)| place.is_some())?;
        Some(RoleError::TurnsUnknown {
            tensor: tensor.to_owned(),
            found: layer.model_type().map(str::to_owned),
        })
    }
}

impl ExpertTensors {
    fn parts(&self, layer: &Layer<'_>, role: Role) -> Result<Vec<ModelPart>, RoleError> {
        let within = match role {
            Role::Router => return router(layer, Some(self.router)),
            Role::SharedRouter => return router(layer, self.shared.and_then(|it| it.router)),
            Role::SharedGate => Role::Gate,
            Role::SharedUp => Role::Up,
            Role::SharedDown => Role::Down,
            role => return self.of_experts(layer, role),
        };
        let Some(shared) = &self.shared else {
            return Ok(Vec::new());
        };
        let found = shared.linears.part(layer, within, None)?;
        Ok(found.map(ModelPart::plain).into_iter().collect())
    }

    fn of_experts(&self, layer: &Layer<'_>, role: Role) -> Result<Vec<ModelPart>, RoleError> {
        match self.storage {
            ExpertStorage::Numbered { folder, linears } => {
                let mut parts = Vec::new();
                for expert in layer.numbers_in(folder) {
                    let found = linears.part(layer, role, Some((folder, expert)))?;
                    parts.extend(found.map(|projection| ModelPart {
                        expert: Some(expert),
                        projection,
                    }));
                }
                Ok(parts)
            }
            ExpertStorage::Stacked { linears, order, .. } => linears.stacked(layer, role, order),
            ExpertStorage::InRows { linears } => linears.in_rows(layer, role, self.router),
        }
    }
}

fn router(layer: &Layer<'_>, name: Option<&'static str>) -> Result<Vec<ModelPart>, RoleError> {
    let Some(name) = name.filter(|name| layer.find(name).is_some()) else {
        return Ok(Vec::new());
    };
    let view = layer.matrix(name)?.view();
    Ok(vec![ModelPart::plain(Projection::stored(view))])
}

impl Linears {
    /// Without a gate.
    pub(crate) const fn plain(up: &'static str, down: &'static str) -> Self {
        Self::Plain { up, down }
    }

    /// With a gate.
    pub(crate) const fn gated(gate: &'static str, up: &'static str, down: &'static str) -> Self {
        Self::Gated { gate, up, down }
    }

    /// The tensor of a role, and its place in it where it is fused.
    const fn tensor(self, role: Role) -> Option<(&'static str, Option<FusedPlace>)> {
        match (self, role) {
            (
                Self::Plain { down, .. } | Self::Gated { down, .. } | Self::Fused { down, .. },
                Role::Down,
            ) => Some((down, None)),
            (Self::Plain { up, .. } | Self::Gated { up, .. }, Role::Up) => Some((up, None)),
            (Self::Gated { gate, .. }, Role::Gate) => Some((gate, None)),
            (
                Self::Fused {
                    gate_up,
                    takes_turns,
                    ..
                },
                Role::Gate | Role::Up,
            ) => {
                let place = FusedPlace {
                    is_first: matches!(role, Role::Gate),
                    takes_turns,
                };
                Some((gate_up, Some(place)))
            }
            _ => None,
        }
    }

    /// The tensors that are read, in how many parts of as many rows, and the one that is written.
    const fn shapes(self) -> ([Option<&'static str>; 2], u64, &'static str) {
        match self {
            Self::Plain { up, down } => ([Some(up), None], 1, down),
            Self::Gated { gate, up, down } => ([Some(gate), Some(up)], 1, down),
            Self::Fused { gate_up, down, .. } => ([Some(gate_up), None], 2, down),
        }
    }

    /// Whether what is read is as wide as what is written, where the layer has both: names alone
    /// do not tell a gate within a tensor from none.
    fn must_fit(
        self,
        layer: &Layer<'_>,
        name_of: impl Fn(&str) -> String,
    ) -> Result<(), RoleError> {
        let (read, parts, down) = self.shapes();
        let Some(down) = layer.matrix_if_any(&name_of(down))? else {
            return Ok(());
        };
        for name in read.into_iter().flatten() {
            if let Some(matrix) = layer.matrix_if_any(&name_of(name))? {
                matrix.must_have_rows(down.columns.saturating_mul(parts))?;
            }
        }
        Ok(())
    }

    /// The map of a role, where the layer has its tensor.
    fn part(
        self,
        layer: &Layer<'_>,
        role: Role,
        expert: Prefix<'_>,
    ) -> Result<Option<Projection<String>>, RoleError> {
        let Some((name, place)) = self.tensor(role) else {
            return Ok(None);
        };
        let name_of = |name: &str| match expert {
            Some((folder, expert)) if folder.ends_with('_') => format!("{folder}{expert}.{name}"),
            Some((folder, expert)) => format!("{folder}.{expert}.{name}"),
            None => name.to_owned(),
        };
        let name = name_of(name);
        if layer.find(&name).is_none() {
            return Ok(None);
        }
        self.must_fit(layer, name_of)?;
        let matrix = layer.matrix(&name)?;
        let view = match place {
            None => matrix.view(),
            Some(place) => {
                let half = matrix.rows_of_each(2, "gates and what they are multiplied with")?;
                matrix.view().rows(place.rows(half))
            }
        };
        Ok(Some(Projection::stored(view)))
    }

    /// Whether stacked tensors are `[experts, in, out]`.
    fn is_in_out(self, layer: &Layer<'_>, order: StackOrder) -> Result<bool, RoleError> {
        match order {
            StackOrder::OutIn => Ok(false),
            StackOrder::InOut => Ok(true),
            StackOrder::AsFits => {
                let (read, _, down) = self.shapes();
                for name in read.into_iter().flatten().chain([down]) {
                    layer.tensor(name)?;
                }
                let fits = |is_transposed| self.stacks_must_fit(layer, is_transposed);
                let is_transposed = fits(false).is_err() && fits(true).is_ok();
                fits(is_transposed).map(|()| is_transposed)
            }
        }
    }

    /// The same of stacked tensors.
    fn stacks_must_fit(self, layer: &Layer<'_>, is_transposed: bool) -> Result<(), RoleError> {
        let (read, parts, down) = self.shapes();
        if layer.find(down).is_none() {
            return Ok(());
        }
        let down = layer.stacked(down)?;
        for name in read.into_iter().flatten() {
            if layer.find(name).is_some() {
                let stack = layer.stacked(name)?;
                stack.must_have("experts", stack.items, down.items)?;
                let expected = down.out(!is_transposed).saturating_mul(parts);
                stack.must_have("rows", stack.out(is_transposed), expected)?;
            }
        }
        Ok(())
    }

    /// The maps of a role of all experts, where the layer has their tensor.
    fn stacked(
        self,
        layer: &Layer<'_>,
        role: Role,
        order: StackOrder,
    ) -> Result<Vec<ModelPart>, RoleError> {
        let Some((name, place)) = self.tensor(role) else {
            return Ok(Vec::new());
        };
        if layer.find(name).is_none() {
            return Ok(Vec::new());
        }
        let stack = layer.stacked(name)?;
        let is_transposed = self.is_in_out(layer, order)?;
        self.stacks_must_fit(layer, is_transposed)?;
        let out = stack.out(is_transposed);
        let rows = match place {
            None => None,
            Some(place) if out.is_multiple_of(2) => Some(place.rows(out / 2)),
            Some(_) => {
                return Err(RoleError::NotWhole {
                    tensor: stack.name.to_owned(),
                    side: "rows",
                    found: out,
                    parts: 2,
                    of: "gates and what they are multiplied with",
                });
            }
        };
        let part = |index| ModelPart {
            expert: Some(index),
            projection: Projection::stored(View {
                tensor: stack.name.to_owned(),
                slice: Some(stack.slice(index)),
                transposed: is_transposed,
                rows,
            }),
        };
        Ok((0..stack.items).map(part).collect())
    }

    /// The maps of a role of experts below each other, as many as the router knows.
    fn in_rows(
        self,
        layer: &Layer<'_>,
        role: Role,
        router: &'static str,
    ) -> Result<Vec<ModelPart>, RoleError> {
        let Some((name, _)) = self.tensor(role) else {
            return Ok(Vec::new());
        };
        if layer.find(name).is_none() {
            return Ok(Vec::new());
        }
        layer.tensor(router)?;
        let (matrix, router) = (layer.matrix(name)?, layer.matrix(router)?);
        let (read, _, down) = self.shapes();
        for other in read.into_iter().flatten().chain([down]) {
            if let Some(other) = layer.matrix_if_any(other)? {
                other.must_have_rows(matrix.rows)?;
                other.must_have_columns(matrix.columns)?;
            }
        }
        router.must_have_columns(matrix.columns)?;
        let (rows, columns) = (matrix.rows_of_each(router.rows, "experts")?, matrix.columns);
        let part = |index| ModelPart {
            expert: Some(index),
            projection: Projection::stored(View {
                slice: Some(Slice {
                    index,
                    rows,
                    columns,
                }),
                ..matrix.view().turned(role == Role::Down)
            }),
        };
        Ok((0..router.rows).map(part).collect())
    }
}

/// Which rows of a fused tensor.
#[derive(Clone, Copy)]
struct FusedPlace {
    is_first: bool,
    takes_turns: bool,
}

impl FusedPlace {
    const fn rows(self, half: u64) -> Rows {
        match (self.takes_turns, self.is_first) {
            (false, true) => Rows::block(0, half),
            (false, false) => Rows::block(half, half),
            (true, is_first) => Rows {
                start: if is_first { 0 } else { 1 },
                width: 1,
                stride: 2,
                count: half,
            },
        }
    }
}
