//! What pico-train says in the titles of its commits.

use serde::{Deserialize, Serialize};

use crate::run::Split;

/// What a commit saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Saved {
    /// Recorded weights, gradients and activations of a split.
    Recorded(Split),
    /// The model itself.
    Model,
}

/// Titles up to the step.
const TITLES: &[(&str, Saved)] = &[
    (
        "Saving Learning Dynamics Data (val) -- Step ",
        Saved::Recorded(Split::Val),
    ),
    (
        "Saving Learning Dynamics Data (train) -- Step ",
        Saved::Recorded(Split::Train),
    ),
    ("Saving HF Model -- Step ", Saved::Model),
];

/// What a commit of that title saved, and of which step.
pub(super) fn saved(title: &str) -> Option<(Saved, u64)> {
    TITLES.iter().find_map(|(start, saved)| {
        let step = title.strip_prefix(start)?.trim();
        Some((*saved, step.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::{Saved, Split, saved};

    #[test]
    fn titles() {
        let val = Saved::Recorded(Split::Val);
        assert_eq!(
            saved("Saving Learning Dynamics Data (val) -- Step 50"),
            Some((val, 50))
        );
        assert_eq!(saved("Saving HF Model -- Step 0"), Some((Saved::Model, 0)));
        assert_eq!(saved("Saving Checkpoint -- Step 50"), None);
        assert_eq!(saved("Saving HF Model -- Step x"), None);
    }
}
