//! The files at hand, and what is known of them already.

use std::cell::RefCell;
use std::rc::Rc;

use ckptscope_analysis::plan::Catalogs;
use ckptscope_checkpoint::{Part, Run, Step, Tree};
use futures_util::stream::{self, StreamExt};

use crate::message::Answer;

/// Files of which the run and the catalogs are read once.
pub(super) struct OpenedFiles {
    /// The files.
    pub(super) tree: Box<dyn Tree>,
    /// The catalogs read so far.
    pub(super) catalogs: Catalogs,
    /// What was noticed while they were listed.
    warnings: Vec<String>,
    run: RefCell<Option<Rc<Run>>>,
}

/// How many catalogs are asked for at once: a browser answers each after a while, whatever its
/// length.
const AT_ONCE: usize = 24;

impl OpenedFiles {
    pub(super) fn new(tree: Box<dyn Tree>, warnings: Vec<String>) -> Self {
        Self {
            tree,
            catalogs: Catalogs::default(),
            warnings,
            run: RefCell::new(None),
        }
    }

    /// Files of which it is known what run they are.
    pub(super) fn with_run(tree: Box<dyn Tree>, run: Run) -> Self {
        let files = Self::new(tree, Vec::new());
        files.run.replace(Some(Rc::new(run)));
        files
    }

    /// The run that the files are.
    pub(super) async fn run(&self) -> Result<Rc<Run>, String> {
        let known = self.run.borrow().clone();
        if let Some(run) = known {
            return Ok(run);
        }
        let run = Run::find(&*self.tree).await;
        let mut run = run.map_err(|error| error.to_string())?;
        run.warnings.splice(0..0, self.warnings.iter().cloned());
        let run = Rc::new(run);
        *self.run.borrow_mut() = Some(Rc::clone(&run));
        Ok(run)
    }

    /// The files that a copy of the run needs.
    pub(super) async fn needed(&self) -> Result<Answer, String> {
        let run = self.run().await?;
        let files = run.needed_files(&*self.tree).await.into_iter();
        let paths = files.map(|file| file.path).collect();
        Ok(Answer::Needed { paths })
    }

    /// Reads the catalogs of some parts, many at once. What cannot be read is left to whoever
    /// needs it.
    pub(super) async fn read_ahead(&self, steps: &[&Step], wanted: impl Fn(&Part) -> bool) {
        let parts = steps.iter().flat_map(|step| &step.parts);
        stream::iter(parts.filter(|part| wanted(part)))
            .for_each_concurrent(AT_ONCE, async |part| {
                let _ = self.catalogs.read(part, &*self.tree).await;
            })
            .await;
    }
}
