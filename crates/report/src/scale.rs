//! Which scale an axis has, where nobody says.

use trainscope_plot::Scale;

/// From how many times the smallest value on the largest makes a logarithmic axis.
const WIDE: f64 = 1e3;
/// Steps crowd at the beginning where half of them come before this part of the last.
const CROWDED: f64 = 0.15;

/// Of steps: logarithmic where most of them come early, as runs save that look at how training
/// begins.
pub(crate) fn of_steps(steps: &[u64]) -> Scale {
    let (middle, last) = (steps.get(steps.len() / 2), steps.last());
    match (middle, last) {
        (Some(&middle), Some(&last))
            if steps.len() > 3 && (middle as f64) < last as f64 * CROWDED =>
        {
            Scale::LogFromZero
        }
        _ => Scale::Linear,
    }
}

/// Of values: logarithmic where they are positive and their ratios say more than their
/// differences.
pub(crate) fn of_values(values: impl Iterator<Item = f64>) -> Scale {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for value in values {
        (least, most) = (least.min(value), most.max(value));
    }
    if least > 0.0 && least.is_finite() && most / least >= WIDE {
        Scale::Log
    } else {
        Scale::Linear
    }
}
