//! An analysis under way, or done.
//!
//! Who computes it is a [`Computer`]. The analysis holds all numbers, once; charts share them. A
//! lane whose worker dies begins again, and its numbers take the place of those that it told.
//! Charts learn of new numbers one at a time and not more often than a person can see, so that the
//! main thread stays free.

pub(crate) mod computer;
mod phase;
mod this_tab;

pub(crate) use self::phase::Phase;

use std::collections::BTreeSet;
use std::rc::Rc;

use ckptscope_protocol::service::{self, AnalysisInfo};
use ckptscope_protocol::tab::{LaneFailure, NetworkNews};
use ckptscope_protocol::{Cost, LaneUpdate, Progress};
use ckptscope_results::{Numbers, Results, SeriesId, SeriesSet};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use self::computer::{Computer, Connection, Listener, News, Plan, Stopped};
use self::this_tab::ThisTab;
use super::kept::{Aside, Keep, Keeping, Kept, Record, RunIdentity};
use super::meter::Meter;
use super::web_workers::WebWorkers;
use crate::browser;
use crate::link::LinkSource;
use crate::panel::{Added, PanelId, PanelSignal, Panels};
use crate::pool::LaneNews;

/// How long charts rest between two updates, in milliseconds.
const REST_MILLISECONDS: u32 = 120;

/// So many series charts are given in one task.
const SERIES_AT_ONCE: usize = 250;

/// What is being computed, or was. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct Analysis {
    pub phase: RwSignal<Phase>,
    /// The results without their numbers; none until there is a plan.
    pub results: RwSignal<Option<Results>>,
    pub cost: RwSignal<Cost>,
    pub tally: RwSignal<Tally>,
    /// What was skipped, assumed or tried again.
    pub warnings: RwSignal<Vec<String>>,
    /// Lanes that could not be computed, each with its name.
    pub failures: RwSignal<Vec<(String, LaneFailure)>>,
    /// The charts.
    pub panels: RwSignal<Panels>,
    /// What there is to know of it where a native worker computes it, or has.
    pub on_worker: RwSignal<Option<OnWorker>>,
    /// Whether it was computed in this tab and not saved as a file.
    pub is_unsaved: RwSignal<bool>,
    /// What this browser keeps.
    kept: Kept,
    /// What this tab computes is kept by it.
    keeper: StoredValue<Option<Box<dyn Keep>>, LocalStorage>,
    /// What is to be kept once the part of the program is there that does so.
    unkept: StoredValue<Option<Keeping>, LocalStorage>,
    /// The run that is computed, until its analysis is planned.
    run: StoredValue<Option<RunIdentity>, LocalStorage>,
    /// What it goes on from, until it is planned.
    earlier: StoredValue<Option<Record>>,
    /// Layer steps and bytes that were there before this tab began.
    had: StoredValue<(u64, u64)>,
    /// What the shown results are of, where a link or the native worker brought them.
    pub origin: StoredValue<Option<LinkSource>>,
    web_workers: WebWorkers,
    computer: StoredValue<Option<Box<dyn Computer>>, LocalStorage>,
    lanes: StoredValue<Vec<Lane>>,
    /// All numbers that are there.
    series: StoredValue<SeriesSet>,
    /// Whether charts are being told of numbers that have come.
    pub is_feeding: RwSignal<bool>,
    /// The series of which charts have not been told the newest numbers.
    untold: StoredValue<BTreeSet<SeriesId>>,
    /// When numbers began to come; of a native worker's, when its turn came.
    started: StoredValue<f64>,
    /// Layer-steps that were finished before that.
    head_start: StoredValue<u64>,
    /// What the run had taken of the network before.
    before: StoredValue<NetworkNews>,
    /// Counts analyses, so that what an earlier one still says is passed over.
    number: StoredValue<u64>,
}

/// An analysis on a native worker.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OnWorker {
    /// The worker, as people know it: `127.0.0.1:8790`.
    pub host: String,
    /// What the worker said last.
    pub info: AnalysisInfo,
    /// How things stand with the connection.
    pub connection: Connection,
    /// Whether it was asked to stop and has not said yet that it did.
    pub is_stopping: bool,
    /// Why it could not be stopped.
    pub not_stopped: Option<String>,
}

/// How much is done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub lanes: u64,
    pub units: u64,
    pub read_bytes: u64,
    pub numbers: u64,
    /// Seconds since numbers began to come.
    pub seconds: f64,
    /// Layer-steps that were finished before that.
    pub head_start: u64,
    /// What it took of the network.
    pub network: NetworkNews,
}

