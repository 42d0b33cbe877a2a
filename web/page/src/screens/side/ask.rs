//! The tab that asks for an analysis with a form.

use leptos::prelude::*;

use super::form::Form;
use super::tab::Tab;
use crate::store::{Side, State};

/// The config as a form.
pub(super) static TAB: Tab = Tab {
    name: Side::ASK,
    title: "Ask",
    is_shown: State::is_run_open,
    view: || view! { <Form/> }.into_any(),
    main: None,
    is_wide: false,
    has_footer: true,
};
