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
    with_digits(value, 3)
}

/// A value of a table, or a dash where there is none.
pub(super) fn with_digits(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| ckptscope_plot::significant(value, digits),
    )
}

/// A difference with its sign.
pub(super) fn difference(value: Option<f64>) -> String {
    let sign = if value.is_some_and(|value| value > 0.0) {
        "+"
    } else {
        ""
    };
    sign.to_owned() + &with_digits(value, 4)
}

/// A part as a percentage with its sign.
pub(super) fn percentage(part: Option<f64>) -> String {
    part.map_or_else(
        || "–".to_owned(),
        |part| {
            let sign = if part > 0.0 { "+" } else { "" };
            let percent = part * 100.0;
            if percent.abs() < 1e5 {
                format!("{sign}{percent:.1} %")
            } else {
                format!("{sign}{percent:.1e} %")
            }
        },
    )
}

/// `4,770`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut said = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

/// `1 step`, `15 steps`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// `0.3 s`, `2 minutes`, `1.5 hours`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = |number: f64, unit: &str| counted(number.round() as u64, unit);
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => whole(s / 60.0, "minute"),
        s if s < 36_000.0 => format!("{:.1} hours", s / 3600.0),
        s if s < 172_800.0 => whole(s / 3600.0, "hour"),
        s => whole(s / 86_400.0, "day"),
    }
}

/// How long ago a time was, in milliseconds since 1970: `3 minutes ago`.
pub(super) fn ago(time: f64) -> String {
    match (js_sys::Date::now() - time) / 1000.0 {
        seconds if seconds < 60.0 => "just now".to_owned(),
        seconds => format!("{} ago", duration(seconds)),
    }
}

/// `0.4 GFLOP`.
pub(super) fn operations(flops: f64) -> String {
    const UNITS: [&str; 5] = ["kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"];
    let mut amount = flops / 1000.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if amount < 1000.0 {
            break;
        }
        amount /= 1000.0;
        unit = larger;
    }
    if amount < 10.0 {
        format!("{amount:.1} {unit}")
    } else {
        format!("{amount:.0} {unit}")
    }
}
