//! What is asked of a run: one config in two views, a form and its YAML.
//!
//! Whichever view was edited last leads, and the other follows when the edit has been checked.
//! Every text that was checked can be had back.

use ckptscope_protocol::tab::{Ask as Question, CheckForm, CheckText, Checked};
use ckptscope_protocol::{ConfigForm, ConfigProblem};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::web_workers::WebWorkers;

/// How long typing rests before it is checked, in milliseconds.
const REST_MILLISECONDS: u32 = 250;

/// Texts that can be had back.
const MOST_KEPT: usize = 200;

/// The config and what is to be said of it.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    /// The YAML, as the person left it.
    pub text: RwSignal<String>,
    /// The form; as it last was right where the YAML is not a config.
    pub form: RwSignal<ConfigForm>,
    /// What was found when it was last checked.
    pub checked: RwSignal<Checked>,
    /// Whether a check is under way, or about to be.
    pub is_checking: RwSignal<bool>,
    /// Why it could not be checked at all, in words.
    pub failure: RwSignal<Option<String>>,
    /// Which view was edited last.
    pub leader: RwSignal<Leader>,
    web_workers: WebWorkers,
    /// Counts edits, so that an answer to an earlier one is passed over.
    edits: StoredValue<u64>,
    /// Whether the last edit waits for a rest before it is checked.
    is_resting: StoredValue<bool>,
    history: RwSignal<History>,
    /// Whether the form's last edit cost the text comments that it had.
    pub dropped_comments: RwSignal<bool>,
}

/// One of the two views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leader {
    Form,
    Text,
}

/// When an edit is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once: something was chosen.
    Chosen,
    /// After a rest: something is being typed.
    Typed,
}

/// Texts as they were checked.
#[derive(Clone, Debug, Default)]
struct History {
    past: Vec<String>,
    present: String,
    future: Vec<String>,
}

impl Ask {
    pub(crate) fn new(web_workers: WebWorkers) -> Self {
        Self {
            text: RwSignal::new(String::new()),
            form: RwSignal::new(ConfigForm::default()),
            checked: RwSignal::new(Checked::default()),
            is_checking: RwSignal::new(false),
            failure: RwSignal::new(None),
            leader: RwSignal::new(Leader::Text),
            web_workers,
            edits: StoredValue::new(0),
            is_resting: StoredValue::new(false),
            history: RwSignal::new(History::default()),
            dropped_comments: RwSignal::new(false),
        }
    }

    /// Whether it can be run as it is.
    pub(crate) fn is_right(self) -> bool {
        let is_right = |checked: &Checked| checked.problems.is_empty() && checked.cost.is_some();
        !self.is_checking.get() && self.failure.with(Option::is_none) && self.checked.with(is_right)
    }

    /// Whether the form shows an earlier config, because the YAML is none.
    pub(crate) fn is_form_behind(self) -> bool {
        let is_unread = |checked: &Checked| checked.form.is_none() && !checked.problems.is_empty();
        self.leader.get() == Leader::Text && self.checked.with(is_unread)
    }

    /// Begins with the config of another run; there is nothing to have back.
    pub(crate) async fn begin(self, text: String) {
        self.history.set(History::default());
        self.checked.set(Checked::default());
        self.form.set(ConfigForm::default());
        self.check_text(text).await;
    }

    /// Takes another YAML instead.
    pub(crate) fn replace(self, text: String) {
        spawn_local(self.check_text(text));
    }

    /// Takes the YAML as it is being typed.
    pub(crate) fn type_text(self, text: String) {
        self.leader.set(Leader::Text);
        self.text.set(text.clone());
        self.after_rest(Pace::Typed, move || self.replace(text));
    }

    /// Changes the form.
    pub(crate) fn edit(self, pace: Pace, change: impl FnOnce(&mut ConfigForm)) {
        self.leader.set(Leader::Form);
        self.form.update(change);
        self.after_rest(pace, move || {
            spawn_local(self.check_form(self.form.get_untracked()));
        });
    }

    /// Checks what waits for a rest at once. A check that is under way is not begun again: over a
    /// network it would ask for everything twice.
    pub(crate) fn hurry(self) {
        if !self.is_resting.get_value() {
            return;
        }
        match self.leader.get_untracked() {
            Leader::Form => spawn_local(self.check_form(self.form.get_untracked())),
            Leader::Text => self.replace(self.text.get_untracked()),
        }
    }

    /// Takes the YAML as it is now, and checks it.
    pub(crate) async fn check_text(self, text: String) {
        self.leader.set(Leader::Text);
        self.text.set(text.clone());
        self.dropped_comments.set(false);
        if let Some(checked) = self.check(CheckText { text }).await {
            if let Some(form) = checked.form.clone() {
                self.form.set(form);
            }
            self.keep();
            self.checked.set(checked);
        }
    }

