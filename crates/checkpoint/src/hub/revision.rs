//! Revisions named by step: which step a name means, and patterns of names.

use std::collections::BTreeMap;

use super::client::{Reference, Refs};
use super::error::HubError;
use crate::run::{ANYTHING, Named, STEP, fits, step_in};

/// Whether a revision is a pattern: no branch's name can have these characters.
pub(super) fn is_pattern(revision: &str) -> bool {
    revision.contains(STEP) || revision.contains(ANYTHING)
}

/// The revisions of the steps, ascending: those that fit a pattern, or those that are named as
/// steps usually are. There are none where fewer than two are named so.
pub(super) fn steps(
    repository: &str,
    refs: &Refs,
    pattern: Option<&str>,
) -> Result<Vec<(u64, Reference)>, HubError> {
    // A tag comes before a branch of the same step: it stays where it is.
    let all = || refs.branches.iter().chain(&refs.tags);
    let Some(pattern) = pattern else {
        return usual(repository, all());
    };
    if !pattern.contains(STEP) && !all().any(|it| fits(pattern, &it.name).is_some()) {
        return Err(HubError::NoPlaceForStep {
            pattern: pattern.to_owned(),
        });
    }
    let mut found: Vec<(u64, Reference)> = Vec::new();
    for reference in all() {
        let Some(step) = fits(pattern, &reference.name) else {
            continue;
        };
        put(repository, &mut found, step, reference)?;
    }
    if found.is_empty() {
        return Err(HubError::NoneFits {
            repository: repository.to_owned(),
            pattern: pattern.to_owned(),
            names: names(refs),
        });
    }
    Ok(found)
}

/// The pattern of a name, or the name where it says no step.
fn family(name: &str) -> String {
    step_in(name).map_or_else(|| name.to_owned(), |named| named.pattern)
}

/// Puts a step where it belongs. Of a branch and a tag of one name, the last counts; of two names of
/// one step nobody says which is meant.
fn put(
    repository: &str,
    steps: &mut Vec<(u64, Reference)>,
    step: u64,
    reference: &Reference,
) -> Result<(), HubError> {
    let at = steps.partition_point(|(known, _)| *known < step);
    match steps.get_mut(at).filter(|(known, _)| *known == step) {
        None => steps.insert(at, (step, reference.clone())),
        Some((_, known)) if known.name == reference.name => *known = reference.clone(),
        Some((_, known)) => {
            let names = [known.name.as_str(), &reference.name];
            let mut families = names.map(family);
            if families[0] == families[1] {
                families = names.map(str::to_owned);
            }
            return Err(HubError::SeveralFamilies {
                repository: repository.to_owned(),
                families: families.to_vec(),
            });
        }
    }
    Ok(())
}

/// The names of all branches and tags.
pub(super) fn names(refs: &Refs) -> Vec<String> {
    let all = refs.branches.iter().chain(&refs.tags);
    all.map(|reference| reference.name.clone()).collect()
}

fn usual<'a>(
    repository: &str,
    all: impl Iterator<Item = &'a Reference>,
) -> Result<Vec<(u64, Reference)>, HubError> {
    let mut families: BTreeMap<String, Vec<(u64, Reference)>> = BTreeMap::new();
    for reference in all {
        if let Some(Named { step, pattern }) = step_in(&reference.name) {
            let steps = families.entry(pattern).or_default();
            put(repository, steps, step, reference)?;
        }
    }
    families.retain(|_, steps| steps.len() > 1);
    if families.len() > 1 {
        return Err(HubError::SeveralFamilies {
            repository: repository.to_owned(),
            families: families.into_keys().collect(),
        });
    }
    Ok(families.into_values().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Reference, Refs, fits, steps};

    fn found(names: &[&str], pattern: Option<&str>) -> Result<Vec<u64>, String> {
        let branches = names.iter().map(|name| Reference {
            name: (*name).to_owned(),
            target_commit: String::new(),
        });
        let refs = Refs {
            branches: branches.collect(),
            tags: Vec::new(),
        };
        let found = steps("a/b", &refs, pattern).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|(step, _)| step).collect())
    }

    #[test]
    fn every_usual_name_is_understood() {
        for [first, second] in [
            ["step1", "step3000"],
            ["step1-tokens0B", "step3000-tokens12B"],
            ["stage1-step1-tokens1B", "stage1-step3000-tokens9B"],
            ["stage1-step-1", "stage1-step-3000"],
            ["step-1", "step-3000"],
            ["step_1", "step_3000"],
            ["checkpoint-1", "checkpoint-3000"],
            ["global_step1", "global_step3000"],
            ["ckpt_1", "ckpt_3000"],
            ["iter_0000001", "iter_0003000"],
        ] {
            assert_eq!(
                found(&["main", second, first], None),
                Ok(vec![1, 3000]),
                "{first}"
            );
        }
    }

    #[test]
    fn one_name_is_no_sequence() {
        assert_eq!(found(&["main", "step1", "other"], None), Ok(vec![]));
    }

    #[test]
    fn several_sequences_are_for_the_person_to_choose_from() {
        let names = [
            "stage1-step1",
            "stage1-step2",
            "stage2-step1-tokens1B",
            "stage2-step2-tokens2B",
        ];
        let error = found(&names, None).unwrap_err();
        assert!(
            error.contains("(stage1-step{N}, stage2-step{N}-tokens*)"),
            "{error}"
        );
        assert_eq!(
            found(&names, Some("stage2-step{N}-tokens*")),
            Ok(vec![1, 2])
        );
        assert_eq!(found(&names, Some("stage1-*")), Ok(vec![1, 2]));
    }

    #[test]
    fn patterns() {
        assert_eq!(fits("step{N}", "step12"), Some(12));
        assert_eq!(fits("step{N}", "step12b"), None);
        assert_eq!(fits("*{N}", "a1b23"), Some(23));
        assert_eq!(fits("a{N}*", "a7-late"), Some(7));
        assert_eq!(fits("*-{N}-*-end", "x-5-y-z-end"), Some(5));
        assert_eq!(fits("*-step*", "a-step5"), Some(5));
        let error = found(&["main"], Some("x{N}")).unwrap_err();
        assert!(error.ends_with("that fits x{N}; it has main"), "{error}");
        assert!(found(&["main"], Some("ma*")).is_err());
        // Of several sequences in one pattern no step is taken for another's.
        let names = ["seed1-step1", "seed1-step2", "seed2-step2"];
        let error = found(&names, Some("*step{N}")).unwrap_err();
        assert!(error.contains("seed1-step{N}, seed2-step{N}"), "{error}");
        let error = found(&["step_1000", "step_1k", "step_2k"], None).unwrap_err();
        assert!(error.contains("(step_1000, step_1k)"), "{error}");
    }
}
