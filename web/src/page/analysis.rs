//! An analysis under way, or done.
//!
//! Records are kept by lane, because a lane whose worker dies begins again. Charts learn of new
//! records one at a time and not more often than a person can see, so that the main thread stays
//! free.

use leptos::prelude::*;
use leptos::task::spawn_local;
use trainscope_analysis::protocol::{Cost, Event, Progress, Record};
use trainscope_analysis::results::Results;

use super::desk::Desk;
use super::network::Meter;
use super::surroundings;
use crate::message::{Answer, NetworkNews, Planned, Request};
use crate::panel::Panels;
use crate::pool::{LaneNews, Pool};

/// How long charts rest between two updates, in milliseconds.
const REST_MILLISECONDS: i32 = 120;

/// What is being computed, or was. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct Analysis {
    pub phase: RwSignal<Phase>,
    /// The results without their records; none until there is a plan.
    pub results: RwSignal<Option<Results>>,
    pub cost: RwSignal<Cost>,
    pub tally: RwSignal<Tally>,
    /// What was skipped, assumed or tried again.
    pub warnings: RwSignal<Vec<String>>,
    /// Lanes that could not be computed, in words.
    pub failures: RwSignal<Vec<String>>,
    /// The charts.
    pub panels: RwSignal<Panels>,
    desk: Desk,
    pool: StoredValue<Option<Pool>, LocalStorage>,
    lanes: StoredValue<Vec<Lane>>,
    /// Charts whose records have come and that were not told.
    feed: StoredValue<Feed>,
    started: StoredValue<f64>,
    /// What the run had taken of the network before.
    before: StoredValue<NetworkNews>,
    /// Counts analyses, so that what an earlier one still says is passed over.
    number: StoredValue<u64>,
}

/// How far an analysis is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// Nothing was asked for.
    Idle,
    /// Catalogs are read.
    Planning,
    /// Numbers are on their way.
    Computing,
    /// All are there, after so many seconds.
    Done(f64),
    /// The person stopped it; what is there stays.
    Cancelled,
    /// It could not be done; in words.
    Failed(String),
}

/// How much is done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub lanes: u64,
    pub units: u64,
    pub read_bytes: u64,
    pub numbers: u64,
    /// Seconds since the start.
    pub seconds: f64,
    /// What it took of the network.
    pub network: NetworkNews,
}

/// What came of one lane.
#[derive(Clone, Default)]
struct Lane {
    name: String,
    records: Vec<Record>,
    units: u64,
    read_bytes: u64,
    is_over: bool,
}

/// What charts have not been told yet.
#[derive(Clone, Default)]
struct Feed {
    records: Vec<Record>,
    is_running: bool,
}

impl Analysis {
    pub(super) fn new(desk: Desk) -> Self {
        Self {
            phase: RwSignal::new(Phase::Idle),
            results: RwSignal::new(None),
            cost: RwSignal::new(Cost::default()),
            tally: RwSignal::new(Tally::default()),
            warnings: RwSignal::new(Vec::new()),
            failures: RwSignal::new(Vec::new()),
            panels: RwSignal::new(Panels::default()),
            desk,
            pool: StoredValue::new_local(None),
            lanes: StoredValue::new(Vec::new()),
            feed: StoredValue::new(Feed::default()),
            started: StoredValue::new(0.0),
            before: StoredValue::new(NetworkNews::default()),
            number: StoredValue::new(0),
        }
    }

    /// Whether it is under way.
    pub(super) fn is_busy(self) -> bool {
        matches!(self.phase.get(), Phase::Planning | Phase::Computing)
    }

    /// Forgets everything.
    pub(super) fn clear(self) {
        self.number.update_value(|number| *number += 1);
        self.pool.set_value(None);
        self.lanes.set_value(Vec::new());
        self.feed.update_value(|feed| feed.records.clear());
        self.phase.set(Phase::Idle);
        self.results.set(None);
        self.cost.set(Cost::default());
        self.tally.set(Tally::default());
        self.warnings.set(Vec::new());
        self.failures.set(Vec::new());
        self.panels.set(Panels::default());
    }

