//! Steps, layers and targets.

use super::cursor::{At, Fields};
use super::keys::STEP_RANGE;
use super::problem::Problems;
use super::schema::Context;
use super::tree::Value;
use super::{LayerSelection, StepSelection, Target};

/// Steps that a range may have.
const MAX_STEPS: u64 = 1_000_000;

/// What a number counts, and how far.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    max: u64,
}

/// Steps: up to the largest integer that every reader of JSON keeps exactly.
const STEP: Kind = Kind {
    name: "step",
    max: (1 << 53) - 1,
};

/// Layers: the deepest models have a few hundred.
const LAYER: Kind = Kind {
    name: "layer",
    max: 9_999,
};

/// `steps`: a range, a list, one step, or `all`.
pub(super) fn steps(at: &At<'_>, problems: &mut Problems) -> Option<StepSelection> {
    let steps = match &at.node.value {
        Value::Text(word) if word == "all" => return Some(StepSelection::All),
        Value::Map(_) => range(at, problems),
        Value::List(_) => numbers(at, STEP, problems),
        Value::Whole(_) => number(at, STEP, problems).map(|step| vec![step]),
        _ => problems.unexpected_word(at, &["all"], "a list of steps, {start, end, step} or all"),
    };
    steps.map(StepSelection::List)
}

/// `{start: 0, end: 100, step: 50}`: from `start` in strides of `step`, `end` included where a
/// stride lands on it and never passed.
fn range(at: &At<'_>, problems: &mut Problems) -> Option<Vec<u64>> {
    let fields = Fields::of(at, "{start, end, step}", problems)?;
    fields.check_keys(&STEP_RANGE.names(), problems, |_| None);
    let start = fields.optional("start", |at| number(at, STEP, problems));
    let end = fields
        .required("end", "the last step, a whole number", problems)
        .and_then(|at| number(at, STEP, problems));
    let stride = fields
        .required(
            "step",
            "the distance of two steps, a whole number above 0",
            problems,
        )
        .and_then(|at| number(at, STEP, problems));
    let (start, end, stride) = (start?.unwrap_or(0), end?, stride?);
    match range_problem(start, end, stride) {
        Some((key, message)) => {
            problems.add(fields.get(key).unwrap_or(at), message);
            None
        }
        None => Some(
            (0..=(end - start) / stride)
                .map(|index| start + index * stride)
                .collect(),
        ),
    }
}

/// The key that is wrong, and why.
fn range_problem(start: u64, end: u64, stride: u64) -> Option<(&'static str, String)> {
    if stride == 0 {
        return Some((
            "step",
            "found 0; expected a whole number above 0".to_owned(),
        ));
    }
    if end < start {
        return Some((
            "end",
            format!("found {end}; expected a step not before the start, {start}"),
        ));
    }
    let count = (end - start) / stride + 1;
    (count > MAX_STEPS).then(|| {
        (
            "step",
            format!("the range has {count} steps; at most {MAX_STEPS}"),
        )
    })
}

/// `layers`: a list, one layer, a range `0..11` with both ends, `all`, or `none` of tensors outside
/// of layers. What it lists counts for each of the `components` that share it.
pub(super) fn layers(
    at: &At<'_>,
    components: usize,
    context: &mut Context<'_>,
) -> Option<LayerSelection> {
    let problems = &mut context.problems;
    let layers = match &at.node.value {
        Value::Text(word) if word == "all" => return Some(LayerSelection::All),
        Value::Text(word) if word == "none" => return Some(LayerSelection::Outside),
        Value::Text(word) if word.contains("..") => layer_range(word, at, problems),
        Value::List(_) => numbers(at, LAYER, problems),
        Value::Whole(_) => number(at, LAYER, problems).map(|layer| vec![layer]),
        _ => problems.unexpected_word(
            at,
            &["all", "none"],
            "a list of layers, one layer, \"0..11\", all, or none of tensors outside of layers",
        ),
    }?;
    let listed = layers.len().saturating_mul(components);
    let Some(left) = context.layers_left.checked_sub(listed) else {
        problems.add(
            at,
            "the components of the file list too many layers; write all instead",
        );
        return None;
    };
    context.layers_left = left;
    Some(LayerSelection::List(layers))
}

fn layer_range(word: &str, at: &At<'_>, problems: &mut Problems) -> Option<Vec<u64>> {
    let bound = |text: &str| {
        text.trim()
            .parse::<u64>()
            .ok()
            .filter(|layer| *layer <= LAYER.max)
    };
    let bounds = word
        .split_once("..")
        .and_then(|(first, last)| bound(first).zip(bound(last)));
    match bounds {
        Some((first, last)) if first <= last => Some((first..=last).collect()),
        _ => problems.unexpected(
            at,
            format!("\"FIRST..LAST\", both included, at most {}", LAYER.max),
        ),
    }
}

/// `target_checkpoint`: a step, or `last`.
pub(super) fn target(at: &At<'_>, problems: &mut Problems) -> Option<Target> {
    match &at.node.value {
        Value::Text(word) if word == "last" => Some(Target::Last),
        Value::Whole(_) => number(at, STEP, problems).map(Target::Step),
        _ => problems.unexpected_word(at, &["last"], "a step (a whole number) or last"),
    }
}

/// The numbers of a list that must not be empty, ascending, each once.
fn numbers(at: &At<'_>, kind: Kind, problems: &mut Problems) -> Option<Vec<u64>> {
    let Some(items) = at.items().filter(|items| !items.is_empty()) else {
        return problems.unexpected(at, format!("at least one {}", kind.name));
    };
    // All of them are read before one that is wrong counts: all problems are reported together.
    let numbers: Vec<_> = items
        .iter()
        .map(|item| number(item, kind, problems))
        .collect();
    let mut numbers: Vec<u64> = numbers.into_iter().collect::<Option<_>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Some(numbers)
}

fn number(at: &At<'_>, Kind { name, max }: Kind, problems: &mut Problems) -> Option<u64> {
    let found = match at.node.value {
        Value::Whole(number) => u64::try_from(number).ok().filter(|number| *number <= max),
        _ => None,
    };
    found.or_else(|| problems.unexpected(at, format!("a {name}, a whole number from 0 to {max}")))
}
