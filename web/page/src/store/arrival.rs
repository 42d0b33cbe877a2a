//! What came with the page's address.

use leptos::prelude::*;

use crate::choices::Choices;

/// What came with the address. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    /// None where nothing needs saying.
    pub notice: RwSignal<Option<Notice>>,
}

/// What there is to say about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Notice {
    /// Results are shown that were not computed here.
    Brought {
        /// The run.
        name: String,
        /// Where the results come from.
        from: String,
    },
    /// An analysis of files that are not there.
    Awaited(Box<Awaited>),
}

/// An analysis that a link is of, and whose files are somebody else's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Awaited {
    /// What the files are called.
    pub name: String,
    pub config: String,
    pub choices: Choices,
    /// Whether it is a config that was dropped, which any run will do for.
    pub is_config: bool,
}

impl Arrival {
    pub(crate) fn new() -> Self {
        Self {
            notice: RwSignal::new(None),
        }
    }

    /// Says whose results are shown from now on, and where they come from.
    pub(crate) fn bring(self, name: &str, from: &str) {
        self.notice.set(Some(Notice::Brought {
            name: name.to_owned(),
            from: from.to_owned(),
        }));
    }

    /// Says nothing any more of results that are shown no longer.
    pub(crate) fn leave(self) {
        let is_of_results = self
            .notice
            .with_untracked(|notice| matches!(notice, Some(Notice::Brought { .. })));
        if is_of_results {
            self.notice.set(None);
        }
    }

    /// Says nothing any more.
    pub(crate) fn dismiss(self) {
        self.notice.set(None);
    }

    /// Waits for any run, for a config that came before it.
    pub(crate) fn wait_for_any(self, path: &str, config: String) {
        self.wait_for(Awaited {
            name: path.to_owned(),
            config,
            choices: Choices::default(),
            is_config: true,
        });
    }

    /// Waits for the files of an analysis.
    pub(crate) fn wait_for(self, awaited: Awaited) {
        self.notice.set(Some(Notice::Awaited(Box::new(awaited))));
    }
}