    /// Computes the analysis of a config.
    pub(super) fn start(self, text: String) {
        self.clear();
        self.phase.set(Phase::Planning);
        self.started.set_value(surroundings::now_seconds());
        self.before.set_value(self.meter().get_untracked());
        let number = self.number.get_value();
        let workers = self.desk.pool_size.get_untracked();
        spawn_local(async move {
            let answer = self.desk.ask(Request::Plan { text, workers }).await;
            if self.number.get_value() != number {
                return;
            }
            match answer {
                Ok(Answer::Planned(planned)) => self.compute(*planned),
                Ok(_) => {}
                Err(message) => self.phase.set(Phase::Failed(message)),
            }
        });
    }

    /// Stops at once; what is there stays.
    pub(super) fn cancel(self) {
        if self.phase.get_untracked() == Phase::Planning {
            self.desk.interrupt();
        }
        self.number.update_value(|number| *number += 1);
        self.pool.set_value(None);
        self.phase.set(Phase::Cancelled);
    }

    /// Shows results that were computed before.
    pub(super) fn show(self, mut results: Results) {
        self.clear();
        let records = std::mem::take(&mut results.records);
        let lane = Lane {
            is_over: true,
            ..Lane::default()
        };
        self.lanes.set_value(vec![lane]);
        self.begin(results);
        self.take_records(0, records);
        self.phase.set(Phase::Done(0.0));
    }

    /// The results with all records that are there, in their order.
    pub(super) fn with_records(self) -> Option<Results> {
        let mut results = self.results.get_untracked()?;
        self.lanes.with_value(|lanes| {
            let records = lanes.iter().flat_map(|lane| lane.records.iter().cloned());
            results.records = records.collect();
        });
        results.sort();
        Some(results)
    }

    fn begin(self, results: Results) {
        self.warnings.set(results.warnings.clone());
        self.panels.set(Panels::of(&results));
        self.results.set(Some(results));
    }

    fn compute(self, planned: Planned) {
        let named = |lane: &crate::message::PlannedLane| Lane {
            name: lane.name.clone(),
            ..Lane::default()
        };
        self.lanes
            .set_value(planned.lanes.iter().map(named).collect());
        self.cost.set(planned.cost);
        self.begin(planned.results);
        self.phase.set(Phase::Computing);
        let number = self.number.get_value();
        let pool = self.desk.compute(planned.lanes, move |lane, news| {
            if self.number.get_value() == number {
                self.hear(lane, news);
            }
        });
        self.pool.set_value(Some(pool));
    }

    fn hear(self, lane: usize, news: LaneNews) {
        match news {
            LaneNews::Events(events) => self.take_in(lane, events),
            LaneNews::Network(news) => {
                self.meter().add(news);
                self.count();
            }
            LaneNews::Done => self.end_lane(lane),
            LaneNews::Restarted(reason) => self.restart(lane, &reason),
            LaneNews::Failed(message) => {
                let name = self.name_of(lane);
                self.failures
                    .update(|failures| failures.push(format!("{name}: {message}")));
                self.end_lane(lane);
            }
        }
    }

    fn take_in(self, lane: usize, events: Vec<Event>) {
        let mut records = Vec::new();
        for event in events {
            match event {
                Event::Progress(progress) => self.advance(lane, progress),
                Event::Record(record) => records.push(record),
                Event::Warning { message } => {
                    self.warnings.update(|warnings| warnings.push(message));
                }
                Event::Planned(_) | Event::Done => {}
            }
        }
        self.take_records(lane, records);
        self.count();
    }

    fn take_records(self, lane: usize, records: Vec<Record>) {
        self.feed
            .update_value(|feed| feed.records.extend(records.iter().cloned()));
        self.lanes.update_value(|lanes| {
            if let Some(lane) = lanes.get_mut(lane) {
                lane.records.extend(records);
            }
        });
        self.feed_charts();
    }

