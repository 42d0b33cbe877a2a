//! Numbers in words.

/// A number with so many significant digits; in powers of ten below 1e-4 and from 1e6 on.
///
/// ```
/// use trainscope_plot::significant;
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
pub(crate) fn tick_label(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        return trimmed_exponent(value);
    }
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2e-7` rather than `2.000e-7`.
fn trimmed_exponent(value: f64) -> String {
    let text = format!("{value:.3e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    format!(
        "{}e{exponent}",
        digits.trim_end_matches('0').trim_end_matches('.')
    )
}

#[cfg(test)]
mod tests {
    use super::tick_label;

    #[test]
    fn ticks_are_brief() {
        let said = [0.0, 0.25, 1000.0, 2e-7, 1e6, -0.5].map(tick_label);
        assert_eq!(said, ["0", "0.25", "1000", "2e-7", "1e6", "-0.5"]);
    }
}
