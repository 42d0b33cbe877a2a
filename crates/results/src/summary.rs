//! A curve in a few numbers.

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
    /// Of (step, value) by ascending step.
    #[must_use]
    pub fn of(points: impl Iterator<Item = (u64, Option<f64>)> + Clone) -> Self {
        let undefined = points.clone().filter(|point| point.1.is_none()).count();
        let values = points.filter_map(|(step, value)| Some((step, value?)));
        let (Some(first), Some(last)) = (values.clone().next(), values.clone().last()) else {
            return Self {
                undefined,
                ..Self::default()
            };
        };
        let count = values.clone().count() as f64;
        let better = |is_better: fn(f64, f64) -> bool| {
            let chosen = values.clone().fold(first, |best, point| {
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
            mean: Some(mean(values.clone().map(|(_, value)| value), count)),
            change: (count > 1.0).then_some(last.1 - first.1),
            jump: jump(values.clone()),
            undefined,
        }
    }

    /// The change as a part of the first value's magnitude; none where that is 0.
    #[must_use]
    pub fn relative_change(&self) -> Option<f64> {
        let part = self.change? / self.first?.abs();
        part.is_finite().then_some(part)
    }
}

/// Each value is divided before it is added: sums of large values stay finite.
fn mean(values: impl Iterator<Item = f64> + Clone, count: f64) -> f64 {
    let sum: f64 = values.clone().sum();
    if sum.is_finite() {
        sum / count
    } else {
        values.map(|value| value / count).sum()
    }
}

fn jump(values: impl Iterator<Item = (u64, f64)> + Clone) -> Option<(u64, f64)> {
    let mut largest: Option<(u64, f64)> = None;
    for (before, after) in values.clone().zip(values.skip(1)) {
        let change = after.1 - before.1;
        if change.abs() > largest.map_or(0.0, |(_, most)| most.abs()) {
            largest = Some((after.0, change));
        }
    }
    largest
}
