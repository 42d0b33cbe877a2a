//! Records, arranged as charts show them.

use std::collections::{BTreeSet, HashMap};

use leptos::prelude::*;
use trainscope_analysis::protocol::Record;
use trainscope_analysis::results::{Entry, Results};

/// In the order in which charts of one metric are shown.
const DATA_TYPES: [&str; 3] = ["activations", "weights", "gradients"];

/// All charts of one analysis, along its metric entries and then by kind of data.
#[derive(Clone, Default)]
pub struct Panels {
    /// Labels and splits of the metric entries, in order.
    entries: Vec<(String, String)>,
    /// The charts. Each is a signal of its own: a record concerns one of them only.
    pub all: Vec<PanelSlot>,
}

/// The signal of one chart.
pub type PanelSignal = ArcRwSignal<Panel>;

/// One chart of several.
#[derive(Clone)]
pub struct PanelSlot {
    /// Which it is.
    pub key: PanelKey,
    /// What it shows.
    pub panel: PanelSignal,
}

/// One number of one metric entry, of one kind of data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PanelKey {
    /// The metric entry's label.
    pub label: String,
    /// Which of the metric's numbers, where it gives several; else empty.
    pub output: String,
    /// `train` or `val`.
    pub split: String,
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
}

/// What adding records changed.
#[derive(Default)]
pub struct Added {
    /// The charts that got records. They were not told.
    pub changed: Vec<PanelSignal>,
    /// Whether charts were added.
    pub has_new_panels: bool,
}

/// One chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub key: PanelKey,
    /// Its lines, sorted by component, layer and head.
    pub lines: Vec<Line>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is of.
    pub subject: Subject,
    /// (step, value) by ascending step; none where the value does not exist.
    pub points: Vec<(u64, Option<f64>)>,
}

/// A component of one layer, or one head of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// A suffix, or the component's name.
    pub component: String,
    /// The layer.
    pub layer: u64,
    /// The head; none for the layer's own.
    pub head: Option<u64>,
}

impl Panels {
    /// No charts yet, of an analysis with these entries.
    #[must_use]
    pub fn of(results: &Results) -> Self {
        let named = |entry: &Entry| (entry.label.clone(), entry.split.clone());
        Self {
            entries: results.entries.iter().map(named).collect(),
            all: Vec::new(),
        }
    }

    /// Takes in records. Charts that get some are not told; the caller does that.
    pub fn add_all(&mut self, records: Vec<Record>) -> Added {
        let mut added = Added::default();
        let mut changed = BTreeSet::new();
        let mut at = HashMap::new();
        for record in records {
            let key = PanelKey::of(&record);
            let place = *at.entry(key.clone()).or_insert_with(|| self.place_of(&key));
            let place = place.unwrap_or_else(|| {
                added.has_new_panels = true;
                self.all.push(PanelSlot::new(key.clone()));
                at.insert(key, Some(self.all.len() - 1));
                self.all.len() - 1
            });
            self.all[place]
                .panel
                .update_untracked(|panel| panel.add(record));
            changed.insert(place);
        }
        let signals = changed
            .into_iter()
            .map(|place| self.all[place].panel.clone());
        added.changed = signals.collect();
        let entries = std::mem::take(&mut self.entries);
        self.all.sort_by_key(|slot| slot.key.order(&entries));
        self.entries = entries;
        added
    }

    /// The labels of all metric entries that have charts, each once, in order.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = self.all.iter().map(|slot| slot.key.label.clone()).collect();
        labels.dedup();
        labels
    }

    fn place_of(&self, key: &PanelKey) -> Option<usize> {
        self.all.iter().position(|slot| slot.key == *key)
    }
}

impl PanelSlot {
    fn new(key: PanelKey) -> Self {
        let panel = ArcRwSignal::new(Panel {
            key: key.clone(),
            lines: Vec::new(),
        });
        Self { key, panel }
    }
}

impl PanelKey {
    fn of(record: &Record) -> Self {
        Self {
            label: record.label.clone(),
            output: record.output.clone(),
            split: record.split.clone(),
            data_type: record.data_type.clone(),
        }
    }

    /// What the chart is called: the label, and which of its numbers.
    #[must_use]
    pub fn title(&self) -> String {
        if self.output.is_empty() {
            return self.label.clone();
        }
        format!("{} {}", self.label, self.output)
    }

    /// Its place among charts: entries as in the config, then activations, weights, gradients.
    fn order(&self, entries: &[(String, String)]) -> (usize, usize) {
        let entry = entries
            .iter()
            .position(|(label, split)| *label == self.label && *split == self.split);
        let kind = DATA_TYPES.iter().position(|name| *name == self.data_type);
        (
            entry.unwrap_or(entries.len()),
            kind.unwrap_or(DATA_TYPES.len()),
        )
    }
}

impl Panel {
    /// The components of its lines, each once, in order.
    #[must_use]
    pub fn components(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .lines
            .iter()
            .map(|line| line.subject.component.as_str())
            .collect();
        names.dedup();
        names
    }

    /// The steps at which any of its lines has a point, ascending.
    #[must_use]
    pub fn steps(&self) -> Vec<u64> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let mut steps: Vec<u64> = points.map(|point| point.0).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Whether any line is of a head.
    #[must_use]
    pub fn has_heads(&self) -> bool {
        self.lines.iter().any(|line| line.subject.head.is_some())
    }

    fn add(&mut self, record: Record) {
        let subject = Subject {
            component: record.component,
            layer: record.layer,
            head: record.head,
        };
        let place = self
            .lines
            .binary_search_by(|line| line.subject.cmp(&subject));
        let index = place.unwrap_or_else(|index| {
            self.lines.insert(
                index,
                Line {
                    subject,
                    points: Vec::new(),
                },
            );
            index
        });
        self.lines[index].add(record.step, record.value);
    }
}

impl Line {
    /// The value at a step: none where there is no point or the point has no value.
    #[must_use]
    pub fn at(&self, step: u64) -> Option<f64> {
        let index = self
            .points
            .binary_search_by_key(&step, |point| point.0)
            .ok()?;
        self.points[index].1
    }

    fn add(&mut self, step: u64, value: Option<f64>) {
        match self.points.binary_search_by_key(&step, |point| point.0) {
            Ok(index) => self.points[index].1 = value,
            Err(index) => self.points.insert(index, (step, value)),
        }
    }
}

impl Subject {
    /// `layer 0 · v_proj`, `layer 0 · ov_circuit · head 1`.
    #[must_use]
    pub fn name(&self) -> String {
        let component = short(&self.component);
        match self.head {
            Some(head) => format!("layer {} · {component} · head {head}", self.layer),
            None => format!("layer {} · {component}", self.layer),
        }
    }
}

/// The last part of a suffix: `v_proj` of `attention.v_proj`.
#[must_use]
pub fn short(component: &str) -> &str {
    component
        .rsplit_once('.')
        .map_or(component, |(_, last)| last)
}
