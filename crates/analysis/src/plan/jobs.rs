//! From a config's entries to the jobs of each layer.
//!
//! The plan refuses a comparison of different sample counts. It knows them from shapes, before
//! anything is computed, and a message is better than a curve with silent holes. The metric itself
//! answers with a status, for whoever calls it directly.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ckptscope_checkpoint::architecture::{Role, Roles};
use ckptscope_checkpoint::{DataKind, HeldTensor, Layout, ModelShape, Obstacle, Run, Storage};
use ckptscope_metrics::Form;
use ckptscope_vocabulary::sort::sort;

use super::dimensions::Dimensions;
use super::index::RunIndex;
use super::input::{Input, StacksOf, Wanted};
use super::problem::{PlanErrors, PlanProblem, steps_in_words};
use super::roles::{Assembled, RoleFinder};
use super::{Job, LayerJobs, MetricJob, Resolved, Selection};
use crate::assembly::Assembly;
use crate::component::{ComponentError, Outline, Request, Shape};
use crate::config::{
    ComponentEntry, Config, LayerSelection, LayerSuffix, Location, MetricEntry, OnError, shown,
    with_stack,
};

/// A job of one layer, and where its tensors are looked up.
#[derive(Clone)]
pub(super) struct PlannedJob {
    pub(super) job: Job,
    /// What it reads.
    pub(super) inputs: Vec<Rc<Input>>,
    /// The steps whose tensors are put together in another way, at which it has no numbers.
    pub(super) otherwise_at: BTreeSet<u64>,
    /// Where the first entry that asked for it stands.
    location: Location,
}

/// A layer's own matrix is measured by itself where its heads are no wider together: its singular
/// values cost the cube of that.
const CHEAP_LAYER_WIDTH: u64 = 1024;

/// Comparisons of fewer samples than this times the features are biased upwards.
const SAMPLES_PER_FEATURE: usize = 5;

/// The jobs of every layer, the model's dimensions as they are taken, and warnings; `said` is what
/// is said of the model.
pub(super) fn resolve(
    config: &Config,
    run: &Run,
    said: Option<&ModelShape>,
    index: &RunIndex,
    selection: &Selection,
) -> Result<Resolved, PlanErrors> {
    let mut resolver = Resolver {
        index,
        selection,
        model: Dimensions::of(said),
        run,
        layout: run.layout,
        on_error: config.on_error,
        inputs: BTreeMap::new(),
        layers: BTreeMap::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
        notes: BTreeSet::new(),
        stored: BTreeMap::new(),
        obstructed: BTreeMap::new(),
    };
    for entry in &config.metrics {
        for component in &entry.components {
            resolver.add(entry, component);
        }
    }
    if resolver.problems.is_empty() {
        resolver.check_steps();
    }
    if resolver.problems.is_empty() {
        Ok(Resolved {
            layers: resolver.layers,
            model: said.map(|_| resolver.model.taken()),
            warnings: resolver.warnings,
        })
    } else {
        Err(PlanErrors(resolver.problems))
    }
}

/// The model's dimensions and the shapes of a job's tensors, asked of its component.
pub(super) fn outline(
    job: &Job,
    model: &ModelShape,
    shapes: &[Shape],
) -> Result<Outline, ComponentError> {
    let (model, shapes) = assembled(job, model, shapes)?;
    job.component.outline(&request(job, &model, &shapes))
}

/// The dimensions and the shapes of matrices that a job's component sees.
pub(super) fn assembled<'a>(
    job: &Job,
    model: &'a ModelShape,
    shapes: &'a [Shape],
) -> Result<(Cow<'a, ModelShape>, Cow<'a, [Shape]>), ComponentError> {
    let Some(assembly) = &job.assembly else {
        return Ok((Cow::Borrowed(model), Cow::Borrowed(shapes)));
    };
    let shapes = assembly.shapes(shapes)?;
    Ok((Cow::Owned(assembly.model(model)), Cow::Owned(shapes)))
}

fn request<'a>(job: &'a Job, model: &'a ModelShape, shapes: &'a [Shape]) -> Request<'a, Shape> {
    Request {
        kind: job.kind,
        parameters: &job.component_parameters,
        model,
        tensors: shapes,
    }
}

