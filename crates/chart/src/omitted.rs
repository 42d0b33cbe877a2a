//! What a drawing does not show of its curves, in words.

use std::collections::BTreeMap;

use ckptscope_plot::Scale;
use ckptscope_results::Value;
use ckptscope_vocabulary::sort::sort_by_key;

use crate::Curve;

/// So many reasons are named; of the others it is said how many values they are.
const MOST_REASONS: usize = 4;

/// How many values of these curves a scale of values has no place for, and why: `not drawn: 4 whose
/// value is undefined (all entries are zero); 5 not above 0, on a log axis`. None where all are
/// drawn.
#[must_use]
pub fn omitted<'a>(curves: impl IntoIterator<Item = &'a Curve>, scale: Scale) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for point in curves.into_iter().flat_map(|curve| curve.series.points()) {
        let reason = match point.value.map(Value::number) {
            None => {
                let status = point.status.map(|status| status.text.to_string());
                status.unwrap_or_else(|| "undefined".to_owned())
            }
            Some(Some(number)) => match why_off(number, scale) {
                Some(reason) => reason.to_owned(),
                None => continue,
            },
            // A vector has charts of its own.
            Some(None) => continue,
        };
        *counts.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<(String, usize)> = counts.into_iter().collect();
    sort_by_key(&mut reasons, |(_, count)| std::cmp::Reverse(*count));
    let rest = reasons.split_off(reasons.len().min(MOST_REASONS));
    let rest: usize = rest.into_iter().map(|(_, count)| count).sum();
    let more = (rest > 0).then_some(("for other reasons".to_owned(), rest));
    let said = reasons.into_iter().chain(more);
    let said: Vec<String> = said
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    (!said.is_empty()).then(|| format!("not drawn: {}", said.join("; ")))
}

/// Why a number has no place; none where it has.
fn why_off(number: f64, scale: Scale) -> Option<&'static str> {
    match scale {
        _ if number.is_nan() => Some("no number"),
        _ if number.is_infinite() => Some("infinite"),
        Scale::Log if number <= 0.0 => Some("not above 0, on a log axis"),
        Scale::LogFromZero if number < 0.0 => Some("below 0, on a log axis"),
        _ => None,
    }
}
