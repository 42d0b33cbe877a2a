//! The roles of a layer's tensors, by architecture or by name.

use ckptscope_vocabulary::ModelShape;

use super::attention::{AttentionKind, AttentionStorage, AttentionTensors, PositionalScores};
use super::role::{Role, RoleError};
use super::view::{Projection, Slice, View};
use super::{ARCHITECTURES, Architecture, LayerTensors};
use crate::name::WEIGHT;
use crate::run::ModelConfig;

/// Tells the roles of a model's tensors.
#[derive(Clone, Copy, Debug)]
pub struct Roles<'a> {
    config: Option<&'a ModelConfig>,
    architecture: Option<&'static Architecture>,
}

/// An attention module of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    /// What it attends to.
    pub kind: AttentionKind,
    /// The architecture whose names it has.
    pub architecture: &'static str,
    /// Heads.
    pub n_heads: u64,
    /// Key-value heads. Head `h` reads number `floor(h n_kv_heads / n_heads)`.
    pub n_kv_heads: u64,
    /// Width of a head's query and key.
    pub d_qk: u64,
    /// Width of a head's value.
    pub d_v: u64,
    /// `[n_heads d_qk, d_model]`; none where the layer does not have it, like the others.
    pub query: Option<Projection<String>>,
    /// `[n_kv_heads d_qk, d_model]`.
    pub key: Option<Projection<String>>,
    /// `[n_kv_heads d_v, d_model]`.
    pub value: Option<Projection<String>>,
    /// `[d_model, n_heads d_v]`.
    pub output: Option<Projection<String>>,
    /// What positions do to scores; none where that is not known.
    pub scores: Option<PositionalScores>,
    /// Why heads of such a model have no circuits, though the projections are known.
    pub no_circuits: Option<&'static str>,
    /// What was assumed, in words.
    pub assumed: Vec<String>,
}

/// What a layer has of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPart {
    /// Of which expert; none where all tokens go through it.
    pub expert: Option<u64>,
    /// The map.
    pub projection: Projection<String>,
}

/// The parts of a layer, and what was assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundParts {
    /// The parts.
    pub parts: Vec<ModelPart>,
    /// What was assumed, in words.
    pub assumed: Vec<String>,
}

/// A tensor outside of layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsidePart<'a> {
    /// Its full name.
    pub name: &'a str,
    /// Whether it is the embedding that serves as the unembedding too.
    pub is_tied: bool,
    /// What was assumed, in words.
    pub assumed: Vec<String>,
}

/// A tensor's name, and what was assumed.
type Named<'n> = (&'n str, Vec<String>);

impl ModelPart {
    pub(super) const fn plain(projection: Projection<String>) -> Self {
        Self {
            expert: None,
            projection,
        }
    }
}

impl<'a> Roles<'a> {
    /// Of a model that a config describes, where there is one.
    #[must_use]
    pub fn of(config: Option<&'a ModelConfig>) -> Self {
        let model_type = config.and_then(|config| config.model_type.as_deref());
        let mut known = ARCHITECTURES.iter().copied();
        let of_type = model_type.and_then(|found| known.find(|it| it.model_types.contains(&found)));
        Self {
            config,
            architecture: of_type,
        }
    }

