//! What is odd about the checkpoints of a run, from their ids and directories alone.
//!
//! Of published suites it is known that a step may have the final model's bytes, or its
//! neighbour's, or no weights, or a tensor less. Numbers of such steps look plausible. So each
//! step's weights are known by the ids of their content, which a listing has, and by the names,
//! dtypes and shapes in the files' directories. No tensor is read.

mod bytes;
mod content;
mod finding;
mod tensors;

use std::collections::BTreeMap;

use ckptscope_checkpoint::hub::{HubError, HubTree};
use ckptscope_checkpoint::{DataKind, Part, Run, Tree};
use ckptscope_protocol::tab::AuditProgress;
use serde::{Deserialize, Serialize};

pub use finding::{Change, Finding, Property};

/// What an audit looked at, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The steps, ascending, those that cannot be read among them.
    pub steps: Vec<AuditedStep>,
    /// What is odd, by what it is, and then by step; nothing where all is well.
    pub findings: Vec<Finding>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedStep {
    /// The step.
    pub step: u64,
    /// The branch or tag that is the step; none where it is something else.
    pub revision: Option<String>,
    /// The commit that its files are of; none of files that are here.
    pub commit: Option<String>,
    /// The files of its weights.
    pub files: Vec<AuditedFile>,
    /// How many tensors are in them.
    pub tensors: u64,
}

/// One file of a step's weights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedFile {
    /// Its path in the run.
    pub path: String,
    /// The id of its content: that of the Hub; of files that are here, the path of the first that
    /// has the same bytes.
    pub content: Option<String>,
}

/// What is known of the steps beside their files.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Steps with their revisions and commits.
    revisions: BTreeMap<u64, (Option<String>, String)>,
    /// Steps that cannot be read, as names say, and why.
    troubles: BTreeMap<u64, String>,
    /// The ids of the files on the default branch, by path.
    head: BTreeMap<String, String>,
    /// The ids of the run's files, by path.
    content: BTreeMap<String, String>,
}

impl Audit {
    /// Of a repository: every step is listed, and the directories of its weights are read.
    /// `watch` hears how far that is. The run that comes along has every step as it is.
    ///
    /// # Errors
    /// [`HubError`] when the Hub does not say what files there are.
    pub async fn of_repository(
        tree: &HubTree,
        run: &Run,
        watch: &dyn Fn(AuditProgress),
    ) -> Result<(Run, Self), HubError> {
        let unlisted = tree.unlisted();
        watch(AuditProgress::Listing(unlisted.len() as u64));
        let run = tree.settle(run, &unlisted).await?;
        let revisions = tree.steps().into_iter();
        let paths = weights(&run).flat_map(|(_, part)| part.paths.iter().chain(&part.index));
        let known = Known {
            revisions: revisions
                .map(|it| (it.step, (it.name, it.commit)))
                .collect(),
            troubles: troubles(&run),
            head: tree.head_files().clone(),
            content: paths
                .filter_map(|path| Some((path.clone(), tree.content_id(path)?)))
                .collect(),
        };
        let audit = Self::of_known(tree, &run, known, watch).await;
        Ok((run, audit))
    }

    /// Of a run's files wherever they are. Files that are here are compared byte by byte where
    /// they look alike.
    pub async fn of_run(tree: &dyn Tree, run: &Run) -> Self {
        let paths = weights(run).flat_map(|(_, part)| &part.paths);
        let content = bytes::content(tree, paths.map(String::as_str)).await;
        let known = Known {
            content,
            troubles: troubles(run),
            ..Known::default()
        };
        Self::of_known(tree, run, known, &|_| ()).await
    }

    async fn of_known(
        tree: &dyn Tree,
        run: &Run,
        known: Known,
        watch: &dyn Fn(AuditProgress),
    ) -> Self {
        let read = tensors::read(tree, run, &known.content, watch).await;
        let steps = audited(run, &known, &read);
        let mut findings = content::findings(&steps, &known.head);
        findings.extend(content::missing(&steps));
        findings.extend(known.troubles.iter().map(|(step, reason)| {
            let revision = known.revisions.get(step);
            Finding::Unusable {
                step: *step,
                revision: revision.and_then(|(name, _)| name.clone()),
                reason: reason.clone(),
            }
        }));
        findings.extend(tensors::findings(&read));
        Self { steps, findings }
    }
}

/// The steps of a run that cannot be read, as names say, and why.
fn troubles(run: &Run) -> BTreeMap<u64, String> {
    let broken = run.broken.iter();
    broken
        .map(|step| (step.number, step.trouble.to_string()))
        .collect()
}

/// The weights of every step, by step.
fn weights(run: &Run) -> impl Iterator<Item = (u64, &Part)> {
    let parts = run.steps.iter().flat_map(|step| {
        let parts = step.parts.iter().map(|part| (step.number, part));
        parts.filter(|(_, part)| part.kind == DataKind::Weights)
    });
    parts.into_iter()
}

/// The steps with their files, and those that cannot be read without.
fn audited(run: &Run, known: &Known, read: &tensors::Read) -> Vec<AuditedStep> {
    let mut steps: BTreeMap<u64, AuditedStep> = BTreeMap::new();
    for (step, part) in weights(run) {
        let entry = steps.entry(step).or_default();
        entry
            .files
            .extend(part.paths.iter().map(|path| AuditedFile {
                path: path.clone(),
                content: known.content.get(path).cloned(),
            }));
    }
    for step in known.troubles.keys() {
        steps.entry(*step).or_default();
    }
    for (number, step) in &mut steps {
        let (revision, commit) = known.revisions.get(number).cloned().unzip();
        step.step = *number;
        step.revision = revision.flatten();
        step.commit = commit;
        step.tensors = read.count(*number);
    }
    steps.into_values().collect()
}
