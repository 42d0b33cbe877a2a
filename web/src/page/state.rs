//! What the page knows, as signals.

use leptos::prelude::*;
use trainscope_analysis::protocol::{Cost, Event, Progress};
use trainscope_plot::{Scale, Theme};

use crate::message::{Answer, Request, RunSummary};
use crate::panel::{Panel, Panels};
use crate::worker::ComputeWorker;

use super::surroundings;

/// Everything that is shown. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub phase: RwSignal<Phase>,
    /// What was found; none until a run is open.
    pub run: RwSignal<Option<RunSummary>>,
    pub cost: RwSignal<Cost>,
    pub done_units: RwSignal<u64>,
    pub read_bytes: RwSignal<u64>,
    /// How many records came.
    pub numbers: RwSignal<u64>,
    pub seconds: RwSignal<f64>,
    pub warnings: RwSignal<Vec<String>>,
    pub panels: RwSignal<Panels>,
    /// The metric whose charts are shown; none for all.
    pub metric: RwSignal<Option<String>>,
    /// The step that all legends read out; none for the last.
    pub cursor: RwSignal<Option<u64>>,
    pub x_scale: RwSignal<Scale>,
    pub y_scale: RwSignal<Scale>,
    /// Whether lines are heads rather than layers, where there are heads.
    pub heads: RwSignal<bool>,
    pub theme: ReadSignal<Theme>,
    worker: StoredValue<Option<ComputeWorker>, LocalStorage>,
    started: StoredValue<f64>,
}

/// How far the analysis is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// Nothing was asked for.
    Idle,
    /// Files are on their way: bytes so far, of so many.
    Fetching(u64, u64),
    /// Numbers are on their way.
    Computing,
    /// All are there.
    Done,
    /// It could not be done; in words.
    Failed(String),
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            phase: RwSignal::new(Phase::Idle),
            run: RwSignal::new(None),
            cost: RwSignal::new(Cost::default()),
            done_units: RwSignal::new(0),
            read_bytes: RwSignal::new(0),
            numbers: RwSignal::new(0),
            seconds: RwSignal::new(0.0),
            warnings: RwSignal::new(Vec::new()),
            panels: RwSignal::new(Panels::default()),
            metric: RwSignal::new(None),
            cursor: RwSignal::new(None),
            x_scale: RwSignal::new(Scale::LogFromZero),
            y_scale: RwSignal::new(Scale::Linear),
            heads: RwSignal::new(false),
            theme: surroundings::theme(),
            worker: StoredValue::new_local(None),
            started: StoredValue::new(0.0),
        }
    }

    /// The state of the page that the caller is part of.
    pub(super) fn here() -> Self {
        expect_context()
    }

    /// Starts over with the demo run.
    pub(super) fn open_demo(self) {
        self.phase.set(Phase::Fetching(0, crate::demo::bytes()));
        self.started.set_value(surroundings::now_seconds());
        match ComputeWorker::start(Request::Demo, move |answer| self.hear(answer)) {
            Ok(worker) => self.worker.set_value(Some(worker)),
            Err(message) => self.phase.set(Phase::Failed(message)),
        }
    }

    /// Ends the computation at once; what is there stays.
    pub(super) fn cancel(self) {
        self.worker.set_value(None);
        self.finish(Phase::Done);
    }

    /// The charts of the chosen metric, or all.
    pub(super) fn shown_panels(self) -> Vec<Panel> {
        let metric = self.metric.get();
        let is_shown = |panel: &&Panel| metric.as_ref().is_none_or(|label| *label == panel.label);
        self.panels
            .with(|panels| panels.0.iter().filter(is_shown).cloned().collect())
    }

    fn hear(self, answer: Answer) {
        match answer {
            Answer::Ready => {}
            Answer::Fetched { bytes, of } => self.phase.set(Phase::Fetching(bytes, of)),
            Answer::Opened(run) => {
                self.run.set(Some(run));
                self.phase.set(Phase::Computing);
            }
            Answer::Events { events } => self.take_in(events),
            Answer::Failed { message } => self.finish(Phase::Failed(message)),
        }
    }

    fn take_in(self, events: Vec<Event>) {
        let mut records = Vec::new();
        for event in events {
            match event {
                Event::Planned(cost) => self.cost.set(cost),
                Event::Progress(progress) => self.advance(progress),
                Event::Record(record) => records.push(record),
                Event::Warning { message } => {
                    self.warnings.update(|warnings| warnings.push(message));
                }
                Event::Done => self.finish(Phase::Done),
            }
        }
        if !records.is_empty() {
            self.numbers
                .update(|numbers| *numbers += records.len() as u64);
            self.panels
                .update(|panels| records.into_iter().for_each(|record| panels.add(record)));
        }
    }

    fn advance(self, progress: Progress) {
        self.done_units.update(|done| *done += 1);
        self.read_bytes
            .update(|bytes| *bytes += progress.read_bytes);
    }

    fn finish(self, phase: Phase) {
        self.seconds
            .set(surroundings::now_seconds() - self.started.get_value());
        self.phase.set(phase);
    }
}
