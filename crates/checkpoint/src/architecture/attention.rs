//! How attention is stored: apart, fused in some order, or by way of latents.

use std::collections::BTreeSet;

use super::role::{Role, RoleError};
use super::roles::{Attention, Layer, Matrix};
use super::view::{Latent, Projection, RowNorm, Rows, View};
use super::{Architecture, left_over};
use crate::run::ModelConfig;

/// The tensors of an attention module.
#[derive(Clone, Copy, Debug)]
pub struct AttentionTensors {
    /// What it attends to.
    pub kind: AttentionKind,
    /// Where queries, keys and values are.
    pub storage: AttentionStorage,
    /// The output projection.
    pub output: &'static str,
    /// How norms of queries and keys are called, where there are any; the first that is there
    /// counts.
    pub norms: &'static [NormNames],
}

/// What a module attends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttentionKind {
    /// The same tokens.
    Itself,
    /// Those of another stack: of a decoder the encoder's.
    Cross,
}

/// What positions do to scores of queries for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionalScores {
    /// Nothing: they are part of the stream, or there are none.
    Nothing,
    /// They turn queries and keys, or a part of them.
    Rotation,
    /// They take off a share of the distance.
    Alibi,
    /// They add what is learned of each distance.
    Relative,
}

/// Where queries, keys and values are.
#[derive(Clone, Copy, Debug)]
pub enum AttentionStorage {
    /// Each in a tensor of its own.
    Apart {
        /// `[heads x width, d_model]`.
        query: &'static str,
        /// `[kv heads x width, d_model]`.
        key: &'static str,
        /// `[kv heads x width, d_model]`.
        value: &'static str,
    },
    /// All in one tensor.
    Fused {
        /// `[(heads + 2 kv heads) x width, d_model]`.
        tensor: &'static str,
        /// In which order, as the model's config says; none where that does not say it.
        order: fn(Option<&ModelConfig>) -> Option<FusedOrder>,
        /// Whether the name alone says which architecture it is.
        is_known_by_name: bool,
    },
    /// By way of narrow maps, as DeepSeek does it.
    Latent {
        /// What queries are where they have no latent.
        query: &'static str,
        /// The latent of queries, its norm, and what reads it.
        query_latent: [&'static str; 3],
        /// The latent of keys and values with the keys' shared rows behind it, its norm, and what
        /// reads it: for every head its keys' rows, then its values'.
        key_value_latent: [&'static str; 3],
    },
}

/// In which order the rows of a fused tensor stand; `d` is the width of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FusedOrder {
    /// All queries, all keys, all values.
    Blocks,
    /// For every head `d` rows of its query, key and value.
    ByHead,
    /// For every key-value head the queries of the heads that read it, its key, its value.
    ByGroup,
    /// In four parts, each with its heads' queries, values and keys.
    FourParts,
}

/// How the norms of queries and keys are called.
#[derive(Clone, Copy, Debug)]
pub struct NormNames {
    /// That of queries.
    pub query: &'static str,
    /// That of keys.
    pub key: &'static str,
    /// Whether every head has a tensor of its own: behind the name there stands its number.
    pub is_by_head: bool,
}

impl NormNames {
    /// One tensor for all heads.
    pub(crate) const fn of(query: &'static str, key: &'static str) -> Self {
        Self {
            query,
            key,
            is_by_head: false,
        }
    }
}

impl AttentionTensors {
    /// With queries, keys and values of these names, and an output.
    pub(crate) const fn apart(names: [&'static str; 4], norms: &'static [NormNames]) -> Self {
        let [query, key, value, output] = names;
        Self {
            kind: AttentionKind::Itself,
            storage: AttentionStorage::Apart { query, key, value },
            output,
            norms,
        }
    }

    /// The same, attending to another stack.
    pub(crate) const fn cross(names: [&'static str; 4]) -> Self {
        let mut tensors = Self::apart(names, &[]);
        tensors.kind = AttentionKind::Cross;
        tensors
    }

    /// In one tensor whose order its name says.
    pub(crate) const fn fused(
        tensor: &'static str,
        order: fn(Option<&ModelConfig>) -> Option<FusedOrder>,
        output: &'static str,
    ) -> Self {
        Self {
            kind: AttentionKind::Itself,
            storage: AttentionStorage::Fused {
                tensor,
                order,
                is_known_by_name: true,
            },
            output,
            norms: &[],
        }
    }

    /// The same with norms of queries and keys.
    pub(crate) const fn normed(self, norms: &'static [NormNames]) -> Self {
        Self { norms, ..self }
    }

    /// In one tensor whose order only the architecture says.
    pub(crate) const fn fused_by_type(
        tensor: &'static str,
        order: fn(Option<&ModelConfig>) -> Option<FusedOrder>,
        output: &'static str,
    ) -> Self {
        Self {
            storage: AttentionStorage::Fused {
                tensor,
                order,
                is_known_by_name: false,
            },
            ..Self::fused(tensor, order, output)
        }
    }

    /// How many of its tensors a layer has; 0 where they are too few to be recognised by.
    pub(crate) fn count_in(&self, layer: &Layer<'_>) -> usize {
        let has = |name: &str| layer.find(name).is_some();
        let count = |names: &[&str]| names.iter().filter(|name| has(name)).count();
        match self.storage {
            AttentionStorage::Apart { query, key, value } => {
                let is_circuit = has(query) && has(key) || has(value) && has(self.output);
                count(&[query, key, value, self.output]) * usize::from(is_circuit)
            }
            AttentionStorage::Fused { tensor, .. } => {
                count(&[tensor, self.output]) * usize::from(has(tensor))
            }
            AttentionStorage::Latent {
                key_value_latent: [down, norm, up],
                ..
            } => count(&[down, norm, up, self.output]) * usize::from(has(down) && has(up)),
        }
    }

    /// The tensor that shows that they are there, for messages.
    pub(crate) const fn recognised_by(&self) -> &'static str {
        match self.storage {
            AttentionStorage::Apart { query, .. } => query,
            AttentionStorage::Fused { tensor, .. } => tensor,
            AttentionStorage::Latent {
                key_value_latent: [down, ..],
                ..
            } => down,
        }
    }

    /// The module of a layer that has its tensors.
    pub(crate) fn resolve(
        &self,
        layer: &Layer<'_>,
        architecture: &'static Architecture,
    ) -> Result<Attention, RoleError> {
        let mut attention = match self.storage {
            AttentionStorage::Apart { query, key, value } => {
                self.apart_in(layer, [query, key, value])?
            }
            AttentionStorage::Fused { tensor, order, .. } => {
                let order = order(layer.config).ok_or_else(|| RoleError::OrderUnknown {
                    tensor: tensor.to_owned(),
                    found: layer.model_type().map(str::to_owned),
                })?;
                self.fused_in(layer, tensor, order)?
            }
            AttentionStorage::Latent {
                query,
                query_latent,
                key_value_latent,
            } => self.latent_in(layer, query, query_latent, key_value_latent)?,
        };
        attention.architecture = architecture.name;
        attention.no_circuits = architecture.no_circuits;
        self.add_norms(layer, &mut attention)?;
        let left_over = left_over::tensors(layer, &self.names(), &attention);
        attention.assumed.extend(left_over);
        Ok(attention)
    }

    /// The norms of queries and keys that a layer has.
    fn add_norms(&self, layer: &Layer<'_>, attention: &mut Attention) -> Result<(), RoleError> {
        let has = |name: &str, names: &NormNames| layer.has_norm(name, names.is_by_head);
        let mut known = self.norms.iter();
        let found = known.find(|it| has(it.query, it) || has(it.key, it));
        let Some(names) = found else {
            return Ok(());
        };
        let (heads, kv_heads, width) = (attention.n_heads, attention.n_kv_heads, attention.d_qk);
        for (map, name, other, heads) in [
            (&mut attention.query, names.query, names.key, heads),
            (&mut attention.key, names.key, names.query, kv_heads),
        ] {
            match map {
                Some(map) if has(name, names) => {
                    map.norm = Some(norm(layer, name, names, heads, width)?);
                }
                Some(_) => attention.assumed.push(format!(
                    "there is a norm `{other}` and no `{name}`, so that only one side is normed"
                )),
                None => {}
            }
        }
        Ok(())
    }

    /// The names of its projections.
    fn names(&self) -> Vec<&'static str> {
        let mut names = match self.storage {
            AttentionStorage::Apart { query, key, value } => vec![query, key, value],
            AttentionStorage::Fused { tensor, .. } => vec![tensor],
            AttentionStorage::Latent {
                query,
                query_latent,
                key_value_latent,
            } => [&[query], &query_latent[..], &key_value_latent[..]].concat(),
        };
        names.push(self.output);
        names
    }

