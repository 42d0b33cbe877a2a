//! Where the person is in the config.

use leptos::prelude::*;

/// Where the person is in the config. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct Editing {
    /// The metric whose editor is open.
    pub metric: RwSignal<Option<usize>>,
    /// The line of the YAML to go to.
    pub line: RwSignal<Option<u64>>,
}

impl Editing {
    /// Nowhere yet.
    pub(super) fn new() -> Self {
        Self {
            metric: RwSignal::new(None),
            line: RwSignal::new(None),
        }
    }

    /// Of the side that the caller is part of.
    pub(super) fn here() -> Self {
        expect_context()
    }
}