/// What came of one lane.
#[derive(Clone, Default)]
struct Lane {
    name: String,
    units: u64,
    read_bytes: u64,
    is_over: bool,
}

impl Analysis {
    pub(crate) fn new(web_workers: WebWorkers, kept: Kept) -> Self {
        Self {
            is_unsaved: RwSignal::new(false),
            kept,
            keeper: StoredValue::new_local(None),
            unkept: StoredValue::new_local(None),
            run: StoredValue::new_local(None),
            earlier: StoredValue::new(None),
            had: StoredValue::new((0, 0)),
            origin: StoredValue::new(None),
            phase: RwSignal::new(Phase::Idle),
            results: RwSignal::new(None),
            cost: RwSignal::new(Cost::default()),
            tally: RwSignal::new(Tally::default()),
            warnings: RwSignal::new(Vec::new()),
            failures: RwSignal::new(Vec::new()),
            panels: RwSignal::new(Panels::default()),
            on_worker: RwSignal::new(None),
            web_workers,
            computer: StoredValue::new_local(None),
            lanes: StoredValue::new(Vec::new()),
            series: StoredValue::new(SeriesSet::default()),
            is_feeding: RwSignal::new(false),
            untold: StoredValue::new(BTreeSet::new()),
            started: StoredValue::new(0.0),
            head_start: StoredValue::new(0),
            before: StoredValue::new(NetworkNews::default()),
            number: StoredValue::new(0),
        }
    }

    /// Whether it is under way.
    pub(crate) fn is_busy(self) -> bool {
        matches!(self.phase.get(), Phase::Planning | Phase::Computing)
    }

    /// Whether a native worker computes it, or has.
    pub(crate) fn is_on_worker(self) -> bool {
        self.on_worker.with(Option::is_some)
    }

    /// Puts what is shown aside. What a native worker computes, it goes on computing, and keeps.
    pub(crate) fn clear(self) {
        self.put_aside();
        self.is_unsaved.set(false);
        self.keeper.set_value(None);
        self.unkept.set_value(None);
        self.run.set_value(None);
        self.earlier.set_value(None);
        self.had.set_value((0, 0));
        self.origin.set_value(None);
        self.kept.leave();
        self.number.update_value(|number| *number += 1);
        self.computer.set_value(None);
        self.lanes.set_value(Vec::new());
        self.series.set_value(SeriesSet::default());
        self.untold.update_value(BTreeSet::clear);
        self.head_start.set_value(0);
        self.phase.set(Phase::Idle);
        self.results.set(None);
        self.cost.set(Cost::default());
        self.tally.set(Tally::default());
        self.warnings.set(Vec::new());
        self.failures.set(Vec::new());
        self.panels.set(Panels::default());
        self.on_worker.set(None);
    }

    /// Computes the analysis of a config in this tab, of the run that is open. Numbers that are
    /// there from earlier are not computed again.
    pub(crate) fn start(self, text: String, run: RunIdentity, earlier: Option<Record>) {
        self.clear();
        let finished = earlier.as_ref().map(|record| record.finished.clone());
        self.run.set_value(Some(run));
        self.earlier.set_value(earlier);
        let (web_workers, finished) = (self.web_workers, finished.unwrap_or_default());
        let finished = finished.into_iter().collect();
        self.begin_with(|tell| Box::new(ThisTab::start(web_workers, text, finished, tell)));
    }

    /// Takes what is shown out of sight, so that it can be had back.
    fn put_aside(self) {
        let has_any = self.series.with_value(|series| !series.is_empty());
        if !has_any || self.on_worker.with_untracked(Option::is_some) {
            return;
        }
        let Some(mut results) = self.results.get_untracked() else {
            return;
        };
        results.series = self.series.get_value();
        let seconds = match self.phase.get_untracked() {
            Phase::Done(seconds) => Some(seconds),
            _ => None,
        };
        self.kept.aside.set(Some(Aside {
            results,
            seconds,
            origin: self.origin.get_value(),
        }));
    }

    /// Shows results that were put aside, in exchange for what is shown now.
    pub(crate) fn bring_back(self, aside: Aside) {
        let Aside {
            results,
            seconds,
            origin,
        } = aside;
        self.show(results);
        self.origin.set_value(origin);
        self.phase
            .set(seconds.map_or(Phase::Cancelled, Phase::Done));
    }

    /// Shows an analysis of a native worker's, which `follow` tells of.
    pub(crate) fn follow(
        self,
        on_worker: OnWorker,
        follow: impl FnOnce(Listener) -> Box<dyn Computer>,
    ) {
        self.clear();
        self.on_worker.set(Some(on_worker));
        self.begin_with(follow);
    }

