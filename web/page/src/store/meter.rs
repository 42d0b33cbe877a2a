//! What goes over the network, counted.

use ckptscope_protocol::tab::NetworkNews;
use leptos::prelude::*;

/// What one run's reading has taken so far, in sums. Copies share the same signal.
#[derive(Clone, Copy)]
pub(crate) struct Meter(RwSignal<NetworkNews>);

impl Meter {
    pub(crate) fn new() -> Self {
        Self(RwSignal::new(NetworkNews::default()))
    }

    /// Adds what a worker tells.
    pub(crate) fn add(self, news: NetworkNews) {
        self.0.update(|sums| {
            *sums = NetworkNews {
                requests: sums.requests + news.requests,
                bytes: sums.bytes + news.bytes,
                ..news
            };
        });
    }

    pub(crate) fn get(self) -> NetworkNews {
        self.0.get()
    }

    pub(crate) fn get_untracked(self) -> NetworkNews {
        self.0.get_untracked()
    }
}