    /// The architecture that the config names; none where it names none, or one not known here.
    #[must_use]
    pub const fn architecture(&self) -> Option<&'static Architecture> {
        self.architecture
    }

    /// The attention module of a layer of a model with these dimensions.
    ///
    /// # Errors
    /// [`RoleError`]: what was found instead.
    pub fn attention(
        &self,
        model: &ModelShape,
        tensors: &LayerTensors,
        kind: AttentionKind,
    ) -> Result<Attention, RoleError> {
        if self.config.is_some_and(ModelConfig::has_pruned_heads) {
            return Err(RoleError::HeadsPruned);
        }
        if let Some((architecture, module)) = self.module(model, tensors, kind) {
            let layer = self.layer(architecture, model, tensors);
            if !self.is_known(architecture)
                && let Some(error) = self.order_unknown(module, &layer)
            {
                return Err(error);
            }
            let mut attention = module.resolve(&layer, architecture)?;
            let mut assumed = self.assumed(architecture, module.recognised_by());
            if self.is_known(architecture) {
                attention.scores = (architecture.scores)(self.config);
            } else {
                assumed.extend(attention.taken_for_usual());
            }
            attention.assumed.splice(0..0, assumed);
            return Ok(attention);
        }
        let own = self.architecture.filter(|it| it.attention.is_empty());
        Err(own.map_or(RoleError::Unrecognised, Architecture::without_heads))
    }

    /// The module whose tensors a layer has: of the architecture that the config names, else the
    /// one most of whose names it has.
    fn module(
        &self,
        model: &ModelShape,
        tensors: &LayerTensors,
        kind: AttentionKind,
    ) -> Option<(&'static Architecture, &'static AttentionTensors)> {
        let best = |architectures: &[&'static Architecture]| {
            let mut best: Option<(usize, &'static Architecture, &'static AttentionTensors)> = None;
            for architecture in architectures {
                let layer = self.layer(architecture, model, tensors);
                for module in architecture.attention.iter().filter(|it| it.kind == kind) {
                    let count = module.count_in(&layer);
                    if count > best.map_or(0, |(most, ..)| most) {
                        best = Some((count, *architecture, module));
                    }
                }
            }
            best.map(|(_, architecture, module)| (architecture, module))
        };
        let own = self.architecture.as_slice();
        best(own).or_else(|| best(ARCHITECTURES))
    }

    /// The dimensions of a layer of a stack, where the config has other numbers of heads for
    /// encoder and decoder.
    #[must_use]
    pub fn in_stack(&self, mut model: ModelShape, stack: &str) -> ModelShape {
        for (word, key) in [
            ("encoder", "encoder_attention_heads"),
            ("decoder", "decoder_attention_heads"),
        ] {
            let is_its = stack.split('.').any(|segment| segment == word);
            let said = self.config.and_then(|config| config.size(key));
            if let (true, None, Some(heads)) = (is_its, model.n_heads, said) {
                model.n_heads = Some(heads);
            }
        }
        model
    }

    /// The tensor of a role of attention where each has one of its own: it needs no dimensions.
    fn of_attention_apart(
        &self,
        role: Role,
        model: &ModelShape,
        tensors: &LayerTensors,
    ) -> Result<FoundParts, RoleError> {
        let error = RoleError::NothingOf { role };
        let module = self.module(model, tensors, AttentionKind::Itself);
        let (architecture, module) = module.ok_or(RoleError::Unrecognised)?;
        let AttentionStorage::Apart { query, key, value } = module.storage else {
            return Err(RoleError::HeadsUnknown);
        };
        let name = match role {
            Role::Query => query,
            Role::Key => key,
            Role::Value => value,
            _ => module.output,
        };
        let layer = self.layer(architecture, model, tensors);
        let matrix = layer.matrix_if_any(name)?.ok_or(error)?;
        Ok(FoundParts {
            parts: vec![ModelPart::plain(Projection::stored(matrix.view()))],
            assumed: self.assumed(architecture, module.recognised_by()),
        })
    }

    /// What a layer has of a role, without norms.
    ///
    /// # Errors
    /// [`RoleError`]: what was found instead.
    pub fn parts(
        &self,
        role: Role,
        model: &ModelShape,
        tensors: &LayerTensors,
    ) -> Result<FoundParts, RoleError> {
        if role.is_of_attention() {
            let attention = match self.attention(model, tensors, AttentionKind::Itself) {
                Err(RoleError::HeadsUnknown) => {
                    return self.of_attention_apart(role, model, tensors);
                }
                attention => attention?,
            };
            let projection = attention.projection(role)?.clone().without_norms();
            return Ok(FoundParts {
                parts: vec![ModelPart::plain(projection)],
                assumed: attention.assumed,
            });
        }
        // The architecture that attention is of says how the rest is stored.
        let module = self.module(model, tensors, AttentionKind::Itself);
        let mut misfit = None;
        for architecture in self.candidates(module.map(|(architecture, _)| architecture)) {
            let layer = self.layer(architecture, model, tensors);
            for mlp in architecture.mlps {
                match mlp.parts(&layer, role) {
                    Ok(parts) => {
                        if let Some(first) = parts.first() {
                            if !self.is_known(architecture)
                                && let Some(error) = mlp.order_unknown(&layer, role)
                            {
                                misfit = misfit.or(Some(error));
                                continue;
                            }
                            let assumed = self.assumed(architecture, &first.projection.view.tensor);
                            return Ok(FoundParts { parts, assumed });
                        }
                    }
                    Err(error) if self.is_known(architecture) => return Err(error),
                    Err(error) => misfit = misfit.or(Some(error)),
                }
            }
        }
        Err(misfit.unwrap_or(RoleError::NothingOf { role }))
    }

    /// The tensor of a role outside of layers, among those of these names.
    ///
    /// # Errors
    /// [`RoleError::NothingOf`], and [`RoleError::Several`] where a model has several embeddings.
    pub fn outside<'n>(&self, role: Role, names: &[&'n str]) -> Result<OutsidePart<'n>, RoleError> {
        if let Some((name, assumed)) = self.named(role, names)? {
            return Ok(OutsidePart {
                name,
                is_tied: false,
                assumed,
            });
        }
        let nothing = RoleError::NothingOf { role };
        let says = |config: &ModelConfig| config.flag("tie_word_embeddings");
        let tied = self.config.and_then(says);
        if role != Role::Unembedding || tied == Some(false) {
            return Err(nothing);
        }
        let (name, mut assumed) = self.named(Role::Embedding, names)?.ok_or(nothing)?;
        if tied.is_none() {
            assumed.push(format!(
                "there is no tensor of unembedding, and no config says that it is not `{name}`, \
                 the embedding"
            ));
        }
        Ok(OutsidePart {
            name,
            is_tied: true,
            assumed,
        })
    }

    /// The tensor that is called as an architecture calls those of a role, and what was assumed.
    fn named<'n>(&self, role: Role, names: &[&'n str]) -> Result<Option<Named<'n>>, RoleError> {
        for architecture in self.candidates(None) {
            for end in architecture.names_of(role) {
                let named = names.iter().copied().filter(|name| ends_with(name, end));
                match named.collect::<Vec<_>>().as_slice() {
                    [] => {}
                    [name] => return Ok(Some((*name, self.assumed(architecture, name)))),
                    several => {
                        return Err(RoleError::Several {
                            role,
                            found: several.iter().map(|name| (*name).to_owned()).collect(),
                        });
                    }
                }
            }
        }
        Ok(None)
    }

    /// The architecture that the config names, then this one, then the others.
    fn candidates(
        &self,
        next: Option<&'static Architecture>,
    ) -> impl Iterator<Item = &'static Architecture> {
        let first = [self.architecture, next];
        let is_other = move |it: &&'static Architecture| {
            let mut first = first.into_iter().flatten();
            !first.any(|own| std::ptr::eq::<Architecture>(own, *it))
        };
        let next = next.filter(|next| {
            self.architecture
                .is_none_or(|own| !std::ptr::eq(own, *next))
        });
        let first = self.architecture.into_iter().chain(next);
        first.chain(ARCHITECTURES.iter().copied().filter(is_other))
    }

    fn is_known(&self, architecture: &'static Architecture) -> bool {
        self.architecture
            .is_some_and(|own| std::ptr::eq(own, architecture))
    }

    fn layer<'t>(
        &self,
        architecture: &'static Architecture,
        model: &'t ModelShape,
        tensors: &'t LayerTensors,
    ) -> Layer<'t>
    where
        'a: 't,
    {
        let mut layer = Layer {
            architecture,
            tensors,
            model,
            config: self.config,
            is_transposed: false,
        };
        let wide = architecture.is_transposed_where_wide;
        let shape = wide.and_then(|name| Some(layer.find(name)?.1));
        layer.is_transposed = matches!(shape, Some([rows, columns]) if rows < columns);
        layer
    }

    /// Why a fused tensor of an architecture that the config does not name is of no use.
    fn order_unknown(&self, module: &AttentionTensors, layer: &Layer<'_>) -> Option<RoleError> {
        let AttentionStorage::Fused {
            tensor,
            is_known_by_name,
            ..
        } = module.storage
        else {
            return None;
        };
        let found = self.config.and_then(|config| config.model_type.clone());
        // Others store under the same name what only GPT-2 turns.
        let is_turned =
            layer.architecture.is_transposed_where_wide.is_none() || layer.is_transposed;
        let is_known = is_known_by_name && is_turned;
        (found.is_some() || !is_known).then(|| RoleError::OrderUnknown {
            tensor: tensor.to_owned(),
            found,
        })
    }

    /// What is assumed where an architecture is known by names only.
    fn assumed(&self, architecture: &'static Architecture, tensor: &str) -> Vec<String> {
        if self.is_known(architecture) {
            return Vec::new();
        }
        let model_type = self.config.and_then(|config| config.model_type.as_deref());
        let why = match (model_type, self.architecture) {
            (None, _) => "no config says the model's type".to_owned(),
            (Some(found), None) => format!("the model's type `{found}` is not known"),
            (Some(found), Some(_)) => format!("the tensors have other names than `{found}` has"),
        };
        let name = architecture.name;
        vec![format!(
            "{why}; tensors named like `{tensor}` are taken for those of {name}"
        )]
    }
}

