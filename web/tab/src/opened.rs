//! The files at hand, and what is known of them already.

use std::cell::RefCell;
use std::rc::Rc;

use ckptscope_analysis::plan::Catalogs;
use ckptscope_checkpoint::{Run, Tree};
use ckptscope_protocol::tab::NeededFiles;

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
    pub(super) async fn needed(&self) -> Result<NeededFiles, String> {
        let run = self.run().await?;
        let files = run.needed_files(&*self.tree).await.into_iter();
        let paths = files.map(|file| file.path).collect();
        Ok(NeededFiles { paths })
    }
}
