//! What a chart is called.

use ckptscope_analysis::Registry;
use ckptscope_analysis::results::Entry;
use serde_json::Value;

use crate::curve::Key;

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
    pub fn of<'a>(key: impl Into<Key<'a>>, entries: &[Entry]) -> Self {
        let key = key.into();
        let entry = entries.iter().find(|entry| key.is_of(entry));
        let mut name = entry.map_or_else(|| key.label.to_owned(), name);
        if !key.output.is_empty() {
            name = format!("{name}, {}", key.output.replace('_', " "));
        }
        let target = entry.and_then(|entry| entry.target);
        let target = target.map(|step| format!("to step {step}"));
        let (data_type, split) = (key.data_type.to_owned(), key.split.to_owned());
        let details = [Some(data_type), target, Some(split)];
        let details: Vec<String> = details.into_iter().flatten().collect();
        let is_own = |label: &String| {
            let is_metric = entry.is_some_and(|entry| entry.metric == *label);
            !is_metric && plain(label) != plain(&name)
        };
        let label = Some(key.label.to_owned()).filter(is_own);
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
    let metric = metric_name(&entry.metric);
    let values: Vec<String> = entry.parameters.iter().filter_map(parameter).collect();
    if values.is_empty() {
        return metric;
    }
    format!("{metric}: {}", values.join(", "))
}

/// The name for people of a metric that a config calls so; of one that is not registered here, the
/// words that it is made of.
#[must_use]
pub fn metric_name(metric: &str) -> String {
    let registry = Registry::default();
    let known = registry.metrics().iter().find(|one| one.name() == metric);
    known.map_or_else(|| spelt(metric), |one| one.title().to_owned())
}

/// `nuclear`, `k 10`, `centred`; nothing for what is switched off.
fn parameter((name, value): (&String, &Value)) -> Option<String> {
    match value {
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
