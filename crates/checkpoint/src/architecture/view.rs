//! Which numbers of stored tensors are a map.
//!
//! They are plain data: a plan sends them to whoever computes.

use serde::{Deserialize, Serialize};

/// A map `[out, in]` within a stored tensor: what is cut out, in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View<T> {
    /// The tensor.
    pub tensor: T,
    /// The part of a tensor that has those of all experts; none of one that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<Slice>,
    /// Whether it is stored `[in, out]`.
    #[serde(default)]
    pub transposed: bool,
    /// The rows, the tensor turned; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
}

/// One item of a stacked tensor: `[items, rows, columns]`, or `[items x rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slice {
    /// Which item.
    pub index: u64,
    /// Rows of each.
    pub rows: u64,
    /// Columns of each.
    pub columns: u64,
}

/// Runs of rows: `count` runs of `width` rows, the first from `start`, each `stride` rows after
/// the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rows {
    /// The first row.
    pub start: u64,
    /// Rows of a run.
    pub width: u64,
    /// Rows from the start of a run to that of the next.
    pub stride: u64,
    /// How many runs.
    pub count: u64,
}

/// A map `[out, in]` as the model applies it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Projection<T> {
    /// The map, or what reads the latent.
    pub view: View<T>,
    /// What the map reads instead of the residual stream, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<Latent<T>>,
    /// The norm of what the map writes, where it is part of the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norm: Option<RowNorm<T>>,
}

/// A narrow map that others read: `[rank, in]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Latent<T> {
    /// The map.
    pub view: View<T>,
    /// The norm of what it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norm: Option<RowNorm<T>>,
    /// Rows `[width, in]` that stand behind those of every one of the heads, where all share them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<View<T>>,
    /// How many heads the rows of what reads it are of.
    pub heads: u64,
}

/// A norm, as the linear map that it is up to one positive factor of each token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowNorm<T> {
    /// The gains: one tensor, or one of each head.
    pub gains: Vec<T>,
    /// Rows that are normed together.
    pub group: u64,
    /// Whether it multiplies with 1 + gain.
    pub is_one_plus: bool,
    /// Whether it takes the mean over the group off first, as a LayerNorm does.
    pub is_centred: bool,
}

impl<T> View<T> {
    /// Of a tensor as it is.
    pub const fn whole(tensor: T) -> Self {
        Self {
            tensor,
            slice: None,
            transposed: false,
            rows: None,
        }
    }

    /// The same, turned where it is stored `[in, out]`.
    #[must_use]
    pub fn turned(self, transposed: bool) -> Self {
        Self { transposed, ..self }
    }

    /// The same of some rows only.
    #[must_use]
    pub fn rows(self, rows: Rows) -> Self {
        let rows = Some(rows);
        Self { rows, ..self }
    }

    /// The same cut out of another tensor.
    pub fn map<U>(&self, place: &mut impl FnMut(&T) -> U) -> View<U> {
        View {
            tensor: place(&self.tensor),
            slice: self.slice,
            transposed: self.transposed,
            rows: self.rows,
        }
    }

    /// Rows and columns of what is cut out of a matrix of `rows` and `columns`, in which all but
    /// the first dimension are flattened; none where it does not have them.
    #[must_use]
    pub fn shape(&self, rows: u64, columns: u64) -> Option<(u64, u64)> {
        let (rows, columns) = match self.slice {
            None => (rows, columns),
            Some(slice) => {
                let is_whole = slice.rows.checked_mul(slice.columns) == Some(columns);
                let end = slice.index.checked_add(1)?.checked_mul(slice.rows)?;
                let is_within = match slice.columns == columns {
                    true => end <= rows,
                    false => is_whole && slice.index < rows,
                };
                is_within.then_some((slice.rows, slice.columns))?
            }
        };
        let (rows, columns) = match self.transposed {
            true => (columns, rows),
            false => (rows, columns),
        };
        match self.rows {
            None => Some((rows, columns)),
            Some(some) => Some((some.within(rows)?, columns)),
        }
    }
}

impl Rows {
    /// A run of rows.
    #[must_use]
    pub const fn block(start: u64, width: u64) -> Self {
        Self {
            start,
            width,
            stride: width,
            count: 1,
        }
    }

