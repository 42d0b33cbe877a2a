//! The nearest valid name to one that is not.

use strsim::osa_distance;

/// `did you mean "layers"? `, or nothing where no name is near.
pub(super) fn nearest(found: &str, allowed: &[&str]) -> String {
    suggest(found, allowed).map_or_else(String::new, |name| format!("did you mean {name:?}? "))
}

/// The name nearest to `found`; none where even the nearest is another word.
#[must_use]
pub fn suggest<'a>(found: &str, allowed: &[&'a str]) -> Option<&'a str> {
    // Longer than any name: not a slip, and the distance is quadratic.
    if found.len() > 64 {
        return None;
    }
    let found = normalised(found);
    let distance = |name: &&str| osa_distance(&found, &normalised(name));
    let near = allowed
        .iter()
        .copied()
        .map(|name| (distance(&name), name))
        .min_by_key(|(edits, _)| *edits);
    match near {
        Some((edits, name)) if edits <= tolerance(&found) => Some(name),
        _ => allowed
            .iter()
            .copied()
            .find(|name| shares_start(&found, &normalised(name))),
    }
}

/// One slip in three letters.
fn tolerance(found: &str) -> usize {
    (found.chars().count() / 3).max(1)
}

/// Whether one begins with all of the other: `condition`, `validation`.
fn shares_start(found: &str, name: &str) -> bool {
    let is_long = [found, name].iter().all(|it| it.chars().count() >= 3);
    is_long && (found.starts_with(name) || name.starts_with(found))
}

/// As names are spelled here: lower case, words joined by underscores.
fn normalised(name: &str) -> String {
    name.trim().to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &[
        "gini",
        "hoyer",
        "per",
        "condition_number",
        "norm",
        "top_k_values",
        "cka",
    ];

    #[test]
    fn slips_are_found() {
        for (slip, meant) in [
            ("Gini", "gini"),
            ("hoyre", "hoyer"),
            ("condition-number", "condition_number"),
            ("conditon_nubmer", "condition_number"),
            ("condition", "condition_number"),
            ("norms", "norm"),
            ("ckka", "cka"),
            ("top-k-value", "top_k_values"),
        ] {
            assert_eq!(suggest(slip, NAMES), Some(meant), "{slip}");
        }
    }

    #[test]
    fn other_words_are_left_alone() {
        for word in ["", "x", "loss", "accuracy", &"n".repeat(100_000)] {
            assert_eq!(suggest(word, NAMES), None, "{word}");
        }
    }
}
