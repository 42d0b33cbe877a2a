//! Where a repository has its steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::address::HubAddress;
use super::client::{Absence, Commit, Hub, Reference, Refs};
use super::error::HubError;
use super::layout::{self, Saving, Trees};
use super::revision;
use super::saving::saved;
use super::tree::HubTree;
use crate::http::client::REQUESTS_AT_ONCE;

/// The branch of a repository that is meant when none is given.
const DEFAULT_BRANCH: &str = "main";

/// The steps of a repository, of which no files are known yet.
#[derive(Debug)]
pub struct Listing {
    hub: Arc<Hub>,
    repository: String,
    /// What messages call the revision.
    revision: String,
    /// The commit of the revision, which has the model's config; none for patterns.
    head: Option<String>,
    steps: Steps,
    /// Branches and tags, where they were looked at.
    names: Vec<String>,
}

/// Where the steps are.
#[derive(Debug)]
enum Steps {
    /// In the commits of a branch, oldest first; some were saved again.
    Commits(Vec<Saving>, BTreeSet<u64>),
    /// In revisions.
    Revisions(Vec<(u64, Reference)>),
    /// Among the files of one revision, if anywhere.
    Files,
}

impl Hub {
    /// Finds where a repository has its steps, with two or three requests (and one for every
    /// thousand commits more): in the titles of the revision's commits; if no revision is given,
    /// in revisions that are named by step; else among the revision's files. Where the Hub does not
    /// answer and the cache has some of the repository, the cache does, and a warning says so.
    ///
    /// # Errors
    /// [`HubError`], with what to do.
    pub async fn look_up(self: &Arc<Self>, address: &HubAddress) -> Result<Listing, HubError> {
        let repository = address.repository.as_str();
        let is_kept = self.cache.keeps(repository).is_some();
        if self.absence().is_some() && !is_kept {
            return Err(HubError::NotInCache {
                repository: repository.to_owned(),
                cache: self.cache.shown(),
            });
        }
        let error = match self.find_steps(address).await {
            Err(error) if is_kept => error,
            answer => return answer,
        };
        let Some(why) = error.absence() else {
            return Err(error);
        };
        self.be_absent(Absence::Unreachable(why));
        self.find_steps(address).await
    }

    async fn find_steps(self: &Arc<Self>, address: &HubAddress) -> Result<Listing, HubError> {
        let repository = address.repository.as_str();
        match address.revision.as_deref() {
            Some(pattern) if revision::is_pattern(pattern) => {
                let refs = self.refs(repository).await?;
                let steps = revision::steps(repository, &refs, Some(pattern))?;
                let mut branches = refs.branches.iter();
                let main = branches.find(|branch| branch.name == DEFAULT_BRANCH);
                let head = main.map(|main| main.target_commit.clone());
                Ok(self.listing(address, head, Steps::Revisions(steps), &refs))
            }
            Some(revision) => {
                let commits = self.history(repository, revision).await?;
                Ok(self.of_history(address, &commits, &Refs::default()))
            }
            None => {
                let commits = self.default_history(repository).await?;
                if commits.iter().any(saves) {
                    return Ok(self.of_history(address, &commits, &Refs::default()));
                }
                let refs = self.refs(repository).await?;
                let steps = revision::steps(repository, &refs, None)?;
                if steps.is_empty() {
                    return Ok(self.of_history(address, &commits, &refs));
                }
                let head = commits.first().map(|commit| commit.id.clone());
                Ok(self.listing(address, head, Steps::Revisions(steps), &refs))
            }
        }
    }

    /// A revision's commits, newest first; all of them only where they are steps.
    async fn history(&self, repository: &str, revision: &str) -> Result<Vec<Commit>, HubError> {
        match self
            .commits(repository, revision, |first| first.iter().any(saves))
            .await
        {
            Err(HubError::NoRevision { repository, .. }) => {
                let refs = self.refs(&repository).await?;
                Err(HubError::NoRevision {
                    repository,
                    revision: revision.to_owned(),
                    names: revision::names(&refs),
                })
            }
            answer => answer,
        }
    }

    /// The history of the default branch. Of a cache without it, the only commit there is.
    async fn default_history(&self, repository: &str) -> Result<Vec<Commit>, HubError> {
        match self.history(repository, DEFAULT_BRANCH).await {
            Err(HubError::NoRevision { .. }) if self.absence().is_some() => {
                let only = self.cache.only_commit(repository);
                Ok(only.into_iter().collect())
            }
            answer => answer,
        }
    }

    /// That the cache answers in the Hub's place, where it does.
    fn said_of_cache(&self, repository: &str) -> Option<String> {
        let why = match self.absence()? {
            Absence::Wanted => "HF_HUB_OFFLINE is set".to_owned(),
            Absence::Unreachable(why) => format!("the Hub does not answer ({why})"),
        };
        let folder = self.cache.keeps(repository)?;
        Some(format!(
            "{why}: {repository} is read from the cache, as it was downloaded: {folder}"
        ))
    }

