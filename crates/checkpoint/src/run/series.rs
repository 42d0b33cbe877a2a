//! Which names are the steps of one run.
//!
//! A run's steps have names of one pattern, and their weights lie in them under one name. A step
//! that has only another name may be of another model, and is never put into the same series.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::pattern::{Named, steady, within_step, without_mark};
use super::shards::ShardName;
use super::step_name::shape;
use super::weights::{METADATA, Role, SHARD_INDEX, stem_of};
use super::{DataKind, Part};

/// Folders in a step's folder that say how its weights are stored, and not whose they are.
const LAYOUT_FOLDERS: &[&str] = &[
    "hf",
    "huggingface",
    "model",
    "weights",
    "pytorch_model_fsdp_0",
    "model_and_optim",
];

/// The series of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    /// The patterns of its steps' names, without the mark before the step: several where they
    /// differ in a date or a loss.
    pub(crate) patterns: BTreeSet<String>,
}

impl Series {
    /// The series among steps by the patterns of their names. An average is one where there is
    /// nothing else; a sequence goes before names that occur once, and a name with `model` before
    /// another. Names that differ in a number, and have a step in common, are of several sequences.
    ///
    /// # Errors
    /// The patterns of several sequences, none of which is more likely to be meant.
    pub(crate) fn of<'a>(named: impl Iterator<Item = &'a Named>) -> Result<Self, Vec<String>> {
        let mut steps: BTreeMap<(String, String), BTreeSet<u64>> = BTreeMap::new();
        for Named { step, pattern } in named {
            let pattern = without_mark(pattern);
            let pattern = (steady(&pattern), pattern);
            steps.entry(pattern).or_default().insert(*step);
        }
        let sequences = steps
            .into_iter()
            .map(|((steady, pattern), steps)| Sequence {
                steady,
                patterns: vec![pattern],
                steps: steps.into_iter().collect(),
            });
        let sequences: Vec<Sequence> = sequences.collect();
        let alike = sequences.chunk_by(|one, other| one.steady == other.steady);
        let mut sequences: Vec<Sequence> = alike.flat_map(Sequence::joined).collect();
        let is_average = |it: &Sequence| it.role() == Role::Average;
        if !sequences.iter().all(is_average) {
            sequences.retain(|it| !is_average(it));
        }
        if sequences.iter().any(|it| it.steps.len() > 1) {
            let all = sequences.clone();
            sequences.retain(|it| it.steps.len() > 1);
            keep_surest(&mut sequences);
            // Nothing says which of two numbers is meant.
            let equals = all
                .into_iter()
                .filter(|it| sequences.iter().any(|kept| kept.is_equal(it)));
            return Self::only(equals.collect());
        }
        let shortest = sequences.iter().map(Sequence::name);
        let shortest = shortest.min_by_key(|name| name.len()).unwrap_or_default();
        let shortest = shortest.to_owned();
        let differ = |pair: &[Sequence]| pair[0].steps != pair[1].steps;
        // Copies, and what was put aside (`step_5.bak`), have longer names.
        if sequences.iter().all(|it| it.name().contains(&shortest)) {
            sequences.retain(|it| it.name() == shortest);
        } else if !sequences.windows(2).any(differ) {
            keep_surest(&mut sequences);
        }
        Self::only(sequences)
    }

    fn only(mut sequences: Vec<Sequence>) -> Result<Self, Vec<String>> {
        if sequences.len() > 1 {
            return Err(sequences.iter().map(|it| it.name().to_owned()).collect());
        }
        let patterns = sequences.pop().map(|it| it.patterns);
        Ok(Self {
            patterns: patterns.into_iter().flatten().collect(),
        })
    }

    /// Whether a step whose name has this pattern is one of it.
    pub(crate) fn has(&self, pattern: &str) -> bool {
        self.patterns.contains(&without_mark(pattern))
    }
}

/// Steps whose names have one pattern, or patterns that are taken for one.
#[derive(Clone)]
struct Sequence {
    /// What the patterns have in common.
    steady: String,
    patterns: Vec<String>,
    /// Ascending.
    steps: Vec<u64>,
}

