//! Which steps the names of files and folders mean, of those beside each other.

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::{Named, epoch_in, pattern_at, step_in};
use super::step_name::{
    epoch_number, is_number, names_a_checkpoint, numbers_that_differ, only_number, shape,
};

/// How names are taken for steps.
pub(super) enum Naming {
    /// By a step word in them.
    Steps,
    /// By an epoch, or by the only number that differs.
    Assumed,
}

impl Naming {
    /// The steps of names beside each other, and what is assumed of them; none where none has a
    /// step.
    pub(super) fn steps_of<'a>(
        &self,
        names: &[&'a str],
    ) -> Option<(BTreeMap<&'a str, Named>, Option<Assumption>)> {
        let (steps, assumption) = match self {
            Self::Steps => (named_by(names, step_in), None),
            Self::Assumed => {
                let (steps, assumption) = assumed(names)?;
                (steps, Some(assumption))
            }
        };
        (!steps.is_empty()).then_some((steps, assumption))
    }
}

/// Why numbers without a step word are taken for steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Assumption {
    Epochs,
    OnlyNumber,
}

impl Assumption {
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Epochs => "steps are by epoch: the names say epochs and no steps",
            Self::OnlyNumber => "steps are the only number by which the names differ",
        }
        .to_owned()
    }
}

fn named_by<'a>(names: &[&'a str], step_of: fn(&str) -> Option<Named>) -> BTreeMap<&'a str, Named> {
    let named = names.iter();
    let named = named.filter_map(|name| Some((*name, step_of(name)?)));
    named.collect()
}

/// The steps of names without a step word.
pub(super) fn assumed<'a>(names: &[&'a str]) -> Option<(BTreeMap<&'a str, Named>, Assumption)> {
    let epochs = named_by(names, epoch_in);
    if !epochs.is_empty() {
        return Some((epochs, Assumption::Epochs));
    }
    let mut groups: BTreeMap<String, BTreeSet<&'a str>> = BTreeMap::new();
    for name in names {
        groups.entry(shape(name)).or_default().insert(name);
    }
    let numbered = groups.into_values().filter_map(|group| {
        let group: Vec<&str> = group.into_iter().collect();
        let (place, numbers) = match group.as_slice() {
            [name] if is_number(name) => (0, vec![only_number(name)?]),
            _ => numbers_that_differ(&group)?,
        };
        let named = group.into_iter().zip(numbers).map(move |(name, step)| {
            let pattern = pattern_at(name, place);
            (name, Named { step, pattern })
        });
        Some(named)
    });
    let steps: BTreeMap<&str, Named> = numbered.flatten().collect();
    (!steps.is_empty()).then_some((steps, Assumption::OnlyNumber))
}

/// Whether a folder's name without a step word may be a step's: a number alone, an epoch, or a name
/// of checkpoints.
pub(super) fn may_be_step(name: &str) -> bool {
    is_number(name) || epoch_number(name).is_some() || names_a_checkpoint(name)
}
