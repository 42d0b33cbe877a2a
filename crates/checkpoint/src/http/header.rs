//! What headers and addresses say.

use reqwest::Url;
use reqwest::header::HeaderMap;

/// The first value of a header, where it is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Start and total of `Content-Range: bytes a-b/total`; no total for `*`.
pub(super) fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let range = text(headers, "content-range")?.strip_prefix("bytes ")?;
    let (part, total) = range.split_once('/')?;
    let (start, _) = part.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// An entity tag without quotes and without the mark of weakness.
pub(super) fn entity_tag(headers: &HeaderMap, name: &str) -> Option<String> {
    let tag = text(headers, name)?.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    Some(tag.trim_matches('"').to_owned())
}

/// How long a server asks to wait: the rest of the window in `RateLimit: "api";r=0;t=55`, else
/// `Retry-After` in seconds.
pub(super) fn seconds_to_wait(headers: &HeaderMap) -> Option<u64> {
    let window = text(headers, "ratelimit").and_then(|limit| {
        let mut fields = limit.split(';').map(str::trim);
        fields.find_map(|field| field.strip_prefix("t=")?.parse().ok())
    });
    window.or_else(|| text(headers, "retry-after")?.trim().parse().ok())
}

/// The address in `Link: <...>; rel="next"`.
pub(crate) fn next_page(headers: &HeaderMap) -> Option<Url> {
    let links = text(headers, "link")?;
    let next = links
        .split(',')
        .find(|link| link.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    Url::parse(address).ok()
}

/// Until when a signed address is good, in seconds since 1970, where it says so: `Expires`, or
/// `X-Amz-Date` and `X-Amz-Expires`.
pub(super) fn expiry(url: &Url) -> Option<u64> {
    let query = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    if let Some(expires) = query("Expires") {
        return expires.parse().ok();
    }
    let seconds: u64 = query("X-Amz-Expires")?.parse().ok()?;
    unix_seconds(&query("X-Amz-Date")?)?.checked_add(seconds)
}

/// Seconds since 1970 of `20260131T235959Z`.
fn unix_seconds(stamp: &str) -> Option<u64> {
    let number = |from: usize, to: usize| stamp.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    // Days since 0000-03-01 by the civil calendar: years begin in March, so that leap days end them.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year.checked_sub(1)?, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use reqwest::Url;
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::{content_range, expiry, next_page, seconds_to_wait};

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            reqwest::header::HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )])
    }

    fn expiry_of(query: &str) -> Option<u64> {
        expiry(&Url::parse(&format!("https://host/a?{query}")).ok()?)
    }

    #[test]
    fn addresses_say_when_they_expire() {
        assert_eq!(expiry_of("a=b&Expires=1781098782&x"), Some(1_781_098_782));
        // `date -u -d '2026-02-28 23:59:59' +%s`, and an hour.
        let amazon = "X-Amz-Date=20260228T235959Z&X-Amz-Expires=3600";
        assert_eq!(expiry_of(amazon), Some(1_772_323_199 + 3600));
        assert_eq!(expiry_of("X-Amz-Date=2026&X-Amz-Expires=3600"), None);
        assert_eq!(expiry_of(""), None);
    }

    #[test]
    fn servers_say_how_long_to_wait() {
        let waits = |name, value| seconds_to_wait(&headers(name, value));
        assert_eq!(waits("ratelimit", "\"api\";r=0;t=55"), Some(55));
        assert_eq!(waits("retry-after", "7"), Some(7));
        assert_eq!(waits("ratelimit", "nothing of use"), None);
    }

    #[test]
    fn ranges_and_pages() {
        let range = |value| content_range(&headers("content-range", value));
        assert_eq!(range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(range("bytes 5-9/*"), Some((5, None)));
        assert_eq!(range("bytes */10"), None);
        let link = headers("link", "<https://a/b?c=d>; rel=\"next\"");
        assert_eq!(
            next_page(&link).map(String::from),
            Some("https://a/b?c=d".to_owned())
        );
        assert_eq!(
            next_page(&headers("link", "<https://a>; rel=\"prev\"")),
            None
        );
    }
}
