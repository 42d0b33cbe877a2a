//! What results say of an analysis: its entries, steps, model and warnings, taken from config, run
//! and plan. The numbers come while lanes run.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::{Run, without_wrappers};
use ckptscope_metrics::facts::rank::RANK;
use ckptscope_metrics::{AUTO, LargestRank, Parameter, ParameterValue, Parameters};
use ckptscope_results::{Entry, MeasuredComponent, Results};
use serde_json::{Map, Value, json};

use crate::Registry;
use crate::component::ov_circuit::{GAINS, LAYER_MATRIX};
use crate::component::{COMPONENTS, Component};
use crate::config::{
    ComponentEntry, Config, LayerSelection, LayerSuffix, MetricEntry, Target, meant,
};
use crate::plan::{Job, Lane, LaneStep, Plan};

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
        let components = components.flat_map(|it| it.told(self, plan)).collect();
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
            components: without_needless_layers(components),
        }
    }
}

/// Takes the layers off what is made of the same in all layers of its stack.
fn without_needless_layers(mut components: Vec<MeasuredComponent>) -> Vec<MeasuredComponent> {
    let is_needed = |one: &MeasuredComponent| {
        let place = |it: &MeasuredComponent| (it.component.clone(), it.kind, it.stack.clone());
        let own = place(one);
        let mut others = components.iter().filter(|other| place(other) == own);
        others.any(|other| other.parameters != one.parameters)
    };
    let is_needed: Vec<bool> = components.iter().map(is_needed).collect();
    for (component, is_needed) in components.iter_mut().zip(is_needed) {
        if !is_needed {
            component.layers.clear();
        }
    }
    components
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

    /// As results tell of it: once for each stack that it means, and there for all layers in which
    /// it is made of the same.
    fn told(&self, entry: &MetricEntry, plan: &Plan) -> Vec<MeasuredComponent> {
        let component = self.label();
        let is_its = |job: &Job| {
            let mut metrics = job.metrics.iter();
            (&*job.label, job.kind, job.split) == (&*component, self.kind, entry.split)
                && metrics.any(|metric| *metric.label == *entry.label)
        };
        let lanes = plan.lanes.iter().filter(|lane| self.is_of(lane.layer));
        let jobs: Vec<PlannedJob<'_>> = lanes
            .flat_map(|lane| {
                let places = (0..lane.jobs.len()).map(move |place| PlannedJob { lane, place });
                places.filter(|planned| is_its(planned.job()))
            })
            .collect();
        let stacks = self.stacks(&jobs, plan);
        let told = stacks.into_iter().flat_map(|stack| {
            let is_of_stack = |it: &&PlannedJob<'_>| stack.is_empty() || *it.job().stack == *stack;
            let of_stack: Vec<_> = jobs.iter().filter(is_of_stack).copied().collect();
            self.told_in_stack(entry, stack, &of_stack)
        });
        told.collect()
    }

    /// Its stacks as results name them; one without a name where there is one only, and the config
    /// names none.
    fn stacks<'a>(&self, jobs: &[PlannedJob<'a>], plan: &Plan) -> Vec<&'a str> {
        let named = self.named_stack();
        if self.layers == LayerSelection::Outside || !(named.is_some() || plan.has_several_stacks())
        {
            return vec![""];
        }
        let own: BTreeSet<&str> = jobs.iter().map(|it| &*it.job().stack).collect();
        let own = own.into_iter().collect();
        let own = match named {
            Some(named) => meant(named, own),
            None => own,
        };
        if own.is_empty() { vec![""] } else { own }
    }

    fn told_in_stack(
        &self,
        entry: &MetricEntry,
        stack: &str,
        jobs: &[PlannedJob<'_>],
    ) -> Vec<MeasuredComponent> {
        let of = |layers, parameters| MeasuredComponent {
            component: self.label().into_owned(),
            kind: self.kind,
            stack: stack.to_owned(),
            layers,
            parameters,
        };
        let mut told: Vec<MeasuredComponent> = Vec::new();
        for of_layer in jobs.chunk_by(|one, other| one.lane.layer == other.lane.layer) {
            let layers = of_layer.first().and_then(|first| first.lane.layer);
            let made_of = self.made_of(&entry.parameters, of_layer);
            match told.iter_mut().find(|known| known.parameters == made_of) {
                Some(known) => known.layers.extend(layers),
                None => told.push(of(layers.into_iter().collect(), made_of)),
            }
        }
        if told.is_empty() {
            told.push(of(Vec::new(), self.made_of(&entry.parameters, &[])));
        }
        told
    }

    /// As results of an older version tell of it.
    fn untold(&self) -> MeasuredComponent {
        MeasuredComponent {
            component: self.label().into_owned(),
            kind: self.kind,
            ..MeasuredComponent::default()
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

    /// What its numbers are made of in a layer, so that only the same is compared: parameters, the
    /// tensors of each part, whether gains were taken, and what the metric's `auto` comes to. The
    /// architecture's choices are those of `jobs`; none where there are no such and only they could
    /// tell.
    fn made_of(
        &self,
        of_metric: &Parameters,
        jobs: &[PlannedJob<'_>],
    ) -> Option<Map<String, Value>> {
        let mut parts: BTreeMap<usize, BTreeSet<Cow<'_, str>>> = BTreeMap::new();
        let mut has_gains = false;
        let inputs = self.component.inputs(self.kind);
        for planned in jobs.iter().filter(|_| self.is_by_role()) {
            let Some(assembly) = &planned.job().assembly else {
                let names = planned.names();
                parts.entry(0).or_default().extend(names);
                continue;
            };
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
        if of_metric.choice(RANK.name) == AUTO {
            made_of.insert(RANK.name.to_owned(), json!(self.usual_rank().word()));
        }
        Some(made_of)
    }

    /// What metrics take for the largest rank where they are not told, as the engine says it of jobs
    /// whose matrices are assembled.
    const fn usual_rank(&self) -> LargestRank {
        match (self.is_by_role(), &self.layers) {
            (true, LayerSelection::All | LayerSelection::List(_)) => LargestRank::Possible,
            (false, _) | (_, LayerSelection::Outside) => LargestRank::Shape,
        }
    }
}

/// A job of a plan.
#[derive(Clone, Copy)]
struct PlannedJob<'a> {
    lane: &'a Lane,
    /// Which of the lane's.
    place: usize,
}

impl<'a> PlannedJob<'a> {
    fn job(self) -> &'a Job {
        &self.lane.jobs[self.place]
    }

    /// The tensors that it reads, as configs call them outside of layers.
    fn names(self) -> impl Iterator<Item = Cow<'a, str>> {
        let read = move |step: &'a LaneStep| {
            let inputs = step.inputs.get(self.place)?;
            let first = step.tensors.get(*inputs.tensors().first()?)?;
            Some(without_wrappers(first.name()))
        };
        self.lane.steps.iter().filter_map(read)
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
        let id = entry.id();
        for one in &mut entry.components {
            let components = metric.iter().flat_map(|metric| &metric.components);
            let own =
                components.filter(|it| (&*it.label(), it.kind) == (&*one.component, one.kind));
            let own: Vec<&ComponentEntry> = own.collect();
            if one.stack.is_empty() && own.iter().any(|it| it.named_stack().is_some()) {
                let series = results.series.iter().map(|series| &series.id);
                let series = series.filter(|it| it.entry == id && one.has(it));
                let stack = agreed(series.map(|it| &*it.stack));
                one.stack = stack.unwrap_or_default().to_owned();
            }
            complete_parameters(one, metric, &own);
        }
    }
}

/// The same of one component; `own` is what the config says of it.
fn complete_parameters(
    one: &mut MeasuredComponent,
    metric: Option<&MetricEntry>,
    own: &[&ComponentEntry],
) {
    let is_told = is_told(one);
    let Some(metric) = metric else {
        return one.parameters = one.parameters.take().filter(|_| is_told);
    };
    if !is_told {
        let made_of = own.iter().map(|it| it.made_of(&metric.parameters, &[]));
        return one.parameters = agreed(made_of).flatten();
    }
    let usual = agreed(own.iter().map(|it| it.usual_rank()));
    if let (Some(parameters), Some(usual)) = (&mut one.parameters, usual)
        && metric.parameters.choice(RANK.name) == AUTO
    {
        parameters
            .entry(RANK.name)
            .or_insert_with(|| json!(usual.word()));
    }
}

/// What all say; none where they differ, or where there is none.
fn agreed<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
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
pub(crate) fn values(parameters: &Parameters) -> Map<String, Value> {
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
