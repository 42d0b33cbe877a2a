//! Steps, layers and targets.

use super::cursor::{At, Fields};
use super::problem::Problems;
use super::schema::Context;
use super::tree::{Node, Value};
use super::{LayerSelection, StepSelection, Target};

/// Steps that a range may have.
const MAX_STEPS: u64 = 1_000_000;

/// The largest layer number; the deepest models have a few hundred.
const MAX_LAYER: u64 = 9_999;

/// The largest step: the integers that every reader of JSON keeps exactly.
const MAX_STEP: u64 = (1 << 53) - 1;

const RANGE_KEYS: &[&str] = &["start", "end", "step"];

/// `steps`: a range, a list, one step, or `all`.
pub(super) fn steps(at: &At<'_>, problems: &mut Problems) -> Option<StepSelection> {
    match &at.node.value {
        Value::Text(word) if word == "all" => Some(StepSelection::All),
        Value::Map(_) => range(at, problems).map(StepSelection::List),
        Value::List(_) => numbers(at, "a step", MAX_STEP, problems).map(StepSelection::List),
        Value::Whole(_) => Some(StepSelection::List(vec![number(
            at, "a step", MAX_STEP, problems,
        )?])),
        _ => {
            problems.add(
                at,
                format!(
                    "found {}; expected a list of steps, {{start, end, step}} or all",
                    at.node
                ),
            );
            None
        }
    }
}

/// `{start: 0, end: 100, step: 50}`: from `start` in strides of `step`, `end` included where a
/// stride lands on it and never passed.
fn range(at: &At<'_>, problems: &mut Problems) -> Option<Vec<u64>> {
    let fields = Fields::of(at, "{start, end, step}", problems)?;
    fields.check_keys(RANGE_KEYS, problems, |_| None);
    let start = fields.optional("start", |at| number(at, "a step", MAX_STEP, problems));
    let mut required = |key, expected| {
        let at = fields.required(key, expected, problems)?;
        number(at, expected, MAX_STEP, problems)
    };
    let end = required("end", "the last step, a whole number");
    let stride = required("step", "the distance of two steps, a whole number above 0");
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
    let Some(distance) = end.checked_sub(start) else {
        return Some((
            "end",
            format!("found {end}; expected a step not before the start, {start}"),
        ));
    };
    let count = distance / stride + 1;
    let message = || format!("the range has {count} steps; at most {MAX_STEPS}");
    (count > MAX_STEPS).then(|| ("step", message()))
}

/// `layers`: a list, one layer, a range `0..11` with both ends, or `all`.
pub(super) fn layers(at: &At<'_>, context: &mut Context<'_>) -> Option<LayerSelection> {
    let problems = &mut context.problems;
    let layers = match &at.node.value {
        Value::Text(word) if word == "all" => return Some(LayerSelection::All),
        Value::Text(word) if word.contains("..") => layer_range(word, at, problems)?,
        Value::List(_) => numbers(at, "a layer", MAX_LAYER, problems)?,
        Value::Whole(_) => vec![number(at, "a layer", MAX_LAYER, problems)?],
        _ => {
            problems.add(
                at,
                format!(
                    "found {}; expected a list of layers, one layer, \"0..11\" or all",
                    at.node
                ),
            );
            return None;
        }
    };
    let Some(left) = context.layers_left.checked_sub(layers.len()) else {
        problems.add(
            at,
            "the components of the config list too many layers; write all instead",
        );
        return None;
    };
    context.layers_left = left;
    Some(LayerSelection::List(layers))
}

fn layer_range(word: &str, at: &At<'_>, problems: &mut Problems) -> Option<Vec<u64>> {
    let (first, last) = word.split_once("..")?;
    let bounds = first
        .trim()
        .parse::<u64>()
        .ok()
        .zip(last.trim().parse::<u64>().ok());
    match bounds {
        Some((first, last)) if first <= last && last <= MAX_LAYER => Some((first..=last).collect()),
        _ => {
            let message = format!(
                "found {}; expected first..last with both ends included, as in \"0..11\", at most {MAX_LAYER}",
                at.node
            );
            problems.add(at, message);
            None
        }
    }
}

/// `target_checkpoint`: a step, or `last`.
pub(super) fn target(at: &At<'_>, problems: &mut Problems) -> Option<Target> {
    match &at.node.value {
        Value::Text(word) if word == "last" => Some(Target::Last),
        Value::Whole(_) => number(at, "a step", MAX_STEP, problems).map(Target::Step),
        _ => {
            problems.add(
                at,
                format!(
                    "found {}; expected a step (a whole number) or last",
                    at.node
                ),
            );
            None
        }
    }
}

/// The numbers of a list that must not be empty, ascending, each once.
fn numbers(at: &At<'_>, expected: &str, max: u64, problems: &mut Problems) -> Option<Vec<u64>> {
    let items = at.items().filter(|items| !items.is_empty());
    let Some(items) = items else {
        problems.add(
            at,
            format!("found {}; expected at least one: {expected}", at.node),
        );
        return None;
    };
    let numbers: Vec<_> = items
        .iter()
        .map(|item| number(item, expected, max, problems))
        .collect();
    let mut numbers: Vec<u64> = numbers.into_iter().collect::<Option<_>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Some(numbers)
}

fn number(at: &At<'_>, expected: &str, max: u64, problems: &mut Problems) -> Option<u64> {
    let found = whole(at.node).filter(|number| *number <= max);
    if found.is_none() {
        problems.add(
            at,
            format!(
                "found {}; expected {expected}, a whole number from 0 to {max}",
                at.node
            ),
        );
    }
    found
}

fn whole(node: &Node) -> Option<u64> {
    match node.value {
        Value::Whole(number) => u64::try_from(number).ok(),
        _ => None,
    }
}
