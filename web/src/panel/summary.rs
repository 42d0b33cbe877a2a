//! A line in a few numbers: those of a report's summary that the page's table has room for.

use ckptscope_report::summary;

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
        let whole = summary::Summary::of(line.points());
        Self {
            first: whole.first,
            last: whole.last,
            min: whole.min.map(|(value, _)| value),
            max: whole.max.map(|(value, _)| value),
            change: whole.change,
            relative_change: whole.relative_change(),
            turning_step: whole.jump.map(|(step, _)| step),
        }
    }
}
