//! What a chart is called.

use serde_json::Value;

use crate::entry::AUTO;
use crate::{Entry, PanelId};

/// Names of metrics in files from before entries had titles, where spelling them out does not do.
const NAMES: &[(&str, &str)] = &[
    ("cka", "CKA"),
    ("pwcca", "PWCCA"),
    ("per", "Effective rank (PER)"),
    ("gini", "Gini coefficient"),
    ("hoyer", "Hoyer sparsity"),
    ("top_k_values", "Top-k values"),
];

/// The words around a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Title {
    /// `Norm: nuclear`.
    pub name: String,
    /// `activations · to step 2000 · val`.
    pub details: String,
    /// The metric entry's label, where the name does not say it.
    pub label: Option<String>,
    /// One line on what the metric says.
    pub summary: String,
}

impl Title {
    /// Of a chart of one of these entries.
    #[must_use]
    pub fn of(panel: &PanelId, entries: &[Entry]) -> Self {
        let entry = entries.iter().find(|entry| panel.is_of(entry));
        let own_label = panel.entry.label.to_string();
        let mut name = entry.map_or_else(|| own_label.clone(), name);
        if !panel.output.is_empty() {
            name = format!("{name}, {}", panel.output.replace('_', " "));
        }
        let target = entry.and_then(|entry| entry.target);
        let target = target.map(|step| format!("to step {step}"));
        let (data_type, split) = (panel.kind.to_string(), panel.entry.split.to_string());
        let details = [Some(data_type), target, Some(split)];
        let details: Vec<String> = details.into_iter().flatten().collect();
        let is_own = |label: &String| {
            let is_metric = entry.is_some_and(|entry| entry.metric == *label);
            !is_metric && plain(label) != plain(&name)
        };
        let label = Some(own_label).filter(is_own);
        Self {
            name,
            details: details.join(" · "),
            label,
            summary: entry.map(|entry| entry.summary.clone()).unwrap_or_default(),
        }
    }

    /// In one line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} · {}", self.name, self.details)
    }
}

/// The metric's name for people, and the values of its parameters.
#[must_use]
pub fn name(entry: &Entry) -> String {
    let metric = metric_title(entry);
    let values: Vec<String> = entry.parameters.iter().filter_map(parameter).collect();
    if values.is_empty() {
        return metric;
    }
    format!("{metric}: {}", values.join(", "))
}

/// The metric's name for people.
#[must_use]
pub fn metric_title(entry: &Entry) -> String {
    if entry.title.is_empty() {
        metric_name(&entry.metric)
    } else {
        entry.title.clone()
    }
}

/// The name for people of a metric of which only the config's name for it is known.
fn metric_name(metric: &str) -> String {
    let known = NAMES.iter().find(|(name, _)| *name == metric);
    known.map_or_else(|| spelt(metric), |(_, name)| (*name).to_owned())
}

/// `nuclear`, `k 10`, `centred`; nothing for what is switched off or left open.
fn parameter((name, value): (&String, &Value)) -> Option<String> {
    match value {
        Value::String(word) if word == AUTO => None,
        Value::String(word) => Some(word.replace('_', " ")),
        Value::Bool(is_on) => is_on.then(|| name.replace('_', " ")),
        number => Some(format!("{} {number}", name.replace('_', " "))),
    }
}

/// `Condition number` of `condition_number`.
fn spelt(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut characters = words.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

/// Letters and digits in lower case, to see whether two names say the same.
fn plain(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}
