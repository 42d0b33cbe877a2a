//! Times in files that programs read.

use jiff::Zoned;
use jiff::tz::TimeZone;

/// A time as programs read it. One whose offset is of no whole minutes is that of Greenwich: RFC
/// 3339 has no others.
pub(crate) fn rfc3339(time: &Zoned) -> String {
    let is_whole = time.offset().seconds() % 60 == 0;
    let shown = match is_whole {
        true => time.clone(),
        false => time.with_time_zone(TimeZone::UTC),
    };
    shown.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::{Offset, TimeZone};

    use super::rfc3339;

    #[test]
    fn times_have_offsets_of_whole_minutes() {
        let at = |seconds| {
            let offset = Offset::from_seconds(seconds).unwrap();
            rfc3339(&Timestamp::UNIX_EPOCH.to_zoned(TimeZone::fixed(offset)))
        };
        assert_eq!(at(3600), "1970-01-01T01:00:00+01:00");
        assert_eq!(at(3723), "1970-01-01T00:00:00+00:00");
        for seconds in [0, 3600, 3723, -1, 34200] {
            let read: Timestamp = at(seconds).parse().unwrap();
            assert_eq!(read, Timestamp::UNIX_EPOCH);
        }
    }
}
