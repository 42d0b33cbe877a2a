//! Dates and times of the day in names: `2024-05-01`, `20240501-120000`, `2024-05-01T12:30`.
//!
//! A person reads them at a glance, and their numbers are no steps.

/// What may stand between the numbers of a date or of a time.
const MARKS: &[u8] = b"-_.:";

/// What may stand between a date and a time.
const BEFORE_TIME: &[u8] = b"T-_. +";

/// Where a date ends with which a text begins, and the time behind it.
pub(super) fn end(text: &[u8]) -> Option<usize> {
    let date = date(text)?;
    let rest = text.get(date..)?;
    let delimiter = rest.first().is_some_and(|byte| BEFORE_TIME.contains(byte));
    let from = usize::from(delimiter);
    let time = rest.get(from..).and_then(|rest| time(rest, !delimiter));
    let end = date + time.map_or(0, |end| from + end);
    ends_at(text, end).then_some(end)
}

/// Where a date ends: year, month and day, or the year behind the two in either order.
fn date(text: &[u8]) -> Option<usize> {
    if let Some(([year, month, day], end)) = parts(text, &[4, 2, 2]) {
        return is_date(year, month, day).then_some(end);
    }
    let ([first, second, year], end) = parts(text, &[2, 2, 4])?;
    let is_one = is_date(year, first, second) || is_date(year, second, first);
    (end > "01012024".len() && is_one).then_some(end)
}

/// Where a time of the day ends. Four digits alone may be a step, so they are a time only where
/// they are the date's next digits.
fn time(text: &[u8], is_next: bool) -> Option<usize> {
    let is_time = |hour, minute, second| hour < 24 && minute < 60 && second < 60;
    if let Some(([hour, minute, second], end)) = parts(text, &[2, 2, 2])
        && ends_at(text, end)
    {
        return is_time(hour, minute, second).then_some(end);
    }
    let ([hour, minute, _], end) = parts(text, &[2, 2])?;
    let is_whole = ends_at(text, end) && (is_next || end > "1230".len());
    (is_whole && is_time(hour, minute, 0)).then_some(end)
}

fn is_date(year: u32, month: u32, day: u32) -> bool {
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1990..2100).contains(&year) && (1..=days).contains(&day)
}

/// At most three numbers of so many digits with which a text begins, all with the same mark between
/// them or none, and where they end.
fn parts(text: &[u8], widths: &[usize]) -> Option<([u32; 3], usize)> {
    let mark = text
        .get(*widths.first()?)
        .filter(|byte| MARKS.contains(byte));
    let mut parts = [0; 3];
    let mut at = 0;
    for (part, width) in parts.iter_mut().zip(widths) {
        if at > 0 && mark.is_some() {
            if text.get(at) != mark {
                return None;
            }
            at += 1;
        }
        for byte in text.get(at..at + width)? {
            *part = *part * 10 + char::from(*byte).to_digit(10)?;
        }
        at += width;
    }
    Some((parts, at))
}

/// Whether no digit goes on behind a place.
fn ends_at(text: &[u8], end: usize) -> bool {
    !text.get(end).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::end;

    #[test]
    fn dates_and_times_end_where_a_person_ends_them() {
        for (text, stamp) in [
            ("2024-05-01_1000", "2024-05-01"),
            ("2024_05_01", "2024_05_01"),
            ("2024.05.01.pt", "2024.05.01"),
            ("20240501-120000.pt", "20240501-120000"),
            ("20240501120000", "20240501120000"),
            ("202405011200", "202405011200"),
            ("20240501_1200", "20240501"),
            ("20240501_12-00", "20240501_12-00"),
            ("20240501_126000", "20240501"),
            ("2024-05-01-12-00-00-step5", "2024-05-01-12-00-00"),
            ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00"),
            ("2024-05-01T12h", "2024-05-01"),
            ("2024-05-01-10-500", "2024-05-01"),
            ("01-05-2024", "01-05-2024"),
            ("31.01.2024", "31.01.2024"),
            ("20240229", "20240229"),
        ] {
            assert_eq!(end(text.as_bytes()), Some(stamp.len()), "{text}");
        }
        for text in [
            "20100000",
            "20101300",
            "20240431",
            "00100000",
            "202405010",
            "2024-05_01",
            "2024-5-1",
            "2024-05",
            "2024",
            "19891231",
            "21000101",
            "01052024",
            "12.50.2024",
            "",
        ] {
            assert_eq!(end(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        /// Round numbers are no dates: no month is a multiple of a hundred days.
        #[test]
        fn round_numbers_are_no_dates(hundreds in 0_u64..2_000_000) {
            let number = (hundreds * 100).to_string();
            prop_assert_eq!(end(number.as_bytes()), None);
        }
    }
}
