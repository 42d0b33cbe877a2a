//! A curve in a few numbers.

use crate::curve::Curve;

/// What a table says of a curve. Steps without a value count for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// The first value.
    pub first: Option<f64>,
    /// The last value.
    pub last: Option<f64>,
    /// The smallest, and the first step that has it.
    pub min: Option<(f64, u64)>,
    /// The largest, and the first step that has it.
    pub max: Option<(f64, u64)>,
    /// The sum of all values through their number.
    pub mean: Option<f64>,
    /// Last minus first; none where there are fewer than two values.
    pub change: Option<f64>,
    /// The step whose value differs most from the value before it, and by how much; none where
    /// all are the same.
    pub jump: Option<(u64, f64)>,
    /// Steps without a value.
    pub undefined: usize,
}

impl Summary {
    /// Of a curve's values.
    #[must_use]
    pub fn of(curve: &Curve<'_>) -> Self {
        let undefined = curve.points.len() - curve.values().count();
        let (Some(first), Some(last)) = (curve.values().next(), curve.values().last()) else {
            return Self {
                undefined,
                ..Self::default()
            };
        };
        let count = curve.values().count() as f64;
        let better = |is_better: fn(f64, f64) -> bool| {
            let chosen = curve.values().fold(first, |best, point| {
                if is_better(point.1, best.1) {
                    point
                } else {
                    best
                }
            });
            Some((chosen.1, chosen.0))
        };
        Self {
            first: Some(first.1),
            last: Some(last.1),
            min: better(|value, best| value < best),
            max: better(|value, best| value > best),
            mean: Some(mean(curve, count)),
            change: (count > 1.0).then_some(last.1 - first.1),
            jump: jump(curve),
            undefined,
        }
    }
}

/// Each value is divided before it is added: sums of large values stay finite.
fn mean(curve: &Curve<'_>, count: f64) -> f64 {
    let sum: f64 = curve.values().map(|(_, value)| value).sum();
    if sum.is_finite() {
        sum / count
    } else {
        curve.values().map(|(_, value)| value / count).sum()
    }
}

fn jump(curve: &Curve<'_>) -> Option<(u64, f64)> {
    let mut largest: Option<(u64, f64)> = None;
    for (before, after) in curve.values().zip(curve.values().skip(1)) {
        let change = after.1 - before.1;
        if change.abs() > largest.map_or(0.0, |(_, most)| most.abs()) {
            largest = Some((after.0, change));
        }
    }
    largest
}
