//! What results say of an analysis: its entries, steps, model and warnings, taken from config, run
//! and plan. The numbers come while lanes run.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ckptscope_checkpoint::{Run, Split};
use ckptscope_metrics::{Parameter, ParameterValue, Parameters};
use ckptscope_results::{Entry, MeasuredComponent, Results};
use serde_json::{Map, Value, json};

use crate::config::{
    ComponentEntry, Config, LayerSelection, LayerSuffix, MetricEntry, Target, meant,
};
use crate::plan::{Job, Plan};

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
        model: plan.model.clone(),
        steps: plan.steps.clone(),
        missing_steps: plan.missing_steps.clone(),
        unreadable_steps: plan.unreadable_steps.clone(),
        entries: entries.map(|entry| entry.told(last, plan)).collect(),
        warnings: plan.warnings.clone(),
        config: config.text.clone(),
        ..Results::default()
    }
}

impl MetricEntry {
    /// As results tell of it; `last` is the run's last step.
    fn told(&self, last: Option<u64>, plan: &Plan) -> Entry {
        let components = self.components.iter();
        let components = components.flat_map(|it| it.told(&self.label, self.split, plan));
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
            components: components.collect(),
        }
    }
}

impl ComponentEntry {
    /// The component as series name it: its plain suffix, its part of the model, or its name where
    /// it combines several.
    #[must_use]
    pub fn label(&self) -> Cow<'_, str> {
        if let Some(part) = self.part {
            return part.name().into();
        }
        match self.suffixes.as_slice() {
            [suffix] if self.component.roles().is_empty() => LayerSuffix::of(suffix).in_keys(),
            _ => self.component.name().into(),
        }
    }

    /// Whether the model's architecture says which tensors it is made of.
    #[must_use]
    pub const fn is_by_role(&self) -> bool {
        self.suffixes.is_empty()
    }

    /// The parameters that a config may give it.
    pub(crate) fn declared(&self) -> &'static [Parameter] {
        match self.is_by_role() {
            true => self.component.parameters_by_role(),
            false => self.component.parameters(),
        }
    }

    /// The stack of layers that the config names, with the key or in front of a suffix.
    #[must_use]
    pub fn named_stack(&self) -> Option<&str> {
        let suffixes = self.suffixes.iter();
        let mut in_front = suffixes.filter_map(|suffix| LayerSuffix::of(suffix).stack);
        self.stack.as_deref().or_else(|| in_front.next())
    }

    /// As results tell of it; once for each stack that it means.
    fn told(&self, label: &str, split: Split, plan: &Plan) -> Vec<MeasuredComponent> {
        let component = self.label();
        let told = |stack: &str| MeasuredComponent {
            component: component.clone().into_owned(),
            kind: self.kind,
            stack: stack.to_owned(),
            parameters: values(&self.parameters),
        };
        if self.layers == LayerSelection::Outside || !plan.has_several_stacks() {
            return vec![told("")];
        }
        let of_layers = plan.lanes.iter().filter(|lane| lane.layer.is_some());
        let jobs = of_layers.flat_map(|lane| &lane.jobs);
        let is_its = |job: &&Job| {
            let mut metrics = job.metrics.iter();
            (&*job.label, job.kind, job.split) == (&*component, self.kind, split)
                && metrics.any(|metric| *metric.label == *label)
        };
        let own: BTreeSet<&str> = jobs.filter(is_its).map(|job| &*job.stack).collect();
        let own = own.into_iter().collect();
        let own = match self.named_stack() {
            Some(named) => meant(named, own),
            None => own,
        };
        let own: Vec<_> = own.into_iter().map(told).collect();
        if own.is_empty() { vec![told("")] } else { own }
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
