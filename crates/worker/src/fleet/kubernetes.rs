//! Kubernetes: an Indexed Job, whose pods share a volume.
//!
//! The program lies in the shared folder, so that any image with a shell's usual libraries will do.
//! Every index has retries of its own, and one that is misused (exit 2) gets none: no index eats the
//! others' retries.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::folder::Folder;
use super::index::in_words;
use super::plan_file::PlanFile;
use super::shell::make_executable;
use super::submissions::Batch;
use crate::place::as_file_name;
use crate::{MISUSED, Misuse, PUT_OFF};

/// The program's name in the shared folder.
const PROGRAM: &str = "worker";

/// Attempts of one index after the first.
const RETRIES: u32 = 3;

/// How long a pod that is asked to end has for it, in seconds.
const GRACE_SECONDS: u64 = 60;

/// Names of objects have at most so many characters; pods add some of their own.
const NAME_CHARACTERS: usize = 50;

/// A volume that pods share, as `CLAIM:FOLDER`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Volume {
    /// The name of its claim.
    claim: String,
    /// The folder where it is mounted, here and in pods.
    folder: String,
}

impl Volume {
    /// Reads it; for the command line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':');
        let parts = parts.filter(|(claim, folder)| !claim.is_empty() && folder.starts_with('/'));
        let (claim, folder) = parts.ok_or_else(|| {
            format!("{text:?} is no volume; give one as CLAIM:/FOLDER, where it is mounted here")
        })?;
        Ok(Self {
            claim: claim.to_owned(),
            folder: folder.to_owned(),
        })
    }
}

/// Puts the program where pods find it.
///
/// # Errors
/// Where the folder cannot be written.
pub(super) fn bring_program(folder: &Folder, worker: &Path) -> Result<()> {
    let own = folder.file(PROGRAM);
    let copied = fs::copy(worker, &own).and_then(|_| make_executable(&own));
    copied.with_context(|| format!("cannot write {}", own.display()))
}

/// That pods share a volume, and that the folder is on it.
///
/// # Errors
/// [`Misuse`], with what to do.
pub(super) fn check(folder: &Path, volume: Option<&Volume>) -> Result<()> {
    let Some(volume) = volume else {
        let words = "pods share a volume: say which one, and where it is mounted here, with \
            --volume CLAIM:/FOLDER";
        return Err(Misuse(words.to_owned()).into());
    };
    if std::path::absolute(folder)?.starts_with(&volume.folder) {
        return Ok(());
    }
    Err(Misuse(format!(
        "{} is not on the volume that is mounted at {}: choose another --out",
        folder.display(),
        volume.folder
    ))
    .into())
}

/// The manifest of batches, a Job for each. `number` counts the submissions of a folder: no two
/// Jobs have one name.
///
/// # Errors
/// As [`check`].
pub(super) fn manifest(
    folder: &Folder,
    plan: &PlanFile,
    batches: &[Batch],
    number: usize,
) -> Result<String> {
    let volume = plan.settings.volume.as_ref();
    check(folder.path(), volume)?;
    let jobs = volume.into_iter().flat_map(|volume| {
        let batches = batches.iter().enumerate();
        batches.map(move |(part, batch)| {
            let name = name(&plan.results.analysis_name, number, part);
            job(folder, plan, batch, volume, &name)
        })
    });
    Ok(jobs.collect::<Vec<_>>().join("---\n"))
}

fn job(folder: &Folder, plan: &PlanFile, batch: &Batch, volume: &Volume, name: &str) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let count = batch.shards.len();
    let own = text(&folder.path().display().to_string());
    let program = text(&folder.file(PROGRAM).display().to_string());
    let among = text(&in_words(&batch.shards));
    let (image, claim) = (text(&plan.settings.image), text(&volume.claim));
    let mounted = text(&volume.folder);
    let memory = batch.memory_bytes.div_ceil(1 << 20);
    let threads = plan.threads;
    format!(
        "\
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  labels: {{app: ckptscope}}
spec:
  completions: {count}
  parallelism: {count}
  completionMode: Indexed
  backoffLimitPerIndex: {RETRIES}
  maxFailedIndexes: {count}
  podFailurePolicy:
    rules:
      # Wrong usage, or another version: no other attempt mends it.
      - action: FailIndex
        onExitCodes: {{containerName: shard, operator: In, values: [{MISUSED}]}}
      # Preempted or drained, and asked to end: such an attempt does not count.
      - action: Ignore
        onPodConditions: [{{type: DisruptionTarget, status: \"True\"}}]
      - action: Ignore
        onExitCodes: {{containerName: shard, operator: In, values: [{PUT_OFF}]}}
  template:
    metadata:
      labels: {{app: ckptscope}}
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: {GRACE_SECONDS}
      containers:
        - name: shard
          image: {image}
          command: [{program}]
          args: [shard, {own}, --among, {among}]
          resources:
            requests: {{cpu: {threads}, memory: {memory}Mi}}
            limits: {{memory: {memory}Mi}}
          volumeMounts:
            - {{name: shared, mountPath: {mounted}}}
      volumes:
        - name: shared
          persistentVolumeClaim: {{claimName: {claim}}}
"
    )
}

/// The name of a Job: small letters, digits and single dashes. Batches of one submission are
/// counted too.
fn name(analysis: &str, number: usize, part: usize) -> String {
    let name = as_file_name(analysis).to_lowercase();
    let name = name.replace(['_', '.'], "-");
    let name: String = name.chars().take(NAME_CHARACTERS).collect();
    let words = name.split('-').filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    let begins = |word: &String| word.starts_with(|first: char| first.is_ascii_lowercase());
    if !words.first().is_some_and(begins) {
        words.insert(0, "analysis".to_owned());
    }
    words.push(number.to_string());
    if part > 0 {
        words.push(part.to_string());
    }
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::{Volume, name};

    #[test]
    fn names_are_those_of_objects() {
        assert_eq!(name("demo", 1, 0), "demo-1");
        assert_eq!(name("First_look v2.", 2, 1), "first-look-v2-2-1");
        assert_eq!(name("70b", 1, 0), "analysis-70b-1");
        assert_eq!(name("é", 1, 0), "analysis-1");
    }

    #[test]
    fn volumes_have_a_claim_and_a_folder() {
        let volume = Volume::parse("shared:/data").unwrap();
        assert_eq!((&*volume.claim, &*volume.folder), ("shared", "/data"));
        for wrong in ["", "shared", ":/data", "shared:data"] {
            assert!(Volume::parse(wrong).is_err(), "{wrong}");
        }
    }
}