impl Architecture {
    /// Why there are no heads of one that has no tensors of attention.
    fn without_heads(&self) -> RoleError {
        let architecture = self.name;
        match self.no_circuits {
            Some(reason) => RoleError::NoCircuits {
                architecture,
                reason,
            },
            None => RoleError::NoAttention { architecture },
        }
    }

    const fn names_of(&self, role: Role) -> &'static [&'static str] {
        match role {
            Role::Embedding => self.embedding,
            Role::Unembedding => self.unembedding,
            Role::Positions => self.positions,
            _ => &[],
        }
    }
}

/// Whether a tensor's name ends with these words.
fn ends_with(name: &str, end: &str) -> bool {
    let name = name.strip_suffix(WEIGHT).unwrap_or(name);
    let before = name.strip_suffix(end);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// A layer as an architecture sees it.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    pub(super) architecture: &'static Architecture,
    pub(super) tensors: &'a LayerTensors,
    pub(super) model: &'a ModelShape,
    pub(super) config: Option<&'a ModelConfig>,
    is_transposed: bool,
}

/// A stored matrix, turned to `[out, in]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    name: &'a str,
    pub(super) rows: u64,
    pub(super) columns: u64,
    is_transposed: bool,
}

/// Stored matrices in one tensor.
#[derive(Clone, Copy)]
pub(crate) struct Stack<'a> {
    pub(super) name: &'a str,
    pub(super) items: u64,
    pub(super) rows: u64,
    pub(super) columns: u64,
}

