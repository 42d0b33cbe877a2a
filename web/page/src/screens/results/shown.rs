//! What results are shown as: one of the charts, or the table.

use std::borrow::Cow;

use ckptscope_chart::{CHARTS, Chart};

use crate::choices::Mode;

/// What results are shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// A chart.
    Chart(&'static Chart),
    /// First, last, smallest and largest values.
    Table,
}

impl Shown {
    /// All of them, in the order in which people choose.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        CHARTS.iter().copied().map(Self::Chart).chain([Self::Table])
    }

    /// What a mode names.
    pub(super) fn of(mode: &Mode) -> Self {
        let named = Self::all().find(|shown| shown.name() == mode.0);
        named.unwrap_or(Self::Chart(CHARTS[0]))
    }

    /// The mode that names it. The first chart needs no name, which keeps links short.
    pub(super) fn mode(self) -> Mode {
        if self == Self::of(&Mode::default()) {
            return Mode::default();
        }
        Mode(Cow::Borrowed(self.name()))
    }

    /// What people choose it by.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Chart(chart) => chart.title,
            Self::Table => "Table",
        }
    }

    /// The chart; none for the table.
    pub(super) const fn chart(self) -> Option<&'static Chart> {
        match self {
            Self::Chart(chart) => Some(chart),
            Self::Table => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Chart(chart) => chart.name,
            Self::Table => "table",
        }
    }
}
