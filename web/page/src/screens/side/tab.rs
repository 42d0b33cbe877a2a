//! What a tab of the workbench's side is.

use leptos::prelude::*;

use crate::store::{Side, State};

/// A tab of the workbench's side. Two are the same that have one name.
pub(crate) struct Tab {
    /// What it is called in the page's elements, and by those who go to it.
    pub name: Side,
    /// What people read on it.
    pub title: &'static str,
    /// Whether it is shown now; whoever asks hears when that changes.
    pub is_shown: fn(State) -> bool,
    /// What it shows.
    pub view: fn() -> AnyView,
    /// What stands beside it in place of the results; none where they do.
    pub main: Option<fn() -> AnyView>,
    /// Whether it needs more room than the others.
    pub is_wide: bool,
    /// Whether the config's problems, its cost and the button that runs it stand below.
    pub has_footer: bool,
}

impl PartialEq for Tab {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