impl PlannedJob {
    fn reads_the_same(&self, inputs: &[Rc<Input>]) -> bool {
        fn names(inputs: &[Rc<Input>]) -> impl Iterator<Item = (DataKind, &str)> {
            let names = inputs.iter();
            names.map(|input| (input.wanted.kind, input.wanted.suffix.as_str()))
        }
        names(&self.inputs).eq(names(inputs))
    }

    /// The tensor that one of its inputs means in a layer at a step, if the step has it.
    fn tensor<'a>(
        &self,
        input: &'a Input,
        layer: Option<u64>,
        step: u64,
        on_error: OnError,
    ) -> Result<Option<&'a HeldTensor>, PlanProblem> {
        let location = || self.location.clone();
        match input.tensors(step, layer) {
            [] => Ok(None),
            [tensor] => match &tensor.storage {
                Storage::Obstructed(Obstacle::Unreadable { reason })
                    if on_error == OnError::Stop =>
                {
                    Err(PlanProblem::UnreadableTensor {
                        location: location(),
                        name: tensor.name.clone(),
                        step,
                        reason: reason.clone(),
                    })
                }
                _ => Ok(Some(tensor)),
            },
            several => {
                let name = |tensor: &HeldTensor| format!("{} in {}", tensor.name, tensor.path);
                let mut found: Vec<String> = several.iter().map(name).collect();
                sort(&mut found);
                Err(PlanProblem::SeveralTensors {
                    location: location(),
                    step,
                    kind: input.wanted.kind,
                    suffix: input.wanted.suffix.clone(),
                    layer,
                    found,
                })
            }
        }
    }
}

/// The stack of a layer as keys have it: as it is called first, where steps call it differently.
///
/// Keys have no wrappers, so that a series goes on where a later step has other wrappers. In
/// pico-train's runs they have them: the reference tool takes its keys from the files as they are,
/// and its per-step files are compared with ours key by key.
fn stack_of<'a>(layer: u64, inputs: &'a [Rc<Input>], steps: &[u64], layout: Layout) -> &'a str {
    let stack = |input: &'a Rc<Input>, step| match layout {
        Layout::Pico => input.written_stack(step, layer),
        Layout::StepFolders | Layout::StepFiles | Layout::Single => input.stack(step, layer),
    };
    let stacks = steps
        .iter()
        .flat_map(|step| inputs.iter().map(move |input| stack(input, *step)));
    stacks.flatten().next().unwrap_or_default()
}

/// What is said of layers that lack a tensor and have others whose names begin with its own: there
/// it is stored in another form, such as wrapped by an adapter.
fn other_forms(inputs: &[Rc<Input>], available: &BTreeSet<u64>, steps: &[u64]) -> Vec<String> {
    /// So many names are told.
    const NAMED: usize = 3;
    let said = inputs.iter().filter_map(|input| {
        let forms = input.other_forms(steps, available);
        let layers: BTreeSet<u64> = forms.iter().map(|(layer, _)| *layer).collect();
        let layers: Vec<u64> = layers.into_iter().collect();
        let names: BTreeSet<String> = forms.into_iter().map(|(_, name)| name).collect();
        let told: Vec<String> = names
            .iter()
            .take(NAMED)
            .map(|it| format!("`{it}`"))
            .collect();
        let more = match names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!told.is_empty()).then(|| {
            format!(
                "{} of `{}`: not in layer {}, which has {}{more} instead",
                input.wanted.kind,
                input.wanted.tensors(),
                steps_in_words(&layers),
                told.join(", ")
            )
        })
    });
    said.collect()
}

/// How a config chooses one of several stacks.
fn advice(component: &ComponentEntry, stacks: &BTreeSet<String>) -> String {
    // YAML takes a `*` at the start for an alias.
    let scalar = |text: &str| {
        if text.starts_with('*') {
            format!("\"{text}\"")
        } else {
            text.to_owned()
        }
    };
    let first = stacks.first().map_or("", String::as_str);
    let key = format!("`stack: {}`", scalar(shown(first)));
    match component.suffixes.as_slice() {
        [suffix] => {
            let suffix = with_stack(first, LayerSuffix::of(suffix).within);
            format!("{key} or the suffix `{}`", scalar(&suffix))
        }
        _ => key,
    }
}

