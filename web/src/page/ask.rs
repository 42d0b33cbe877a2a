//! What is asked of a run: one config in two views, a form and its YAML.

use leptos::prelude::*;
use trainscope_analysis::config::ConfigForm;

use super::desk::Desk;
use crate::message::{Answer, Checked, Request};

/// The config and what is to be said of it.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    /// The YAML, as the person left it.
    pub text: RwSignal<String>,
    /// The form; as it last was right where the YAML is not a config.
    pub form: RwSignal<ConfigForm>,
    /// What was found when it was last checked.
    pub checked: RwSignal<Checked>,
    /// Whether a check is under way.
    pub is_checking: RwSignal<bool>,
    /// Why it could not be checked at all, in words.
    pub failure: RwSignal<Option<String>>,
    desk: Desk,
    /// Counts edits, so that an answer to an earlier one is passed over.
    edits: StoredValue<u64>,
}

impl Ask {
    pub(super) fn new(desk: Desk) -> Self {
        Self {
            text: RwSignal::new(String::new()),
            form: RwSignal::new(ConfigForm::default()),
            checked: RwSignal::new(Checked::default()),
            is_checking: RwSignal::new(false),
            failure: RwSignal::new(None),
            desk,
            edits: StoredValue::new(0),
        }
    }

    /// Whether it can be run as it is.
    pub(super) fn is_right(self) -> bool {
        let is_right = |checked: &Checked| checked.problems.is_empty() && checked.cost.is_some();
        !self.is_checking.get() && self.failure.with(Option::is_none) && self.checked.with(is_right)
    }

    /// Takes the YAML as it is now, and checks it.
    pub(super) async fn check_text(self, text: String) {
        self.text.set(text.clone());
        if let Some(checked) = self.check(Request::Check { text }).await {
            if let Some(form) = checked.form.clone() {
                self.form.set(form);
            }
            self.checked.set(checked);
        }
    }

    /// Takes the form as it is now, writes it as YAML, and checks it.
    pub(super) async fn check_form(self, form: ConfigForm) {
        self.form.set(form.clone());
        if let Some(checked) = self.check(Request::Compose { form }).await {
            if let Some(text) = checked.text.clone() {
                self.text.set(text);
            }
            self.checked.set(checked);
        }
    }

    /// The answer, unless something was edited meanwhile.
    async fn check(self, request: Request) -> Option<Checked> {
        let edit = self.edits.get_value() + 1;
        self.edits.set_value(edit);
        self.is_checking.set(true);
        let answer = self.desk.ask(request).await;
        if self.edits.get_value() != edit {
            return None;
        }
        self.is_checking.set(false);
        match answer {
            Ok(Answer::Checked(checked)) => {
                self.failure.set(None);
                Some(*checked)
            }
            Ok(_) => None,
            Err(message) => {
                self.failure
                    .set(Some(message).filter(|message| !message.is_empty()));
                None
            }
        }
    }
}
