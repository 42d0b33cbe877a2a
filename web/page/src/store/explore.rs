//! What is looked at in a run: the tensors of one part of one step, and one of them from near.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ckptscope_protocol::tab::{
    ListTensors, PartName, PartSummary, RunSummary, SpectrumCost, SpectrumView, SpectrumWay,
    StepSummary, TensorList, TensorView, ViewSpectrum, ViewTensor,
};
use ckptscope_protocol::{Cost, Rates};
use ckptscope_vocabulary::sort::sort_by;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::native_worker::NativeConnection;
use super::web_workers::WebWorkers;
use crate::native::NativeWorker;

/// Singular values that take so many seconds at most are computed unasked; others are estimated.
const UNASKED_SECONDS: f64 = 3.0;

/// How fast a tab is beside a native program, about.
const IN_A_TAB: f64 = 0.25;

/// What it takes to send a tensor to a native worker.
const SENDING_SECONDS: f64 = 2.0;

/// What is looked at. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct Explore {
    /// The part whose tensors are listed; none where no run is open.
    pub part: RwSignal<Option<PartName>>,
    /// Its tensors.
    pub list: RwSignal<Loadable<TensorList>>,
    /// The steps that turned out not to be readable, with reasons.
    pub unreadable: RwSignal<BTreeMap<u64, String>>,
    /// What names have to contain.
    pub search: RwSignal<String>,
    /// Groups that are unfolded.
    pub unfolded: RwSignal<BTreeSet<String>>,
    /// The tensor that is looked at.
    pub name: RwSignal<Option<String>>,
    /// What it looks like.
    pub tensor: RwSignal<Loadable<TensorView>>,
    /// Its singular values.
    pub spectrum: RwSignal<Loadable<SpectrumView>>,
    /// How they are found, where they are on their way.
    pub route: RwSignal<Route>,
    /// What was estimated of them, for whoever gives up exact ones.
    estimate: StoredValue<Option<Arc<SpectrumView>>>,
    /// As questions name it.
    looked_at: StoredValue<ViewTensor>,
    web_workers: WebWorkers,
    native_worker: NativeConnection,
    /// Counts questions, so that an answer to an earlier one is passed over.
    questions: StoredValue<u64>,
}

/// How singular values are found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Route {
    /// Estimated here.
    Estimate,
    /// Exactly, here, within so many seconds.
    Here(f64),
    /// Exactly, on this native worker, within so many seconds.
    Worker(NativeWorker, f64),
}

impl Route {
    /// How long it takes; an estimate little.
    pub(crate) const fn seconds(&self) -> f64 {
        match self {
            Self::Estimate => 0.0,
            Self::Here(seconds) | Self::Worker(_, seconds) => *seconds,
        }
    }
}

/// Something that a worker was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Loadable<T> {
    /// Nobody asked.
    NotAsked,
    /// It is on its way.
    Loading,
    /// It is there.
    Loaded(Arc<T>),
    /// It cannot be had; in words.
    Failed(String),
}

impl Explore {
    pub(crate) fn new(web_workers: WebWorkers, native_worker: NativeConnection) -> Self {
        Self {
            part: RwSignal::new(None),
            list: RwSignal::new(Loadable::NotAsked),
            unreadable: RwSignal::new(BTreeMap::new()),
            search: RwSignal::new(String::new()),
            unfolded: RwSignal::new(BTreeSet::new()),
            name: RwSignal::new(None),
            tensor: RwSignal::new(Loadable::NotAsked),
            spectrum: RwSignal::new(Loadable::NotAsked),
            route: RwSignal::new(Route::Estimate),
            estimate: StoredValue::new(None),
            looked_at: StoredValue::new(ViewTensor::default()),
            web_workers,
            native_worker,
            questions: StoredValue::new(0),
        }
    }

    /// Begins with the last step of another run.
    pub(crate) fn begin(self, run: &RunSummary) {
        self.list.set(Loadable::NotAsked);
        self.tensor.set(Loadable::NotAsked);
        self.spectrum.set(Loadable::NotAsked);
        self.name.set(None);
        self.unreadable.set(BTreeMap::new());
        self.search.set(String::new());
        self.unfolded.set(BTreeSet::new());
        let last = run.steps.last();
        let part = last.and_then(|step| Some((step, step.parts.first()?)));
        self.part
            .set(part.map(|(step, part)| named(step.number, part)));
    }

    /// Looks at another step, at the same kind of data where it has it.
    pub(crate) fn go_to(self, step: &StepSummary) {
        let is_same = |part: &&PartSummary| {
            self.part.with_untracked(|now| {
                now.as_ref()
                    .is_some_and(|now| now.data_type == part.data_type && now.split == part.split)
            })
        };
        let same = step.parts.iter().find(is_same);
        let part = same.or_else(|| step.parts.first());
        self.part.set(part.map(|part| named(step.number, part)));
    }

    /// Lists the tensors of the part, and looks again at the one that was looked at.
    pub(crate) async fn list_tensors(self, part: PartName) {
        self.questions.update_value(|questions| *questions += 1);
        let question = self.questions.get_value();
        self.list.set(Loadable::Loading);
        let step = part.step;
        let answer = self.web_workers.ask(ListTensors { part }).await;
        if self.questions.get_value() != question {
            return;
        }
        match answer {
            Ok(list) => {
                self.list.set(Loadable::Loaded(Arc::new(list)));
                self.unreadable.update(|steps| drop(steps.remove(&step)));
            }
            Err(message) if message.is_empty() => self.list.set(Loadable::NotAsked),
            Err(message) => {
                self.list.set(Loadable::Failed(message.clone()));
                self.unreadable
                    .update(|steps| drop(steps.insert(step, message)));
            }
        }
        if let Some(name) = self.name.get_untracked() {
            self.look_at(name);
        }
    }

