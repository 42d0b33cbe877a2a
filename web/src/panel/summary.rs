//! A line in a few numbers.

use super::Line;

/// What a table says of a line. Steps without a value count for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// The first value.
    pub first: Option<f64>,
    /// The last value.
    pub last: Option<f64>,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// Last minus first; none where there are fewer than two values.
    pub change: Option<f64>,
    /// The change as a part of the first value's magnitude; none where that is 0.
    pub relative_change: Option<f64>,
    /// The step whose value differs most from the value before it.
    pub turning_step: Option<u64>,
}

impl Summary {
    /// Of a line's values.
    #[must_use]
    pub fn of(line: &Line) -> Self {
        let values: Vec<(u64, f64)> = line
            .points
            .iter()
            .filter_map(|&(step, value)| Some((step, value?)))
            .collect();
        let (Some(first), Some(last)) = (values.first(), values.last()) else {
            return Self::default();
        };
        let change = (values.len() > 1).then_some(last.1 - first.1);
        let relative = |change: f64| change / first.1.abs();
        Self {
            first: Some(first.1),
            last: Some(last.1),
            min: values.iter().map(|point| point.1).reduce(f64::min),
            max: values.iter().map(|point| point.1).reduce(f64::max),
            change,
            relative_change: change.map(relative).filter(|part| part.is_finite()),
            turning_step: turning_step(&values),
        }
    }
}

fn turning_step(values: &[(u64, f64)]) -> Option<u64> {
    let mut largest: Option<(u64, f64)> = None;
    for (before, after) in values.iter().zip(values.iter().skip(1)) {
        let size = (after.1 - before.1).abs();
        if size > largest.map_or(0.0, |(_, most)| most) {
            largest = Some((after.0, size));
        }
    }
    largest.map(|(step, _)| step)
}
