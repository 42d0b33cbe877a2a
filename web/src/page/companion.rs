//! The native worker that the page speaks to, where there is one.
//!
//! What is here is little, because everybody fetches it: which worker it is, and how things stand
//! with it. Speaking to it and showing what it has is a part of the program ([`views`]) that is
//! fetched when there is a worker, or when somebody looks into its menu.

mod chip;
mod connection;
pub(super) mod follow;
mod handing_over;
mod history;
mod matching;
mod memory;
mod menu;
mod opening;
mod patience;
mod runs;
pub(super) mod sending;
mod shown;
mod source;
pub(super) mod starting;
mod upload;
mod views;

pub(super) use chip::CompanionMenu;
pub(super) use shown::{ANALYSIS_MARK, Brought};
pub(super) use views::{Views, open_linked};

use ckptscope_analysis::service::Machine;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::desk::Desk;
use crate::native::NativeWorker;
use crate::part::begin;
use sending::Sending;
use shown::Shown;

/// A native worker and how things stand with it. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct Companion {
    /// The worker that was given, or that the page came from; none where there is none.
    pub worker: RwSignal<Option<NativeWorker>>,
    /// How things stand with it.
    pub standing: RwSignal<Standing>,
    /// The version of its program; empty before it has answered.
    version: RwSignal<String>,
    /// What shows all this; none before that part of the program is there.
    views: RwSignal<Option<Views>>,
    /// Why that part of the program is not there.
    missing: RwSignal<Option<String>>,
    /// The token that came with the page's address.
    told: StoredValue<Option<String>>,
    /// Whether its menu is unfolded.
    is_menu_open: RwSignal<bool>,
    /// Whether its analyses are shown.
    is_history_open: RwSignal<bool>,
    /// Its analysis whose results are shown.
    shown: RwSignal<Option<Shown>>,
    /// What is on its way to it.
    sending: Sending,
    /// The web workers, which may read a run of its.
    desk: Desk,
}

/// How things stand with a native worker.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
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

impl Companion {
    pub(super) fn new(sending: Sending, desk: Desk) -> Self {
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
            desk,
        }
    }

    /// Connects to the worker that the page came from, else to the one that was given last time.
    pub(super) fn begin(self) {
        self.told.set_value(memory::take_token_out_of_the_address());
        if memory::names_a_worker() {
            self.standing.set(Standing::Connecting);
            match self.views.get_untracked() {
                Some(views) => (views.arrive)(self),
                None => self.fetch_views(),
            }
        }
    }

    /// Takes a token out of the address when that changes: somebody pasted what the worker said.
    pub(super) fn look_at_address(self) {
        if memory::has_token_in_address() {
            self.begin();
        }
    }

    /// Fetches the part of the program that speaks to a worker, and has it do so.
    pub(super) fn fetch_views(self) {
        if self.views.with_untracked(Option::is_some) {
            return;
        }
        self.missing.set(None);
        spawn_local(async move {
            if let Err(missing) = begin!(views::begin(self)) {
                self.missing.set(Some(missing.to_string()));
            }
        });
    }

    /// What it can do; none where it cannot be used.
    pub(super) fn machine(self) -> Option<Machine> {
        self.standing.with(|standing| match standing {
            Standing::Ready(machine) => Some(*machine),
            _ => None,
        })
    }

    /// What that part of the program shows, once it is there.
    pub(super) fn shows(self, what: fn(Views) -> AnyView) -> AnyView {
        (move || self.views.get().map(what)).into_any()
    }
}
