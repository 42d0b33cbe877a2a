//! Going on without a step that stands in the way.

use std::collections::BTreeSet;

use ckptscope_protocol::ConfigForm;
use leptos::prelude::*;

use super::ask::Pace;
use super::state::State;

impl State {
    /// Whether the config can do without a step: it computes others too, and compares none with it.
    pub(crate) fn can_leave_out(self, step: u64) -> bool {
        let all = self.all_steps();
        self.ask.form.with(|form| {
            let rest = asked(&form.steps, &all);
            rest.contains(&step) && rest.len() > 1 && !is_target(form, &all, step)
        })
    }

    /// Leaves a step out of the config's.
    pub(crate) fn leave_out(self, step: u64) {
        let all = self.all_steps();
        self.ask.edit(Pace::Chosen, |form| {
            let mut rest = asked(&form.steps, &all);
            rest.remove(&step);
            let rest: Vec<String> = rest.iter().map(u64::to_string).collect();
            form.steps = rest.join(", ");
        });
    }

    /// The run's steps, with those that cannot be read.
    fn all_steps(self) -> BTreeSet<u64> {
        self.opened.with(|opened| {
            let run = opened.as_ref().map(|opened| &opened.run);
            let read = run.into_iter().flat_map(|run| &run.steps);
            let broken = run.into_iter().flat_map(|run| &run.broken_steps);
            let broken = broken.map(|step| step.number);
            read.map(|step| step.number).chain(broken).collect()
        })
    }
}

/// The steps that a form asks for, of those that there are: all, a range or a list of them.
fn asked(written: &str, all: &BTreeSet<u64>) -> BTreeSet<u64> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let Some((from, rest)) = written.split_once("..") else {
        return match written.trim() {
            "all" => all.clone(),
            list => list.split(',').filter_map(number).collect(),
        };
    };
    let (to, every) = rest.split_once("step").unwrap_or((rest, "1"));
    let (Some(from), Some(to), Some(every)) = (number(from), number(to), number(every)) else {
        return BTreeSet::new();
    };
    let is_asked = |step: &u64| (from..=to).contains(step) && (step - from).is_multiple_of(every);
    all.iter().copied().filter(is_asked).collect()
}

fn is_target(form: &ConfigForm, all: &BTreeSet<u64>, step: u64) -> bool {
    let mut targets = form.metrics.iter().map(|metric| metric.target.trim());
    let number = step.to_string();
    targets.any(|target| target == number || (target == "last" && all.last() == Some(&step)))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_is_asked_of_the_steps_there_are() {
        let all = BTreeSet::from([0, 5, 10, 12, 20]);
        let asked = |written| asked(written, &all).into_iter().collect::<Vec<_>>();
        assert_eq!(asked("all"), [0, 5, 10, 12, 20]);
        assert_eq!(asked("5, 12"), [5, 12]);
        assert_eq!(asked("0..12 step 5"), [0, 5, 10]);
        assert_eq!(asked("0..12 step 0"), [0]);
        assert_eq!(asked("0.."), [0; 0]);
    }
}
