//! Records, arranged as charts show them.

pub mod chart;
pub mod look;
pub mod subject;
pub mod summary;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ckptscope_analysis::protocol::Record;
use ckptscope_analysis::results::{Entry, Results};
use ckptscope_report::curve::Key;
use leptos::prelude::*;

pub use ckptscope_report::curve::short;
pub use ckptscope_report::title;
pub use subject::Subject;

use crate::choices::Lines;

/// In the order in which charts of one metric are shown.
const DATA_TYPES: [&str; 3] = ["activations", "weights", "gradients"];

/// All charts of one analysis, along its metric entries and then by kind of data.
#[derive(Clone, Default)]
pub struct Panels {
    /// Labels and splits of the metric entries, in order.
    entries: Vec<(String, String)>,
    /// The charts. Each is a signal of its own: a record concerns one of them only.
    pub all: Vec<PanelSlot>,
    /// What their lines are of.
    pub seen: Seen,
}

/// The components, layers and heads of all charts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Suffixes and names of components.
    pub components: BTreeSet<String>,
    /// Layers.
    pub layers: BTreeSet<u64>,
    /// Heads.
    pub heads: BTreeSet<u64>,
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
    /// Whether there are charts, components, layers or heads that were not there before.
    pub has_grown: bool,
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
    /// What there is to know of some values, or why they do not exist, by step.
    pub statuses: BTreeMap<u64, String>,
}

impl Panels {
    /// No charts yet, of an analysis with these entries.
    #[must_use]
    pub fn of(results: &Results) -> Self {
        let named = |entry: &Entry| (entry.label.clone(), entry.split.clone());
        Self {
            entries: results.entries.iter().map(named).collect(),
            all: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// Takes in records. Charts that get some are not told; the caller does that.
    pub fn add_all(&mut self, records: Vec<Record>) -> Added {
        let mut added = Added::default();
        let mut changed = BTreeSet::new();
        let mut places = HashMap::new();
        let mut last: Option<usize> = None;
        for record in records {
            added.has_grown |= self.seen.add(&record);
            // Records of one chart come one after the other.
            let same = last.filter(|&place| self.all[place].key.is_of(&record));
            let place = same.unwrap_or_else(|| {
                let key = PanelKey::of(&record);
                *places.entry(key).or_insert_with_key(|key| {
                    self.place_of(key).unwrap_or_else(|| {
                        added.has_grown = true;
                        self.all.push(PanelSlot::new(key.clone()));
                        self.all.len() - 1
                    })
                })
            });
            last = Some(place);
            let panel = &self.all[place].panel;
            panel.update_untracked(|panel| panel.add(record));
            changed.insert(place);
        }
        let signals = changed
            .into_iter()
            .map(|place| self.all[place].panel.clone());
        added.changed = signals.collect();
        let entries = &self.entries;
        self.all.sort_by_key(|slot| slot.key.order(entries));
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

impl Seen {
    /// Whether the record is of something new.
    fn add(&mut self, record: &Record) -> bool {
        let is_new_layer = self.layers.insert(record.layer);
        let is_new_head = record.head.is_some_and(|head| self.heads.insert(head));
        let is_new_component = !self.components.contains(&record.component);
        if is_new_component {
            self.components.insert(record.component.clone());
        }
        is_new_layer || is_new_head || is_new_component
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

    /// Whether a record belongs to the chart.
    #[must_use]
    pub fn is_of(&self, record: &Record) -> bool {
        self.label == record.label
            && self.output == record.output
            && self.split == record.split
            && self.data_type == record.data_type
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

impl<'a> From<&'a PanelKey> for Key<'a> {
    fn from(key: &'a PanelKey) -> Self {
        Self {
            label: &key.label,
            split: &key.split,
            output: &key.output,
            data_type: &key.data_type,
        }
    }
}

impl Panel {
    /// With the lines of layers only, or with those of heads only; with all lines where it does
    /// not have both.
    #[must_use]
    pub fn only(&self, lines: Lines) -> Self {
        let is_wanted = |line: &&Line| line.subject.head.is_some() == (lines == Lines::Heads);
        let mut wanted: Vec<Line> = self.lines.iter().filter(is_wanted).cloned().collect();
        if wanted.is_empty() {
            wanted.clone_from(&self.lines);
        }
        Self {
            key: self.key.clone(),
            lines: wanted,
        }
    }

    /// With layers instead of steps along x, for a single step: a line for each component, or for
    /// each head of it.
    #[must_use]
    pub fn over_layers(&self) -> Self {
        let mut lines: BTreeMap<Subject, Line> = BTreeMap::new();
        for line in &self.lines {
            let (Some(layer), Some(&(step, value))) = (line.subject.layer, line.points.last())
            else {
                continue;
            };
            let subject = Subject {
                layer: None,
                ..line.subject.clone()
            };
            let status = line.statuses.get(&step).cloned();
            let over = lines
                .entry(subject)
                .or_insert_with_key(|subject| Line::of(subject.clone()));
            over.add(layer, value, status);
        }
        Self {
            key: self.key.clone(),
            lines: lines.into_values().collect(),
        }
    }

    /// The line of a subject.
    #[must_use]
    pub fn line(&self, subject: &Subject) -> Option<&Line> {
        let place = self
            .lines
            .binary_search_by(|line| line.subject.cmp(subject))
            .ok()?;
        self.lines.get(place)
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
            layer: Some(record.layer),
            head: record.head,
        };
        let place = self
            .lines
            .binary_search_by(|line| line.subject.cmp(&subject));
        let index = place.unwrap_or_else(|index| {
            self.lines.insert(index, Line::of(subject));
            index
        });
        self.lines[index].add(record.step, record.value, record.status);
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

    fn of(subject: Subject) -> Self {
        Self {
            subject,
            points: Vec::new(),
            statuses: BTreeMap::new(),
        }
    }

    fn add(&mut self, step: u64, value: Option<f64>, status: Option<String>) {
        match self.points.binary_search_by_key(&step, |point| point.0) {
            Ok(index) => self.points[index].1 = value,
            Err(index) => self.points.insert(index, (step, value)),
        }
        match status {
            Some(status) => self.statuses.insert(step, status),
            None => self.statuses.remove(&step),
        };
    }
}
