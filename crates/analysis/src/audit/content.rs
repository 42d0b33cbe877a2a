//! Steps that are the same, and steps that are not there.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_vocabulary::sort::sort_by_key;

use super::finding::Finding;
use super::{AuditedFile, AuditedStep};

/// Steps whose weights are those of others, whole or in parts, and a default branch that is behind.
pub(super) fn findings(steps: &[AuditedStep], head: &BTreeMap<String, String>) -> Vec<Finding> {
    let last = steps.iter().rfind(|step| !step.files.is_empty());
    let Some(last) = last.map(|step| step.step) else {
        return Vec::new();
    };
    let mut by_content: BTreeMap<Vec<&str>, Vec<u64>> = BTreeMap::new();
    for step in steps {
        if let Some(content) = content_of(step) {
            by_content.entry(content).or_default().push(step.step);
        }
    }
    let same = by_content.values().filter(|steps| steps.len() > 1);
    let mut findings: Vec<Finding> = same
        .map(|steps| Finding::SameWeights {
            steps: steps.clone(),
            with_last: steps.last() == Some(&last),
        })
        .collect();
    sort_by_key(&mut findings, first_step);
    findings.extend(in_parts(steps));
    findings.extend(on_main(steps, head, last));
    findings
}

/// The steps that are not there where those around are at one distance: in 10, 20, 40, 50 it is 30.
pub(super) fn missing(steps: &[AuditedStep]) -> Vec<Finding> {
    let mut missing: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for around in steps.windows(4) {
        let [first, second, third, fourth] = around else {
            continue;
        };
        let distance = second.step - first.step;
        let gap = third.step - second.step;
        if fourth.step - third.step == distance && gap > distance && gap % distance == 0 {
            let lost = (1..gap / distance).map(|number| second.step + number * distance);
            missing.entry(distance).or_default().extend(lost);
        }
    }
    let finding = |(distance, steps)| Finding::MissingSteps { steps, distance };
    missing.into_iter().map(finding).collect()
}

/// The ids of a step's weights, sorted; none where one is not known.
fn content_of(step: &AuditedStep) -> Option<Vec<&str>> {
    let ids = step.files.iter().map(|file| file.content.as_deref());
    let mut ids: Vec<&str> = ids.collect::<Option<_>>()?;
    ids.sort_unstable();
    (!ids.is_empty()).then_some(ids)
}

/// Files that several steps have, where not all of their files are the same.
fn in_parts(steps: &[AuditedStep]) -> Vec<Finding> {
    let mut by_id: BTreeMap<&str, Vec<(&AuditedStep, &AuditedFile)>> = BTreeMap::new();
    for step in steps {
        for file in &step.files {
            if let Some(id) = file.content.as_deref() {
                by_id.entry(id).or_default().push((step, file));
            }
        }
    }
    let mut by_steps: BTreeMap<Vec<u64>, Vec<String>> = BTreeMap::new();
    for owners in by_id.values() {
        let contents: BTreeSet<_> = owners.iter().map(|(step, _)| content_of(step)).collect();
        let numbers: BTreeSet<u64> = owners.iter().map(|(step, _)| step.step).collect();
        let first = owners
            .first()
            .filter(|_| contents.len() > 1 && numbers.len() > 1);
        if let Some((_, file)) = first {
            let numbers = numbers.into_iter().collect();
            by_steps.entry(numbers).or_default().push(file.path.clone());
        }
    }
    let finding = |(steps, files)| Finding::SameFiles { steps, files };
    by_steps.into_iter().map(finding).collect()
}

/// Whether the default branch has the weights of a step that is not the last.
fn on_main(steps: &[AuditedStep], head: &BTreeMap<String, String>, last: u64) -> Option<Finding> {
    let is_on_main = |step: &&AuditedStep| {
        let is_same = |file: &AuditedFile| {
            let name = file
                .path
                .split_once('/')
                .map_or(&*file.path, |(_, name)| name);
            head.get(name).is_some() && head.get(name) == file.content.as_ref()
        };
        !step.files.is_empty() && step.files.iter().all(is_same)
    };
    // Of steps that are the same the last counts.
    let step = steps.iter().rfind(is_on_main)?.step;
    (step != last).then_some(Finding::EarlierOnMain { step, last })
}

fn first_step(finding: &Finding) -> u64 {
    match finding {
        Finding::SameWeights { steps, .. } => steps.first().copied().unwrap_or_default(),
        _ => 0,
    }
}