    fn advance(self, lane: usize, progress: Progress) {
        self.lanes.update_value(|lanes| {
            if let Some(lane) = lanes.get_mut(lane) {
                lane.units += 1;
                lane.read_bytes += progress.read_bytes;
            }
        });
    }

    fn end_lane(self, lane: usize) {
        self.lanes.update_value(|lanes| {
            if let Some(lane) = lanes.get_mut(lane) {
                lane.is_over = true;
            }
        });
        self.count();
        if self
            .lanes
            .with_value(|lanes| lanes.iter().all(|lane| lane.is_over))
        {
            self.pool.set_value(None);
            let seconds = surroundings::now_seconds() - self.started.get_value();
            self.phase.set(Phase::Done(seconds));
        }
    }

    /// A lane lost its worker and begins again: what it told counts no more.
    fn restart(self, lane: usize, reason: &str) {
        let name = self.name_of(lane);
        self.warnings.update(|warnings| {
            warnings.push(format!(
                "{name} was begun again: its web worker stopped ({reason})"
            ));
        });
        let mut rest = Vec::new();
        self.lanes.update_value(|lanes| {
            if let Some(lane) = lanes.get_mut(lane) {
                (lane.units, lane.read_bytes) = (0, 0);
                lane.records.clear();
            }
            rest = lanes.iter().flat_map(|lane| lane.records.clone()).collect();
        });
        if let Some(results) = self.results.get_untracked() {
            self.panels.set(Panels::of(&results));
        }
        self.feed.update_value(|feed| feed.records = rest);
        self.feed_charts();
    }

    /// What the open run takes of the network.
    fn meter(self) -> Meter {
        self.desk.meter.get_untracked()
    }

    fn name_of(self, lane: usize) -> String {
        self.lanes.with_value(|lanes| {
            let name = lanes.get(lane).map(|lane| lane.name.clone());
            name.unwrap_or_default()
        })
    }

    fn count(self) {
        let mut tally = self.lanes.with_value(|lanes| Tally {
            lanes: lanes.iter().filter(|lane| lane.is_over).count() as u64,
            units: lanes.iter().map(|lane| lane.units).sum(),
            read_bytes: lanes.iter().map(|lane| lane.read_bytes).sum(),
            numbers: lanes.iter().map(|lane| lane.records.len() as u64).sum(),
            seconds: 0.0,
            network: self.meter().get_untracked().since(self.before.get_value()),
        });
        tally.seconds = surroundings::now_seconds() - self.started.get_value();
        self.tally.set(tally);
    }

    /// Tells charts of their new records, one chart a task, until nothing is left to tell.
    fn feed_charts(self) {
        let mut is_running = false;
        self.feed
            .update_value(|feed| is_running = std::mem::replace(&mut feed.is_running, true));
        if is_running {
            return;
        }
        spawn_local(async move {
            while let Some(records) = self.unfed() {
                let changed = self.add_to_panels(records);
                for panel in changed {
                    panel.notify();
                    surroundings::pause(0).await;
                }
                surroundings::pause(REST_MILLISECONDS).await;
            }
        });
    }

    /// What charts have not been told; ends the feed where there is nothing.
    fn unfed(self) -> Option<Vec<Record>> {
        let mut records = Vec::new();
        self.feed.update_value(|feed| {
            records = std::mem::take(&mut feed.records);
            feed.is_running = !records.is_empty();
        });
        (!records.is_empty()).then_some(records)
    }

    /// The charts that got records.
    fn add_to_panels(self, records: Vec<Record>) -> Vec<crate::panel::PanelSignal> {
        let mut added = crate::panel::Added::default();
        self.panels
            .update_untracked(|panels| added = panels.add_all(records));
        if added.has_grown {
            self.panels.notify();
        }
        added.changed
    }
}
