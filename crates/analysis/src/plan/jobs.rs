//! From a config's entries to the jobs of each layer.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::{DataKind, ModelShape, Run};

use super::index::RunIndex;
use super::problem::{PlanErrors, PlanProblem, steps_in_words};
use super::{Job, LayerJobs, MetricJob, Selection};
use crate::component::{ComponentError, Outline, Request, Shape};
use crate::config::{ComponentEntry, Config, LayerSelection, Location, MetricEntry};

/// A job of one layer, and where its tensors are looked up.
#[derive(Clone)]
pub(super) struct PlannedJob {
    pub(super) job: Job,
    /// Kind and suffix of every input.
    pub(super) inputs: Vec<(DataKind, String)>,
    /// Where the first entry that asked for it stands.
    location: Location,
}

/// Comparisons of fewer samples than this times the features are biased upwards.
const SAMPLES_PER_FEATURE: usize = 5;

/// The jobs of every layer, and warnings.
pub(super) fn resolve(
    config: &Config,
    run: &Run,
    index: &RunIndex,
    selection: &Selection,
) -> Result<(LayerJobs, Vec<String>), PlanErrors> {
    let mut resolver = Resolver {
        index,
        selection,
        model: run.model.clone().unwrap_or_default(),
        layers: BTreeMap::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
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
        Ok((resolver.layers, resolver.warnings))
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
    job.component.outline(&Request {
        kind: job.kind,
        parameters: &job.component_parameters,
        model,
        tensors: shapes,
    })
}

struct Resolver<'a> {
    index: &'a RunIndex,
    selection: &'a Selection,
    model: ModelShape,
    layers: LayerJobs,
    problems: Vec<PlanProblem>,
    warnings: Vec<String>,
}

