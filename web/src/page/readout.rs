//! Numbers in words, for people.

/// `5.8 MB`.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut size = count as f64 / 1000.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        unit = larger;
    }
    format!("{size:.1} {unit}")
}

/// A value of a legend, or a dash where there is none.
pub(super) fn value(value: Option<f64>) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| trainscope_plot::significant(value, 3),
    )
}