impl Sequence {
    /// Sequences that differ in dates and losses alone, as one where they are one run's: steps
    /// ascend with the patterns, as with days, or most have a pattern of their own. Of runs that
    /// differ in such a number each has several steps.
    fn joined(alike: &[Self]) -> Vec<Self> {
        let ascend = alike
            .windows(2)
            .all(|pair| pair[0].steps.last() < pair[1].steps.first());
        let steps = alike.iter().flat_map(|it| &it.steps);
        let mut steps: Vec<u64> = steps.copied().collect();
        steps.sort_unstable();
        let are_distinct = steps.windows(2).all(|pair| pair[0] < pair[1]);
        let are_one = ascend || are_distinct && 2 * alike.len() > steps.len();
        if !are_one {
            return alike.to_vec();
        }
        vec![Self {
            steady: alike[0].steady.clone(),
            patterns: alike.iter().flat_map(|it| it.patterns.clone()).collect(),
            steps,
        }]
    }

    /// What messages call it.
    fn name(&self) -> &str {
        match self.patterns.as_slice() {
            [pattern] => pattern,
            _ => &self.steady,
        }
    }

    fn role(&self) -> Role {
        Role::of(&self.steady)
    }

    /// Whether names differ in numbers only, and have a step in common.
    fn is_equal(&self, other: &Self) -> bool {
        let mut steps = other.steps.iter();
        shape(self.name()) == shape(other.name())
            && steps.any(|step| self.steps.binary_search(step).is_ok())
    }
}

/// Keeps the sequences whose names are the surest to be a model's.
fn keep_surest(sequences: &mut Vec<Sequence>) {
    let best = sequences.iter().map(Sequence::role).min();
    sequences.retain(|it| Some(it.role()) == best);
}

/// What the weights of a step are called in its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WeightsName {
    /// As their files have it, without what is only layout.
    written: String,
    /// The same with the step's number left out.
    without_step: String,
}

impl WeightsName {
    /// Of the whole model among the parts of a step; none where there is none.
    pub(crate) fn of(parts: &[Part], folder: &str, step: u64) -> Option<Self> {
        let is_whole = |part: &&Part| part.kind == DataKind::Weights && part.split.is_none();
        let part = parts.iter().find(is_whole)?;
        let path = part.index.as_ref().or(part.paths.first())?;
        let path = path.strip_prefix(folder).unwrap_or(path);
        let (inside, file) = path.rsplit_once('/').unwrap_or(("", path));
        let folders = inside.split('/').filter(|name| !name.is_empty());
        let folders = folders.filter(|name| !LAYOUT_FOLDERS.contains(name));
        let segments: Vec<&str> = folders.chain([called(file)]).collect();
        let without: Vec<String> = segments.iter().map(|it| within_step(it, step)).collect();
        Some(Self {
            written: segments.join("/"),
            without_step: without.join("/"),
        })
    }

    /// The name that most steps have for their weights, which are given ascending. An average is
    /// it where there is nothing else; of as many the surest, and then the first.
    pub(crate) fn of_most<'a>(names: &[&'a Self]) -> Option<&'a Self> {
        let counted = |called: fn(&Self) -> &str| {
            let mut counts: HashMap<&str, usize> = HashMap::new();
            for name in names {
                *counts.entry(called(name)).or_default() += 1;
            }
            counts
        };
        let as_written = counted(|name| &name.written);
        let without_step = counted(|name| &name.without_step);
        let rank = |name: &Self| {
            let role = Role::of(&name.written);
            let as_written = as_written.get(name.written.as_str());
            let count = as_written.max(without_step.get(name.without_step.as_str()));
            (role == Role::Average, Reverse(count), role)
        };
        names.iter().copied().min_by_key(|name| rank(name))
    }

    /// Whether both are names of the same weights, at different steps.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.written == other.written || self.without_step == other.without_step
    }

    /// What messages call it.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }
}