/// Stacks by name; one of names that begin with the layer's number as configs write it.
fn quoted(stacks: BTreeSet<String>) -> Vec<String> {
    let name = |stack: String| {
        if stack.is_empty() {
            shown("").to_owned()
        } else {
            stack
        }
    };
    stacks
        .into_iter()
        .map(|stack| format!("`{}`", name(stack)))
        .collect()
}

struct Resolver<'a> {
    index: &'a RunIndex,
    selection: &'a Selection,
    model: Dimensions,
    run: &'a Run,
    layout: Layout,
    on_error: OnError,
    inputs: BTreeMap<Wanted, Rc<Input>>,
    layers: LayerJobs,
    problems: Vec<PlanProblem>,
    warnings: Vec<String>,
    /// Warnings that many layers and steps have in common, each once.
    notes: BTreeSet<String>,
    /// Why tensors have no values, and the steps where they have none.
    obstructed: BTreeMap<String, BTreeSet<u64>>,
    /// How tensors are stored where that is to be known, by suffix, and the steps where they are.
    stored: BTreeMap<String, BTreeMap<Option<String>, BTreeSet<u64>>>,
}

/// What a job can build at a step.
enum Buildable {
    /// Matrices of these shapes.
    Outline(Outline),
    /// None, because the step does not have its tensors.
    Absent,
    /// None, because a tensor has no values.
    Obstructed,
}

