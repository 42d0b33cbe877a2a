//! Which steps the names of files and folders mean, of those beside each other.

use std::collections::BTreeMap;

use super::folder::last_segment;
use super::pattern::{Named, number_in, pattern_at, step_in};
use super::step_name::{
    COUNTED, NumberIn, epoch_or_tokens, is_number, names_a_checkpoint, numbers,
    numbers_that_differ, only_number, says_step_of_kind, shape,
};

/// How names are taken for steps.
#[derive(Clone, Copy)]
pub(super) enum Naming {
    /// By a step word in them.
    Steps,
    /// By an epoch, a count of tokens, or the only number that differs.
    Assumed,
}

impl Naming {
    /// The steps of names beside each other, which are sorted, and what is assumed of them; none where none has a
    /// step.
    pub(super) fn steps_of<'a>(
        self,
        names: &[&'a str],
    ) -> Option<(BTreeMap<&'a str, Named>, Option<Assumption>)> {
        let (steps, assumption) = match self {
            Self::Steps => (by_step_words(names), None),
            Self::Assumed => {
                let (steps, assumption) = assumed(names)?;
                (steps, Some(assumption))
            }
        };
        (!steps.is_empty()).then_some((steps, assumption))
    }

    /// The steps of folders by path, each of whose names stands beside those of its siblings, and
    /// what is assumed of them.
    pub(super) fn steps_of_folders<'a>(
        self,
        paths: impl Iterator<Item = &'a str>,
    ) -> (BTreeMap<&'a str, Named>, Vec<Assumption>) {
        let mut siblings: BTreeMap<&str, BTreeMap<&'a str, &'a str>> = BTreeMap::new();
        for path in paths {
            let name = last_segment(path);
            let parent = path.get(..path.len() - name.len() - 1).unwrap_or_default();
            siblings.entry(parent).or_default().insert(name, path);
        }
        let (mut steps, mut assumptions) = (BTreeMap::new(), Vec::new());
        for paths in siblings.into_values() {
            let names = paths.keys().copied();
            let names: Vec<&str> = match self {
                Self::Steps => names.collect(),
                Self::Assumed => names.filter(|name| may_be_step(name)).collect(),
            };
            let Some((named, assumption)) = self.steps_of(&names) else {
                continue;
            };
            for (name, named) in named {
                steps.extend(paths.get(name).map(|path| (*path, named)));
            }
            assumptions.extend(assumption.filter(|it| !assumptions.contains(it)));
        }
        (steps, assumptions)
    }
}

/// Why numbers without a step word are taken for steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Assumption {
    Epochs,
    Tokens,
    OnlyNumber,
}

impl Assumption {
    pub(super) fn in_words(self) -> String {
        let counted = match self {
            Self::Epochs => "epoch",
            Self::Tokens => "token",
            Self::OnlyNumber => {
                return "steps are the only number by which the names differ".to_owned();
            }
        };
        format!("steps are by {counted}: the names say {counted}s and no steps")
    }
}

fn named_by<'a>(
    names: &[&'a str],
    step_of: &dyn Fn(&str) -> Option<Named>,
) -> BTreeMap<&'a str, Named> {
    let named = names.iter();
    let named = named.filter_map(|name| Some((*name, step_of(name)?)));
    named.collect()
}

/// The steps of names by the step words in them. In `ckpt-350M-1000` and `ckpt-350M-2000` the number
/// behind the word is none: it is the same in both, and another differs.
fn by_step_words<'a>(names: &[&'a str]) -> BTreeMap<&'a str, Named> {
    let of_kind = names.iter().copied().filter(|name| says_step_of_kind(name));
    let sizes: Vec<u64> = by_shape(of_kind)
        .filter_map(|group| same_in_all(&group))
        .collect();
    named_by(names, &|name| {
        let is_size = |it: &Named| sizes.contains(&it.step) && says_step_of_kind(name);
        step_in(name).filter(|it| !is_size(it))
    })
}

/// The number behind the step word of names of one shape, where it is the same in all and one other
/// differs.
fn same_in_all(group: &[&str]) -> Option<u64> {
    let first = group.first()?;
    let step = step_in(first)?.step;
    let is_same = |name: &&str| step_in(name).is_some_and(|it| it.step == step);
    if !group.iter().all(is_same) {
        return None;
    }
    let (place, _) = numbers_that_differ(group)?;
    let other = numbers(first).get(place).map(NumberIn::stands_alone);
    (other == Some(true)).then_some(step)
}

/// Names that differ in numbers only, together, each of them once.
fn by_shape<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Vec<&'a str>> {
    let mut groups: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
    for name in names {
        let group = groups.entry(shape(name)).or_default();
        if group.last() != Some(&name) {
            group.push(name);
        }
    }
    groups.into_values()
}

/// The steps of names without a step word.
fn assumed<'a>(names: &[&'a str]) -> Option<(BTreeMap<&'a str, Named>, Assumption)> {
    for (is_it, assumption) in COUNTED
        .into_iter()
        .zip([Assumption::Epochs, Assumption::Tokens])
    {
        let steps = named_by(names, &|name| number_in(name, is_it));
        if !steps.is_empty() {
            return Some((steps, assumption));
        }
    }
    let numbered = by_shape(names.iter().copied()).filter_map(|group| {
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

/// Whether a folder's name without a step word may be a step's: a number alone, an epoch, a count
/// of tokens, or a name of checkpoints.
fn may_be_step(name: &str) -> bool {
    is_number(name) || epoch_or_tokens(name).is_some() || names_a_checkpoint(name)
}
