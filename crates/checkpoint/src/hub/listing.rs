//! Where a repository has its steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::address::HubAddress;
use super::client::{Absence, Commit, Hub, Refs};
use super::error::HubError;
use super::layout::{self, Trees};
use super::revision;
use super::saving::saved;
use super::suite::{Steps, Suite};
use super::tree::HubTree;
use crate::http::client::REQUESTS_AT_ONCE;

/// The branch of a repository that is meant when none is given.
const DEFAULT_BRANCH: &str = "main";

/// The steps of a repository, of which no files are known yet.
#[derive(Clone, Debug)]
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

    /// The files of commits, several asked for at once.
    pub(super) async fn trees(
        &self,
        repository: &str,
        commits: BTreeSet<String>,
    ) -> Result<Trees, HubError> {
        let asked = commits.into_iter().map(|commit| async {
            let files = self.files(repository, &commit).await?;
            Ok((commit, files))
        });
        let answers = stream::iter(asked).buffer_unordered(REQUESTS_AT_ONCE);
        answers.try_collect().await
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
        match &self.steps {
            Steps::Files => None,
            steps => Some(steps.numbers().into_iter().collect()),
        }
    }

    /// The files of the steps that are wanted, and of no others: one request per commit, of which a
    /// step has one, or up to three where pico-train saved it.
    ///
    /// # Errors
    /// [`HubError`], with what to do.
    pub async fn tree(self, wants: impl Fn(u64) -> bool) -> Result<HubTree, HubError> {
        let steps = self.steps.only(&wants);
        let listed = steps.numbers();
        self.tree_of(steps, listed).await
    }

    /// The files of a few steps, of which those of all others are assumed until
    /// [`HubTree::settle`] lists them: a few requests, however many steps there are.
    ///
    /// # Errors
    /// [`HubError`], with what to do.
    pub async fn overview(self) -> Result<HubTree, HubError> {
        let steps = self.steps.clone();
        let listed = steps.examples();
        self.tree_of(steps, listed).await
    }

    /// The tree of these steps, of which some are listed.
    async fn tree_of(self, steps: Steps, listed: BTreeSet<u64>) -> Result<HubTree, HubError> {
        let said = self.hub.said_of_cache(&self.repository);
        let mut warnings: Vec<String> = said.into_iter().collect();
        let wants = |step| listed.contains(&step);
        let mut commits = steps.commits(wants);
        commits.extend(self.head.clone());
        let trees = self.hub.trees(&self.repository, commits).await?;
        let head = self.head.as_deref().unwrap_or_default();
        let mut places = steps.places(wants, &trees, &mut warnings);
        places.extend(match &steps {
            Steps::Files => layout::of_commit(head, &trees),
            Steps::Commits(..) | Steps::Revisions(_) => layout::configs(head, &trees),
        });
        let name = format!("{}@{}", self.repository, self.revision);
        let is_one = !matches!(steps, Steps::Revisions(_));
        let beside = layout::of_commit(head, &trees).into_iter();
        let beside = beside
            .filter(|_| !is_one)
            .map(|(path, file)| (path, file.tag));
        let suite = Suite::new(steps, listed);
        let mut tree = HubTree::new(self.hub, self.repository, name, places, suite);
        tree.head = beside.collect();
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
}

fn saves(commit: &Commit) -> bool {
    saved(&commit.title).is_some()
}
