//! The nearest valid name to one that is not.

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
    let distance = |name: &&str| edit_distance(&found, &normalised(name));
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
fn tolerance(found: &[char]) -> usize {
    (found.len() / 3).max(1)
}

/// Whether one begins with all of the other: `condition`, `validation`.
fn shares_start(found: &[char], name: &[char]) -> bool {
    let shorter = found.len().min(name.len());
    shorter >= 3 && found.iter().zip(name).all(|(ours, theirs)| ours == theirs)
}

/// As names are spelled here: lower case, words joined by underscores.
fn normalised(name: &str) -> Vec<char> {
    let letter = |character| {
        if matches!(character, '-' | ' ') {
            '_'
        } else {
            character
        }
    };
    name.trim().to_lowercase().chars().map(letter).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment).
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, letter) in a.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut edits = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && *letter == b[column - 1] && a[row - 1] == *other {
                edits = edits.min(before[column - 1] + 1);
            }
            next.push(edits);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[b.len()]
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

    #[test]
    fn distances_by_hand() {
        let distance = |a: &str, b: &str| edit_distance(&normalised(a), &normalised(b));
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
