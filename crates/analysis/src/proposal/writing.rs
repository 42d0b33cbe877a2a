//! Proposals as YAML that people like to read and edit.

use std::fmt::Write;

use ckptscope_checkpoint::DataKind;

use super::Proposal;
use super::choice::Choice;
use crate::component::Component;
use crate::config::Scalar;
use crate::survey::Suffix;

/// One entry of `metrics`.
pub(super) struct Entry {
    metric: &'static str,
    comment: &'static str,
    target: Option<String>,
    parameter: Option<&'static str>,
    components: Vec<Measured>,
}

/// One entry of `components`, on one line.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Measured {
    kind: DataKind,
    name: &'static str,
    suffixes: String,
    parameter: Option<&'static str>,
}

impl Entry {
    /// Of a metric, and what it says in a comment.
    pub(super) const fn new(
        metric: &'static str,
        comment: &'static str,
        components: Vec<Measured>,
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
    pub(super) fn target(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }

    /// The same with a parameter, as it is written.
    pub(super) const fn with(mut self, parameter: &'static str) -> Self {
        self.parameter = Some(parameter);
        self
    }
}

impl Measured {
    /// A tensor by itself.
    pub(super) fn simple(suffix: &Suffix) -> Self {
        Self {
            kind: suffix.kind,
            name: "simple",
            suffixes: Scalar(&suffix.name).to_string(),
            parameter: None,
        }
    }

    /// A component of several tensors, in the order of its roles.
    pub(super) fn circuit(
        component: &'static dyn Component,
        kind: DataKind,
        suffixes: &[&Suffix],
    ) -> Self {
        let pairs = component.roles().iter().zip(suffixes);
        let pairs: Vec<_> = pairs
            .map(|(role, suffix)| format!("{role}: {}", Scalar(&suffix.name)))
            .collect();
        Self {
            kind,
            name: component.name(),
            suffixes: format!("{{{}}}", pairs.join(", ")),
            parameter: None,
        }
    }

    /// The same with a parameter, as it is written.
    pub(super) const fn with(mut self, parameter: &'static str) -> Self {
        self.parameter = Some(parameter);
        self
    }

    fn line(&self) -> String {
        let parameter = self
            .parameter
            .map_or_else(String::new, |parameter| format!("{parameter}, "));
        format!(
            "      - {{component_name: {}, {parameter}data_type: {}, layer_suffixes: {}, layers: all}}\n",
            self.name, self.kind, self.suffixes
        )
    }
}

/// Writes a proposal. Entries leave out what their metric means nothing for; those of which
/// nothing is left are left out.
pub(super) fn write(
    choice: &Choice<'_>,
    title: &str,
    summary: &str,
    entries: &[Entry],
) -> Proposal {
    let mut text = format!("# {title}: {}.\n\nmetrics:\n", lower_first(summary));
    for entry in entries {
        let applies = |measured: &&Measured| choice.applies(entry.metric, measured.kind);
        let components: String = entry
            .components
            .iter()
            .filter(applies)
            .map(Measured::line)
            .collect();
        if !components.is_empty() {
            write_entry(&mut text, choice, entry, &components);
        }
    }
    text.push_str("steps: all\n");
    Proposal {
        title: title.to_owned(),
        summary: summary.to_owned(),
        text,
    }
}

fn write_entry(out: &mut String, choice: &Choice<'_>, entry: &Entry, components: &str) {
    let Entry {
        metric, comment, ..
    } = entry;
    // Writing into a String does not fail.
    let _ = writeln!(out, "  # {comment}\n  - metric_name: {metric}");
    if let Some(parameter) = entry.parameter {
        let _ = writeln!(out, "    {parameter}");
    }
    if let Some(target) = &entry.target {
        let _ = writeln!(out, "    target_checkpoint: {target}");
    }
    let _ = writeln!(
        out,
        "    data_split: {}\n    components:\n{components}",
        choice.split
    );
}

/// A sentence as it goes on after a colon; names of methods stay as they are.
fn lower_first(sentence: &str) -> String {
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