/// A file's name without ending and number of shard. What Hugging Face called `pytorch_model`
/// before is `model`, and a distributed checkpoint has no name.
fn called(file: &str) -> &str {
    let whole = file.strip_suffix(SHARD_INDEX).unwrap_or(file);
    let stem = ShardName::of(whole).map_or_else(|| stem_of(whole), |shard| shard.set.stem);
    match stem {
        "pytorch_model" | METADATA => "model",
        stem => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::{DataKind, Named, Part, Series, WeightsName, without_mark};

    fn series(steps: &[(&str, &[u64])]) -> Result<Vec<String>, Vec<String>> {
        let named = steps.iter().flat_map(|(name, steps)| {
            let pattern = (*name).to_owned();
            let named = steps.iter();
            named.map(move |step| Named {
                step: *step,
                pattern: pattern.clone(),
            })
        });
        let named: Vec<Named> = named.collect();
        let series = Series::of(named.iter());
        series.map(|it| it.patterns.into_iter().collect())
    }

    #[test]
    fn a_sequence_is_a_series_and_several_are_several_runs() {
        for (steps, expected) in [
            (&[("a{N}", &[1, 2][..]), ("b{N}", &[3])][..], "a{N}"),
            (
                &[("model_{N}", &[1, 2]), ("ema_{N}", &[1, 2, 3])],
                "model_{N}",
            ),
            (&[("ema_{N}", &[1, 2, 3])], "ema_{N}"),
            (&[("model_{N}", &[1]), ("ema_{N}", &[2])], "model_{N}"),
            (
                &[("model_{N}", &[1, 2]), ("critic_{N}", &[3, 4])],
                "model_{N}",
            ),
            (&[("step_{N} (1)", &[5]), ("step_{N}", &[5])], "step_{N}"),
            (&[("critic_{N}", &[5]), ("model_{N}", &[5])], "model_{N}"),
            (
                &[
                    ("step_{N}", &[5]),
                    ("step_{N}.bak", &[6]),
                    ("temp_step_{N}", &[7]),
                ],
                "step_{N}",
            ),
        ] {
            assert_eq!(series(steps), Ok(vec![without_mark(expected)]), "{steps:?}");
        }
        for steps in [
            &[("netD_{N}", &[1, 2][..]), ("netG_{N}", &[3, 4])][..],
            &[("pythia-160m-{N}", &[1]), ("pythia-70m-{N}", &[2])],
            &[("critic_{N}", &[1]), ("model_{N}", &[2])],
            &[("phase1_{N}", &[5]), ("phase2_{N}", &[5])],
            &[("netD_{N}", &[5]), ("netG_{N}", &[5])],
            &[("e{N}_b100", &[1, 2]), ("e{N}_b200", &[1])],
        ] {
            assert!(series(steps).is_err(), "{steps:?}");
        }
        let dated = [("c_20240105_{N}", &[1][..]), ("c_20240106_{N}", &[2])];
        assert_eq!(series(&dated).map(|it| it.len()), Ok(2));
        let days = [
            ("c_2024-01-05_{N}", &[1, 2][..]),
            ("c_2024-01-06_{N}", &[3, 4]),
        ];
        assert_eq!(series(&days).map(|it| it.len()), Ok(2));
        for runs in [
            [("c_20240105_{N}", &[1, 2][..]), ("c_20240106_{N}", &[1, 2])],
            [("c_20240105_{N}", &[3, 4]), ("c_20240106_{N}", &[1, 2])],
            [("c_{N}_0.1", &[3, 4]), ("c_{N}_0.2", &[1, 2])],
            [("c_{N}_0.1", &[1]), ("c_{N}_0.2", &[1])],
        ] {
            assert!(series(&runs).is_err(), "{runs:?}");
        }
    }

    fn name(path: &str, step: u64) -> WeightsName {
        let part = Part {
            kind: DataKind::Weights,
            split: None,
            paths: vec![path.to_owned()],
            index: None,
        };
        WeightsName::of(&[part], "s/", step).unwrap()
    }

    #[test]
    fn layouts_of_one_checkpoint_have_one_name() {
        let same = |one: &str, other: &str| name(one, 1).is_same(&name(other, 20));
        for other in [
            "s/model-00001-of-00002.safetensors",
            "s/pytorch_model.bin",
            "s/hf/model.safetensors",
            "s/.metadata",
        ] {
            assert!(same("s/model.safetensors", other), "{other}");
        }
        assert!(same("s/x_1.pt", "s/x_20.pt"));
        for other in ["s/ema.pt", "s/ema/model.pt", "s/consolidated.safetensors"] {
            assert!(!same("s/model.safetensors", other), "{other}");
        }
        assert!(!same("s/actor/model.pt", "s/critic/model.pt"));
    }

    #[test]
    fn most_steps_decide() {
        let names = ["ema.pt", "ema.pt", "a.pt", "b.pt", "b.pt"];
        let names = names.map(|file| name(&format!("s/{file}"), 7));
        let names: Vec<&WeightsName> = names.iter().collect();
        assert_eq!(WeightsName::of_most(&names).unwrap().written(), "b");
        assert_eq!(WeightsName::of_most(&names[2..4]).unwrap().written(), "a");
        assert_eq!(WeightsName::of_most(&[]), None);
    }
}