    /// Stops it; what is there stays.
    pub(crate) fn cancel(self) {
        let stopped = self
            .computer
            .with_value(|computer| computer.as_ref().map(|computer| computer.stop()));
        if stopped == Some(Stopped::Soon) {
            return self.change_on_worker(|on_worker| {
                on_worker.is_stopping = true;
                on_worker.not_stopped = None;
            });
        }
        self.number.update_value(|number| *number += 1);
        self.computer.set_value(None);
        self.end_keeping(false);
        self.phase.set(Phase::Cancelled);
    }

    fn end_keeping(self, is_over: bool) {
        self.keeper.with_value(|keeper| {
            if let Some(keeper) = keeper {
                keeper.end(is_over);
            }
        });
    }

    /// Shows results that were computed before.
    pub(crate) fn show(self, mut results: Results) {
        self.clear();
        let series = std::mem::take(&mut results.series);
        let lane = Lane {
            is_over: true,
            ..Lane::default()
        };
        self.lanes.set_value(vec![lane]);
        self.begin(results);
        let all = series.iter().map(|series| series.id.clone());
        self.untold.set_value(all.collect());
        self.series.set_value(series);
        self.feed_charts();
        self.phase.set(Phase::Done(0.0));
    }

    /// The results with all numbers that are there, in their order.
    pub(crate) fn with_numbers(self) -> Option<Results> {
        let mut results = self.results.get_untracked()?;
        results.series = self.series.get_value();
        results.sort();
        results.tell_unreadable();
        Some(results)
    }

    fn begin_with(self, computer: impl FnOnce(Listener) -> Box<dyn Computer>) {
        self.phase.set(Phase::Planning);
        self.before.set_value(self.meter().get_untracked());
        let number = self.number.get_value();
        let listener: Listener = Rc::new(move |news| {
            if self.number.get_value() == number {
                self.hear(news);
            }
        });
        self.computer.set_value(Some(computer(listener)));
    }

    fn begin(self, results: Results) {
        self.warnings.set(results.warnings.clone());
        self.panels.set(Panels::of(&results));
        self.results.set(Some(results));
    }

    fn hear(self, news: News) {
        match news {
            News::Planned(plan) => self.take_plan(*plan),
            News::Lane(lane, news) => self.hear_lane(lane, news),
            News::State(info) => self.take_state(*info),
            News::Connection(connection) => self.change_on_worker(|on_worker| {
                on_worker.connection = connection;
            }),
            News::NotStopped(reason) => self.change_on_worker(|on_worker| {
                on_worker.is_stopping = false;
                on_worker.not_stopped = Some(reason);
            }),
            News::Ended(phase) => {
                self.computer.set_value(None);
                self.change_on_worker(|on_worker| on_worker.is_stopping = false);
                self.end_keeping(matches!(phase, Phase::Done(_)));
                self.phase.set(phase);
            }
        }
    }

    /// Charts begin with the first plan; a later one says what has changed.
    fn take_plan(self, plan: Plan) {
        self.cost.set(plan.cost);
        if self.results.with_untracked(Option::is_some) {
            self.add_warnings(&plan.results.warnings);
            self.results.set(Some(plan.results));
            return;
        }
        let Some(earlier) = self.agreeing(&plan) else {
            return self.begin_anew(plan.results);
        };
        self.keep(&plan, earlier.as_ref());
        let named = |name| Lane {
            name,
            ..Lane::default()
        };
        self.lanes
            .set_value(plan.lanes.into_iter().map(named).collect());
        self.begin(plan.results);
        if let Some(earlier) = earlier {
            self.take_earlier(earlier);
        }
        self.started.set_value(browser::now_seconds());
        if !self.is_waiting() {
            self.phase.set(Phase::Computing);
        }
    }

    /// What the plan goes on from, or nothing. None where that was of other files, or planned by
    /// another version.
    fn agreeing(self, plan: &Plan) -> Option<Option<Record>> {
        let earlier = self.earlier.try_update_value(Option::take).flatten();
        let is_same = |one: &Results, other: &Results| {
            let of = |it: &Results| {
                (
                    it.program.clone(),
                    it.steps.clone(),
                    it.unreadable_steps.clone(),
                )
            };
            of(one) == of(other) && one.inputs == other.inputs && one.entries == other.entries
        };
        match earlier {
            Some(earlier) if !is_same(&earlier.results, &plan.results) => None,
            earlier => Some(earlier),
        }
    }

    /// What was there is of other files: everything is computed.
    fn begin_anew(self, results: Results) {
        let run = self.run.try_update_value(Option::take).flatten();
        if let Some(run) = run {
            self.start(results.config, run, None);
            self.warnings.update(|warnings| {
                warnings.push(
                    "everything is computed anew: the run or this program has changed since the \
                     earlier part was computed"
                        .to_owned(),
                );
            });
        }
    }

