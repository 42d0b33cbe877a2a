//! Speaking to a native worker: whether it answers, and whether it still does.

use ckptscope_protocol::call;
use ckptscope_protocol::service::API;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use super::{NativeConnection, Standing, storage};
use crate::native::{NativeError, NativeWorker};

/// How often a worker is asked that does not answer, or whose menu is unfolded, in milliseconds.
const LOOK_EVERY_MILLISECONDS: u32 = 5000;

impl NativeConnection {
    /// Connects to the worker that the page came from, else to the one that was given last time.
    pub(crate) fn arrive(self) {
        let told = self.told.try_update_value(Option::take).flatten();
        let own = NativeWorker::of_this_page("").map(|own| own.address().to_owned());
        // Who made the link to the page knows nothing of other workers.
        let told = told.filter(|_| own.is_some());
        let Some(address) = own.or_else(storage::address) else {
            return;
        };
        if let Some(token) = &told {
            storage::keep_token(&address, token);
        }
        let token = told.or_else(|| storage::token(&address));
        match NativeWorker::at(&address, &token.unwrap_or_default()) {
            Some(worker) => leptos::task::spawn_local(self.connect(worker)),
            None => self.disconnect(),
        }
    }

    /// Speaks to this worker from now on, once it answers. What is on its way to another is given
    /// up.
    pub(crate) async fn connect(self, worker: NativeWorker) {
        if self.worker.get_untracked().as_ref() != Some(&worker) {
            self.sending.cancel();
        }
        self.version.set(String::new());
        self.worker.set(Some(worker));
        self.standing.set(Standing::Connecting);
        self.look().await;
    }

    /// Speaks to the worker that a person named, now and at the next visit.
    pub(crate) async fn connect_by_hand(self, worker: NativeWorker) {
        let (address, token) = (worker.address().to_owned(), worker.token().0.clone());
        self.connect(worker).await;
        if self.machine().is_none() && self.standing.get_untracked() != Standing::WantsToken {
            return;
        }
        if !self.is_own(&address) {
            storage::keep_address(&address);
        }
        storage::keep_token(&address, &token);
    }

    /// Speaks to none from now on, and forgets the one that was given; the one that the page came
    /// from can be had back. What is on its way to it is given up.
    pub(crate) fn disconnect(self) {
        self.sending.cancel();
        storage::forget_address();
        let given = self.worker.get_untracked();
        if let Some(given) = given.filter(|worker| !self.is_own(worker.address())) {
            storage::forget_token(given.address());
        }
        self.worker.set(None);
        self.standing.set(Standing::None);
        self.is_history_open.set(false);
    }

    /// Asks how things stand. What is shown stays until that is known.
    pub(crate) async fn look(self) {
        let Some(worker) = self.worker.get_untracked() else {
            return;
        };
        let (standing, version) = standing_of(&worker).await;
        if self.worker.get_untracked().as_ref() != Some(&worker) {
            return;
        }
        if matches!(standing, Standing::Ready(_)) {
            self.web_workers.show_token(&worker);
        }
        if let Some(version) = version {
            self.version.set(version);
        }
        self.stand(standing);
    }

    /// Takes in what a request came to that failed: it may say how things stand. Of another worker
    /// than the one that the page speaks to it says nothing.
    pub(crate) fn notice(self, worker: &NativeWorker, error: &NativeError) {
        if self.worker.get_untracked().as_ref() != Some(worker) {
            return;
        }
        match error {
            NativeError::Unreachable { .. } => self.stand(Standing::Lost(error.to_string())),
            NativeError::Token { .. } => self.stand(Standing::WantsToken),
            NativeError::Refused { .. } | NativeError::Foreign { .. } => {}
        }
    }

    /// A worker with the token that it is shown by now, where the page still speaks to it.
    pub(crate) fn with_newest_token(self, worker: &NativeWorker) -> NativeWorker {
        let now = self.worker.get_untracked();
        let now = now.filter(|now| now.address() == worker.address());
        now.unwrap_or_else(|| worker.clone())
    }

    /// Whether the worker at this address is the one that the page speaks to, and can be used.
    pub(crate) fn is_ready_at(self, address: &str) -> bool {
        let is_it = self.worker.with_untracked(|worker| {
            let address_now = worker.as_ref().map(NativeWorker::address);
            address_now == Some(address)
        });
        is_it && matches!(self.standing.get_untracked(), Standing::Ready(_))
    }

    /// Asks again now and then, as long as the page is open.
    pub(crate) async fn keep_watch(self) {
        loop {
            TimeoutFuture::new(LOOK_EVERY_MILLISECONDS).await;
            if self.is_watched() {
                self.look().await;
            }
        }
    }

    /// A worker that never answered is asked when somebody looks: every request that nobody
    /// answers is an error in the browser's console.
    fn is_watched(self) -> bool {
        let has_answered = !self.version.with_untracked(String::is_empty);
        let is_lost = matches!(self.standing.get_untracked(), Standing::Lost(_));
        let is_asked_for = self.is_menu_open.get_untracked() || (is_lost && has_answered);
        is_asked_for && !document().hidden()
    }

    /// Whether the page came from the worker at this address.
    pub(crate) fn is_own(self, address: &str) -> bool {
        NativeWorker::of_this_page("").is_some_and(|own| own.address() == address)
    }

    fn stand(self, standing: Standing) {
        if self.standing.get_untracked() != standing {
            self.standing.set(standing);
        }
    }
}

/// How things stand, and the version of the worker's program where it said that.
async fn standing_of(worker: &NativeWorker) -> (Standing, Option<String>) {
    match worker.ask(call::health()).await {
        Ok(health) => {
            let standing = match health.machine {
                _ if health.api != API => Standing::Lost(other_version(worker, &health.version)),
                Some(machine) => Standing::Ready(machine),
                None => Standing::WantsToken,
            };
            (standing, Some(health.version))
        }
        Err(NativeError::Token { .. }) => (Standing::WantsToken, None),
        Err(error @ NativeError::Unreachable { .. }) => {
            (Standing::Lost(diagnosis(worker, &error)), None)
        }
        Err(error) => (Standing::Lost(error.to_string()), None),
    }
}

fn other_version(worker: &NativeWorker, version: &str) -> String {
    format!(
        "The worker at {} is of another version ({version}) than this page. Open the page that it serves.",
        worker.address(),
    )
}

/// A browser says the same of a worker that is not there and of one that does not let this page
/// read its answers, so both are told.
fn diagnosis(worker: &NativeWorker, error: &NativeError) -> String {
    let origin = window().location().origin().unwrap_or_default();
    let is_own = worker.address().starts_with(&format!("{origin}/"));
    if is_own {
        return format!("{error}. Is it still running?");
    }
    let is_mixed = origin.starts_with("https:") && worker.address().starts_with("http:");
    let mixed = match is_mixed {
        true => {
            " A page at https: may speak to a worker at http: on this very machine only, and the browser may ask \
             you whether it may."
        }
        false => "",
    };
    format!(
        "{error}. Is it running, and is the address right? If so, it does not allow this page: start it with \
         --allow-origin {origin}.{mixed}"
    )
}
