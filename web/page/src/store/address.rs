//! What the part of the page's address behind `#` asks for.

use leptos::prelude::window;
use wasm_bindgen::JsValue;

use crate::link::MARK;

/// Of the address of a results file.
pub(crate) const RESULTS_MARK: &str = "#results=";

/// Short enough to be typed by hand: `#repo=OWNER/NAME&branch=REVISION`.
pub(crate) const REPOSITORY_MARK: &str = "#repo=";

/// Short enough for a chat: `#analysis=ID`, to which the worker's `s/ID` leads.
pub(crate) const ANALYSIS_MARK: &str = "#analysis=";

/// What asks for an analysis of the worker's.
pub(crate) fn of_analysis(id: &str) -> String {
    format!("{ANALYSIS_MARK}{}", js_sys::encode_uri_component(id))
}

/// Has the address bar say what is shown: what is behind `#`, or nothing. What it said before
/// stays one step back.
pub(crate) fn show(hash: Option<&str>) {
    let location = window().location();
    let now = location.hash().unwrap_or_default();
    let wanted = hash.unwrap_or_default();
    if now == wanted || (wanted.is_empty() && !asks_for_something(&now)) {
        return;
    }
    let (Ok(history), Ok(page)) = (window().history(), location.href()) else {
        return;
    };
    let page = page.split('#').next().unwrap_or_default();
    let next = format!("{page}{wanted}");
    // Fails for addresses of others only.
    let _ = if asks_for_something(&now) {
        history.push_state_with_url(&JsValue::NULL, "", Some(&next))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&next))
    };
}

/// Whether it asks for something to be opened.
pub(crate) fn asks_for_something(hash: &str) -> bool {
    let marks = [MARK, RESULTS_MARK, REPOSITORY_MARK, ANALYSIS_MARK];
    marks.iter().any(|mark| hash.starts_with(mark))
}

/// Without what a text has behind a link that stands in it: `.`, `)`, `>`. Addresses of others may
/// end so.
pub(crate) fn without_trail(hash: &str) -> &str {
    if hash.starts_with(RESULTS_MARK) {
        return hash;
    }
    hash.trim_end_matches(['.', ',', ';', ')', ']', '>', '"', '\''])
}

/// What it is called that the address asks for.
pub(crate) fn name_of(hash: &str) -> String {
    if hash.starts_with(ANALYSIS_MARK) {
        return "an analysis of the worker's".to_owned();
    }
    let repository = hash.strip_prefix(REPOSITORY_MARK);
    let address = hash.strip_prefix(RESULTS_MARK).or(repository);
    address.map_or_else(|| "a shared analysis".to_owned(), unescaped)
}

/// What `#repo=OWNER/NAME&branch=REVISION` asks for.
pub(crate) fn repository(hash: &str) -> Option<String> {
    let mut pairs = hash.strip_prefix('#')?.split('&');
    let value = |pair: &str, key: &str| {
        let value = pair.strip_prefix(key)?.strip_prefix('=')?;
        Some(decoded(value)).filter(|value| !value.is_empty())
    };
    let name = value(pairs.next()?, "repo")?;
    let branch = pairs.find_map(|pair| value(pair, "branch"));
    Some(match branch {
        Some(branch) => format!("{name}@{branch}"),
        None => name,
    })
}

/// An address as it was written behind the mark, escaped or not.
pub(crate) fn unescaped(text: &str) -> String {
    if text.contains("://") {
        return text.to_owned();
    }
    decoded(text)
}

/// The text that an encoded one stands for; itself where it is not encoded as addresses are.
pub(crate) fn decoded(text: &str) -> String {
    let decoded = js_sys::decode_uri_component(text).ok();
    decoded.map_or_else(|| text.to_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{repository, without_trail};

    #[test]
    fn what_stands_behind_a_link_is_no_part_of_it() {
        for hash in ["#a=x.", "#a=x).", "#a=x>", "#a=x"] {
            assert_eq!(without_trail(hash), "#a=x");
        }
        let results = "#results=http://x/a(1)";
        assert_eq!(without_trail(results), results);
    }

    #[test]
    fn a_link_typed_by_hand() {
        let asked = |hash| repository(hash);
        assert_eq!(asked("#repo=a/b").as_deref(), Some("a/b"));
        assert_eq!(asked("#repo=a%2Fb&branch=c/d").as_deref(), Some("a/b@c/d"));
        assert_eq!(asked("#repo=a/b&x=y&branch=c").as_deref(), Some("a/b@c"));
        assert_eq!(asked("#repo="), None);
        assert_eq!(asked("#a=xyz"), None);
    }
}