    /// Keeps what this tab computes from now on.
    fn keep(self, plan: &Plan, earlier: Option<&Record>) {
        let Some(run) = self.run.try_update_value(Option::take).flatten() else {
            return;
        };
        self.is_unsaved.set(true);
        self.unkept.set_value(Some(Keeping {
            run,
            results: plan.results.clone(),
            cost: plan.cost,
            earlier: earlier.map(|earlier| earlier.info.clone()),
        }));
        self.begin_keeping();
    }

    /// Begins to keep what is to be kept, if the part of the program is there that does so.
    fn begin_keeping(self) -> bool {
        let Some(part) = self.kept.part.get_untracked() else {
            return false;
        };
        let keeping = self.unkept.try_update_value(Option::take).flatten();
        let Some(keeping) = keeping else {
            return false;
        };
        self.keeper.set_value(Some((part.keep)(self.kept, keeping)));
        true
    }

    /// The part of the program is there that keeps analyses: what was told before goes along. Its
    /// layer steps do not count as finished, since nobody noted which they were.
    pub(crate) fn keep_late(self) {
        if !self.begin_keeping() {
            return;
        }
        let numbers = self.series.with_value(|series| series.each().collect());
        self.tell_keeper(&LaneUpdate {
            numbers: Numbers(numbers),
            finished: Vec::new(),
        });
        if let Phase::Done(_) = self.phase.get_untracked() {
            self.end_keeping(true);
        }
    }

    fn tell_keeper(self, update: &LaneUpdate) {
        self.keeper.with_value(|keeper| {
            if let Some(keeper) = keeper {
                keeper.add(update);
            }
        });
    }

    /// Takes in what was computed before the page was left.
    fn take_earlier(self, earlier: Record) {
        if let LinkSource::Remote { place, .. } = &earlier.info.place
            && place.contains("://")
        {
            let words = format!(
                "a part was computed before the page was left; {place} has the same length since, \
                 and is taken for unchanged"
            );
            self.add_warnings(&[words]);
        }
        let had = (earlier.finished.len() as u64, earlier.info.read_bytes);
        self.had.set_value(had);
        self.head_start.set_value(had.0);
        self.cost.update(|cost| {
            cost.units += had.0;
            cost.read_bytes += had.1;
        });
        let all = earlier.series.iter().map(|series| series.id.clone());
        self.untold.set_value(all.collect());
        self.series.set_value(earlier.series);
        self.feed_charts();
        self.count();
    }

    /// Whether a native worker has yet to begin with it, as far as was heard.
    fn is_waiting(self) -> bool {
        self.on_worker.with_untracked(|on_worker| {
            let phase = on_worker.as_ref().map(|on_worker| on_worker.info.phase);
            phase.is_some_and(is_before_computing)
        })
    }

    fn take_state(self, info: AnalysisInfo) {
        let is_first = self.results.with_untracked(Option::is_none);
        let has_turn = self.is_waiting() && !is_before_computing(info.phase);
        if is_first || has_turn {
            self.head_start.set_value(info.units);
            self.started.set_value(browser::now_seconds());
            self.count();
        }
        // One that was interrupted waits for its turn again.
        if is_before_computing(info.phase) {
            self.phase.set(Phase::Planning);
        } else if info.phase == service::Phase::Running && !is_first {
            self.phase.set(Phase::Computing);
        }
        self.change_on_worker(|on_worker| on_worker.info = info);
    }

    fn add_warnings(self, messages: &[String]) {
        self.warnings.update(|warnings| {
            let new = messages
                .iter()
                .filter(|message| !warnings.contains(message));
            let new: Vec<String> = new.cloned().collect();
            warnings.extend(new);
        });
    }

    fn change_on_worker(self, change: impl FnOnce(&mut OnWorker)) {
        self.on_worker.update(|on_worker| {
            if let Some(on_worker) = on_worker {
                change(on_worker);
            }
        });
    }

    fn hear_lane(self, lane: usize, news: LaneNews) {
        match news {
            LaneNews::Update(update) => self.take_in(lane, update),
            LaneNews::Network(news) => {
                self.meter().add(news);
                self.count();
            }
            LaneNews::Done => self.end_lane(lane),
            LaneNews::Restarted(reason) => self.restart(lane, &reason),
            LaneNews::Failed(failure) => {
                let name = self.name_of(lane);
                self.failures
                    .update(|failures| failures.push((name, failure)));
                self.end_lane(lane);
            }
        }
    }

