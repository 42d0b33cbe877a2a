//! What the steps of a repository are taken to have before anybody asks for their files.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::suite::step_of;
use super::tree::HubTree;
use crate::error::ReadError;
use crate::run::Run;
use crate::source::Source;
use crate::tree::{FileEntry, Tree};

impl HubTree {
    /// The files of a run for an estimate, which asks for few of them: steps that were not `read`
    /// have the files of one that they may be like. Nothing is to be computed of it.
    #[must_use]
    pub fn assumed(&self, run: &Run, read: &BTreeSet<u64>) -> AssumedTree<'_> {
        let (steps, listed) = (&self.suite.steps, self.suite.listed());
        let mut examples = BTreeMap::new();
        for alike in steps.alike().values() {
            let numbers = run.steps.iter().map(|step| step.number);
            let numbers = numbers.filter(|step| alike.contains(step));
            let last = |known: &BTreeSet<u64>| numbers.clone().rfind(|step| known.contains(step));
            let Some(example) = last(read).or_else(|| last(&listed)) else {
                continue;
            };
            let others = numbers.filter(|step| *step != example && !read.contains(step));
            examples.extend(others.map(|step| (step, example)));
        }
        AssumedTree {
            tree: self,
            examples,
        }
    }
}

/// A repository's files as [`HubTree::assumed`] has them.
#[derive(Debug)]
pub struct AssumedTree<'a> {
    tree: &'a HubTree,
    /// Steps, each with the one whose files it is taken to have.
    examples: BTreeMap<u64, u64>,
}

impl AssumedTree<'_> {
    /// Where a file is: that of another step, where that has one of its name.
    fn place(&self, path: &str) -> Option<String> {
        let step = step_of(path)?;
        let (steps, example) = (&self.tree.suite.steps, self.examples.get(&step)?);
        let rest = path.strip_prefix(&steps.folder(step))?;
        let place = format!("{}{rest}", steps.folder(*example));
        self.tree.entry(&place).is_some().then_some(place)
    }
}

impl Tree for AssumedTree<'_> {
    fn name(&self) -> &str {
        self.tree.name()
    }

    fn files(&self) -> &[FileEntry] {
        self.tree.files()
    }

    fn entry(&self, path: &str) -> Option<&FileEntry> {
        let place = self.place(path);
        self.tree.entry(place.as_deref().unwrap_or(path))
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let place = self.place(path);
            self.tree.open(place.as_deref().unwrap_or(path)).await
        })
    }
}
