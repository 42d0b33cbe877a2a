//! Tensors that come and go, and those whose dtype or shape changes.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::run::PartContent;
use ckptscope_checkpoint::{Catalog, Part, Run, Tree};
use ckptscope_protocol::tab::AuditProgress;
use futures_util::stream::{self, StreamExt};

use super::finding::{Change, Finding, Property};
use super::weights;

/// So many steps are asked for the directories of their files at once, at most.
const STEPS_AT_ONCE: usize = 12;

/// What the directories of all steps say.
#[derive(Default)]
pub(super) struct Read {
    /// The tensors of each step by name.
    steps: BTreeMap<u64, BTreeMap<String, Outline>>,
    /// Files that cannot be read, by step.
    unreadable: BTreeMap<u64, Vec<String>>,
}

/// A tensor without its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outline {
    /// What can be read.
    Tensor {
        dtype: &'static str,
        shape: Vec<u64>,
    },
    /// Why it cannot.
    Unreadable { reason: String },
}

impl Read {
    /// How many tensors a step has.
    pub(super) fn count(&self, step: u64) -> u64 {
        self.steps
            .get(&step)
            .map_or(0, |tensors| tensors.len() as u64)
    }

    fn add(&mut self, step: u64, label: &str, catalog: &Catalog) {
        let tensors = self.steps.entry(step).or_default();
        for entry in &catalog.tensors {
            let outline = Outline::Tensor {
                dtype: entry.dtype.name(),
                shape: entry.shape.clone(),
            };
            tensors.insert(format!("{label}{}", entry.name), outline);
        }
        for (name, reason) in &catalog.unreadable {
            let reason = reason.clone();
            tensors.insert(format!("{label}{name}"), Outline::Unreadable { reason });
        }
    }
}

/// Reads the directories of all weights; of steps with the same content one.
pub(super) async fn read(
    tree: &dyn Tree,
    run: &Run,
    content: &BTreeMap<String, String>,
    watch: &dyn Fn(AuditProgress),
) -> Read {
    let mut first: BTreeMap<Vec<&str>, &Part> = BTreeMap::new();
    for (_, part) in weights(run) {
        first.entry(content_of(part, content)).or_insert(part);
    }
    let of = first.len() as u64;
    let reads = first.into_iter().map(|(id, part)| async move {
        let content = part.read(tree).await;
        (id, content.map_err(|error| error.to_string()))
    });
    let done = Cell::new(0);
    let reads = stream::iter(reads).buffered(STEPS_AT_ONCE).inspect(|_| {
        done.set(done.get() + 1);
        watch(AuditProgress::Reading(done.get(), of));
    });
    let contents: BTreeMap<Vec<&str>, Result<PartContent, String>> = reads.collect().await;
    let mut read = Read::default();
    for (step, part) in weights(run) {
        let label = part
            .split
            .map_or_else(String::new, |split| format!("{split} "));
        match contents.get(&content_of(part, content)) {
            Some(Ok(content)) => {
                let catalogs = content.files.iter().map(|file| &file.catalog);
                catalogs.for_each(|catalog| read.add(step, &label, catalog));
            }
            Some(Err(reason)) => {
                let reasons = read.unreadable.entry(step).or_default();
                reasons.push(reason.clone());
            }
            None => {}
        }
    }
    // A step that was not read whole says nothing of what it lacks.
    read.steps
        .retain(|step, _| !read.unreadable.contains_key(step));
    read
}

/// What a part holds: the ids of its files, or their paths where these are not known.
fn content_of<'a>(part: &'a Part, content: &'a BTreeMap<String, String>) -> Vec<&'a str> {
    let paths = part.paths.iter().chain(&part.index);
    let ids = paths.map(|path| content.get(path).unwrap_or(path).as_str());
    ids.collect()
}

