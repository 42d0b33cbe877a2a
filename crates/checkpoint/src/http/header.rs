//! What headers and addresses say.

use super::url::Url;

/// The headers that are looked at. In a browser those of another origin can be read only where it
/// allows that.
const NAMES: &[&str] = &[
    "content-length",
    "content-range",
    "etag",
    "link",
    "location",
    "ratelimit",
    "retry-after",
    "x-error-code",
    "x-error-message",
    "x-linked-etag",
    "x-linked-size",
];

/// What an answer says of itself.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(&'static str, String)>);

impl Headers {
    /// Takes every header that matters here from `value`, which knows them by lower-case names.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Self {
        let named = |name: &&'static str| Some((*name, value(name)?));
        Self(NAMES.iter().filter_map(named).collect())
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        text(self, name)?.trim().parse().ok()
    }
}

/// The value of a header.
pub(crate) fn text<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let (_, value) = headers.0.iter().find(|(key, _)| *key == name)?;
    Some(value)
}

/// Start and total of `Content-Range: bytes a-b/total`; no total for `*`.
pub(super) fn content_range(headers: &Headers) -> Option<(u64, Option<u64>)> {
    let range = text(headers, "content-range")?.strip_prefix("bytes ")?;
    let (part, total) = range.split_once('/')?;
    let (start, _) = part.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// An entity tag without quotes and without the mark of weakness.
pub(super) fn entity_tag(headers: &Headers, name: &str) -> Option<String> {
    let tag = text(headers, name)?.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    Some(tag.trim_matches('"').to_owned())
}

/// How long a server asks to wait: the rest of the window in `RateLimit: "api";r=0;t=55`, else
/// `Retry-After` in seconds.
pub(super) fn seconds_to_wait(headers: &Headers) -> Option<u64> {
    let window = text(headers, "ratelimit").and_then(|limit| {
        let mut fields = limit.split(';').map(str::trim);
        fields.find_map(|field| field.strip_prefix("t=")?.parse().ok())
    });
    window.or_else(|| text(headers, "retry-after")?.trim().parse().ok())
}

/// The address in `Link: <...>; rel="next"`, as the server wrote it: it need not be one of its own.
pub(crate) fn next_page(headers: &Headers) -> Option<&str> {
    let mut rest = text(headers, "link")?;
    loop {
        let (address, after) = rest.split_once('<')?.1.split_once('>')?;
        // An address may have commas: the next link begins behind a bracket.
        let own = after.split('<').next().unwrap_or(after);
        if is_next(own) {
            return Some(address.trim());
        }
        rest = after;
    }
}

/// Whether a link's parameters call it the next: `rel="next"`, `rel=next`, `rel="last next"`.
fn is_next(parameters: &str) -> bool {
    let named = parameters.trim_end_matches([',', ' ']).split(';');
    let relations = named.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_relation = name.trim().eq_ignore_ascii_case("rel");
        is_relation.then(|| value.trim().trim_matches('"'))
    });
    relations
        .flat_map(str::split_whitespace)
        .any(|relation| relation.eq_ignore_ascii_case("next"))
}

/// Until when a signed address is good, in seconds since 1970, where it says so: `Expires`, or
/// `X-Amz-Date` and `X-Amz-Expires`.
pub(super) fn expiry(url: &Url) -> Option<u64> {
    if let Some(expires) = url.query("Expires") {
        return expires.parse().ok();
    }
    let seconds: u64 = url.query("X-Amz-Expires")?.parse().ok()?;
    unix_seconds(&url.query("X-Amz-Date")?)?.checked_add(seconds)
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
    use super::{Headers, Url, content_range, expiry, next_page, seconds_to_wait};

    fn headers(name: &'static str, value: &'static str) -> Headers {
        Headers::read(|key| (key == name).then(|| value.to_owned()))
    }

    fn expiry_of(query: &str) -> Option<u64> {
        expiry(&Url::parse(&format!("https://host/a?{query}"))?)
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
    }

    #[test]
    fn the_next_page_is_as_the_server_wrote_it() {
        let next = |value| next_page(&headers("link", value)).map(str::to_owned);
        let of = |address: &str| Some(address.to_owned());
        assert_eq!(
            next("<https://a/b?c=d>; rel=\"next\""),
            of("https://a/b?c=d")
        );
        assert_eq!(next("</b?c=d,e>; rel=next"), of("/b?c=d,e"));
        let several = "<https://a/1>; rel=\"prev\", <?c=2>; title=\"x\"; REL=\"last next\"";
        assert_eq!(next(several), of("?c=2"));
        for none in [
            "",
            "<https://a>; rel=\"prev\"",
            "<a>; rel=\"nextish\"",
            "https://a; rel=next",
        ] {
            assert_eq!(next(none), None, "{none}");
        }
    }
}
