//! Proposals as configs that people like to read and edit.

use ckptscope_metrics::{ParameterValue, Parameters};
use ckptscope_protocol::tab::Proposal;

use super::choice::Choice;
use crate::config::{
    ComponentEntry, Location, MetricEntry, StepSelection, Target, commented, shown,
};

/// One entry of `metrics`, and what its metric says.
pub(super) struct Entry {
    metric: &'static str,
    comment: &'static str,
    target: Option<Target>,
    parameter: Option<(&'static str, ParameterValue)>,
    components: Vec<ComponentEntry>,
}

impl Entry {
    /// Of a metric, and what it says in a comment.
    pub(super) const fn new(
        metric: &'static str,
        comment: &'static str,
        components: Vec<ComponentEntry>,
    ) -> Self {
        Self {
            metric,
            comment,
            target: None,
            parameter: None,
            components,
        }
    }

    /// The same, compared with a step.
    pub(super) const fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// The same with one of the words of a parameter.
    pub(super) const fn with(mut self, parameter: &'static str, word: &'static str) -> Self {
        self.parameter = Some((parameter, ParameterValue::Choice(word)));
        self
    }

    /// The entry of a config, without the components that its metric means nothing for; none where
    /// nothing is left.
    fn written(&self, choice: &Choice<'_>) -> Option<(&'static str, MetricEntry)> {
        let metric = choice.metric(self.metric)?;
        let applies = |entry: &&ComponentEntry| Choice::applies(metric, entry.kind);
        let components: Vec<_> = self.components.iter().filter(applies).cloned().collect();
        let defaults = Parameters::defaults(metric.parameters());
        let given = self.parameter.into_iter();
        let entry = MetricEntry {
            metric,
            label: String::new(),
            name: None,
            parameters: given.fold(defaults, |all, (name, value)| all.with(name, value)),
            target: self.target,
            split: choice.split,
            components,
            location: Location::default(),
        };
        (!entry.components.is_empty()).then_some((self.comment, entry))
    }
}

/// Writes a proposal; entries of which nothing is left are left out.
pub(super) fn write(
    choice: &Choice<'_>,
    title: &str,
    summary: &str,
    entries: &[Entry],
) -> Proposal {
    let written = entries.iter().filter_map(|entry| entry.written(choice));
    let written: Vec<_> = written.collect();
    let title = match choice.stack {
        Some(stack) => format!("{title}: {}", shown(stack)),
        None => title.to_owned(),
    };
    let extent = choice.extent;
    let remarks = extent.remarks.iter().map(String::as_str);
    let mut comment: Vec<&str> = [title.as_str(), summary]
        .into_iter()
        .chain(remarks)
        .collect();
    if !choice.knows_parts() {
        comment.push("Which tensors matter is told from their names: the parts are not known.");
    }
    let steps = extent.steps.clone();
    let steps = steps.map_or(StepSelection::All, StepSelection::List);
    Proposal {
        text: commented(&comment, extent.name.as_deref(), &written, &steps),
        title,
        summary: summary.to_owned(),
    }
}