    /// Takes the form as it is now, writes it as YAML, and checks it.
    pub(crate) async fn check_form(self, form: ConfigForm) {
        self.leader.set(Leader::Form);
        self.form.set(form.clone());
        let text = self.text.get_untracked();
        if let Some(checked) = self.check(CheckForm { form, text }).await {
            if let Some(text) = checked.text.clone() {
                if self
                    .text
                    .with_untracked(|before| loses_comments(before, &text))
                {
                    self.dropped_comments.set(true);
                }
                self.text.set(text);
                self.keep();
            }
            self.checked.set(checked);
        }
    }

    /// The problems of a field, and where `deep` of those within it, by its path.
    pub(crate) fn problems_at(self, path: &str, deep: bool) -> Vec<ConfigProblem> {
        let is_here = |problem: &&ConfigProblem| {
            let rest = problem.location.path.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || (deep && rest.starts_with(['.', '['])))
        };
        self.checked.with(|checked| {
            let here = checked.problems.iter().filter(is_here);
            here.cloned().collect()
        })
    }

    pub(crate) fn can_undo(self) -> bool {
        self.history.with(|history| !history.past.is_empty())
    }

    pub(crate) fn can_redo(self) -> bool {
        self.history.with(|history| !history.future.is_empty())
    }

    /// Takes back the last edit that was checked.
    pub(crate) fn undo(self) {
        // What is being typed is an edit, too.
        self.keep();
        let mut text = None;
        self.history.update(|history| {
            text = history.past.pop();
            if let Some(text) = text.clone() {
                let undone = std::mem::replace(&mut history.present, text);
                history.future.push(undone);
            }
        });
        if let Some(text) = text {
            self.replace(text);
        }
    }

    /// Does again what was taken back.
    pub(crate) fn redo(self) {
        let mut text = None;
        self.history.update(|history| {
            text = history.future.pop();
            if let Some(text) = text.clone() {
                let earlier = std::mem::replace(&mut history.present, text);
                history.past.push(earlier);
            }
        });
        if let Some(text) = text {
            self.replace(text);
        }
    }

    /// Notes the text that was checked, so that it can be had back.
    fn keep(self) {
        let text = self.text.get_untracked();
        if self
            .history
            .with_untracked(|history| history.present == text)
        {
            return;
        }
        self.history.update(|history| {
            let earlier = std::mem::replace(&mut history.present, text);
            if !earlier.is_empty() {
                history.past.push(earlier);
            }
            let surplus = history.past.len().saturating_sub(MOST_KEPT);
            history.past.drain(..surplus);
            history.future.clear();
        });
    }

    /// Checks unless something else is edited before.
    fn after_rest(self, pace: Pace, check: impl FnOnce() + 'static) {
        let edit = self.next_edit();
        self.is_checking.set(true);
        if pace == Pace::Chosen {
            return check();
        }
        self.is_resting.set_value(true);
        spawn_local(async move {
            TimeoutFuture::new(REST_MILLISECONDS).await;
            if self.edits.get_value() == edit {
                check();
            }
        });
    }

    fn next_edit(self) -> u64 {
        self.edits.update_value(|edits| *edits += 1);
        self.edits.get_value()
    }

    /// The answer, unless something was edited meanwhile.
    async fn check(self, question: impl Question<Answer = Box<Checked>>) -> Option<Checked> {
        let edit = self.next_edit();
        self.is_checking.set(true);
        self.is_resting.set_value(false);
        let answer = self.web_workers.ask(question).await;
        if self.edits.get_value() != edit {
            return None;
        }
        self.is_checking.set(false);
        match answer {
            Ok(checked) => {
                self.failure.set(None);
                Some(*checked)
            }
            Err(message) => {
                self.failure
                    .set(Some(message).filter(|message| !message.is_empty()));
                None
            }
        }
    }
}

/// Whether a YAML had comments that another has not.
fn loses_comments(before: &str, after: &str) -> bool {
    let mut left = comments(after);
    comments(before).into_iter().any(|comment| {
        let place = left.iter().position(|other| *other == comment);
        place.map(|place| left.swap_remove(place)).is_none()
    })
}

fn comments(text: &str) -> Vec<&str> {
    let comment = |line| {
        let (before, comment) = str::split_once(line, '#')?;
        (before.is_empty() || before.ends_with([' ', '\t'])).then(|| comment.trim_end())
    };
    text.lines().filter_map(comment).collect()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::loses_comments;

    #[test]
    fn lost_comments_are_known() {
        let before = "# all\na: 1 # why\nb: 2 # why";
        for (after, is_lost) in [
            (before, false),
            ("a: 2 # why\n\n# all\nb: 3  # why", false),
            ("# all\na: 1\nb: 2 # why", true),
            ("a: 1", true),
        ] {
            assert_eq!(loses_comments(before, after), is_lost, "{after}");
        }
        assert!(!loses_comments("a: b#c", ""));
    }
}
