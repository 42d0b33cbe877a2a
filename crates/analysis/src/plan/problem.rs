//! What does not fit between a config and a run.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use ckptscope_checkpoint::{DataKind, Outside, Split};

use crate::component::ComponentError;
use crate::config::{ConfigProblem, Location, suggest};

/// Everything that does not fit, in the config's order.
#[derive(Debug)]
pub struct PlanErrors(pub Vec<PlanProblem>);

/// One thing that does not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanProblem {
    /// The run has no steps at all.
    #[error("the run has no steps")]
    NoSteps,
    /// None of the steps asked for exists.
    #[error(
        "none of the steps asked for exists ({}); the run has {}",
        steps_in_words(wanted),
        steps_in_words(existing)
    )]
    NoSuchSteps {
        /// The steps asked for.
        wanted: Vec<u64>,
        /// The run's steps.
        existing: Vec<u64>,
    },
    /// A target checkpoint does not exist.
    #[error(
        "{location}: target_checkpoint {target} does not exist; the run has {}",
        steps_in_words(existing)
    )]
    NoSuchTarget {
        /// Where it is asked for.
        location: Location,
        /// The step.
        target: u64,
        /// The run's steps.
        existing: Vec<u64>,
    },
    /// The run has no data of a kind at any of the steps.
    #[error(
        "{location}: the run has no {kind} of the {split} split at these steps; it has {}",
        list(existing)
    )]
    NoSuchData {
        /// Where it is asked for.
        location: Location,
        /// The kind.
        kind: DataKind,
        /// The split.
        split: Split,
        /// What there is, in words.
        existing: Vec<String>,
    },
    /// A suffix that no tensor has.
    #[error(
        "{location}: no layer has {kind} of `{suffix}`{}; there are {}",
        if *is_outside {
            ", but it is outside of layers (`layers: none`)".to_owned()
        } else {
            did_you_mean(suffix, existing)
        },
        list(existing)
    )]
    NoSuchSuffix {
        /// Where it is asked for.
        location: Location,
        /// The kind.
        kind: DataKind,
        /// The suffix.
        suffix: String,
        /// Whether it is the name of a tensor outside of layers.
        is_outside: bool,
        /// The suffixes there are.
        existing: Vec<String>,
    },
    /// A name that no tensor outside of layers has.
    #[error(
        "{location}: no {kind} outside of layers are called `{name}`{}; there are {}",
        did_you_mean(name, existing),
        list(existing)
    )]
    NoSuchName {
        /// Where it is asked for.
        location: Location,
        /// The kind.
        kind: DataKind,
        /// The name.
        name: String,
        /// The names there are.
        existing: Vec<String>,
    },
    /// Tensors of which no name has a layer's number.
    #[error(
        "{location}: no layers were recognised in {}; a layer is a number in a name, as in \
         `layers.0.attention.o_proj`; `layers: none` measures tensors outside of layers, by their \
         whole names",
        names_in_words(outside, *kind)
    )]
    NoLayers {
        /// Where it is asked for.
        location: Location,
        /// The kind.
        kind: DataKind,
        /// What there is instead.
        outside: Outside,
    },
    /// A suffix, or the suffixes of a component, that tensors of several stacks have.
    #[error(
        "{location}: {what} are in several stacks of layers, {}; say which one is meant, as with \
         {advice}",
        list(stacks)
    )]
    SeveralStacks {
        /// Where it is asked for.
        location: Location,
        /// The tensors, in words.
        what: String,
        /// What stands before the layer's number in their names.
        stacks: Vec<String>,
        /// How a config says it.
        advice: String,
    },
    /// A stack that no tensors of a suffix are of.
    #[error(
        "{location}: no stack of layers with {kind} of `{suffix}` is called `{stack}`{}; there are {}",
        did_you_mean(stack, existing),
        list(existing)
    )]
    NoSuchStack {
        /// Where it is asked for.
        location: Location,
        /// The kind.
        kind: DataKind,
        /// The suffix.
        suffix: String,
        /// The stack.
        stack: String,
        /// The stacks that have the suffix.
        existing: Vec<String>,
    },
    /// Tensors of a component that no layer has all of.
    #[error("{location}: no layer has all tensors of {component}; each has some of them only")]
    NoCommonLayer {
        /// Where it is asked for.
        location: Location,
        /// The component.
        component: String,
    },
    /// A component whose parts no layer has, as far as the model's architecture is known.
    #[error("{location}: {component}: {reason}{}", instead(existing))]
    NoParts {
        /// Where it is asked for.
        location: Location,
        /// The component.
        component: String,
        /// What was found.
        reason: String,
        /// The suffixes there are.
        existing: Vec<String>,
    },
    /// A part outside of layers that the model does not have, as far as its architecture is known.
    #[error("{location}: {reason}; outside of layers there are {}", list(existing))]
    NoPartOutside {
        /// Where it is asked for.
        location: Location,
        /// What was found.
        reason: String,
        /// The names there are.
        existing: Vec<String>,
    },
    /// A layer that does not exist.
    #[error(
        "{location}: layer {layer} does not exist; there are {}",
        steps_in_words(existing)
    )]
    NoSuchLayer {
        /// Where it is asked for.
        location: Location,
        /// The layer.
        layer: u64,
        /// The layers there are.
        existing: Vec<u64>,
    },
    /// The target checkpoint lacks what should be compared.
    #[error("{location}: the target checkpoint {target} has no {what}")]
    TargetLacks {
        /// Where it is asked for.
        location: Location,
        /// The step.
        target: u64,
        /// The component's key.
        what: String,
    },
    /// The target checkpoint has another number of samples.
    #[error(
        "{location}: {key} has {found} samples at step {step} and {expected} at the target {target}; \
         they can be compared only over the same samples (leave step {step} out of `steps`)"
    )]
    DifferentSamples {
        /// Where it is asked for.
        location: Location,
        /// The component's key.
        key: String,
        /// The step.
        step: u64,
        /// Its samples.
        found: usize,
        /// The target.
        target: u64,
        /// Its samples.
        expected: usize,
    },
    /// Tensors that their names do not tell apart.
    #[error(
        "{location}: step {step} has {kind} of `{suffix}` {} {} times: {}; nothing says which of them \
         counts, so keep only one",
        layer.map_or("outside of layers".to_owned(), |layer| format!("in layer {layer}")),
        found.len(),
        list(found)
    )]
    SeveralTensors {
        /// Where it is asked for.
        location: Location,
        /// The step.
        step: u64,
        /// The kind.
        kind: DataKind,
        /// The suffix.
        suffix: String,
        /// The layer; none outside of layers.
        layer: Option<u64>,
        /// The tensors' names, each with its file, sorted.
        found: Vec<String>,
    },
    /// A tensor that cannot be read.
    #[error("{location}: {name} at step {step} cannot be read: {reason}")]
    UnreadableTensor {
        /// Where it is asked for.
        location: Location,
        /// The tensor.
        name: String,
        /// The step.
        step: u64,
        /// Why.
        reason: String,
    },
    /// Tensors that do not make the component.
    #[error("{location}: {key} at step {step}: {source}{}", advice(source))]
    Component {
        /// Where it is asked for.
        location: Location,
        /// The component's key.
        key: String,
        /// The step.
        step: u64,
        /// Why.
        source: ComponentError,
    },
    /// Tensors that make the component of heads whose number nothing says.
    #[error(
        "{location}: {key}{}: the number of attention heads is not known{}; say it in \
         this config, as in `model: {{n_heads: 12}}`",
        step.map(|step| format!(" at step {step}")).unwrap_or_default(),
        looked_for.as_ref().map(|account| format!(": {account}")).unwrap_or_default()
    )]
    HeadsUnknown {
        /// Where it is asked for.
        location: Location,
        /// The component's key.
        key: String,
        /// The step, where one is meant.
        step: Option<u64>,
        /// Where it was looked for, in words.
        looked_for: Option<String>,
    },
    /// Two components of one entry would have the same key.
    #[error(
        "{location}: another component of `{label}` has the same key {key} but other parameters or \
         suffixes; put it into a metric entry of its own, with a `name`"
    )]
    SameKey {
        /// Where it is asked for.
        location: Location,
        /// The metric entry's label.
        label: String,
        /// The key.
        key: String,
    },
    /// A checkpoint file that cannot be read.
    #[error("step {step} cannot be read: {reason}")]
    Unreadable {
        /// The step.
        step: u64,
        /// Why.
        reason: String,
    },
}