impl Resolver<'_> {
    fn add(&mut self, entry: &MetricEntry, component: &ComponentEntry) {
        if component.layers == LayerSelection::Outside {
            match component.part {
                Some(part) => self.add_part_outside(entry, component, part),
                None => self.add_outside(entry, component),
            }
            return;
        }
        if component.is_by_role() {
            self.add_by_role(entry, component);
            return;
        }
        let inputs: Vec<Rc<Input>> = component
            .component
            .inputs(component.kind)
            .into_iter()
            .filter_map(|(kind, role)| {
                let suffix = component.suffixes.get(role)?;
                let stack = component.stack.as_deref();
                Some(self.input(Wanted::of(kind, entry.split, suffix, stack)))
            })
            .collect();
        let steps = self.selection.steps_of(entry);
        let Some(available) = self.available_layers(component, &inputs, &steps) else {
            return;
        };
        if let Err(problem) = self.check_stacks(component, &inputs, &steps) {
            self.problems.push(problem);
            return;
        }
        if available.is_empty() {
            self.problems.push(PlanProblem::NoCommonLayer {
                location: component.location.clone(),
                component: component.label().into_owned(),
            });
        }
        if component.layers == LayerSelection::All {
            self.notes.extend(other_forms(&inputs, &available, &steps));
        }
        let layers: Vec<u64> = match &component.layers {
            LayerSelection::All => available.iter().copied().collect(),
            LayerSelection::List(layers) => layers.clone(),
            LayerSelection::Outside => Vec::new(),
        };
        for layer in layers {
            if available.contains(&layer) {
                let stack = stack_of(layer, &inputs, &steps, self.layout);
                self.add_to_layer(Some(layer), stack, entry, component, &inputs, None);
            } else {
                self.problems.push(PlanProblem::NoSuchLayer {
                    location: component.location.clone(),
                    layer,
                    existing: available.iter().copied().collect(),
                });
            }
        }
    }

    /// The same of tensors outside of layers, which suffixes name in full.
    fn add_outside(&mut self, entry: &MetricEntry, component: &ComponentEntry) {
        let wanted = component.component.inputs(component.kind).into_iter();
        let wanted: Vec<Wanted> = wanted
            .filter_map(|(kind, role)| {
                let name = component.suffixes.get(role)?;
                Some(Wanted::outside(kind, entry.split, name))
            })
            .collect();
        let inputs: Vec<Rc<Input>> = wanted.into_iter().map(|it| self.input(it)).collect();
        let steps = self.selection.steps_of(entry);
        match inputs.iter().find(|input| !input.is_at(&steps)) {
            Some(input) => {
                let problem = self.nothing_outside_of(component, input, &steps);
                self.problems.push(problem);
            }
            None => self.add_to_layer(None, "", entry, component, &inputs, None),
        }
    }

    /// The same of a part of the model that stands there.
    fn add_part_outside(&mut self, entry: &MetricEntry, component: &ComponentEntry, part: Role) {
        let names = self.index.names_outside(component.kind, entry.split);
        let named: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = match Roles::of(self.run.config.as_ref()).outside(part, &named) {
            Ok(found) => found,
            // Without any data that is what to say.
            Err(_) if names.is_empty() => {
                let wanted = Wanted::outside(component.kind, entry.split, part.name());
                let input = self.input(wanted);
                let steps = self.selection.steps_of(entry);
                let problem = self.nothing_outside_of(component, &input, &steps);
                return self.problems.push(problem);
            }
            Err(reason) => {
                return self.problems.push(PlanProblem::NoPartOutside {
                    location: component.location.clone(),
                    reason: reason.to_string(),
                    existing: names,
                });
            }
        };
        let told = found.assumed.iter();
        self.notes.extend(told.map(|it| format!("{part}: {it}")));
        self.notes.insert(format!("{part}: {}", found.name));
        let suffixes = vec![found.name.to_owned()];
        let component = ComponentEntry {
            suffixes,
            ..component.clone()
        };
        self.add_outside(entry, &component);
    }

    fn nothing_outside_of(
        &self,
        component: &ComponentEntry,
        input: &Input,
        steps: &[u64],
    ) -> PlanProblem {
        let location = component.location.clone();
        let (kind, split) = (input.wanted.kind, input.wanted.split);
        if !steps
            .iter()
            .any(|step| self.index.has_part(*step, kind, split))
        {
            return PlanProblem::NoSuchData {
                location,
                kind,
                split,
                existing: self.selection.data.clone(),
            };
        }
        PlanProblem::NoSuchName {
            location,
            kind,
            name: input.wanted.suffix.clone(),
            existing: self.index.names_outside(kind, split),
        }
    }

    /// The same of a component whose tensors the model's architecture says.
    fn add_by_role(&mut self, entry: &MetricEntry, component: &ComponentEntry) {
        let steps = self.selection.steps_of(entry);
        let location = || component.location.clone();
        let has_weights = |step: &u64| self.index.has_part(*step, DataKind::Weights, entry.split);
        if !steps.iter().any(has_weights) {
            self.problems.push(PlanProblem::NoSuchData {
                location: location(),
                kind: DataKind::Weights,
                split: entry.split,
                existing: self.selection.data.clone(),
            });
            return;
        }
        let finder = RoleFinder {
            index: self.index,
            config: self.run.config.as_ref(),
            model: &self.model,
        };
        let found = match finder.find(component, entry.split, &steps) {
            Ok(found) => found,
            Err(problem) => return self.problems.push(problem),
        };
        if let LayerSelection::List(layers) = &component.layers {
            let existing: BTreeSet<u64> = found.layers.iter().map(|it| it.layer).collect();
            for layer in layers.iter().filter(|layer| !existing.contains(layer)) {
                let problem = match found.without.get(layer) {
                    Some(reason) => {
                        finder.problem(component, format!("layer {layer}: {reason}"), &[])
                    }
                    None => PlanProblem::NoSuchLayer {
                        location: location(),
                        layer: *layer,
                        existing: existing.iter().copied().collect(),
                    },
                };
                self.problems.push(problem);
            }
        }
        self.notes.extend(found.notes);
        let is_asked = |layer: u64| match &component.layers {
            LayerSelection::All => true,
            LayerSelection::List(layers) => layers.contains(&layer),
            LayerSelection::Outside => false,
        };
        for assembled in found.layers.into_iter().filter(|it| is_asked(it.layer)) {
            self.add_assembled(entry, component, assembled, &steps);
        }
    }

    fn add_assembled(
        &mut self,
        entry: &MetricEntry,
        component: &ComponentEntry,
        assembled: Assembled,
        steps: &[u64],
    ) {
        let stack = assembled.stack.as_deref();
        let tensors = assembled.tensors.iter();
        let inputs: Vec<Rc<Input>> = tensors
            .map(|(kind, suffix)| {
                self.input(Wanted {
                    kind: *kind,
                    split: entry.split,
                    suffix: suffix.clone(),
                    stack: stack.map(str::to_owned),
                    is_outside: false,
                })
            })
            .collect();
        let layer = assembled.layer;
        let stack = stack_of(layer, &inputs, steps, self.layout);
        self.add_to_layer(
            Some(layer),
            stack,
            entry,
            component,
            &inputs,
            Some(assembled),
        );
    }

    /// Whether only a job's heads are measured.
    fn is_heads_only(&mut self, component: &ComponentEntry, assembly: Option<&Assembly>) -> bool {
        let Some(assembly) = assembly else {
            return false;
        };
        let width = assembly.heads.n_heads.zip(assembly.heads.d_head);
        let width = width.map_or(0, |(heads, width)| heads.saturating_mul(width));
        match component.parameters.choice("layer_matrix") {
            "never" => true,
            "auto" if width > CHEAP_LAYER_WIDTH => {
                self.notes.insert(format!(
                    "{}: heads only; the layer's own matrix, {width} wide, costs more than all of \
                     them (`layer_matrix: always` measures it too)",
                    component.label()
                ));
                true
            }
            _ => false,
        }
    }

    fn input(&mut self, wanted: Wanted) -> Rc<Input> {
        let index = self.index;
        let input = self.inputs.entry(wanted);
        let find = |wanted: &Wanted| Rc::new(Input::of(index, wanted.clone()));
        Rc::clone(input.or_insert_with_key(find))
    }

    /// The layers that have every input at some step.
    fn available_layers(
        &mut self,
        component: &ComponentEntry,
        inputs: &[Rc<Input>],
        steps: &[u64],
    ) -> Option<BTreeSet<u64>> {
        let mut available: Option<BTreeSet<u64>> = None;
        for input in inputs {
            let layers = input.layers(steps);
            if layers.is_empty() {
                let problem = self.nothing_of(component, input, steps);
                self.problems.push(problem);
                return None;
            }
            available = Some(match available {
                Some(others) => others.intersection(&layers).copied().collect(),
                None => layers,
            });
        }
        available
    }

    /// Whether all inputs are of one stack.
    fn check_stacks(
        &mut self,
        component: &ComponentEntry,
        inputs: &[Rc<Input>],
        steps: &[u64],
    ) -> Result<(), PlanProblem> {
        let of = |input: &Input| format!("{} of `{}`", input.wanted.kind, input.wanted.tensors());
        let together = || match inputs {
            [input] => of(input),
            _ => format!("the tensors of {}", component.label()),
        };
        let each = inputs
            .iter()
            .map(|input| (of(input), std::slice::from_ref(input)));
        for (what, inputs) in each.chain([(together(), inputs)]) {
            let stacks = StacksOf::inputs(inputs.iter().map(Rc::as_ref), steps);
            if let StacksOf::Several(stacks) = stacks {
                return Err(PlanProblem::SeveralStacks {
                    location: component.location.clone(),
                    what,
                    advice: advice(component, &stacks),
                    stacks: quoted(stacks),
                });
            }
        }
        let all = inputs.iter().map(Rc::as_ref);
        if let StacksOf::Renamed(stacks) = StacksOf::inputs(all, steps) {
            self.notes.insert(format!(
                "{}: the layers are called {}, each the only stack of its files; they are taken \
                 for the same",
                together(),
                quoted(stacks).join(" and ")
            ));
        }
        for input in inputs.iter().filter(|input| input.is_whole()) {
            let (kind, suffix) = (input.wanted.kind, &input.wanted.suffix);
            self.notes.insert(format!(
                "{kind} of `{suffix}`: not those of `{suffix}.weight`, which there are as well"
            ));
        }
        Ok(())
    }

    fn nothing_of(&self, component: &ComponentEntry, input: &Input, steps: &[u64]) -> PlanProblem {
        let location = component.location.clone();
        let Wanted {
            kind,
            split,
            suffix,
            stack,
            ..
        } = &input.wanted;
        let (kind, split) = (*kind, *split);
        if let Some(outside) = self.index.without_layers(kind, split, steps) {
            return PlanProblem::NoLayers {
                location,
                kind,
                outside,
            };
        }
        let others = self.index.stacks_with(kind, split, input.plain(), steps);
        if let (Some(stack), false) = (stack, others.is_empty()) {
            return PlanProblem::NoSuchStack {
                location,
                kind,
                suffix: suffix.clone(),
                stack: shown(stack).to_owned(),
                existing: others.iter().map(|it| shown(it).to_owned()).collect(),
            };
        }
        let has_data = |step: &u64| self.index.has_part(*step, kind, split);
        if steps.iter().any(has_data) {
            return PlanProblem::NoSuchSuffix {
                location,
                kind,
                suffix: suffix.clone(),
                is_outside: self
                    .index
                    .names_outside(kind, split)
                    .iter()
                    .any(|name| *name == input.plain()),
                existing: self.index.suffixes(kind, split),
            };
        }
        PlanProblem::NoSuchData {
            location,
            kind,
            split,
            existing: self.selection.data.clone(),
        }
    }

    fn add_to_layer(
        &mut self,
        layer: Option<u64>,
        stack: &str,
        entry: &MetricEntry,
        component: &ComponentEntry,
        inputs: &[Rc<Input>],
        assembled: Option<Assembled>,
    ) {
        let expert = assembled.as_ref().and_then(|it| it.expert);
        let otherwise_at = assembled.as_ref().map(|it| it.otherwise_at.clone());
        let otherwise_at = otherwise_at.unwrap_or_default();
        let assembly = assembled.map(|it| it.assembly);
        let metric = MetricJob {
            metric: entry.metric,
            parameters: entry.parameters.clone(),
            label: entry.label.as_str().into(),
            target: entry.target.map(|target| self.selection.target(target)),
        };
        let job = Job {
            component: component.component,
            component_parameters: component.parameters.clone(),
            kind: component.kind,
            split: entry.split,
            stack: stack.into(),
            label: (&*component.label()).into(),
            expert,
            heads_only: self.is_heads_only(component, assembly.as_ref()),
            assembly,
            metrics: Vec::new(),
        };
        let key = job.key(layer);
        let jobs = self.layers.entry(layer).or_default();
        let has_same_key = |other: &Job| {
            (other.kind, other.split) == (job.kind, job.split) && other.key(layer) == key
        };
        let is_same_job = |planned: &&mut PlannedJob| {
            has_same_key(&planned.job)
                && planned.job.component_parameters == job.component_parameters
                && planned.job.assembly == job.assembly
                && planned.reads_the_same(inputs)
        };
        let taken = jobs.iter().any(|planned| {
            let mut metrics = planned.job.metrics.iter();
            has_same_key(&planned.job) && metrics.any(|known| *known.label == *entry.label)
        });
        match (jobs.iter_mut().find(is_same_job), taken) {
            (Some(_), true) => self.warnings.push(format!(
                "{}: `{}` asks for {key} twice; it is computed once",
                component.location, entry.label
            )),
            (None, true) => self.problems.push(PlanProblem::SameKey {
                location: component.location.clone(),
                label: entry.label.clone(),
                key,
            }),
            (Some(planned), false) => {
                planned.job.metrics.push(metric);
                planned.otherwise_at.extend(otherwise_at);
            }
            (None, false) => jobs.push(PlannedJob {
                job: Job {
                    metrics: vec![metric],
                    ..job
                },
                inputs: inputs.to_vec(),
                otherwise_at,
                location: component.location.clone(),
            }),
        }
    }

    /// Checks every job at every step: tensors that are missing or unreadable, shapes that do not
    /// fit, samples that differ from the target's.
    fn check_steps(&mut self) {
        let layers = std::mem::take(&mut self.layers);
        let mut gaps: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for (layer, jobs) in &layers {
            for planned in jobs {
                if let Err(problem) = self.check_job(*layer, planned, &mut gaps) {
                    self.problems.push(problem);
                }
            }
        }
        for (what, remarks) in std::mem::take(&mut self.stored) {
            let alike = remarks.values().collect::<BTreeSet<_>>().len() == 1;
            self.notes
                .extend(remarks.iter().filter_map(|(remark, steps)| {
                    let (remark, steps) = (remark.as_ref()?, steps.iter().copied());
                    let at = match alike {
                        true => String::new(),
                        false => format!(
                            "; so at step {}",
                            steps_in_words(&steps.collect::<Vec<_>>())
                        ),
                    };
                    Some(format!("{what}: {remark}{at}"))
                }));
        }
        self.warnings.extend(std::mem::take(&mut self.notes));
        let obstructed = std::mem::take(&mut self.obstructed).into_iter();
        self.warnings.extend(obstructed.map(|(what, steps)| {
            let steps: Vec<u64> = steps.into_iter().collect();
            format!("{what}; no numbers at steps {}", steps_in_words(&steps))
        }));
        self.warnings.extend(gaps.into_iter().map(|(what, steps)| {
            let steps: Vec<u64> = steps.into_iter().collect();
            format!(
                "{what}: not at steps {}; skipped there",
                steps_in_words(&steps)
            )
        }));
        self.layers = layers;
    }

    fn check_job(
        &mut self,
        layer: Option<u64>,
        planned: &PlannedJob,
        gaps: &mut BTreeMap<String, BTreeSet<u64>>,
    ) -> Result<(), PlanProblem> {
        let mut outlines: BTreeMap<u64, Outline> = BTreeMap::new();
        let mut obstructed: BTreeSet<u64> = BTreeSet::new();
        for step in self.steps_of(&planned.job) {
            match self.outline_at(layer, planned, step, gaps)? {
                Buildable::Outline(outline) => drop(outlines.insert(step, outline)),
                Buildable::Absent => {}
                Buildable::Obstructed => drop(obstructed.insert(step)),
            }
        }
        self.note_shapes(planned, &outlines);
        for metric in &planned.job.metrics {
            if let Some(target) = metric.target.filter(|step| !obstructed.contains(step)) {
                self.check_comparison(layer, planned, metric, target, &outlines)?;
            }
        }
        Ok(())
    }

    /// Says where a job's matrix has other shapes at other steps; samples may be more or fewer.
    fn note_shapes(&mut self, planned: &PlannedJob, outlines: &BTreeMap<u64, Outline>) {
        let mut shapes: BTreeMap<(usize, usize), Vec<u64>> = BTreeMap::new();
        for (step, outline) in outlines {
            let Shape { rows, columns } = outline.layer.shape;
            shapes.entry((rows, columns)).or_default().push(*step);
        }
        if shapes.len() < 2 || planned.job.kind == DataKind::Activations {
            return;
        }
        let shapes = shapes.iter().map(|((rows, columns), steps)| {
            format!("[{rows}, {columns}] at step {}", steps_in_words(steps))
        });
        self.notes.insert(format!(
            "{} of `{}` have several shapes: {}; analyse steps of other models by themselves",
            planned.job.kind,
            planned.job.label,
            shapes.collect::<Vec<_>>().join(", ")
        ));
    }

    /// The steps at which a job is built, ascending.
    fn steps_of(&self, job: &Job) -> BTreeSet<u64> {
        let targets = job.metrics.iter().filter_map(|metric| metric.target);
        let computed = self.selection.computed.iter().copied();
        computed.chain(targets).collect()
    }

    fn outline_at(
        &mut self,
        layer: Option<u64>,
        planned: &PlannedJob,
        step: u64,
        gaps: &mut BTreeMap<String, BTreeSet<u64>>,
    ) -> Result<Buildable, PlanProblem> {
        let split = planned.job.split;
        let mut shapes = Vec::with_capacity(planned.inputs.len());
        for input in &planned.inputs {
            let (kind, suffix) = (input.wanted.kind, input.wanted.tensors());
            if self.index.is_unreadable(step, kind, split) {
                // Said once, with the reason.
                return Ok(Buildable::Absent);
            }
            if !self.index.has_part(step, kind, split) {
                gaps.entry(format!("{kind} of the {split} split"))
                    .or_default()
                    .insert(step);
                return Ok(Buildable::Absent);
            }
            let Some(tensor) = planned.tensor(input, layer, step, self.on_error)? else {
                let place = layer.map(|layer| format!(" in layer {layer}"));
                let place = place.unwrap_or_default();
                let what = format!("{kind} of `{suffix}`{place}, {split} split");
                gaps.entry(what).or_default().insert(step);
                return Ok(Buildable::Absent);
            };
            let values = match tensor.values(kind) {
                Ok(values) => values,
                Err(obstacle) => {
                    let what = format!("{kind} of `{suffix}`: {obstacle}");
                    self.obstructed.entry(what).or_default().insert(step);
                    return Ok(Buildable::Obstructed);
                }
            };
            let dimensions = values.shape().len();
            self.note_of(input, step, tensor);
            // A part is cut out of what has more dimensions.
            if dimensions > 2 && planned.job.assembly.is_none() {
                self.notes.insert(format!(
                    "{}: {dimensions} dimensions are flattened to (first, rest)",
                    tensor.name
                ));
            }
            shapes.push(super::lanes::matrix_shape(values.shape()));
        }
        if planned.otherwise_at.contains(&step) {
            let place = layer.map(|layer| format!(" in layer {layer}"));
            let (label, place) = (&planned.job.label, place.unwrap_or_default());
            let what = format!("{label}{place}, stored otherwise than at other steps");
            gaps.entry(what).or_default().insert(step);
            return Ok(Buildable::Absent);
        }
        let model = self.model.of_layer(&planned.job.stack, layer);
        let seen = assembled(&planned.job, &model, &shapes);
        let (of_job, shapes) = seen.map_err(|source| self.misfit(layer, planned, step, source))?;
        let request = request(&planned.job, &of_job, &shapes);
        let outline = planned.job.component.outline(&request);
        let outline = outline.map_err(|source| self.misfit(layer, planned, step, source))?;
        let taken = planned.job.component.dimensions(&request);
        self.notes.extend(self.model.take(&model, &taken));
        let doubt = self.model.doubt(&planned.job.stack, &taken);
        self.notes.extend(doubt);
        Ok(Buildable::Outline(outline))
    }

    /// Tensors that do not make a component.
    fn misfit(
        &self,
        layer: Option<u64>,
        planned: &PlannedJob,
        step: u64,
        source: ComponentError,
    ) -> PlanProblem {
        let (location, key) = (planned.location.clone(), planned.job.key(layer));
        match source {
            ComponentError::HeadsUnknown => PlanProblem::HeadsUnknown {
                location,
                key,
                step: Some(step),
                looked_for: self.model.why_unknown(&planned.job.stack),
            },
            source => PlanProblem::Component {
                location,
                key,
                step,
                source,
            },
        }
    }

    /// How a tensor is stored, where that is to be known.
    fn note_of(&mut self, input: &Input, step: u64, tensor: &HeldTensor) {
        let what = format!("{} of `{}`", input.wanted.kind, input.wanted.tensors());
        let remarks = self.stored.entry(what).or_default();
        let steps = remarks.entry(tensor.remark.clone()).or_default();
        steps.insert(step);
    }

    fn check_comparison(
        &mut self,
        layer: Option<u64>,
        planned: &PlannedJob,
        metric: &MetricJob,
        target: u64,
        outlines: &BTreeMap<u64, Outline>,
    ) -> Result<(), PlanProblem> {
        let location = || planned.location.clone();
        let Some(target_outline) = outlines.get(&target) else {
            let what = format!("{}.{}", planned.job.key(layer), planned.job.kind);
            return Err(PlanProblem::TargetLacks {
                location: location(),
                target,
                what,
            });
        };
        let of_target = target_outline.layer.shape;
        let is_computed = |step: &u64| self.selection.computed.binary_search(step).is_ok();
        for (&step, outline) in outlines.iter().filter(|(step, _)| is_computed(step)) {
            let shape = outline.layer.shape;
            if shape.rows != of_target.rows {
                return Err(PlanProblem::DifferentSamples {
                    location: location(),
                    key: planned.job.key(layer),
                    step,
                    found: shape.rows,
                    target,
                    expected: of_target.rows,
                });
            }
        }
        let width = |outline: &Outline| {
            outline
                .heads
                .first()
                .unwrap_or(&outline.layer)
                .shape
                .columns
        };
        let features = 2 * width(target_outline);
        let bias = match metric.metric.form() {
            Form::Comparative(comparative) => comparative.bias(&metric.parameters),
            Form::Single(_) => None,
        };
        if let Some(bias) = bias
            && of_target.rows < SAMPLES_PER_FEATURE * features
        {
            self.notes.insert(format!(
                "{} of {} {}: {} samples are fewer than {SAMPLES_PER_FEATURE} times the {features} \
                 features compared, so the values are biased {}",
                metric.label,
                planned.job.label,
                planned.job.kind,
                of_target.rows,
                bias.name()
            ));
        }
        Ok(())
    }
}
