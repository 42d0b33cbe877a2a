//! Which scale an axis has, where nobody says.

use ckptscope_plot::Scale;

/// Beyond how many times the smallest value the largest makes a logarithmic axis.
const WIDE: f64 = 1e2;
/// From how many times the smallest distance of two steps on the largest one makes a logarithmic
/// axis.
const UNEVEN: u64 = 20;

/// Of steps: logarithmic where some lie much closer than others, as runs save that look at how
/// training begins.
#[must_use]
pub fn scale_of_steps(steps: &[u64]) -> Scale {
    let distances = steps.iter().zip(steps.iter().skip(1));
    let distances = distances.map(|(one, next)| next.saturating_sub(*one).max(1));
    let (least, most) = (distances.clone().min(), distances.max());
    match (least, most) {
        (Some(least), Some(most)) if most / least >= UNEVEN => Scale::LogFromZero,
        _ => Scale::Linear,
    }
}

/// Of values: logarithmic where they are positive and span more than two powers of ten, as condition
/// numbers and norms do. Their ratios then say more than their differences.
#[must_use]
pub fn scale_of_values(values: impl IntoIterator<Item = f64>) -> Scale {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for value in values {
        (least, most) = (least.min(value), most.max(value));
    }
    if least > 0.0 && least.is_finite() && most / least > WIDE {
        Scale::Log
    } else {
        Scale::Linear
    }
}
