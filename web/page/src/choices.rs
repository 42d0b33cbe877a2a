//! How a person wants to see results: choices that change no number, as links carry them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ckptscope_plot::Scale;
use serde::{Deserialize, Serialize};

use ckptscope_results::Subject;

/// All choices. What is as it was at first is left out when written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// What results are shown as.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// How steps are spread along x.
    #[serde(skip_serializing_if = "is_logarithmic")]
    pub x: Spread,
    /// How values are spread along y, or over colours.
    #[serde(skip_serializing_if = "is_default")]
    pub y: Spread,
    /// What a line is of.
    #[serde(skip_serializing_if = "is_default")]
    pub lines: Lines,
    /// What colours tell apart; dashes tell apart the rest.
    #[serde(skip_serializing_if = "is_default")]
    pub colour: ColourBy,
    /// The label of the metric whose charts are shown; none for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Series that are not drawn, in any chart.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden: BTreeSet<Subject>,
    /// The only series that is drawn, in charts that have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolated: Option<Subject>,
    /// Series of a fixed colour: its place among the colours of parts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pinned: BTreeMap<Subject, u8>,
    /// The step (or layer) that all legends read out; none for the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
}

/// The name of what results are shown as, as [`Chart::name`](ckptscope_chart::Chart::name) is. What
/// nothing has for its name is shown as the first chart: a link may be of a page that has more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mode(pub Cow<'static, str>);

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// As the values say: by ratios where they span powers of ten.
    #[default]
    Auto,
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are equally far apart.
    Log,
}

/// What a line is of, where a chart has both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lines {
    /// A component of a layer.
    #[default]
    Layers,
    /// One head of it.
    Heads,
}

/// What colours tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColourBy {
    /// Layers, which have an order.
    #[default]
    Layer,
    /// Components.
    Part,
    /// Heads.
    Head,
}

impl Spread {
    /// How steps become positions: there is a step 0.
    #[must_use]
    pub const fn of_steps(self) -> Scale {
        match self {
            Self::Linear => Scale::Linear,
            Self::Auto | Self::Log => Scale::LogFromZero,
        }
    }

    /// How values become positions, where nobody chose as `looked_at` says.
    #[must_use]
    pub fn of_values(self, looked_at: impl FnOnce() -> Scale) -> Scale {
        match self {
            Self::Auto => looked_at(),
            Self::Linear => Scale::Linear,
            Self::Log => Scale::Log,
        }
    }
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            x: Spread::Log,
            y: Spread::default(),
            lines: Lines::default(),
            colour: ColourBy::default(),
            metric: None,
            hidden: BTreeSet::new(),
            isolated: None,
            pinned: BTreeMap::new(),
            cursor: None,
        }
    }
}

fn is_default<T: Default + PartialEq>(choice: &T) -> bool {
    *choice == T::default()
}

fn is_logarithmic(spread: &Spread) -> bool {
    *spread == Spread::Log
}
