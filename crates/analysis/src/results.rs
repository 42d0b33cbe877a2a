//! What results say of an analysis: its entries, steps, model and warnings, taken from config, run
//! and plan. The numbers come while lanes run.

use ckptscope_checkpoint::Run;
use ckptscope_metrics::{ParameterValue, Parameters};
use ckptscope_results::{Entry, MeasuredComponent, Results};
use serde_json::{Map, Value, json};

use crate::config::{ComponentEntry, Config, MetricEntry, Target};
use crate::plan::Plan;

/// The results of a planned analysis, without its numbers.
#[must_use]
pub fn planned(
    analysis_name: &str,
    source: &str,
    config: &Config,
    run: &Run,
    plan: &Plan,
) -> Results {
    let last = run.steps.last().map(|step| step.number);
    let entries = config.metrics.iter();
    Results {
        program: concat!("ckptscope ", env!("CARGO_PKG_VERSION")).to_owned(),
        analysis_name: analysis_name.to_owned(),
        source: source.to_owned(),
        model: run.model.clone(),
        steps: plan.steps.clone(),
        missing_steps: plan.missing_steps.clone(),
        unreadable_steps: plan.unreadable_steps.clone(),
        entries: entries.map(|entry| entry.told(last)).collect(),
        warnings: plan.warnings.clone(),
        config: config.text.clone(),
        ..Results::default()
    }
}

impl MetricEntry {
    /// As results tell of it; `last` is the run's last step.
    fn told(&self, last: Option<u64>) -> Entry {
        Entry {
            label: self.label.clone(),
            metric: self.metric.name().to_owned(),
            title: self.metric.title().to_owned(),
            summary: self.metric.summary().to_owned(),
            split: self.split,
            target: match self.target {
                Some(Target::Step(step)) => Some(step),
                Some(Target::Last) => last,
                None => None,
            },
            parameters: values(&self.parameters),
            components: self.components.iter().map(ComponentEntry::told).collect(),
        }
    }
}

impl ComponentEntry {
    /// The component as series name it: its plain suffix, or its name where it combines several.
    #[must_use]
    pub fn label(&self) -> &str {
        match self.suffixes.as_slice() {
            [suffix] if self.component.roles().is_empty() => suffix,
            _ => self.component.name(),
        }
    }

    fn told(&self) -> MeasuredComponent {
        MeasuredComponent {
            component: self.label().to_owned(),
            kind: self.kind,
            parameters: values(&self.parameters),
        }
    }
}

/// The values of parameters, as JSON.
fn values(parameters: &Parameters) -> Map<String, Value> {
    let value = |value| match value {
        ParameterValue::Choice(word) => json!(word),
        ParameterValue::Integer(number) => json!(number),
        ParameterValue::Fraction(number) => json!(number),
        ParameterValue::Boolean(answer) => json!(answer),
    };
    let all = parameters.iter();
    all.map(|(name, parameter)| (name.to_owned(), value(parameter)))
        .collect()
}
