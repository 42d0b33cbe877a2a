//! The native worker that the page speaks to, where there is one: which it is, and how things stand
//! with it.

mod connection;
pub(crate) mod follow;
pub(crate) mod handing_over;
pub(crate) mod history;
mod matching;
pub(crate) mod opening;
mod patience;
pub(crate) mod sending;
mod showing;
pub(crate) mod shown;
mod source;
pub(crate) mod storage;
mod upload;

use ckptscope_protocol::service::Machine;
use leptos::prelude::*;

use super::analysis::computer::{Computer, Listener};
use super::web_workers::WebWorkers;
use crate::native::NativeWorker;
use sending::Sending;
use shown::Shown;

/// What the part of the program does that speaks to a worker, for whoever does not have that part.
#[derive(Clone, Copy)]
pub(crate) struct Views {
    /// What is in the worker's menu.
    pub menu: fn() -> AnyView,
    /// Its runs.
    pub runs: fn() -> AnyView,
    /// Its analyses, in a dialog.
    pub history: fn() -> AnyView,
    /// Connects to the worker that is named.
    pub arrive: fn(NativeConnection),
    /// Asks how things stand.
    pub look: fn(NativeConnection),
    /// Has the worker compute what is asked.
    pub send: Callback<()>,
    /// Tells of an analysis of the worker's.
    pub follow: fn(NativeConnection, NativeWorker, String, Listener) -> Box<dyn Computer>,
}

/// A native worker and how things stand with it. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct NativeConnection {
    /// The worker that was given, or that the page came from; none where there is none.
    pub worker: RwSignal<Option<NativeWorker>>,
    /// How things stand with it.
    pub standing: RwSignal<Standing>,
    /// The version of its program; empty before it has answered.
    pub version: RwSignal<String>,
    /// What shows all this; none before that part of the program is there.
    pub views: RwSignal<Option<Views>>,
    /// Why that part of the program is not there.
    pub missing: RwSignal<Option<String>>,
    /// The token that came with the page's address.
    pub told: StoredValue<Option<String>>,
    /// Whether its menu is unfolded.
    pub is_menu_open: RwSignal<bool>,
    /// Whether its analyses are shown.
    pub is_history_open: RwSignal<bool>,
    /// Its analysis whose results are shown.
    pub shown: RwSignal<Option<Shown>>,
    /// What is on its way to it.
    pub sending: Sending,
    /// The web workers, which may read a run of its.
    pub web_workers: WebWorkers,
}

/// How things stand with a native worker.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// There is none.
    None,
    /// It was asked and has not answered yet.
    Connecting,
    /// It takes analyses.
    Ready(Machine),
    /// It answers and wants a token.
    WantsToken,
    /// It cannot be used; in words.
    Lost(String),
}

impl NativeConnection {
    pub(crate) fn new(sending: Sending, web_workers: WebWorkers) -> Self {
        Self {
            worker: RwSignal::new(None),
            standing: RwSignal::new(Standing::None),
            version: RwSignal::new(String::new()),
            views: RwSignal::new(None),
            missing: RwSignal::new(None),
            told: StoredValue::new(None),
            is_menu_open: RwSignal::new(false),
            is_history_open: RwSignal::new(false),
            shown: RwSignal::new(None),
            sending,
            web_workers,
        }
    }

    /// What it can do; none where it cannot be used.
    pub(crate) fn machine(self) -> Option<Machine> {
        self.standing.with(|standing| match standing {
            Standing::Ready(machine) => Some(*machine),
            _ => None,
        })
    }

    /// Has the worker compute what is asked, and shows it.
    pub(crate) fn send(self) {
        if let Some(views) = self.views.get_untracked() {
            views.send.run(());
        }
    }
}
