//! Everything an analysis found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ckptscope_vocabulary::{ModelShape, without_wrappers};
use serde::{Deserialize, Serialize};

use crate::order::Order;
use crate::{Entry, EntryId, Series, SeriesId, SeriesPoint, SeriesSet, Text};

/// Everything an analysis found: the contents of `results.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Version of the program that computed it.
    pub program: String,
    /// The analysis' name.
    pub analysis_name: String,
    /// The run that was read, as it was named.
    pub source: String,
    /// The names of the runs, where several are compared; else none.
    pub runs: Vec<String>,
    /// The files that were read, by path, where whoever analysed could tell; not the time of
    /// their last change, so that the same bytes give the same results.
    pub inputs: Vec<Input>,
    /// The model's dimensions, where they were found.
    pub model: Option<ModelShape>,
    /// The steps computed, ascending.
    pub steps: Vec<u64>,
    /// Steps that were asked for and do not exist.
    pub missing_steps: Vec<u64>,
    /// Steps that were asked for and cannot be read, ascending.
    pub unreadable_steps: Vec<UnreadableStep>,
    /// The metric entries, in the config's order.
    pub entries: Vec<Entry>,
    /// What was skipped or assumed.
    pub warnings: Vec<String>,
    /// The config, as it was written.
    pub config: String,
    /// Every number; [`Results::sort`] brings the series into the order of entries, components,
    /// layers and heads.
    pub series: SeriesSet,
}

/// The status' code of numbers whose file cannot be read.
pub const UNREADABLE: &str = "unreadable";

/// A step that was asked for and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnreadableStep {
    /// The step.
    pub step: u64,
    /// Why, in words.
    pub reason: String,
}

/// One file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Input {
    /// Its path in the run.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// The commit it was read of, where it lies in a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What names its content where it lies, without its having been read whole: the Hub's
    /// object id (SHA-256 of large files, git's SHA-1 of others). None for files of a disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
}

impl Results {
    /// Brings the series into the order of entries, components, runs, layers, experts and
    /// heads.
    pub fn sort(&mut self) {
        let order = Order::of(&self.entries, &self.runs);
        self.series.sort_by_cached_key(|id| order.key(id));
    }

    /// Warns of every step whose file proved broken while its tensors were read; once of each, with
    /// the first reason. Its numbers have the status [`UNREADABLE`].
    pub fn tell_unreadable(&mut self) {
        let mut by_step: BTreeMap<u64, (usize, Text)> = BTreeMap::new();
        for point in self.series.iter().flat_map(|series| series.points()) {
            let broken = point.status.filter(|status| *status.code == *UNREADABLE);
            if let Some(status) = broken {
                let told = by_step.entry(point.step);
                told.or_insert_with(|| (0, Text::clone(&status.text))).0 += 1;
            }
        }
        for (step, (count, reason)) in by_step {
            let missing = match count {
                1 => "1 number is missing".to_owned(),
                _ => format!("{count} numbers are missing"),
            };
            let warning = format!("step {step}: {missing}: {reason}");
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }

    /// Everything but the numbers.
    #[must_use]
    pub fn without_numbers(&self) -> Self {
        Self {
            series: SeriesSet::default(),
            program: self.program.clone(),
            analysis_name: self.analysis_name.clone(),
            source: self.source.clone(),
            runs: self.runs.clone(),
            inputs: self.inputs.clone(),
            model: self.model.clone(),
            steps: self.steps.clone(),
            missing_steps: self.missing_steps.clone(),
            unreadable_steps: self.unreadable_steps.clone(),
            entries: self.entries.clone(),
            warnings: self.warnings.clone(),
            config: self.config.clone(),
        }
    }

    /// Whether some run has numbers of several stacks of layers, so that tables and charts say which
    /// one a number is of. Wrappers make no other stack.
    #[must_use]
    pub fn names_stacks(&self) -> bool {
        let measured = self.entries.iter().flat_map(|entry| &entry.components);
        let named = measured.filter(|component| !component.stack.is_empty());
        let mut named = named.map(|component| without_wrappers(&component.stack));
        let first = named.next();
        if named.any(|stack| Some(stack) != first) {
            return true;
        }
        let mut stacks = HashMap::new();
        let mut of_layers = self.series.iter().filter(|it| it.id.layer.is_some());
        of_layers.any(|series| {
            let id = &series.id;
            let first = *stacks.entry(id.run.as_deref()).or_insert(&*id.stack);
            first != &*id.stack && without_wrappers(first) != without_wrappers(&id.stack)
        })
    }

    /// Whether it has numbers of experts, so that tables say which one a number is of.
    #[must_use]
    pub fn names_experts(&self) -> bool {
        self.series.iter().any(|series| series.id.expert.is_some())
    }

    /// The series of an entry, in their order.
    pub fn of_entry<'a>(&'a self, entry: &'a EntryId) -> impl Iterator<Item = &'a Arc<Series>> {
        self.series
            .iter()
            .filter(|series| series.id.entry == *entry)
    }

    /// Every number as tables list them: by entry, then by step, then in the order of series.
    pub fn rows(&self) -> impl Iterator<Item = (&SeriesId, SeriesPoint<'_>)> {
        self.by_entry().flat_map(rows_by_step)
    }

    /// The rows of one entry.
    pub(crate) fn rows_of<'a>(
        &'a self,
        entry: &'a EntryId,
    ) -> impl Iterator<Item = (&'a SeriesId, SeriesPoint<'a>)> {
        let is_its = |series: &&[Arc<Series>]| {
            let first = series.first();
            first.is_some_and(|one| one.id.entry == *entry)
        };
        self.by_entry().filter(is_its).flat_map(rows_by_step)
    }

    fn by_entry(&self) -> impl Iterator<Item = &[Arc<Series>]> {
        let series = self.series.as_slice();
        series.chunk_by(|one, other| one.id.entry == other.id.entry)
    }
}

/// The numbers of series of one entry, by step.
fn rows_by_step(series: &[Arc<Series>]) -> impl Iterator<Item = (&SeriesId, SeriesPoint<'_>)> {
    let steps = series.iter().flat_map(|one| one.steps());
    let steps: BTreeSet<u64> = steps.copied().collect();
    let at = move |step| {
        let points = series.iter().map(move |one| (one, one.point(step)));
        points.filter_map(|(one, point)| Some((&one.id, point?)))
    };
    steps.into_iter().flat_map(at)
}
