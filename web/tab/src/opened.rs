//! The files at hand, and what is known of them already.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use ckptscope_analysis::plan::{Catalogs, steps_read};
use ckptscope_analysis::{Config, Plan, PlanErrors};
use ckptscope_checkpoint::{Run, Tree};
use ckptscope_protocol::tab::{NeededFiles, RunChoices};

use super::remote::Repository;

/// Files of which the run and the catalogs are read once.
pub(super) struct OpenedFiles {
    files: Files,
    /// The catalogs read so far.
    pub(super) catalogs: Catalogs,
    /// The steps that plans have read.
    read: RefCell<BTreeSet<u64>>,
    /// The catalogs of estimates, in which other steps are taken to be like one of them.
    assumed_catalogs: RefCell<Rc<Catalogs>>,
    run: RefCell<Option<Rc<Run>>>,
    /// Of a repository, how many steps nobody had listed when the page last heard of it.
    unlisted_told: Cell<usize>,
}

/// Where they are.
enum Files {
    /// Somewhere where all of them are known.
    Known(Box<dyn Tree>),
    /// In a repository of the Hub, whose steps are listed when they are read.
    Repository(Box<dyn Repository>),
}

impl OpenedFiles {
    /// Files all of which are known.
    pub(super) fn new(tree: Box<dyn Tree>) -> Self {
        Self::of(Files::Known(tree))
    }

    /// Files of a repository.
    pub(super) fn of_repository(tree: Box<dyn Repository>) -> Self {
        Self::of(Files::Repository(tree))
    }

    fn of(files: Files) -> Self {
        let files = Self {
            files,
            catalogs: Catalogs::default(),
            read: RefCell::default(),
            assumed_catalogs: RefCell::default(),
            run: RefCell::new(None),
            unlisted_told: Cell::default(),
        };
        files.unlisted_told.set(files.assumed_steps().len());
        files
    }

    /// The same files, of which it is known what run they are.
    pub(super) fn with_run(self, run: Run) -> Self {
        self.run.replace(Some(Rc::new(run)));
        self
    }

    /// The files; of a repository those that were listed.
    pub(super) fn tree(&self) -> &dyn Tree {
        match &self.files {
            Files::Known(tree) => &**tree,
            Files::Repository(tree) => tree.tree(),
        }
    }

    /// The repository; none where the files are somewhere else.
    pub(super) fn repository(&self) -> Option<&dyn Repository> {
        match &self.files {
            Files::Known(_) => None,
            Files::Repository(tree) => Some(&**tree),
        }
    }

    /// How many files are known, and their bytes together.
    pub(super) fn extent(&self) -> (u64, u64) {
        match &self.files {
            Files::Known(tree) => {
                let files = tree.files();
                (
                    files.len() as u64,
                    files.iter().map(|file| file.bytes).sum(),
                )
            }
            Files::Repository(tree) => tree.extent(),
        }
    }

    /// The steps of which nobody has listed the files.
    pub(super) fn assumed_steps(&self) -> BTreeSet<u64> {
        self.repository()
            .map(Repository::unlisted)
            .unwrap_or_default()
    }

    /// The run that the files are. Some steps of a repository are assumed to be like others.
    pub(super) async fn run(&self) -> Result<Rc<Run>, String> {
        let known = self.run.borrow().clone();
        if let Some(run) = known {
            return Ok(run);
        }
        let run = match &self.files {
            Files::Known(tree) => {
                let found = Run::find(&**tree).await;
                found.map_err(|error| error.to_string())
            }
            Files::Repository(tree) => tree.find_run().await,
        };
        Ok(self.keep(run?))
    }

    fn keep(&self, run: Run) -> Rc<Run> {
        let run = Rc::new(run);
        *self.run.borrow_mut() = Some(Rc::clone(&run));
        run
    }

    /// Among what somebody has to choose, where the files are no run as they are.
    pub(super) async fn choices(&self) -> RunChoices {
        let paths = match &self.files {
            Files::Known(tree) => match Run::find(&**tree).await {
                Ok(_) => Vec::new(),
                Err(error) => error.choices().to_vec(),
            },
            Files::Repository(_) => Vec::new(),
        };
        RunChoices { paths }
    }

    /// The same run with this step as it is, which nobody may have listed yet.
    pub(super) async fn run_with(&self, step: u64) -> Result<Rc<Run>, String> {
        let run = self.run().await?;
        self.settle(run, &BTreeSet::from([step])).await
    }

    async fn settle(&self, run: Rc<Run>, steps: &BTreeSet<u64>) -> Result<Rc<Run>, String> {
        let Some(tree) = self.repository() else {
            return Ok(run);
        };
        if tree.unlisted().is_disjoint(steps) {
            return Ok(run);
        }
        let settled = tree.settle(&run, steps).await;
        Ok(self.settled(settled?))
    }

    /// Takes in a run of which more steps are known than before.
    pub(super) fn settled(&self, run: Run) -> Rc<Run> {
        self.assumed_catalogs.take();
        self.keep(run)
    }

    /// The run of the steps that a config reads, each as it is, and its plan.
    pub(super) async fn plan(&self, config: &Config) -> Result<(Rc<Run>, Plan), String> {
        let run = self.exact_run(config).await?;
        let plan = Plan::make_again(config, &run, self.tree(), &self.catalogs).await;
        let plan = plan.map_err(|errors| errors.to_string())?;
        self.read.borrow_mut().extend(&plan.steps);
        self.assumed_catalogs.take();
        Ok((run, plan))
    }

    async fn exact_run(&self, config: &Config) -> Result<Rc<Run>, String> {
        let mut run = self.run().await?;
        let Some(tree) = self.repository() else {
            return Ok(run);
        };
        loop {
            let numbers: Vec<u64> = run.steps.iter().map(|step| step.number).collect();
            let wanted = steps_read(config, &numbers);
            // A step that turns out to be broken is not the last one any more.
            if !tree.unlisted().is_disjoint(&wanted) {
                run = self.settle(run, &wanted).await?;
                continue;
            }
            if wanted.is_empty() {
                return Ok(run);
            }
            let asked = run.broken.iter().map(|step| step.number);
            let wanted = wanted.into_iter().chain(asked).collect();
            let exact = tree.exactly(&run, &wanted).await;
            return Ok(Rc::new(exact?));
        }
    }

    /// What a config would cost as far as that is known: steps of a repository that no plan has
    /// read are taken to be like one another.
    pub(super) async fn estimate(
        &self,
        config: &Config,
    ) -> Result<Result<Plan, PlanErrors>, String> {
        let run = self.run().await?;
        let Some(tree) = self.repository() else {
            return Ok(Plan::make_again(config, &run, self.tree(), &self.catalogs).await);
        };
        let catalogs = Rc::clone(&self.assumed_catalogs.borrow());
        let assumed = tree.assumed(&run, &self.read.borrow());
        Ok(Plan::make_again(config, &run, &*assumed, &catalogs).await)
    }

    /// Whether steps were listed since this was last asked.
    pub(super) fn has_listed(&self) -> bool {
        let unlisted = self.assumed_steps().len();
        self.unlisted_told.replace(unlisted) > unlisted
    }

    /// The files that a copy of the run needs.
    pub(super) async fn needed(&self) -> Result<NeededFiles, String> {
        let run = self.run().await?;
        let files = run.needed_files(self.tree()).await.into_iter();
        let paths = files.map(|file| file.path).collect();
        Ok(NeededFiles { paths })
    }
}
