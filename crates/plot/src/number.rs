//! Numbers in words.

/// A number with so many significant digits; in powers of ten below 1e-4 and from 1e6 on.
///
/// ```
/// use ckptscope_plot::significant;
/// assert_eq!(significant(0.925_14, 3), "0.925");
/// assert_eq!(significant(45.678, 3), "45.7");
/// assert_eq!(significant(12_345.6, 3), "12346");
/// assert_eq!(significant(0.999_9, 3), "1.00");
/// assert_eq!(significant(0.000_012_3, 3), "1.23e-5");
/// ```
#[must_use]
pub fn significant(value: f64, digits: usize) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e6).contains(&size) {
        return format!("{value:.*e}", digits.saturating_sub(1));
    }
    // The exponent after rounding: 0.9999 to three digits is 1.00, not 1.000.
    let rounded = format!("{size:.*e}", digits.saturating_sub(1));
    let exponent: i32 = rounded
        .rsplit('e')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let after_point = i32::try_from(digits)
        .unwrap_or(i32::MAX)
        .saturating_sub(exponent + 1);
    format!("{value:.*}", usize::try_from(after_point).unwrap_or(0))
}

/// A round number as briefly as it can be said.
pub(crate) fn brief(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        return in_powers_of_ten(value, 3);
    }
    in_decimals(value, 6)
}

/// A multiple of `step` on an axis whose values are as large as `largest`: with as many digits as
/// tell it from its neighbours, and all of an axis alike.
pub(crate) fn tick_label(value: f64, step: f64, largest: f64) -> String {
    let last_digit = exponent(step);
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&largest) {
        in_decimals(value, digits(-last_digit))
    } else {
        in_powers_of_ten(value, digits(exponent(value) - last_digit))
    }
}

/// The power of ten of the first digit.
fn exponent(value: f64) -> i32 {
    (value.abs().log10() + 1e-9).floor() as i32
}

/// No more than there are in an `f64`.
fn digits(count: i32) -> usize {
    usize::try_from(count).unwrap_or(0).min(15)
}

fn in_decimals(value: f64, digits: usize) -> String {
    without_zeros(&format!("{value:.digits$}"))
}

/// `2e-7` rather than `2.000e-7`.
fn in_powers_of_ten(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", without_zeros(digits)),
        None => text,
    }
}

fn without_zeros(digits: &str) -> String {
    if digits.contains('.') {
        digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    } else {
        digits.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{brief, tick_label};

    #[test]
    fn round_numbers_are_brief() {
        let said = [0.0, 0.25, 1000.0, 2e-7, 1e6, -0.5].map(brief);
        assert_eq!(said, ["0", "0.25", "1000", "2e-7", "1e6", "-0.5"]);
    }

    #[test]
    fn neighbours_are_told_apart() {
        let near_one = [0.999_95, 1.0, 1.000_05].map(|value| tick_label(value, 5e-5, 1.000_1));
        assert_eq!(near_one, ["0.99995", "1", "1.00005"]);
        let nearer = tick_label(1.000_000_000_2, 2e-10, 1.000_000_001);
        assert_eq!(nearer, "1.0000000002");
    }

    #[test]
    fn an_axis_writes_all_its_numbers_alike() {
        let large = [0.0, 5e5, 1e6, 1.5e6].map(|value| tick_label(value, 5e5, 1.6e6));
        assert_eq!(large, ["0", "5e5", "1e6", "1.5e6"]);
        let small = [5e-5, 1e-4, 1.5e-4].map(|value| tick_label(value, 5e-5, 1.6e-4));
        assert_eq!(small, ["5e-5", "1e-4", "1.5e-4"]);
    }
}
