//! What a quantile is, wherever one is shown.
//!
//! It lies between two of the ascending values, as NumPy, PyTorch and R have it unless told
//! otherwise (Hyndman and Fan 1996, definition 7).

/// The place of the value before the quantile `q`, 0 to 1, and the share of the way to the next
/// one, where values ascend from place 0 to `last`.
#[must_use]
pub fn quantile_place(q: f64, last: usize) -> (usize, f64) {
    let position = q * last as f64;
    let place = (position as usize).min(last);
    (place, position - place as f64)
}

/// The value a share of the way from one to the next, which is no less; of the last there is none.
#[must_use]
pub fn between(below: f64, next: Option<f64>, share: f64) -> f64 {
    // What is infinite has no difference to itself.
    let next = next.filter(|next| below < *next && share > 0.0);
    below + next.map_or(0.0, |next| share * (next - below))
}

/// The quantile `q`, 0 to 1, of ascending values; none where there are none, and between two that
/// are infinitely far apart.
///
/// ```
/// use ckptscope_vocabulary::quantile_of_sorted;
///
/// // numpy.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.75, 1])
/// let of = |q| quantile_of_sorted(q, &[1.0, 2.0, 4.0, 8.0]);
/// let quartiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|q| of(q).unwrap());
/// assert_eq!(quartiles, [1.0, 1.75, 3.0, 5.0, 8.0]);
/// ```
#[must_use]
pub fn quantile_of_sorted(q: f64, sorted: &[f64]) -> Option<f64> {
    let (place, share) = quantile_place(q, sorted.len().checked_sub(1)?);
    let next = sorted.get(place + 1).copied();
    let value = between(*sorted.get(place)?, next, share);
    Some(value).filter(|value| !value.is_nan())
}

#[cfg(test)]
mod tests {
    use super::quantile_of_sorted;

    #[test]
    fn infinite_values_are_no_farther_than_they_are() {
        assert_eq!(quantile_of_sorted(0.25, &[3.0]), Some(3.0));
        assert_eq!(quantile_of_sorted(0.5, &[]), None);
        let infinite = [1.0, f64::INFINITY, f64::INFINITY];
        assert_eq!(quantile_of_sorted(0.0, &infinite), Some(1.0));
        assert_eq!(quantile_of_sorted(0.75, &infinite), Some(f64::INFINITY));
        let apart = [f64::NEG_INFINITY, f64::INFINITY];
        assert_eq!(quantile_of_sorted(0.5, &apart), None);
    }
}