    fn take_in(self, lane: usize, update: LaneUpdate) {
        self.tell_keeper(&update);
        for progress in update.finished {
            self.advance(lane, progress);
        }
        self.untold.update_value(|untold| {
            self.series.update_value(|series| {
                for number in update.numbers.0 {
                    untold.insert(number.id.clone());
                    series.insert(number);
                }
            });
        });
        self.feed_charts();
        self.count();
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
    }

    /// A lane begins again: what it told counts no more.
    fn restart(self, lane: usize, reason: &str) {
        let name = self.name_of(lane);
        self.warnings
            .update(|warnings| warnings.push(format!("{name} was begun again: {reason}")));
        let is_all = self.lanes.with_value(|lanes| lanes.len() == 1);
        self.lanes.update_value(|lanes| {
            if let Some(lane) = lanes.get_mut(lane) {
                (lane.units, lane.read_bytes) = (0, 0);
            }
        });
        if is_all && self.had.get_value().0 == 0 {
            self.forget_numbers();
        }
    }

    /// Everything begins again, perhaps of other files.
    fn forget_numbers(self) {
        self.series.set_value(SeriesSet::default());
        self.untold.update_value(BTreeSet::clear);
        if let Some(results) = self.results.get_untracked() {
            self.panels.set(Panels::of(&results));
        }
    }

    /// What the open run takes of the network.
    fn meter(self) -> Meter {
        self.web_workers.meter.get_untracked()
    }

    fn name_of(self, lane: usize) -> String {
        self.lanes.with_value(|lanes| {
            let name = lanes.get(lane).map(|lane| lane.name.clone());
            name.unwrap_or_default()
        })
    }

    fn count(self) {
        let had = self.had.get_value();
        let mut tally = self.lanes.with_value(|lanes| Tally {
            lanes: lanes.iter().filter(|lane| lane.is_over).count() as u64,
            units: had.0 + lanes.iter().map(|lane| lane.units).sum::<u64>(),
            read_bytes: had.1 + lanes.iter().map(|lane| lane.read_bytes).sum::<u64>(),
            numbers: 0,
            seconds: 0.0,
            head_start: self.head_start.get_value(),
            network: self.meter().get_untracked().since(self.before.get_value()),
        });
        tally.numbers = self.series.with_value(|series| series.numbers() as u64);
        if self.on_worker.with_untracked(Option::is_some) {
            tally.network = NetworkNews::default();
        }
        tally.seconds = browser::now_seconds() - self.started.get_value();
        self.tally.set(tally);
    }

    /// Tells charts of their new numbers, one chart a task, until nothing is left to tell.
    fn feed_charts(self) {
        if self.is_feeding.get_untracked() {
            return;
        }
        self.is_feeding.set(true);
        spawn_local(async move {
            // Not in the caller's task, which may be long already.
            TimeoutFuture::new(0).await;
            while self.untold.with_value(|untold| !untold.is_empty()) {
                for panel in self.feed_panels().await {
                    panel.notify();
                    TimeoutFuture::new(0).await;
                }
                TimeoutFuture::new(REST_MILLISECONDS).await;
            }
            self.is_feeding.set(false);
        });
    }

    /// Gives the panels what they have not got, some series a task; the charts that have changed.
    async fn feed_panels(self) -> Vec<PanelSignal> {
        let mut changed: Vec<(PanelId, PanelSignal)> = Vec::new();
        loop {
            let (added, is_all) = self.feed_some();
            for (id, panel) in added {
                if !changed.iter().any(|(known, _)| *known == id) {
                    changed.push((id, panel));
                }
            }
            if is_all {
                break changed.into_iter().map(|(_, panel)| panel).collect();
            }
            TimeoutFuture::new(0).await;
        }
    }

    /// The charts that got some series, and whether these were the last.
    fn feed_some(self) -> (Vec<(PanelId, PanelSignal)>, bool) {
        let mut some = Vec::new();
        let mut is_all = true;
        self.untold.update_value(|untold| {
            some.extend(std::iter::from_fn(|| untold.pop_first()).take(SERIES_AT_ONCE));
            is_all = untold.is_empty();
        });
        let mut added = Added::default();
        self.series.with_value(|series| {
            let some = some.iter().filter_map(|id| series.get(id));
            self.panels
                .update_untracked(|panels| added = panels.add_all(some));
        });
        if added.has_grown {
            self.panels.notify();
        }
        (added.changed, is_all)
    }
}

/// Whether a native worker has yet to begin.
const fn is_before_computing(phase: service::Phase) -> bool {
    matches!(phase, service::Phase::Queued | service::Phase::Planning)
}
