//! What all charts are drawn by.

use std::sync::Arc;

use ckptscope_chart::{Along, Chart, Of};
use ckptscope_results::Names;
use leptos::html::Div;
use leptos::prelude::*;

use super::render_queue::RenderQueue;
use crate::browser;
use crate::choices::{Choices, ColourBy, Mode};
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

    /// Draws a chart for an element of some width, when it is near and as often as that changes what
    /// is drawn: the element, and what was drawn.
    pub(super) fn drawn<T: Send + Sync + 'static>(
        self,
        chart: &'static Chart,
        panel: PanelSignal,
        is_near: Signal<bool>,
        draw: impl Fn(ChartPlan, u32) -> T + Copy + 'static,
    ) -> (NodeRef<Div>, RwSignal<Option<T>>) {
        let queue = RenderQueue::here();
        let slot = queue.slot();
        let element = NodeRef::new();
        let width = browser::width_of(element);
        let drawn = RwSignal::new(None);
        Effect::new(move |_| {
            let width = width.get();
            if !is_near.get() || width == 0 {
                return;
            }
            self.track(&panel);
            let panel = panel.clone();
            queue.render(slot, move || {
                drawn.try_set(Some(draw(self.plan(chart, &panel), width)));
            });
        });
        (element, drawn)
    }

    /// Lets the caller hear of everything that changes drawings of a panel.
    fn track(self, panel: &PanelSignal) {
        panel.track();
        self.palette.track();
        self.choices.track();
        self.is_over_layers.track();
        self.state.theme.track();
    }

    /// What a chart of the panel shows now. Lines of heads are coloured as heads where a chart is
    /// of nothing else.
    pub(super) fn plan(self, chart: &'static Chart, panel: &PanelSignal) -> ChartPlan {
        let choices = self.choices.get_untracked();
        let (shown, palette) = panel.with_untracked(|panel| match chart.of {
            Of::LayersOrHeads => (panel.only(choices.lines), self.palette),
            Of::Heads => (panel.heads(), self.palette_of_heads),
        });
        let has_layers = shown.lines.iter().any(|line| line.subject.layer.is_some());
        let (shown, along) = if has_layers && self.is_over_layers.get_untracked() {
            (shown.over_layers(), Along::Layers)
        } else {
            (shown, Along::Steps)
        };
        let (looks, names) = palette.with_untracked(|palette| {
            (palette.looks(&shown, &choices), Arc::clone(&palette.names))
        });
        ChartPlan {
            chart,
            looks,
            names,
            title: self.title(&shown.id),
            panel: shown,
            choices,
            along,
            theme: self.state.theme.get_untracked(),
        }
    }

    /// What lines are called, in all charts the same; whoever asks hears when that changes.
    pub(super) fn names(self) -> Arc<Names> {
        self.palette.with(|palette| Arc::clone(&palette.names))
    }

    /// The words around a chart.
    pub(super) fn title(self, key: &PanelId) -> Title {
        self.state.analysis.results.with_untracked(|results| {
            let entries = results.as_ref().map(|results| results.entries.as_slice());
            Title::of(key, entries.unwrap_or_default())
        })
    }
}
