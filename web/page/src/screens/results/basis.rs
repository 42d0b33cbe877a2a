//! What all charts are drawn by.

use leptos::prelude::*;

use crate::choices::{Choices, ColourBy, Lines, Mode};
use crate::panel::chart::ChartPlan;
use crate::panel::look::Palette;
use crate::panel::title::Title;
use crate::panel::{PanelId, PanelSignal};
use crate::store::State;

/// Colours and choices, worked out once for all charts. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct Basis {
    state: State,
    palette: Memo<Palette>,
    palette_of_heads: Memo<Palette>,
    /// What changes drawings: neither the cursor nor which of them are shown.
    choices: Memo<Choices>,
    /// Whether x is the layer, because there is one step only.
    pub is_over_layers: Memo<bool>,
}

impl Basis {
    pub(super) fn new(state: State) -> Self {
        let seen = Memo::new(move |_| state.analysis.panels.with(|panels| panels.seen.clone()));
        let palette = Memo::new(move |_| {
            let (colour, pinned) = (state.view.colour.get(), state.view.pinned.get());
            Palette::new(seen.get(), colour, pinned, state.theme.get())
        });
        let palette_of_heads = Memo::new(move |_| {
            let pinned = state.view.pinned.get();
            Palette::new(seen.get(), ColourBy::Head, pinned, state.theme.get())
        });
        let choices = Memo::new(move |_| Choices {
            mode: Mode::default(),
            metric: None,
            cursor: None,
            ..state.view.choices()
        });
        let is_over_layers = Memo::new(move |_| {
            let results = state.analysis.results;
            let steps = results.with(|results| Some(results.as_ref()?.steps.len()));
            steps == Some(1) && seen.with(|seen| seen.layers.len() > 1)
        });
        Self {
            state,
            palette,
            palette_of_heads,
            choices,
            is_over_layers,
        }
    }

    /// The basis of the page that the caller is part of.
    pub(super) fn here() -> Self {
        expect_context()
    }

    /// Lets the caller hear of everything that changes drawings of a panel.
    pub(super) fn track(self, panel: &PanelSignal) {
        panel.track();
        self.palette.track();
        self.choices.track();
        self.is_over_layers.track();
        self.state.theme.track();
    }

    /// What a chart of the panel shows now.
    pub(super) fn plan(self, panel: &PanelSignal) -> ChartPlan {
        let lines = self.choices.with_untracked(|choices| choices.lines);
        self.plan_with(panel, lines, self.palette)
    }

    /// The same with heads for lines, coloured as heads.
    pub(super) fn plan_of_heads(self, panel: &PanelSignal) -> ChartPlan {
        self.plan_with(panel, Lines::Heads, self.palette_of_heads)
    }

    fn plan_with(self, panel: &PanelSignal, lines: Lines, palette: Memo<Palette>) -> ChartPlan {
        let choices = self.choices.get_untracked();
        let is_over_layers = self.is_over_layers.get_untracked();
        let shown = panel.with_untracked(|panel| panel.only(lines));
        let shown = if is_over_layers {
            shown.over_layers()
        } else {
            shown
        };
        ChartPlan {
            looks: palette.with_untracked(|palette| palette.looks(&shown, &choices)),
            title: self.title(&shown.id),
            panel: shown,
            choices,
            is_over_layers,
            theme: self.state.theme.get_untracked(),
        }
    }

    /// The words around a chart.
    pub(super) fn title(self, key: &PanelId) -> Title {
        self.state.analysis.results.with_untracked(|results| {
            let entries = results.as_ref().map(|results| results.entries.as_slice());
            Title::of(key, entries.unwrap_or_default())
        })
    }
}