    fn of_history(
        self: &Arc<Self>,
        address: &HubAddress,
        commits: &[Commit],
        refs: &Refs,
    ) -> Listing {
        let head = commits.first().map(|commit| commit.id.clone());
        let (savings, again) = layout::savings(commits);
        let steps = if savings.is_empty() {
            Steps::Files
        } else {
            Steps::Commits(savings, again)
        };
        self.listing(address, head, steps, refs)
    }

    fn listing(
        self: &Arc<Self>,
        address: &HubAddress,
        head: Option<String>,
        steps: Steps,
        refs: &Refs,
    ) -> Listing {
        let given = address.revision.as_deref();
        Listing {
            hub: Arc::clone(self),
            repository: address.repository.clone(),
            revision: given.unwrap_or(DEFAULT_BRANCH).to_owned(),
            head,
            steps,
            names: revision::names(refs),
        }
    }
}

impl Listing {
    /// The steps, ascending; none where only the files can tell.
    #[must_use]
    pub fn steps(&self) -> Option<Vec<u64>> {
        let steps: BTreeSet<u64> = match &self.steps {
            Steps::Commits(savings, _) => savings.iter().map(|saving| saving.step).collect(),
            Steps::Revisions(revisions) => revisions.iter().map(|(step, _)| *step).collect(),
            Steps::Files => return None,
        };
        Some(steps.into_iter().collect())
    }

    /// The files of the steps that are wanted: one request per commit, of which a step has one,
    /// or up to three where pico-train saved it.
    ///
    /// # Errors
    /// [`HubError`], with what to do.
    pub async fn tree(self, wants: impl Fn(u64) -> bool) -> Result<HubTree, HubError> {
        let said = self.hub.said_of_cache(&self.repository);
        let mut warnings: Vec<String> = said.into_iter().collect();
        let mut commits: BTreeSet<String> = BTreeSet::new();
        commits.extend(self.head.clone());
        let places = match &self.steps {
            Steps::Commits(savings, again) => {
                let wanted: Vec<&Saving> = savings.iter().filter(|it| wants(it.step)).collect();
                commits.extend(wanted.iter().map(|saving| saving.commit.clone()));
                commits.extend(wanted.iter().filter_map(|saving| saving.before.clone()));
                warn_of_repeated(again, &wants, &mut warnings);
                let trees = self.trees(commits).await?;
                let mut places = layout::of_savings(&wanted, &trees, &mut warnings);
                places.extend(self.configs(&trees));
                places
            }
            Steps::Revisions(revisions) => {
                let wanted: Vec<_> = revisions.iter().filter(|(step, _)| wants(*step)).collect();
                commits.extend(wanted.iter().map(|(_, it)| it.target_commit.clone()));
                let trees = self.trees(commits).await?;
                let mut places = layout::of_revisions(&wanted, &trees);
                places.extend(self.configs(&trees));
                places
            }
            Steps::Files => {
                let trees = self.trees(commits).await?;
                let head = self.head.as_deref().unwrap_or_default();
                layout::of_commit(head, &trees)
            }
        };
        let name = format!("{}@{}", self.repository, self.revision);
        let is_one = !matches!(self.steps, Steps::Revisions(_));
        let mut tree = HubTree::new(self.hub, self.repository, name, places);
        tree.warnings = warnings;
        tree.revisions = self.names;
        tree.pin = self.head.filter(|_| is_one);
        Ok(tree)
    }

    /// The same, with its revision's files taken as they are: no steps are looked for in commits.
    #[must_use]
    pub fn of_files(self) -> Self {
        Self {
            steps: Steps::Files,
            ..self
        }
    }

    fn configs(&self, trees: &Trees) -> layout::Places {
        let head = self.head.as_deref();
        head.map_or_else(layout::Places::new, |head| layout::configs(head, trees))
    }

    /// The files of commits, several asked for at once.
    async fn trees(&self, commits: BTreeSet<String>) -> Result<Trees, HubError> {
        let asked = commits.into_iter().map(|commit| async {
            let files = self.hub.files(&self.repository, &commit).await?;
            Ok((commit, files))
        });
        let answers = stream::iter(asked).buffer_unordered(REQUESTS_AT_ONCE);
        answers.try_collect().await
    }
}

fn saves(commit: &Commit) -> bool {
    saved(&commit.title).is_some()
}

fn warn_of_repeated(
    again: &BTreeSet<u64>,
    wants: impl Fn(u64) -> bool,
    warnings: &mut Vec<String>,
) {
    let mut again = again.clone();
    again.retain(|step| wants(*step));
    if !again.is_empty() {
        warnings.push(format!(
            "{} saved more than once on this branch: the oldest commit is used, as the reference tool does",
            layout::in_words(&again)
        ));
    }
}