impl Resolver<'_> {
    fn add(&mut self, entry: &MetricEntry, component: &ComponentEntry) {
        let inputs: Vec<(DataKind, String)> = component
            .component
            .inputs(component.kind)
            .into_iter()
            .filter_map(|(kind, role)| Some((kind, component.suffixes.get(role)?.clone())))
            .collect();
        let Some(available) = self.available_layers(entry, component, &inputs) else {
            return;
        };
        let layers: Vec<u64> = match &component.layers {
            LayerSelection::All => available.iter().copied().collect(),
            LayerSelection::List(layers) => layers.clone(),
        };
        for layer in layers {
            if available.contains(&layer) {
                self.add_to_layer(layer, entry, component, &inputs);
            } else {
                self.problems.push(PlanProblem::NoSuchLayer {
                    location: component.location.clone(),
                    layer,
                    existing: available.iter().copied().collect(),
                });
            }
        }
    }

    /// The layers that have every input at some step.
    fn available_layers(
        &mut self,
        entry: &MetricEntry,
        component: &ComponentEntry,
        inputs: &[(DataKind, String)],
    ) -> Option<BTreeSet<u64>> {
        let mut available: Option<BTreeSet<u64>> = None;
        for (kind, suffix) in inputs {
            let layers = self.index.layers_with(*kind, entry.split, suffix);
            if layers.is_empty() {
                let problem = self.nothing_of(entry, component, *kind, suffix);
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

    fn nothing_of(
        &self,
        entry: &MetricEntry,
        component: &ComponentEntry,
        kind: DataKind,
        suffix: &str,
    ) -> PlanProblem {
        let location = component.location.clone();
        let split = entry.split;
        let has_data = |step: &u64| self.index.has_part(*step, kind, split);
        if self.selection.read.iter().any(has_data) {
            let existing = self.index.suffixes(kind, split);
            return PlanProblem::NoSuchSuffix {
                location,
                kind,
                suffix: suffix.to_owned(),
                existing,
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
        layer: u64,
        entry: &MetricEntry,
        component: &ComponentEntry,
        inputs: &[(DataKind, String)],
    ) {
        let metric = MetricJob {
            metric: entry.metric,
            parameters: entry.parameters.clone(),
            label: entry.label.as_str().into(),
            target: entry.target.map(|target| self.selection.target(target)),
        };
        let stack = self.stack(layer, entry, inputs);
        let key = format!("{stack}{layer}.{}", component.label());
        let jobs = self.layers.entry(layer).or_default();
        let same_job = |planned: &&mut PlannedJob| {
            planned.job.key(layer) == key
                && planned.job.kind == component.kind
                && planned.job.split == entry.split
                && planned.job.component_parameters == component.parameters
                && planned.inputs == inputs
        };
        let taken = jobs.iter().any(|planned| {
            (planned.job.key(layer), planned.job.kind, planned.job.split)
                == (key.clone(), component.kind, entry.split)
                && planned
                    .job
                    .metrics
                    .iter()
                    .any(|known| *known.label == *entry.label)
        });
        match (jobs.iter_mut().find(same_job), taken) {
            (Some(_), true) => self.warnings.push(format!(
                "{}: `{}` asks for {key} twice; it is computed once",
                component.location, entry.label
            )),
            (None, true) => self.problems.push(PlanProblem::SameKey {
                location: component.location.clone(),
                label: entry.label.clone(),
                key,
            }),
            (Some(planned), false) => planned.job.metrics.push(metric),
            (None, false) => jobs.push(PlannedJob {
                job: Job {
                    component: component.component,
                    component_parameters: component.parameters.clone(),
                    kind: component.kind,
                    split: entry.split,
                    label: component.label().into(),
                    stack: stack.into(),
                    metrics: vec![metric],
                },
                inputs: inputs.to_vec(),
                location: component.location.clone(),
            }),
        }
    }

    /// The names before the layer's number, of the first tensor that the component reads.
    fn stack(&self, layer: u64, entry: &MetricEntry, inputs: &[(DataKind, String)]) -> String {
        self.selection
            .read
            .iter()
            .flat_map(|step| inputs.iter().map(move |input| (step, input)))
            .find_map(|(step, (kind, suffix))| {
                self.index.tensor(*step, *kind, entry.split, layer, suffix)
            })
            .map_or_else(String::new, |tensor| tensor.prefix.clone())
    }

    /// Checks every job at every step: tensors that are missing or unreadable, shapes that do not
    /// fit, samples that differ from the target's.
    fn check_steps(&mut self) {
        let layers = std::mem::take(&mut self.layers);
        let mut gaps: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        let mut notes: BTreeSet<String> = BTreeSet::new();
        for (layer, jobs) in &layers {
            for planned in jobs {
                self.check_job(*layer, planned, &mut gaps, &mut notes);
            }
        }
        self.warnings.extend(notes);
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
        layer: u64,
        planned: &PlannedJob,
        gaps: &mut BTreeMap<String, BTreeSet<u64>>,
        notes: &mut BTreeSet<String>,
    ) {
        let mut outlines: BTreeMap<u64, Outline> = BTreeMap::new();
        for &step in &self.selection.read {
            match self.outline_at(layer, planned, step, gaps, notes) {
                Ok(Some(outline)) => {
                    outlines.insert(step, outline);
                }
                Ok(None) => {}
                Err(problem) => {
                    self.problems.push(problem);
                    return;
                }
            }
        }
        for metric in &planned.job.metrics {
            if let Some(target) = metric.target
                && let Err(problem) =
                    self.check_comparison(layer, planned, metric, target, &outlines, notes)
            {
                self.problems.push(problem);
                return;
            }
        }
    }

    fn outline_at(
        &self,
        layer: u64,
        planned: &PlannedJob,
        step: u64,
        gaps: &mut BTreeMap<String, BTreeSet<u64>>,
        notes: &mut BTreeSet<String>,
    ) -> Result<Option<Outline>, PlanProblem> {
        let split = planned.job.split;
        let mut shapes = Vec::with_capacity(planned.inputs.len());
        for (kind, suffix) in &planned.inputs {
            if !self.index.has_part(step, *kind, split) {
                gaps.entry(format!("{kind} of the {split} split"))
                    .or_default()
                    .insert(step);
                return Ok(None);
            }
            let Some(tensor) = self.index.tensor(step, *kind, split, layer, suffix) else {
                let what = format!("{kind} of `{suffix}` in layer {layer}, {split} split");
                gaps.entry(what).or_default().insert(step);
                return Ok(None);
            };
            let place = tensor
                .place
                .as_ref()
                .map_err(|reason| PlanProblem::UnreadableTensor {
                    location: planned.location.clone(),
                    name: tensor.name.clone(),
                    step,
                    reason: reason.clone(),
                })?;
            if place.entry.shape.len() > 2 {
                notes.insert(format!(
                    "{}: {} dimensions are flattened to (first, rest)",
                    tensor.name,
                    place.entry.shape.len()
                ));
            }
            shapes.push(super::lanes::matrix_shape(&place.entry.shape));
        }
        outline(&planned.job, &self.model, &shapes)
            .map(Some)
            .map_err(|source| PlanProblem::Component {
                location: planned.location.clone(),
                key: planned.job.key(layer),
                step,
                source,
            })
    }

    fn check_comparison(
        &self,
        layer: u64,
        planned: &PlannedJob,
        metric: &MetricJob,
        target: u64,
        outlines: &BTreeMap<u64, Outline>,
        notes: &mut BTreeSet<String>,
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
        for (&step, outline) in outlines {
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
        if of_target.rows < SAMPLES_PER_FEATURE * features {
            notes.insert(format!(
                "{} of {} {}: {} samples are fewer than {SAMPLES_PER_FEATURE} times the {features} \
                 features compared, so the values are biased upwards",
                metric.label, planned.job.label, planned.job.kind, of_target.rows
            ));
        }
        Ok(())
    }
}