impl<'a> Layer<'a> {
    /// A tensor of that name, with or without `.weight`, and its shape.
    pub(super) fn find(&self, name: &str) -> Option<(&'a str, &'a [u64])> {
        let with_weight = format!("{name}{WEIGHT}");
        let found = self.tensors.get_key_value(&with_weight);
        let found = found.or_else(|| self.tensors.get_key_value(name));
        found.map(|(name, shape)| (name.as_str(), shape.as_slice()))
    }

    pub(super) fn tensor(&self, name: &'static str) -> Result<(&'a str, &'a [u64]), RoleError> {
        self.find(name).ok_or_else(|| self.missing(name))
    }

    /// The tensor of a head, behind whose name there stands the head's number.
    pub(super) fn numbered(
        &self,
        name: &'static str,
        head: u64,
    ) -> Result<(&'a str, &'a [u64]), RoleError> {
        let found = self.find(&format!("{name}.{head}"));
        found.ok_or_else(|| self.missing(name))
    }

    fn missing(&self, tensor: &'static str) -> RoleError {
        let folder = tensor.split('.').next().unwrap_or_default();
        let mut names = self.tensors.keys();
        let beside = names.find(|name| name.starts_with(folder));
        RoleError::Missing {
            tensor,
            beside: beside.cloned().unwrap_or_default(),
        }
    }

