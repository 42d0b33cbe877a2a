//! The largest rank that a matrix can have, by its shape or by its factors.

use super::Facts;
use crate::parameter::{AUTO, Parameter, ParameterKind, ParameterValue};

/// What the largest rank of a matrix `[m, n]` is taken to be.
///
/// Heads of width `d` write through `d` directions, however wide the model is: of their circuits
/// `[d_model, d_model]` only `d` singular values can be above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LargestRank {
    /// `min(m, n)`.
    Shape,
    /// What factors leave of it: `min(m, n, r)` of a product with the inner dimension `r`.
    Possible,
}

/// The parameter of metrics that hold a matrix against its largest rank.
pub const RANK: Parameter = Parameter {
    name: "rank",
    summary: "the largest rank: of the shape, or what thin factors leave; auto: by component",
    kind: ParameterKind::Choice(&[AUTO, "shape", "possible"]),
    default: ParameterValue::Choice(AUTO),
};

impl LargestRank {
    /// The word of [`RANK`] for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Possible => "possible",
        }
    }
}

impl Facts {
    /// Says what is taken for the largest rank where [`RANK`] is `auto`: [`LargestRank::Shape`]
    /// where nobody says. What was said first stays.
    pub fn set_usual_rank(&self, usual: LargestRank) {
        self.usual_rank.get_or_init(|| usual);
    }

    /// The largest rank the matrix can have by construction: `min(m, n)`, or the width of thin
    /// factors. Of blocks side by side the widths add up; blocks with one left factor share it.
    #[must_use]
    pub fn possible_rank(&self) -> usize {
        self.full_rank().min(self.compact().ncols())
    }

    /// The largest rank by a word of [`RANK`].
    #[must_use]
    pub fn largest_rank(&self, word: &str) -> usize {
        let usual = self.usual_rank.get().copied();
        let rank = match word {
            "shape" => LargestRank::Shape,
            "possible" => LargestRank::Possible,
            _ => usual.unwrap_or(LargestRank::Shape),
        };
        match rank {
            LargestRank::Shape => self.full_rank(),
            LargestRank::Possible => self.possible_rank(),
        }
    }
}