    /// Looks at a tensor of the list; what was looked at before is given up.
    pub(crate) fn look_at(self, name: String) {
        let row = self.list.with_untracked(|list| match list {
            Loadable::Loaded(list) => {
                let row = list.tensors.iter().find(|row| row.name == name);
                row.map(|row| (list.part.clone(), row.path.clone()))
            }
            _ => None,
        });
        self.name.set(Some(name.clone()));
        let Some((part, path)) = row else {
            let message = format!("There is no {name} in this part of this step.");
            self.tensor.set(Loadable::Failed(message));
            return;
        };
        self.tensor.set(Loadable::Loading);
        self.spectrum.set(Loadable::NotAsked);
        self.estimate.set_value(None);
        let look = ViewTensor { part, path, name };
        self.looked_at.set_value(look.clone());
        spawn_local(async move {
            match self.web_workers.look(look).await {
                Ok(view) => {
                    let cost = view.spectrum.clone();
                    self.tensor.set(Loadable::Loaded(Arc::new(*view)));
                    match cost {
                        Ok(cost) if cost.too_large.is_none() => self.find_unasked(&cost),
                        _ => {}
                    }
                }
                // Another tensor is looked at, or none.
                Err(message) if message.is_empty() => {}
                Err(message) => self.tensor.set(Loadable::Failed(message)),
            }
        });
    }

    /// Where the singular values can be computed exactly, the soonest first.
    pub(crate) fn routes(self, cost: &SpectrumCost) -> Vec<Route> {
        let here = cost.too_large.is_none();
        let here = here.then(|| Route::Here(self.seconds_here(cost)));
        let worker = self.native_worker.worker.get();
        let worker = worker.zip(self.native_worker.machine());
        let worker = worker.filter(|(_, machine)| machine.takes_tensors);
        let there = worker.map(|(worker, machine)| {
            let of_one = Cost {
                units: 1,
                work: cost.work,
                longest: cost.work,
                ..Cost::default()
            };
            let seconds = of_one.seconds(&machine.crew()) + SENDING_SECONDS;
            Route::Worker(worker, seconds)
        });
        let mut routes: Vec<Route> = here.into_iter().chain(there).collect();
        sort_by(&mut routes, |one, other| {
            one.seconds().total_cmp(&other.seconds())
        });
        routes
    }

    /// Until this machine was measured, as in a tab of an ordinary one.
    fn seconds_here(self, cost: &SpectrumCost) -> f64 {
        let measured = self.web_workers.rates.get();
        let is_known = measured.are_known();
        let rates = if is_known {
            measured
        } else {
            Rates::ORDINARY * IN_A_TAB
        };
        cost.work.seconds(&rates)
    }

    fn find_unasked(self, cost: &SpectrumCost) {
        let seconds = untrack(|| self.seconds_here(cost));
        self.find_spectrum(match seconds > UNASKED_SECONDS {
            true => Route::Estimate,
            false => Route::Here(seconds),
        });
    }

    /// Finds the singular values of the tensor.
    pub(crate) fn find_spectrum(self, route: Route) {
        let way = match &route {
            Route::Estimate => SpectrumWay::Estimated,
            Route::Here(_) => SpectrumWay::Exact,
            Route::Worker(worker, _) => SpectrumWay::Sent {
                address: worker.address().to_owned(),
                token: worker.token().clone(),
            },
        };
        self.route.set(route);
        self.spectrum.set(Loadable::Loading);
        let question = ViewSpectrum {
            tensor: self.looked_at.get_value(),
            way,
        };
        spawn_local(async move {
            match self.web_workers.look_on(question).await {
                Ok(view) => {
                    let view = Arc::new(*view);
                    if view.is_estimated {
                        self.estimate.set_value(Some(Arc::clone(&view)));
                    }
                    self.spectrum.set(Loadable::Loaded(view));
                }
                Err(message) if message.is_empty() => {}
                Err(message) => self.spectrum.set(Loadable::Failed(message)),
            }
        });
    }

    /// Gives its singular values up.
    pub(crate) fn stop_decomposing(self) {
        self.web_workers.stop_looking();
        let estimate = self.estimated();
        self.spectrum
            .set(estimate.map_or(Loadable::NotAsked, Loadable::Loaded));
    }

    /// What was estimated of them.
    pub(crate) fn estimated(self) -> Option<Arc<SpectrumView>> {
        self.estimate.get_value()
    }

    /// Looks at no tensor.
    pub(crate) fn look_away(self) {
        self.web_workers.stop_looking();
        self.name.set(None);
        self.tensor.set(Loadable::NotAsked);
        self.spectrum.set(Loadable::NotAsked);
    }
}

/// A part of a step, as questions name it.
pub(crate) fn named(step: u64, part: &PartSummary) -> PartName {
    PartName {
        step,
        data_type: part.data_type.clone(),
        split: part.split.clone(),
    }
}
