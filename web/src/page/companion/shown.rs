//! Analyses of a native worker's, shown: one, or several beside each other.

use leptos::prelude::*;
use trainscope_analysis::results::Results;
use trainscope_analysis::service::AnalysisInfo;

use super::Standing;
use super::compare::compared;
use crate::message::{Answer, Request};
use crate::native::{NativeError, NativeWorker, Payload};
use crate::page::arrival::Arrival;
use crate::page::state::{State, Wish};
use crate::page::surroundings::pause;

/// Short enough for a chat: `#analysis=ID`, to which the worker's `s/ID` leads.
pub(in crate::page) const ANALYSIS_MARK: &str = "#analysis=";

/// How often it is looked whether a worker answers by now, in milliseconds.
const LOOK_EVERY_MILLISECONDS: i32 = 100;

/// An analysis of the worker's whose results are shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    /// Of the worker.
    address: String,
    id: String,
    /// What it shows, without the records.
    results: Results,
}

impl State {
    /// The short link to what is shown, where the worker has it.
    pub(in crate::page) fn short_link(self) -> Option<String> {
        let shown = self.companion.shown.get()?;
        let is_shown = self.analysis.results.with(|results| {
            let results = results.as_ref();
            results.is_some_and(|results| *results == shown.results)
        });
        is_shown.then(|| short_link(&shown.address, &shown.id))
    }

    /// Remembers that what is shown now is an analysis of the worker's.
    pub(in crate::page) fn is_of_worker(self, worker: &NativeWorker, id: &str) {
        let shown = self.analysis.results.get_untracked().map(|results| Shown {
            address: worker.address().to_owned(),
            id: id.to_owned(),
            results,
        });
        self.companion.shown.set(shown);
    }
}

/// What leads to an analysis for whoever reaches the worker.
pub(super) fn short_link(address: &str, id: &str) -> String {
    format!("{address}s/{}", js_sys::encode_uri_component(id))
}

/// Opens the analysis of this id, once there is a worker.
pub(in crate::page) async fn open_linked(state: State, wish: Wish, arrival: Arrival, id: &str) {
    match connected(state, wish).await {
        Ok(Some(worker)) => open(state, wish, arrival, &worker, id).await,
        Ok(None) => {}
        Err(message) => wish.fail(&message),
    }
}

/// Opens several analyses beside each other, or the only one.
pub(in crate::page) async fn open_several(
    state: State,
    wish: Wish,
    arrival: Arrival,
    analyses: Vec<AnalysisInfo>,
) {
    let Some(worker) = state.companion.worker.get_untracked() else {
        return wish.fail(&"The worker was disconnected.");
    };
    if let [only] = analyses.as_slice() {
        return open(state, wish, arrival, &worker, &only.id).await;
    }
    let mut all = Vec::new();
    for analysis in &analyses {
        wish.tell(analysis.name.clone(), None);
        match results(state, wish, &worker, &analysis.id).await {
            Ok(Some(results)) => all.push((analysis.name.clone(), results)),
            Ok(None) => return,
            Err(message) => return wish.fail(&format!("{}: {message}", analysis.name)),
        }
    }
    let together = compared(all);
    arrival.bring(&together.source, &at(&worker));
    state.show_results(together);
}

/// Shows the results of one that is over; follows one that is not.
async fn open(state: State, wish: Wish, arrival: Arrival, worker: &NativeWorker, id: &str) {
    let path = format!("api/analyses/{}", js_sys::encode_uri_component(id));
    let info = worker.ask::<AnalysisInfo>("GET", &path, Payload::Nothing);
    let info = match info.await {
        _ if !wish.is_wanted() => return,
        Ok(info) => info,
        Err(error) => return wish.fail(&in_words(state, &error)),
    };
    if !info.phase.is_over() {
        state.settle();
        return state.follow(info);
    }
    wish.tell(info.name.clone(), None);
    match results(state, wish, worker, id).await {
        Ok(Some(results)) => {
            arrival.bring(&info.name, &at(worker));
            state.show_results(results);
            state.is_of_worker(worker, id);
        }
        Ok(None) => {}
        Err(message) => wish.fail(&format!("{}: {message}", info.name)),
    }
}

/// The results of an analysis; none where nobody wants them any more.
async fn results(
    state: State,
    wish: Wish,
    worker: &NativeWorker,
    id: &str,
) -> Result<Option<Results>, String> {
    let id = js_sys::encode_uri_component(id);
    let path = format!("api/analyses/{id}/results.json");
    let text = worker.text("GET", &path, Payload::Nothing).await;
    let text = text.map_err(|error| in_words(state, &error))?;
    if !wish.is_wanted() {
        return Ok(None);
    }
    let answer = state.desk.ask(Request::Results { text }).await;
    if !wish.is_wanted() {
        return Ok(None);
    }
    match answer? {
        Answer::Results(results) => Ok(Some(*results)),
        _ => Ok(None),
    }
}

/// The worker as soon as it can be used; none where nobody waits for it any more.
async fn connected(state: State, wish: Wish) -> Result<Option<NativeWorker>, String> {
    let companion = state.companion;
    let mut is_told = false;
    while wish.is_wanted() {
        let worker = companion.worker.get_untracked();
        match companion.standing.get_untracked() {
            Standing::Ready(_) => return Ok(worker),
            Standing::Lost(reason) => return Err(reason),
            Standing::None => {
                return Err(
                    "The link is to an analysis on a worker, and this page came from none. Open the link at the \
                     worker's own address, or connect to the worker (top right) and open the link again."
                        .to_owned(),
                );
            }
            Standing::WantsToken if !is_told => {
                is_told = true;
                let what = "an analysis of the worker's, which wants a token (top right)";
                wish.tell(what.to_owned(), None);
                companion.is_menu_open.set(true);
            }
            Standing::WantsToken | Standing::Connecting => {}
        }
        pause(LOOK_EVERY_MILLISECONDS).await;
    }
    Ok(None)
}

fn in_words(state: State, error: &NativeError) -> String {
    state.companion.notice(error);
    error.to_string()
}

fn at(worker: &NativeWorker) -> String {
    format!("the worker at {}", worker.address())
}
