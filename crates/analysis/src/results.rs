//! What results say of an analysis: its entries, steps, model and warnings, taken from config, run
//! and plan. The numbers come while lanes run.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::{Run, Split};
use ckptscope_metrics::{Parameter, ParameterValue, Parameters};
use ckptscope_results::{Entry, MeasuredComponent, Results};
use serde_json::{Map, Value, json};

use crate::Registry;
use crate::assembly::Assembly;
use crate::component::ov_circuit::{GAINS, LAYER_MATRIX};
use crate::component::{COMPONENTS, Component};
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
            [suffix] if self.component.suffix_names().is_empty() => {
                LayerSuffix::of(suffix).in_keys()
            }
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
        let is_its = |job: &&Job| {
            let mut metrics = job.metrics.iter();
            (&*job.label, job.kind, job.split) == (&*component, self.kind, split)
                && metrics.any(|metric| *metric.label == *label)
        };
        let lanes = plan.lanes.iter().filter(|lane| self.is_of(lane.layer));
        let jobs = || lanes.clone().flat_map(|lane| &lane.jobs).filter(is_its);
        let told = |stack: &str| {
            let is_of_stack = |job: &&Job| stack.is_empty() || *job.stack == *stack;
            let assemblies = jobs().filter(is_of_stack);
            MeasuredComponent {
                component: component.clone().into_owned(),
                kind: self.kind,
                stack: stack.to_owned(),
                parameters: self.made_of(assemblies.filter_map(|job| job.assembly.as_ref())),
            }
        };
        if self.layers == LayerSelection::Outside || !plan.has_several_stacks() {
            return vec![told("")];
        }
        let own: BTreeSet<&str> = jobs().map(|job| &*job.stack).collect();
        let own = own.into_iter().collect();
        let own = match self.named_stack() {
            Some(named) => meant(named, own),
            None => own,
        };
        let own: Vec<_> = own.into_iter().map(told).collect();
        if own.is_empty() { vec![told("")] } else { own }
    }

    /// As results of an older version tell of it.
    fn untold(&self) -> MeasuredComponent {
        MeasuredComponent {
            component: self.label().into_owned(),
            kind: self.kind,
            stack: String::new(),
            parameters: None,
        }
    }

    fn is_of(&self, layer: Option<u64>) -> bool {
        match (&self.layers, layer) {
            (LayerSelection::Outside, layer) => layer.is_none(),
            (_, None) => false,
            (LayerSelection::All, Some(_)) => true,
            (LayerSelection::List(layers), Some(layer)) => layers.contains(&layer),
        }
    }

    /// What its numbers are made of, so that only the same is compared: parameters, the tensors of
    /// each part, and whether gains were taken. The architecture's choices are those of
    /// `assemblies`; none where there are no such and only they could tell.
    fn made_of<'a>(
        &self,
        assemblies: impl Iterator<Item = &'a Assembly>,
    ) -> Option<Map<String, Value>> {
        let mut parts: BTreeMap<usize, BTreeSet<Cow<'_, str>>> = BTreeMap::new();
        let mut has_gains = false;
        let inputs = self.component.inputs(self.kind);
        for assembly in assemblies {
            has_gains |= assembly.has_gains();
            for ((_, place), words) in inputs.iter().zip(&assembly.made_of) {
                parts.entry(*place).or_default().insert(words.into());
            }
        }
        if self.is_by_role() && parts.is_empty() {
            return None;
        }
        for (place, suffix) in self.suffixes.iter().enumerate() {
            let suffix = LayerSuffix::of(suffix).in_keys();
            parts.entry(place).or_default().insert(suffix);
        }
        let mut made_of = values(&self.parameters);
        // It says which matrices are measured, and not what they are.
        made_of.shift_remove(LAYER_MATRIX.name);
        let roles = self.component.suffix_names();
        if roles.is_empty() && !self.is_by_role() {
            // The component is called by its tensor.
            parts.clear();
        }
        for (place, tensors) in parts {
            let role = roles.get(place).copied().unwrap_or("tensor");
            let tensors: Vec<Cow<'_, str>> = tensors.into_iter().collect();
            made_of.insert(role.to_owned(), json!(tensors.join(" or ")));
        }
        let mut by_role = self.component.parameters_by_role().iter();
        if by_role.any(|parameter| parameter.name == GAINS.name) {
            made_of.insert(GAINS.name.to_owned(), json!(has_gains));
        }
        Some(made_of)
    }
}

/// Says of results of an older version what their components are made of, as far as the config in
/// them tells it. What only the run could tell is left open, so that nobody subtracts it.
pub fn complete(results: &mut Results) {
    let config = Config::parse(&results.config, &Registry::default()).ok();
    // Of compared runs only the first one's config is there.
    let config = config.filter(|_| results.runs.is_empty());
    for entry in &mut results.entries {
        let metrics = config.iter().flat_map(|config| &config.metrics);
        let mut metrics =
            metrics.filter(|it| (&*it.label, it.split) == (&*entry.label, entry.split));
        let metric = metrics.next();
        if entry.components.is_empty() {
            let components = metric.iter().flat_map(|metric| &metric.components);
            entry.components = components.map(ComponentEntry::untold).collect();
        }
        for one in entry.components.iter_mut().filter(|one| !is_told(one)) {
            let components = metric.iter().flat_map(|metric| &metric.components);
            let mut own = components
                .filter(|it| (&*it.label(), it.kind) == (&*one.component, one.kind))
                .map(|it| it.made_of(std::iter::empty()));
            let first = own.next().flatten();
            one.parameters = first.filter(|first| own.all(|other| other.as_ref() == Some(first)));
        }
    }
}

/// Whether results say what the component is made of, down to the tensors of each of its parts.
fn is_told(measured: &MeasuredComponent) -> bool {
    let is_it = |component: &&&dyn Component| component.name() == measured.component;
    let roles = COMPONENTS.iter().find(is_it);
    let roles = roles.map_or(&[][..], |component| component.suffix_names());
    let made_of = measured.parameters.as_ref();
    made_of.is_some_and(|made_of| roles.iter().all(|role| made_of.contains_key(*role)))
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
