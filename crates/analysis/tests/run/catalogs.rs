//! Which files a plan reads the directories of, and how.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use ckptscope_analysis::plan::{Catalogs, PlanErrors, steps_read};
use ckptscope_analysis::{Config, Plan, Registry, Survey};
use ckptscope_checkpoint::{
    DataKind, FileEntry, Layout, MemoryTree, Part, ReadError, Run, Source, Split, Step, Tree,
};
use futures_lite::future::block_on;

use crate::support::{safetensors, tree};

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ReadError>> + 'a>>;

/// Files that answer after a while, and say who asked.
struct Slow {
    tree: MemoryTree,
    log: Rc<Log>,
}

#[derive(Default)]
struct Log {
    opened: RefCell<Vec<String>>,
    under_way: Cell<usize>,
    most: Cell<usize>,
}

struct SlowFile {
    source: Rc<dyn Source>,
    log: Rc<Log>,
    /// How often it says that it is not ready.
    pauses: usize,
}

impl Slow {
    fn new(tree: MemoryTree) -> Self {
        let log = Rc::default();
        Self { tree, log }
    }

    /// The files that were opened since this was last asked, sorted.
    fn take_opened(&self) -> Vec<String> {
        let mut opened = self.log.opened.take();
        opened.sort();
        opened
    }
}

impl Tree for Slow {
    fn name(&self) -> &str {
        self.tree.name()
    }

    fn files(&self) -> &[FileEntry] {
        self.tree.files()
    }

    fn open<'a>(&'a self, path: &'a str) -> Pending<'a, Rc<dyn Source>> {
        Box::pin(async move {
            self.log.opened.borrow_mut().push(path.to_owned());
            let place = self.files().iter().position(|file| file.path == path);
            Ok(Rc::new(SlowFile {
                source: self.tree.open(path).await?,
                log: Rc::clone(&self.log),
                // The later in the list, the sooner it is there.
                pauses: self.files().len() - place.unwrap_or_default(),
            }) as Rc<dyn Source>)
        })
    }
}

impl Source for SlowFile {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    fn read_at(&self, offset: u64, length: u64) -> Pending<'_, Vec<u8>> {
        Box::pin(async move {
            let log = &self.log;
            log.under_way.set(log.under_way.get() + 1);
            log.most.set(log.most.get().max(log.under_way.get()));
            for _ in 0..self.pauses {
                give_way().await;
            }
            log.under_way.set(log.under_way.get() - 1);
            self.source.read_at(offset, length).await
        })
    }
}

/// Lets the others go on once.
async fn give_way() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A run with a file of every kind and split at these steps, called `{step}/{split}_{kind}`.
fn run_of(steps: &[u64]) -> (Slow, Run) {
    let content = safetensors(&[("layers.0.a".to_owned(), vec![8, 2])]);
    let mut files = Vec::new();
    let step = |number: u64| {
        let places = Split::ALL.iter().flat_map(|split| {
            let kinds = DataKind::ALL.iter();
            kinds.map(move |kind| (*split, *kind))
        });
        let parts = places.map(|(split, kind)| Part {
            kind,
            split: Some(split),
            paths: vec![format!("{number:03}/{split}_{kind}")],
            index: None,
        });
        Step {
            number,
            parts: parts.collect(),
        }
    };
    let run = Run {
        layout: Layout::Pico,
        steps: steps.iter().map(|number| step(*number)).collect(),
        broken: Vec::new(),
        model: None,
        config: None,
        passed_over: Vec::new(),
        warnings: Vec::new(),
    };
    for part in run.steps.iter().flat_map(|step| &step.parts) {
        files.extend(
            part.paths
                .iter()
                .map(|path| (path.clone(), content.clone())),
        );
    }
    (Slow::new(tree(files)), run)
}

/// Weights at the steps, and activations also at the step that they are compared with.
fn config(steps: &str, target: &str) -> Config {
    let text = format!(
        "metrics:
  - metric_name: norm
    norm_type: frobenius
    data_split: val
    components: [{{component_name: simple, data_type: weights, layer_suffixes: a, layers: all}}]
  - metric_name: cka
    target_checkpoint: {target}
    data_split: val
    components: [{{component_name: simple, data_type: activations, layer_suffixes: a, layers: all}}]
steps: {steps}
on_error: stop
"
    );
    Config::parse(&text, &Registry::default()).unwrap()
}

fn plan(files: &Slow, run: &Run, config: &Config) -> Result<Plan, PlanErrors> {
    block_on(Plan::make(config, run, files))
}

#[test]
fn exactly_what_the_entries_need_is_read() {
    let (files, run) = run_of(&[1, 2, 5, 9, 10]);
    let of = |steps, target| {
        plan(&files, &run, &config(steps, target)).unwrap();
        files.take_opened()
    };
    let own = [
        "001/val_activations",
        "001/val_weights",
        "002/val_activations",
        "002/val_weights",
    ];
    let with = |more: &'static str| [&own[..], &[more]].concat();
    // Of the target only what is compared, and nothing of the last step if it is not the target.
    assert_eq!(of("[1, 2]", "9"), with("009/val_activations"));
    assert_eq!(of("[1, 2]", "last"), with("010/val_activations"));
    assert_eq!(of("[1, 2]", "1"), own);
}