impl From<PlanProblem> for PlanErrors {
    fn from(problem: PlanProblem) -> Self {
        Self(vec![problem])
    }
}

impl PlanErrors {
    /// Whether a number of heads is not known and nothing says why.
    pub(super) fn lack_heads(&self) -> bool {
        let lacks = |problem: &PlanProblem| {
            matches!(
                problem,
                PlanProblem::HeadsUnknown {
                    looked_for: None,
                    ..
                }
            )
        };
        self.0.iter().any(lacks)
    }

    /// Says where numbers of heads that are not known were looked for.
    pub(super) fn say_where_heads_were_looked_for(&mut self, account: &str) {
        for problem in &mut self.0 {
            if let PlanProblem::HeadsUnknown { looked_for, .. } = problem {
                looked_for.get_or_insert_with(|| account.to_owned());
            }
        }
    }

    /// Every problem with its place in the config; of one that has none, line and path are empty.
    /// What stands behind an anchor does not fit wherever it is used, and is said once.
    #[must_use]
    pub fn problems(&self) -> Vec<ConfigProblem> {
        let mut said = HashSet::new();
        let problems = self.0.iter().map(PlanProblem::in_words);
        problems
            .filter(|problem| said.insert((problem.location.line, problem.message.clone())))
            .collect()
    }
}

impl fmt::Display for PlanErrors {
    /// A line per problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems().iter().enumerate() {
            let separator = if index > 0 { "\n" } else { "" };
            f.write_str(separator)?;
            if problem.location == Location::default() {
                f.write_str(&problem.message)?;
            } else {
                problem.fmt(f)?;
            }
        }
        Ok(())
    }
}