    /// A stored matrix.
    pub(super) fn matrix(&self, name: &str) -> Result<Matrix<'a>, RoleError> {
        let found = self.find(name);
        match found {
            Some((name, &[rows, columns])) if rows > 0 && columns > 0 => {
                let (rows, columns) = match self.is_transposed {
                    true => (columns, rows),
                    false => (rows, columns),
                };
                Ok(Matrix {
                    name,
                    rows,
                    columns,
                    is_transposed: self.is_transposed,
                })
            }
            found => Err(no_matrix(name, found, "a matrix")),
        }
    }

    /// The same where there is one of that name.
    pub(super) fn matrix_if_any(&self, name: &str) -> Result<Option<Matrix<'a>>, RoleError> {
        let found = self.find(name).map(|_| self.matrix(name));
        found.transpose()
    }

    /// Stacked matrices.
    pub(super) fn stacked(&self, name: &str) -> Result<Stack<'a>, RoleError> {
        match self.find(name) {
            Some((name, &[items, rows, columns])) if rows > 0 && columns > 0 => Ok(Stack {
                name,
                items,
                rows,
                columns,
            }),
            found => Err(no_matrix(name, found, "a matrix for each expert")),
        }
    }

    /// The numbers behind a name, ascending: `folder.3`, or `expert_3` behind what ends with `_`.
    pub(super) fn numbers_in(&self, folder: &str) -> Vec<u64> {
        let number = |name: &String| {
            let behind = name.strip_prefix(folder)?;
            let behind = match folder.ends_with('_') {
                true => behind,
                false => behind.strip_prefix('.')?,
            };
            behind.split('.').next()?.parse().ok()
        };
        let mut numbers: Vec<u64> = self.tensors.keys().filter_map(number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    pub(super) fn model_type(&self) -> Option<&'a str> {
        self.config?.model_type.as_deref()
    }

    pub(super) fn n_heads(&self) -> Result<u64, RoleError> {
        let heads = self.model.n_heads.filter(|heads| *heads > 0);
        heads.ok_or(RoleError::HeadsUnknown)
    }

    pub(super) fn has_norm(&self, name: &str, is_by_head: bool) -> bool {
        if is_by_head {
            return !self.numbers_in(name).is_empty();
        }
        self.find(name).is_some()
    }

    /// Whether a norm takes the mean off: it has a bias, or the architecture's norms do.
    pub(super) fn is_centred(&self, name: &str) -> bool {
        self.tensors.contains_key(&format!("{name}.bias"))
            || (self.architecture.has_layer_norms)(self.config)
    }

    /// What is said of the width of a head, and what says it.
    pub(super) fn said_width(&self) -> (&'static str, Option<u64>) {
        let of_model = || self.model.d_model?.checked_div(self.model.n_heads?);
        match self.model.d_head {
            Some(width) => ("d_head", Some(width)),
            None => ("d_model / n_heads", of_model()),
        }
    }

    /// The same of values, which may have a width of their own.
    pub(super) fn said_width_of_values(&self) -> (&'static str, Option<u64>) {
        const OWN: &str = "v_head_dim";
        let own = self.config.and_then(|config| config.size(OWN));
        own.map_or_else(|| self.said_width(), |width| (OWN, Some(width)))
    }

    pub(super) fn must_have_gains(
        &self,
        tensor: &str,
        shape: &[u64],
        expected: u64,
    ) -> Result<(), RoleError> {
        let found = shape
            .iter()
            .fold(1, |all: u64, extent| all.saturating_mul(*extent));
        if found == expected {
            return Ok(());
        }
        Err(RoleError::Mismatch {
            tensor: tensor.to_owned(),
            side: "gains",
            found,
            expected,
        })
    }

    /// Whether what is said of a dimension, if anything, is what a tensor's shape says.
    pub(super) fn must_agree(
        &self,
        dimension: &'static str,
        said: Option<u64>,
        matrix: &Matrix<'_>,
        found: u64,
    ) -> Result<(), RoleError> {
        match said {
            Some(said) if said != found => Err(RoleError::Contradiction {
                dimension,
                said,
                source_of: self.model.source.clone(),
                tensor: matrix.name.to_owned(),
                found,
            }),
            _ => Ok(()),
        }
    }
}