    /// How many they are; none where `rows` are too few for them.
    #[must_use]
    pub fn within(self, rows: u64) -> Option<u64> {
        let before_last = self.count.checked_sub(1)?.checked_mul(self.stride)?;
        let end = self
            .start
            .checked_add(before_last)?
            .checked_add(self.width)?;
        let count = self.count.checked_mul(self.width)?;
        (end <= rows && (self.width <= self.stride || self.count == 1)).then_some(count)
    }

    /// The row that each of them is, in order.
    pub fn each(self) -> impl Iterator<Item = u64> {
        let runs = (0..self.count).map(move |run| self.start + run * self.stride);
        runs.flat_map(move |start| start..start + self.width)
    }
}

impl<T> Projection<T> {
    /// A map that is stored as it is applied.
    pub const fn stored(view: View<T>) -> Self {
        Self {
            view,
            latent: None,
            norm: None,
        }
    }

    /// The same of other tensors.
    pub fn map<U>(&self, place: &mut impl FnMut(&T) -> U) -> Projection<U> {
        Projection {
            view: self.view.map(place),
            latent: self.latent.as_ref().map(|latent| Latent {
                view: latent.view.map(place),
                norm: latent.norm.as_ref().map(|norm| norm.map(place)),
                shared: latent.shared.as_ref().map(|view| view.map(place)),
                heads: latent.heads,
            }),
            norm: self.norm.as_ref().map(|norm| norm.map(place)),
        }
    }

    /// The same with nothing but what is stored: without norms.
    #[must_use]
    pub fn without_norms(self) -> Self {
        let latent = self.latent;
        Self {
            view: self.view,
            latent: latent.map(|latent| Latent {
                norm: None,
                ..latent
            }),
            norm: None,
        }
    }

    /// The norms that are part of it.
    pub fn norms(&self) -> impl Iterator<Item = &RowNorm<T>> {
        let of_latent = self.latent.as_ref().and_then(|it| it.norm.as_ref());
        self.norm.iter().chain(of_latent)
    }
}

impl<T> RowNorm<T> {
    /// What it makes of `x`.
    #[must_use]
    pub const fn in_words(&self) -> &'static str {
        match (self.is_centred, self.is_one_plus) {
            (true, false) => "LayerNorms",
            (true, true) => "LayerNorms with gains of 1 + weight",
            (false, false) => "x / rms(x) times the weight",
            (false, true) => "x / rms(x) times 1 + weight",
        }
    }

    fn map<U>(&self, place: &mut impl FnMut(&T) -> U) -> RowNorm<U> {
        RowNorm {
            gains: self.gains.iter().map(place).collect(),
            group: self.group,
            is_one_plus: self.is_one_plus,
            is_centred: self.is_centred,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rows, Slice, View};

    #[test]
    fn runs_of_rows_are_counted_and_listed() {
        let spaced = Rows {
            start: 2,
            width: 2,
            stride: 6,
            count: 3,
        };
        assert_eq!(spaced.each().collect::<Vec<_>>(), [2, 3, 8, 9, 14, 15]);
        assert_eq!(spaced.within(16), Some(6));
        assert_eq!(spaced.within(15), None);
        let overlapping = Rows {
            stride: 1,
            ..spaced
        };
        assert_eq!(overlapping.within(100), None);
        let endless = Rows {
            count: u64::MAX,
            ..spaced
        };
        assert_eq!(endless.within(u64::MAX), None);
    }

    #[test]
    fn a_view_has_a_shape_only_where_the_tensor_has_room_for_it() {
        let view = View {
            slice: Some(Slice {
                index: 1,
                rows: 4,
                columns: 6,
            }),
            ..View::whole(()).turned(true)
        };
        assert_eq!(view.shape(2, 24), Some((6, 4)));
        assert_eq!(view.shape(1, 24), None, "there is no second expert");
        assert_eq!(view.shape(2, 23), None);
        assert_eq!(view.shape(8, 6), Some((6, 4)), "one expert below another");
        assert_eq!(view.shape(7, 6), None);
        let some = view.rows(Rows::block(4, 2));
        assert_eq!(some.shape(2, 24), Some((2, 4)));
        assert_eq!(some.rows(Rows::block(5, 2)).shape(2, 24), None);
    }
}