    fn apart_in(
        &self,
        layer: &Layer<'_>,
        names: [&'static str; 3],
    ) -> Result<Attention, RoleError> {
        let [query, key, value] = names.map(|name| layer.matrix_if_any(name));
        let maps = [query?, key?, value?];
        let output = layer.matrix_if_any(self.output)?;
        let heads = HeadSizes::apart(layer, maps, output)?;
        self.must_read_the_same(maps, output)?;
        self.must_read_the_stream(layer, maps, output)?;
        heads.must_be_as_said(layer, maps, output)?;
        let stored = |it: Option<Matrix<'_>>| it.map(|it| Projection::stored(it.view()));
        self.attention(&heads, maps.map(stored), output)
    }

    /// Whether maps read, and write, a stream of one width.
    fn must_read_the_same(
        &self,
        [query, key, value]: [Option<Matrix<'_>>; 3],
        output: Option<Matrix<'_>>,
    ) -> Result<(), RoleError> {
        if let (Some(query), Some(output)) = (query, output) {
            output.must_have_rows(query.columns)?;
        }
        if let (Some(key), Some(value)) = (key, value) {
            value.must_have_columns(key.columns)?;
        }
        if self.kind == AttentionKind::Cross {
            return Ok(());
        }
        let width = query.map(|it| it.columns).or(output.map(|it| it.rows));
        for matrix in [key, value].into_iter().flatten() {
            matrix.must_have_columns(width.unwrap_or(matrix.columns))?;
        }
        Ok(())
    }

    /// Whether that stream is as wide as the model is said to be.
    fn must_read_the_stream(
        &self,
        layer: &Layer<'_>,
        [query, key, value]: [Option<Matrix<'_>>; 3],
        output: Option<Matrix<'_>>,
    ) -> Result<(), RoleError> {
        let of_other = match self.kind {
            AttentionKind::Itself => [key, value],
            AttentionKind::Cross => [None, None],
        };
        let read = [query].into_iter().chain(of_other).flatten();
        let read = read.map(|matrix| (matrix, matrix.columns));
        let written = output.map(|matrix| (matrix, matrix.rows));
        let mut all = read.chain(written);
        all.try_for_each(|(matrix, width)| {
            layer.must_agree("d_model", layer.model.d_model, &matrix, width)
        })
    }

    fn fused_in(
        &self,
        layer: &Layer<'_>,
        tensor: &'static str,
        order: FusedOrder,
    ) -> Result<Attention, RoleError> {
        let (fused, output) = (layer.matrix(tensor)?, layer.matrix(self.output)?);
        let n_heads = layer.n_heads()?;
        let width = output.columns_of_each(n_heads, "attention heads")?;
        let parts = fused.rows_as(width, "rows of a head")?;
        let n_kv_heads = parts.saturating_sub(n_heads) / 2;
        let heads = HeadSizes {
            n_heads,
            n_kv_heads,
            d_qk: width,
            d_v: width,
        };
        let expected = if n_kv_heads == 0 {
            n_heads.saturating_mul(3)
        } else {
            n_heads.saturating_add(2 * n_kv_heads)
        };
        fused.must_have_rows(expected.saturating_mul(width))?;
        output.must_have_rows(fused.columns)?;
        layer.must_agree("d_model", layer.model.d_model, &fused, fused.columns)?;
        let (name, said) = layer.said_width();
        layer.must_agree(name, said, &output, width)?;
        layer.must_agree("n_kv_heads", layer.model.n_kv_heads, &fused, n_kv_heads)?;
        heads.must_divide()?;
        let rows = order.rows(&heads, &fused)?;
        let maps = rows.map(|rows| Some(Projection::stored(fused.view().rows(rows))));
        self.attention(&heads, maps, Some(output))
    }

    fn latent_in(
        &self,
        layer: &Layer<'_>,
        query: &'static str,
        query_latent: [&'static str; 3],
        key_value_latent: [&'static str; 3],
    ) -> Result<Attention, RoleError> {
        let [down, norm_name, up] = key_value_latent;
        let (down, up, output) = (
            layer.matrix(down)?,
            layer.matrix(up)?,
            layer.matrix(self.output)?,
        );
        let n_heads = layer.n_heads()?;
        let (query, query_rows) = latent_query(layer, query, query_latent, n_heads)?;
        let d_qk = query_rows.rows_of_each(n_heads, "attention heads")?;
        let d_v = output.columns_of_each(n_heads, "attention heads")?;
        let rank = up.columns;
        let shared = down.rows.saturating_sub(rank);
        let own = d_qk.saturating_sub(shared);
        down.must_have_rows(rank.saturating_add(shared))?;
        up.must_have_rows(n_heads.saturating_mul(own.saturating_add(d_v)))?;
        output.must_have_rows(down.columns)?;
        layer.must_agree("d_model", layer.model.d_model, &down, down.columns)?;
        for (key, found, tensor) in [
            ("kv_lora_rank", rank, &up),
            ("qk_rope_head_dim", shared, &down),
            ("qk_nope_head_dim", own, &query_rows),
            ("v_head_dim", d_v, &output),
        ] {
            let said = layer.config.and_then(|config| config.size(key));
            layer.must_agree(key, said, tensor, found)?;
        }
        let latent = |shared: Option<View<String>>| -> Result<_, RoleError> {
            Ok(Some(Latent {
                view: down.view().rows(Rows::block(0, rank)),
                norm: Some(latent_norm(layer, norm_name, rank)?),
                shared,
                heads: n_heads,
            }))
        };
        let of_each = |start, width| Rows {
            start,
            width,
            stride: own + d_v,
            count: n_heads,
        };
        let key = Projection {
            view: up.view().rows(of_each(0, own)),
            latent: latent((shared > 0).then(|| down.view().rows(Rows::block(rank, shared))))?,
            norm: None,
        };
        let value = Projection {
            view: up.view().rows(of_each(own, d_v)),
            latent: latent(None)?,
            norm: None,
        };
        let heads = HeadSizes {
            n_heads,
            n_kv_heads: n_heads,
            d_qk,
            d_v,
        };
        self.attention(&heads, [query, key, value].map(Some), Some(output))
    }

    fn attention(
        &self,
        heads: &HeadSizes,
        [query, key, value]: [Option<Projection<String>>; 3],
        output: Option<Matrix<'_>>,
    ) -> Result<Attention, RoleError> {
        heads.must_divide()?;
        Ok(Attention {
            kind: self.kind,
            architecture: "",
            n_heads: heads.n_heads,
            n_kv_heads: heads.n_kv_heads,
            d_qk: heads.d_qk,
            d_v: heads.d_v,
            query,
            key,
            value,
            output: output.map(|it| Projection::stored(it.view())),
            scores: None,
            no_circuits: None,
            assumed: Vec::new(),
        })
    }
}

impl Attention {
    /// What is taken for usual, where nothing says how models of this type do it.
    pub(super) fn taken_for_usual(&self) -> Vec<String> {
        let maps = [&self.query, &self.key, &self.value];
        let norms = maps.into_iter().flatten().flat_map(Projection::norms);
        let kinds: BTreeSet<&str> = norms.map(RowNorm::in_words).collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let norms = (!kinds.is_empty()).then(|| {
            let kinds = kinds.join(" and for ");
            format!("norms of queries, keys and latents are taken for {kinds}")
        });
        let (heads, kv_heads) = (self.n_heads, self.n_kv_heads);
        let groups = (1 < kv_heads && kv_heads < heads).then(|| {
            let of_each = heads / kv_heads;
            format!("each key-value head is taken for that of {of_each} heads in a row")
        });
        norms.into_iter().chain(groups).collect()
    }

    /// The map of a role of attention.
    ///
    /// # Errors
    /// [`RoleError::NothingOf`] where the layer does not have it.
    pub fn projection(&self, role: Role) -> Result<&Projection<String>, RoleError> {
        let found = match role {
            Role::Query => &self.query,
            Role::Key => &self.key,
            Role::Value => &self.value,
            Role::Output => &self.output,
            _ => return Err(RoleError::NothingOf { role }),
        };
        found.as_ref().ok_or(RoleError::NothingOf { role })
    }
}

/// Numbers and widths of heads.
struct HeadSizes {
    n_heads: u64,
    n_kv_heads: u64,
    d_qk: u64,
    d_v: u64,
}

impl HeadSizes {
    /// As the shapes of projections say them that are stored apart.
    fn apart(
        layer: &Layer<'_>,
        [query, key, value]: [Option<Matrix<'_>>; 3],
        output: Option<Matrix<'_>>,
    ) -> Result<Self, RoleError> {
        let n_heads = layer.n_heads()?;
        let of_queries = query.map(|it| it.rows_of_each(n_heads, "attention heads"));
        let of_outputs = output.map(|it| it.columns_of_each(n_heads, "attention heads"));
        let (of_queries, of_outputs) = (of_queries.transpose()?, of_outputs.transpose()?);
        let unknown = RoleError::DimensionUnknown {
            dimension: "d_head",
        };
        let width = of_queries
            .or(of_outputs)
            .or(layer.model.d_head)
            .ok_or(unknown)?;
        let (d_qk, d_v) = (of_queries.unwrap_or(width), of_outputs.unwrap_or(width));
        let of_keys = key.map(|it| it.rows_as(d_qk, "rows of a head"));
        let of_values = value.map(|it| it.rows_as(d_v, "rows of a head"));
        let (of_keys, of_values) = (of_keys.transpose()?, of_values.transpose()?);
        let said = layer.model.n_kv_heads.unwrap_or(n_heads);
        let n_kv_heads = of_keys.or(of_values).unwrap_or(said);
        if let Some(value) = value {
            value.must_have_rows(n_kv_heads.saturating_mul(d_v))?;
        }
        Ok(Self {
            n_heads,
            n_kv_heads,
            d_qk,
            d_v,
        })
    }

    /// Whether they are what is said of them. What is a part of a projection, or has lost heads,
    /// divides into heads too.
    fn must_be_as_said(
        &self,
        layer: &Layer<'_>,
        [query, key, value]: [Option<Matrix<'_>>; 3],
        output: Option<Matrix<'_>>,
    ) -> Result<(), RoleError> {
        if let Some(query) = query {
            let (name, said) = layer.said_width();
            layer.must_agree(name, said, &query, self.d_qk)?;
        }
        if let Some(output) = output {
            let (name, said) = layer.said_width_of_values();
            layer.must_agree(name, said, &output, self.d_v)?;
            if said.is_none() {
                output.must_have_columns(self.n_heads.saturating_mul(self.d_qk))?;
            }
        }
        key.or(value).map_or(Ok(()), |matrix| {
            let said = layer.model.n_kv_heads;
            layer.must_agree("n_kv_heads", said, &matrix, self.n_kv_heads)
        })
    }

    fn must_divide(&self) -> Result<(), RoleError> {
        let (heads, kv_heads) = (self.n_heads, self.n_kv_heads);
        match heads.checked_rem(kv_heads) {
            Some(0) => Ok(()),
            _ => Err(RoleError::HeadGroups { heads, kv_heads }),
        }
    }
}

impl FusedOrder {
    /// Which rows are queries, keys and values.
    fn rows(self, heads: &HeadSizes, fused: &Matrix<'_>) -> Result<[Rows; 3], RoleError> {
        let (n, k, d) = (heads.n_heads, heads.n_kv_heads, heads.d_qk);
        let (all, all_keys) = (n * d, k * d);
        let runs = |start, width, stride, count| Rows {
            start,
            width,
            stride,
            count,
        };
        Ok(match self {
            Self::Blocks => [
                Rows::block(0, all),
                Rows::block(all, all_keys),
                Rows::block(all + all_keys, all_keys),
            ],
            Self::ByHead => {
                fused.must_have_rows(3 * all)?;
                [0, d, 2 * d].map(|start| runs(start, d, 3 * d, n))
            }
            Self::ByGroup => {
                let of_group = n / k * d;
                let stride = of_group + 2 * d;
                [
                    runs(0, of_group, stride, k),
                    runs(of_group, d, stride, k),
                    runs(of_group + d, d, stride, k),
                ]
            }
            Self::FourParts => {
                fused.must_have_rows(3 * all)?;
                let part = fused.rows_of_each(12, "quarters of queries, values and keys")?;
                [0, 2 * part, part].map(|start| runs(start, part, 3 * part, 4))
            }
        })
    }
}

/// Queries by way of a latent, where there is one, and the matrix whose rows are theirs.
fn latent_query<'a>(
    layer: &Layer<'a>,
    whole: &'static str,
    [down, norm, up]: [&'static str; 3],
    heads: u64,
) -> Result<(Projection<String>, Matrix<'a>), RoleError> {
    if layer.find(up).is_none() {
        let query = layer.matrix(whole)?;
        return Ok((Projection::stored(query.view()), query));
    }
    let (down, up) = (layer.matrix(down)?, layer.matrix(up)?);
    down.must_have_rows(up.columns)?;
    let latent = Latent {
        view: down.view(),
        norm: Some(latent_norm(layer, norm, up.columns)?),
        shared: None,
        heads,
    };
    let query = Projection {
        view: up.view(),
        latent: Some(latent),
        norm: None,
    };
    Ok((query, up))
}

fn latent_norm(
    layer: &Layer<'_>,
    name: &'static str,
    rank: u64,
) -> Result<RowNorm<String>, RoleError> {
    let (stored, shape) = layer.tensor(name)?;
    layer.must_have_gains(stored, shape, rank)?;
    Ok(RowNorm {
        gains: vec![stored.to_owned()],
        group: rank,
        is_one_plus: false,
        is_centred: layer.is_centred(name),
    })
}

/// The norm of queries or keys: with a gain for each number of a head, of each head, or of all
/// heads, which are then normed together.
fn norm(
    layer: &Layer<'_>,
    name: &'static str,
    names: &NormNames,
    heads: u64,
    width: u64,
) -> Result<RowNorm<String>, RoleError> {
    let mut norm = RowNorm {
        gains: Vec::new(),
        group: width,
        is_one_plus: layer.architecture.gains_are_one_plus_weight,
        is_centred: layer.is_centred(name),
    };
    if names.is_by_head {
        for head in 0..heads {
            let (stored, shape) = layer.numbered(name, head)?;
            layer.must_have_gains(stored, shape, width)?;
            norm.gains.push(stored.to_owned());
        }
        return Ok(norm);
    }
    let (stored, shape) = layer.tensor(name)?;
    norm.gains.push(stored.to_owned());
    match shape {
        [of_head] if *of_head == width => {}
        [of_all] if *of_all == heads * width => norm.group = *of_all,
        // Who stores gains of every head in rows takes the mean off first.
        [of_heads, of_head] if (*of_heads, *of_head) == (heads, width) => norm.is_centred = true,
        _ => layer.must_have_gains(stored, shape, width)?,
    }
    Ok(norm)
}