fn no_matrix(name: &str, found: Option<(&str, &[u64])>, expected: &'static str) -> RoleError {
    RoleError::NoMatrix {
        tensor: found.map_or(name, |(name, _)| name).to_owned(),
        found: found.map_or_else(Vec::new, |(_, shape)| shape.to_vec()),
        expected,
    }
}

impl Matrix<'_> {
    /// All of it.
    pub(super) fn view(&self) -> View<String> {
        View::whole(self.name.to_owned()).turned(self.is_transposed)
    }

    /// Its rows, divided among so many.
    pub(super) fn rows_of_each(&self, parts: u64, of: &'static str) -> Result<u64, RoleError> {
        self.divided("rows", self.rows, parts, of)
    }

    /// Its columns, divided among so many.
    pub(super) fn columns_of_each(&self, parts: u64, of: &'static str) -> Result<u64, RoleError> {
        self.divided("columns", self.columns, parts, of)
    }

    /// How many parts of so many rows it has.
    pub(super) fn rows_as(&self, rows: u64, of: &'static str) -> Result<u64, RoleError> {
        self.divided("rows", self.rows, rows, of)
    }

    fn divided(
        &self,
        side: &'static str,
        found: u64,
        parts: u64,
        of: &'static str,
    ) -> Result<u64, RoleError> {
        match found.checked_rem(parts) {
            Some(0) if found > 0 => Ok(found / parts),
            _ => Err(RoleError::NotWhole {
                tensor: self.name.to_owned(),
                side,
                found,
                parts,
                of,
            }),
        }
    }

    pub(super) fn must_have_rows(&self, expected: u64) -> Result<(), RoleError> {
        self.must_have("rows", self.rows, expected)
    }

    pub(super) fn must_have_columns(&self, expected: u64) -> Result<(), RoleError> {
        self.must_have("columns", self.columns, expected)
    }

    fn must_have(&self, side: &'static str, found: u64, expected: u64) -> Result<(), RoleError> {
        must_have(self.name, side, found, expected)
    }
}

fn must_have(tensor: &str, side: &'static str, found: u64, expected: u64) -> Result<(), RoleError> {
    if found == expected {
        return Ok(());
    }
    Err(RoleError::Mismatch {
        tensor: tensor.to_owned(),
        side,
        found,
        expected,
    })
}

impl Stack<'_> {
    /// Rows of each as it is applied.
    pub(super) const fn out(&self, is_transposed: bool) -> u64 {
        if is_transposed {
            self.columns
        } else {
            self.rows
        }
    }

    pub(super) fn must_have(
        &self,
        side: &'static str,
        found: u64,
        expected: u64,
    ) -> Result<(), RoleError> {
        must_have(self.name, side, found, expected)
    }

    pub(super) const fn slice(&self, index: u64) -> Slice {
        Slice {
            index,
            rows: self.rows,
            columns: self.columns,
        }
    }
}
