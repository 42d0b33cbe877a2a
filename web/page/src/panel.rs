//! Series, arranged as charts show them.

pub mod chart;
pub mod look;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ckptscope_chart::{Curve, Subjects, over_layers, steps};
use ckptscope_results::{DataKind, Entry, EntryId, Results, Series};
use ckptscope_vocabulary::sort::sort_by_key;
use leptos::prelude::*;

pub use ckptscope_results::{PanelId, Subject, title};

use crate::choices::Lines;

/// In the order in which charts of one metric are shown.
const KINDS: [DataKind; 3] = [
    DataKind::Activations,
    DataKind::Weights,
    DataKind::Gradients,
];

/// All charts of one analysis, along its metric entries and then by kind of data.
#[derive(Clone, Default)]
pub struct Panels {
    /// The metric entries, in order.
    entries: Vec<EntryId>,
    /// Whether lines say which stack of layers they are of.
    names_stacks: bool,
    /// The charts. Each is a signal of its own: a number concerns one of them only.
    pub all: Vec<PanelSlot>,
    /// What their lines are of.
    pub seen: Subjects,
}

/// The signal of one chart.
pub type PanelSignal = ArcRwSignal<Panel>;

/// One chart of several.
#[derive(Clone)]
pub struct PanelSlot {
    /// Which it is.
    pub id: PanelId,
    /// What it shows.
    pub panel: PanelSignal,
}

/// What taking in series changed.
#[derive(Default)]
pub struct Added {
    /// The charts that got numbers. They were not told.
    pub changed: Vec<(PanelId, PanelSignal)>,
    /// Whether there are charts, components, layers or heads that were not there before.
    pub has_grown: bool,
}

/// One chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub id: PanelId,
    /// Its lines, sorted by component, layer and head.
    pub lines: Vec<Curve>,
    /// How many lines have no place here: where x is the layer, those of tensors outside of layers.
    pub left_out: usize,
}

impl Panels {
    /// No charts yet, of an analysis with these entries.
    #[must_use]
    pub fn of(results: &Results) -> Self {
        Self {
            entries: results.entries.iter().map(Entry::id).collect(),
            names_stacks: results.names_stacks(),
            all: Vec::new(),
            seen: Subjects::default(),
        }
    }

    /// Takes in series, in place of earlier ones of the same. Charts that get some are not told;
    /// the caller does that.
    pub fn add_all<'a>(&mut self, series: impl IntoIterator<Item = &'a Arc<Series>>) -> Added {
        let mut added = Added::default();
        let mut changed = BTreeSet::new();
        let mut places = HashMap::new();
        let mut last: Option<usize> = None;
        for one in series {
            let subject = one.id.subject(self.names_stacks);
            added.has_grown |= self.seen.add(&subject);
            // Series of one chart come one after the other.
            let same = last.filter(|&place| self.all[place].id.has(&one.id));
            let place = same.unwrap_or_else(|| {
                *places.entry(one.id.panel()).or_insert_with_key(|id| {
                    self.place_of(id).unwrap_or_else(|| {
                        added.has_grown = true;
                        self.all.push(PanelSlot::new(id.clone()));
                        self.all.len() - 1
                    })
                })
            });
            last = Some(place);
            let panel = &self.all[place].panel;
            panel.update_untracked(|panel| panel.add(subject, one));
            changed.insert(place);
        }
        let slots = changed.into_iter().map(|place| self.all[place].clone());
        added.changed = slots.map(|slot| (slot.id, slot.panel)).collect();
        let entries = &self.entries;
        sort_by_key(&mut self.all, |slot| order(&slot.id, entries));
        added
    }

    /// The labels of all metric entries that have charts, each once, in order.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let labels = self.all.iter().map(|slot| slot.id.entry.label.to_string());
        let mut labels: Vec<String> = labels.collect();
        labels.dedup();
        labels
    }

    fn place_of(&self, id: &PanelId) -> Option<usize> {
        self.all.iter().position(|slot| slot.id == *id)
    }
}

/// A chart's place among others: entries as in the config, then activations, weights, gradients.
fn order(id: &PanelId, entries: &[EntryId]) -> (usize, usize) {
    let entry = entries.iter().position(|entry| *entry == id.entry);
    let kind = KINDS.iter().position(|kind| *kind == id.kind);
    (entry.unwrap_or(entries.len()), kind.unwrap_or(KINDS.len()))
}

impl PanelSlot {
    fn new(id: PanelId) -> Self {
        let panel = ArcRwSignal::new(Panel {
            id: id.clone(),
            ..Panel::default()
        });
        Self { id, panel }
    }
}

impl Panel {
    /// With the lines of layers only, or with those of heads only; with all lines where it does
    /// not have both.
    #[must_use]
    pub fn only(&self, lines: Lines) -> Self {
        let is_wanted = |line: &&Curve| line.subject.head.is_some() == (lines == Lines::Heads);
        let mut wanted: Vec<Curve> = self.lines.iter().filter(is_wanted).cloned().collect();
        if wanted.is_empty() {
            wanted.clone_from(&self.lines);
        }
        Self {
            id: self.id.clone(),
            lines: wanted,
            left_out: self.left_out,
        }
    }

    /// With the lines of heads only; without any where it has none.
    #[must_use]
    pub fn heads(&self) -> Self {
        let is_wanted = |line: &&Curve| line.subject.head.is_some();
        Self {
            id: self.id.clone(),
            lines: self.lines.iter().filter(is_wanted).cloned().collect(),
            left_out: self.left_out,
        }
    }

    /// With layers instead of steps along x, for a single step: a line for each component, or for
    /// each head of it.
    #[must_use]
    pub fn over_layers(&self) -> Self {
        let over = over_layers(&self.lines);
        Self {
            id: self.id.clone(),
            lines: over.curves,
            left_out: over.left_out,
        }
    }

    /// The line of a subject.
    #[must_use]
    pub fn line(&self, subject: &Subject) -> Option<&Curve> {
        let place = self
            .lines
            .binary_search_by(|line| line.subject.cmp(subject))
            .ok()?;
        self.lines.get(place)
    }

    /// The steps at which any of its lines has a point, ascending.
    #[must_use]
    pub fn steps(&self) -> Vec<u64> {
        steps(&self.lines)
    }

    /// Whether any line is of a head.
    #[must_use]
    pub fn has_heads(&self) -> bool {
        self.lines.iter().any(|line| line.subject.head.is_some())
    }

    fn add(&mut self, subject: Subject, series: &Arc<Series>) {
        let place = self
            .lines
            .binary_search_by(|line| line.subject.cmp(&subject));
        let series = Arc::clone(series);
        match place {
            Ok(place) => self.lines[place].series = series,
            Err(place) => self.lines.insert(place, Curve { subject, series }),
        }
    }
}