#[test]
fn no_warning_tells_of_data_that_nobody_asked_for() {
    let (files, mut run) = run_of(&[1, 2, 9]);
    // What the other entry would need at the target, if it were compared with it.
    run.steps[2]
        .parts
        .retain(|part| part.kind != DataKind::Weights);
    let plan = plan(&files, &run, &config("[1, 2]", "9")).unwrap();
    let told: Vec<_> = plan
        .warnings
        .iter()
        .filter(|it| it.contains("skipped"))
        .collect();
    assert_eq!(told, [""; 0]);
}

#[test]
fn the_steps_that_are_read_are_known_from_their_numbers() {
    let existing = [1, 2, 5, 9, 10];
    let of = |steps, target| steps_read(&config(steps, target), &existing);
    assert_eq!(of("[1, 2]", "9"), BTreeSet::from([1, 2, 9]));
    assert_eq!(of("[1, 7]", "last"), BTreeSet::from([1, 10]));
    assert_eq!(of("[1]", "7"), BTreeSet::from([1]));
    assert_eq!(of("all", "9"), BTreeSet::from(existing));
    assert_eq!(steps_read(&config("all", "last"), &[]), BTreeSet::new());
}

#[test]
fn files_are_read_at_once_but_not_too_many() {
    let steps: Vec<u64> = (0..100).collect();
    let (files, run) = run_of(&steps);
    plan(&files, &run, &config("all", "last")).unwrap();
    assert_eq!(files.take_opened().len(), 2 * steps.len());
    assert_eq!(files.log.most.get(), 24);
}

#[test]
fn a_survey_reads_at_once_too() {
    let (files, run) = run_of(&[1, 2]);
    let survey = block_on(Survey::of(&run, &files, &Catalogs::default()));
    assert_eq!(survey.suffixes.len(), 6);
    assert_eq!(files.take_opened().len(), 6);
    assert_eq!(files.log.most.get(), 6);
}

#[test]
fn nothing_is_read_twice() {
    let (files, run) = run_of(&[1, 2]);
    let catalogs = Catalogs::default();
    let config = config("all", "last");
    let again = || block_on(Plan::make_again(&config, &run, &files, &catalogs)).unwrap();
    let first = again();
    assert_eq!(files.take_opened().len(), 4);
    assert_eq!(again().cost, first.cost);
    assert_eq!(files.take_opened().len(), 0);
}

#[test]
fn broken_files_are_told_in_the_order_of_the_steps() {
    let (mut files, run) = run_of(&[1, 2, 3]);
    let broken = ["001/val_activations", "003/val_weights"];
    let contents = files.tree.files().iter().map(|file| {
        let is_broken = broken.contains(&file.path.as_str());
        let bytes = if is_broken {
            b"{}".to_vec()
        } else {
            safetensors(&[("layers.0.a".to_owned(), vec![8, 2])])
        };
        (file.path.clone(), bytes)
    });
    files.tree = tree(contents.collect());
    // The later one is there sooner.
    let errors = plan(&files, &run, &config("all", "last")).err().unwrap();
    let told: Vec<_> = errors
        .problems()
        .iter()
        .map(|it| it.message.clone())
        .collect();
    assert_eq!(told.len(), 2, "{errors}");
    assert!(
        told[0].starts_with("step 1 cannot be read: ") && told[0].ends_with(broken[0]),
        "{errors}"
    );
    assert!(
        told[1].starts_with("step 3 cannot be read: ") && told[1].ends_with(broken[1]),
        "{errors}"
    );
    // What follows a broken file is taken for nobody else's.
    assert_eq!(files.take_opened().len(), 6);
}

#[test]
fn a_step_that_cannot_be_read_costs_that_step() {
    let (mut files, run) = run_of(&[1, 2, 3]);
    let contents = files.tree.files().iter().map(|file| {
        let is_broken = file.path.starts_with("002/");
        let whole = safetensors(&[("layers.0.a".to_owned(), vec![8, 2])]);
        let bytes = if is_broken { b"{}".to_vec() } else { whole };
        (file.path.clone(), bytes)
    });
    files.tree = tree(contents.collect());
    let skipping = |steps: &str, target: &str| {
        let text = config(steps, target).text.replace("stop", "skip");
        Config::parse(&text, &Registry::default()).unwrap()
    };
    let plan_of = |steps, target| plan(&files, &run, &skipping(steps, target));
    let plan = plan_of("all", "last").unwrap();
    assert_eq!(plan.steps, [1, 3]);
    assert_eq!(plan.unreadable_steps[0].step, 2);
    let told = plan
        .warnings
        .iter()
        .filter(|it| it.contains("step 2 is left out"));
    assert_eq!(told.count(), 1, "{:?}", plan.warnings);
    // Nothing is left, or others are compared with it.
    assert!(plan_of("[2]", "1").is_err());
    assert!(plan_of("all", "2").is_err());
}
