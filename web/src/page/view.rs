//! How results are shown.

use leptos::prelude::*;
use trainscope_plot::Scale;

/// Choices of the person that change no number. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct View {
    /// The metric whose charts are shown; none for all.
    pub metric: RwSignal<Option<String>>,
    /// The step that all legends read out; none for the last.
    pub cursor: RwSignal<Option<u64>>,
    pub x_scale: RwSignal<Scale>,
    pub y_scale: RwSignal<Scale>,
    /// Whether lines are heads rather than layers, where there are heads.
    pub heads: RwSignal<bool>,
}

impl View {
    pub(super) fn new() -> Self {
        Self {
            metric: RwSignal::new(None),
            cursor: RwSignal::new(None),
            x_scale: RwSignal::new(Scale::LogFromZero),
            y_scale: RwSignal::new(Scale::Linear),
            heads: RwSignal::new(false),
        }
    }
}
