//! One entry of the form's metrics, as editors read and change it.

use ckptscope_protocol::{ComponentMenu, MetricForm, MetricMenu};
use ckptscope_results::{Names, Text};
use leptos::prelude::*;

use crate::store::State;
use crate::store::ask::{Ask, Pace};

/// An entry of the form's metrics, by its place. Whatever it shows follows the form.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub index: usize,
    pub ask: Ask,
    pub state: State,
}

impl Entry {
    /// What it holds now; nothing of an entry that has just gone.
    pub(super) fn read<T>(self, read: impl Fn(&MetricForm) -> T) -> T {
        self.ask.form.with(|form| {
            let gone = MetricForm::default();
            read(form.metrics.get(self.index).unwrap_or(&gone))
        })
    }

    /// Changes it.
    pub(super) fn edit(self, pace: Pace, change: impl FnOnce(&mut MetricForm)) {
        self.ask.edit(pace, |form| {
            if let Some(entry) = form.metrics.get_mut(self.index) {
                change(entry);
            }
        });
    }

    /// The path of a field of it.
    pub(super) fn path(self, field: &str) -> String {
        format!("metrics[{}].{field}", self.index)
    }

    /// Every component that there is.
    pub(super) fn component_menu(self) -> Vec<ComponentMenu> {
        self.state.opened.with(|opened| {
            let menu = opened.as_ref().map(|opened| opened.menu.components.clone());
            menu.unwrap_or_default()
        })
    }

    /// What suffixes are called among all that the run has.
    pub(super) fn short_names(self) -> Names {
        let of_run = self.state.opened.with(|opened| {
            let run = opened.as_ref().map(|opened| &opened.run);
            let suffixes = run.map(|run| run.suffixes.iter().map(|it| it.suffix.as_str().into()));
            suffixes.map(Iterator::collect::<Vec<Text>>)
        });
        Names::of_components(&of_run.unwrap_or_default())
    }

    /// What the menu says of its metric.
    pub(super) fn menu(self) -> Option<MetricMenu> {
        let name = self.read(|entry| entry.metric.clone());
        self.state.opened.with(|opened| {
            let mut metrics = opened.as_ref()?.menu.metrics.iter();
            metrics.find(|metric| metric.name == name).cloned()
        })
    }
}