/// What to do where tensors do not fit the numbers of heads.
const fn advice(source: &ComponentError) -> &'static str {
    match source {
        ComponentError::Mismatch { .. }
        | ComponentError::NotPerHead { .. }
        | ComponentError::NotWholeHeads { .. }
        | ComponentError::HeadGroups { .. } => {
            "; where the model's config says other heads than the tensors have, say them in this \
             config, as in `model: {n_heads: 12, n_kv_heads: 4}`"
        }
        _ => "",
    }
}

impl PlanProblem {
    /// Where in the config it is asked for what does not fit.
    #[must_use]
    pub const fn location(&self) -> Option<&Location> {
        match self {
            Self::NoSteps | Self::NoSuchSteps { .. } | Self::Unreadable { .. } => None,
            Self::NoSuchTarget { location, .. }
            | Self::NoSuchData { location, .. }
            | Self::NoSuchSuffix { location, .. }
            | Self::NoSuchName { location, .. }
            | Self::NoLayers { location, .. }
            | Self::SeveralStacks { location, .. }
            | Self::NoSuchStack { location, .. }
            | Self::NoCommonLayer { location, .. }
            | Self::NoParts { location, .. }
            | Self::NoPartOutside { location, .. }
            | Self::NoSuchLayer { location, .. }
            | Self::TargetLacks { location, .. }
            | Self::DifferentSamples { location, .. }
            | Self::SeveralTensors { location, .. }
            | Self::UnreadableTensor { location, .. }
            | Self::Component { location, .. }
            | Self::HeadsUnknown { location, .. }
            | Self::SameKey { location, .. } => Some(location),
        }
    }

    /// The step that it is of, where it is of one alone.
    const fn step(&self) -> Option<u64> {
        match self {
            Self::DifferentSamples { step, .. }
            | Self::SeveralTensors { step, .. }
            | Self::UnreadableTensor { step, .. }
            | Self::Component { step, .. }
            | Self::Unreadable { step, .. } => Some(*step),
            Self::HeadsUnknown { step, .. } => *step,
            _ => None,
        }
    }

    fn in_words(&self) -> ConfigProblem {
        let location = self.location().cloned().unwrap_or_default();
        let text = self.to_string();
        let message = text
            .strip_prefix(&format!("{location}: "))
            .unwrap_or(&text)
            .to_owned();
        ConfigProblem {
            location,
            message,
            step: self.step(),
        }
    }
}

impl std::error::Error for PlanErrors {}

/// How many items a message lists before it says how many more there are.
const LISTED: usize = 12;

/// Numbers as a person would list them: `step 0`, `0, 1, 2`, `0, 1, 2, ... 250 in all, up to 1000`.
pub(super) fn steps_in_words(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    match (numbers.len(), words.last()) {
        (0, _) | (_, None) => "none".to_owned(),
        (1..=LISTED, _) => words.join(", "),
        (count, Some(last)) => {
            format!(
                "{}, ... {last} ({count} in all)",
                words[..LISTED - 1].join(", ")
            )
        }
    }
}

/// So many steps that cannot be read have a warning of their own.
const UNREADABLE_TOLD: usize = 3;

/// Warnings of steps that cannot be read; of many, the reasons of the first.
pub(super) fn unreadable_in_words(steps: &BTreeMap<u64, String>) -> Vec<String> {
    let told = steps.iter().take(UNREADABLE_TOLD);
    let told = told.map(|(step, reason)| format!("step {step} is left out: {reason}"));
    let others: Vec<u64> = steps.keys().skip(UNREADABLE_TOLD).copied().collect();
    let more = (!others.is_empty()).then(|| {
        format!(
            "steps that cannot be read either and are left out: {} (results.json has the reasons)",
            steps_in_words(&others)
        )
    });
    told.chain(more).collect()
}

fn list(words: &[String]) -> String {
    match words.len() {
        0 => "none".to_owned(),
        1..=LISTED => words.join(", "),
        count => format!("{}, ... ({count} in all)", words[..LISTED].join(", ")),
    }
}

/// What to do where no layer has a component's parts, and with what.
fn instead(existing: &[String]) -> String {
    if existing.is_empty() {
        return String::new();
    }
    format!(
        "; layers have {}; `layer_suffixes` can name tensors among them",
        list(existing)
    )
}

/// `148 names of weights like `a.b`, `c``.
fn names_in_words(outside: &Outside, kind: DataKind) -> String {
    let examples = outside.examples.iter().map(|name| format!("`{name}`"));
    let examples: Vec<String> = examples.collect();
    let plural = if outside.count == 1 { "" } else { "s" };
    match outside.count {
        0 => format!("the files of {kind}, which have no tensors"),
        count => format!(
            "{count} name{plural} of {kind} like {}",
            examples.join(", ")
        ),
    }
}

fn did_you_mean(found: &str, existing: &[String]) -> String {
    let existing: Vec<&str> = existing.iter().map(String::as_str).collect();
    // What an adapter wraps goes on behind the name.
    let goes_on = |name: &&&str| {
        let rest = name.strip_prefix(found);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let near = existing.iter().find(goes_on).copied();
    let near = near.or_else(|| suggest(found, &existing));
    near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}