/// What is odd about the tensors of the steps.
pub(super) fn findings(read: &Read) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (step, reasons) in &read.unreadable {
        findings.extend(reasons.iter().map(|reason| Finding::UnreadableFile {
            step: *step,
            reason: reason.clone(),
        }));
    }
    let names: BTreeSet<&String> = read.steps.values().flat_map(BTreeMap::keys).collect();
    let (mut absences, mut presences) = (Groups::new(), Groups::new());
    let (mut obstacles, mut changes) = (BTreeMap::new(), BTreeMap::new());
    for name in names {
        let of_name = read.steps.iter().map(|(step, it)| (*step, it.get(name)));
        let of_name: Vec<(u64, Option<&Outline>)> = of_name.collect();
        note_absence(name, &of_name, &mut absences, &mut presences);
        note_obstacle(name, &of_name, &mut obstacles);
        for property in [Property::Dtype, Property::Shape] {
            let own = changes_of(&of_name, property);
            if !own.is_empty() {
                let names: &mut Vec<String> = changes.entry((property, own)).or_default();
                names.push(name.clone());
            }
        }
    }
    let all = read.steps.len();
    let others = |steps: &[u64]| (all - steps.len()) as u64;
    findings.extend(absences.into_iter().map(|(steps, tensors)| {
        let others = others(&steps);
        Finding::LackingTensors {
            steps,
            tensors,
            others,
        }
    }));
    findings.extend(presences.into_iter().map(|(steps, tensors)| {
        let others = others(&steps);
        Finding::ExtraTensors {
            steps,
            tensors,
            others,
        }
    }));
    let obstacle = |(steps, (tensors, reason))| Finding::UnreadableTensors {
        steps,
        tensors,
        reason,
    };
    findings.extend(obstacles.into_iter().map(obstacle));
    let change = |((property, changes), tensors)| Finding::ChangingTensors {
        tensors,
        property,
        changes,
    };
    findings.extend(changes.into_iter().map(change));
    findings
}

/// Tensors by the steps for which the same holds.
type Groups = BTreeMap<Vec<u64>, Vec<String>>;

/// Whether some steps do not have a tensor, or only some do: the fewer are the odd ones.
fn note_absence(
    name: &str,
    steps: &[(u64, Option<&Outline>)],
    absences: &mut Groups,
    presences: &mut Groups,
) {
    let (with, without): (Vec<_>, Vec<_>) = steps.iter().partition(|(_, it)| it.is_some());
    if without.is_empty() {
        return;
    }
    let is_rare = with.len() < without.len();
    let (odd, groups) = if is_rare {
        (with, presences)
    } else {
        (without, absences)
    };
    let odd = odd.into_iter().map(|(step, _)| step).collect();
    groups.entry(odd).or_default().push(name.to_owned());
}

fn note_obstacle(
    name: &str,
    steps: &[(u64, Option<&Outline>)],
    obstacles: &mut BTreeMap<Vec<u64>, (Vec<String>, String)>,
) {
    let unreadable = steps.iter().filter_map(|(step, outline)| match outline {
        Some(Outline::Unreadable { reason }) => Some((*step, reason)),
        _ => None,
    });
    let (steps, reasons): (Vec<u64>, Vec<&String>) = unreadable.unzip();
    if let Some(reason) = reasons.first() {
        let group = obstacles.entry(steps);
        let (names, _) = group.or_insert_with(|| (Vec::new(), (*reason).clone()));
        names.push(name.to_owned());
    }
}

/// Where a tensor is otherwise than at the step before that has it.
fn changes_of(steps: &[(u64, Option<&Outline>)], property: Property) -> Vec<Change> {
    let values = steps.iter().filter_map(|(step, outline)| match outline {
        Some(Outline::Tensor { dtype, shape }) => Some(match property {
            Property::Dtype => (*step, (*dtype).to_owned()),
            Property::Shape => (*step, format!("{shape:?}")),
        }),
        _ => None,
    });
    let values: Vec<(u64, String)> = values.collect();
    let neighbours = values.windows(2).filter_map(|pair| match pair {
        [(after, from), (step, to)] if from != to => Some(Change {
            after: *after,
            step: *step,
            from: from.clone(),
            to: to.clone(),
        }),
        _ => None,
    });
    neighbours.collect()
}
