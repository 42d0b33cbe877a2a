//! What a lane reads, together and ahead.

use std::cell::RefCell;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;

use ckptscope_analysis::plan::{AHEAD_BYTES, PORTION_BYTES};
use ckptscope_analysis::{EngineError, Lane, Plan, run_lane};
use ckptscope_checkpoint::{FileEntry, MemoryTree, ReadError, Source, Tree};
use ckptscope_protocol::Event;
use futures_lite::future::block_on;

use crate::support::{layers, numbers, planned, safetensors, tree};

const CONFIG: &str = "
metrics:
  - metric_name: norm
    norm_type: frobenius
    data_split: val
    components:
      - {component_name: simple, data_type: weights, layer_suffixes: a, layers: all}
      - {component_name: simple, data_type: weights, layer_suffixes: b, layers: all}
steps: all
";

const STEPS: [u64; 3] = [1, 2, 3];

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ReadError>> + 'a>>;

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Files that read by themselves, as those of a server do, and say when.
struct Eager {
    tree: MemoryTree,
    log: Log,
    /// The file whose reads fail.
    broken: Option<&'static str>,
}

struct EagerFile {
    source: Rc<dyn Source>,
    log: Log,
    is_broken: bool,
}

impl Tree for Eager {
    fn name(&self) -> &str {
        self.tree.name()
    }

    fn files(&self) -> &[FileEntry] {
        self.tree.files()
    }

    fn open<'a>(&'a self, path: &'a str) -> Pending<'a, Rc<dyn Source>> {
        Box::pin(async move {
            Ok(Rc::new(EagerFile {
                source: self.tree.open(path).await?,
                log: self.log.clone(),
                is_broken: self.broken == Some(path),
            }) as Rc<dyn Source>)
        })
    }
}

impl Source for EagerFile {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    fn read_at(&self, offset: u64, length: u64) -> Pending<'_, Vec<u8>> {
        self.source.read_at(offset, length)
    }

    fn is_far(&self) -> bool {
        true
    }

    fn start_read(&self, offset: u64, length: u64) -> Option<Pending<'static, Vec<u8>>> {
        let name = self.source.name();
        self.log.note(format!("read {name}"));
        let dropped = Dropped(self.log.clone(), format!("dropped {name}"));
        let (source, is_broken) = (Rc::clone(&self.source), self.is_broken);
        Some(Box::pin(async move {
            let read = if is_broken {
                let path = source.name().to_owned();
                Err(ReadError::Short {
                    path,
                    offset,
                    length,
                })
            } else {
                source.read_at(offset, length).await
            };
            std::mem::forget(dropped);
            read
        }))
    }
}

/// Says when a read is dropped that nobody waited for.
struct Dropped(Log, String);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.note(self.1.clone());
    }
}

/// A run of one layer with two weights of `entries` entries, and its lane.
fn lane(entries: u64) -> (MemoryTree, Plan) {
    let tensors = [
        ("layers.{}.a.weight", &[2, entries / 2][..]),
        ("layers.{}.b.weight", &[2, entries / 2]),
    ];
    let files = STEPS.map(|step| {
        let path = format!("step_{step}/model.safetensors");
        (path, safetensors(&layers(1, &tensors)))
    });
    let tree = tree(files.into());
    let plan = planned(&tree, CONFIG).2;
    (tree, plan)
}

fn file(step: u64) -> String {
    format!("step_{step}/model.safetensors")
}

/// Runs a lane; the log has what was read and told.
fn run(tree: &Eager, lane: &Lane, stop_at: Option<u64>) -> Result<(), EngineError> {
    let mut listener = |event| {
        if let Event::Number(number) = event {
            tree.log.note(format!("told {}", number.step));
            if stop_at == Some(number.step) {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    };
    block_on(run_lane(lane, tree, &mut listener))
}

fn eager(tree: MemoryTree, broken: Option<&'static str>) -> Eager {
    let log = Log::default();
    Eager { tree, log, broken }
}

#[test]
fn the_next_step_is_on_its_way_before_a_number_of_this_one_is_told() {
    let (tree, plan) = lane(100);
    let expected = numbers(&plan.lanes[0], &tree);
    let tree = eager(tree, None);
    run(&tree, &plan.lanes[0], None).unwrap();
    let (one, two, three) = (file(1), file(2), file(3));
    // One read a step: the tensors of both jobs are neighbours.
    let lines = [
        format!("read {one}"),
        format!("read {two}"),
        "told 1".to_owned(),
        "told 1".to_owned(),
        format!("read {three}"),
        "told 2".to_owned(),
        "told 2".to_owned(),
        "told 3".to_owned(),
        "told 3".to_owned(),
    ];
    assert_eq!(tree.log.lines(), lines);
    assert_eq!(numbers(&plan.lanes[0], &tree), expected);
}

#[test]
fn an_error_of_what_is_read_ahead_is_told_of_its_own_step() {
    let (tree, mut plan) = lane(100);
    let tree = eager(tree, Some("step_2/model.safetensors"));
    plan.lanes[0].passes_over_broken = false;
    let error = run(&tree, &plan.lanes[0], None).unwrap_err();
    assert!(
        matches!(error, EngineError::Read { step: 2, .. }),
        "{error}"
    );
    let told = tree.log.lines().iter().filter(|it| *it == "told 1").count();
    assert_eq!(told, 2, "what comes before is told");
    assert!(!tree.log.lines().contains(&format!("read {}", file(3))));
}

#[test]
fn a_step_that_proves_broken_costs_its_own_numbers() {
    let (tree, plan) = lane(100);
    let expected = numbers(&plan.lanes[0], &tree);
    let tree = eager(tree, Some("step_2/model.safetensors"));
    let found = numbers(&plan.lanes[0], &tree);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!((&found.id, found.step), (&expected.id, expected.step));
        let status = found.status.as_ref().map(|status| &*status.code);
        if found.step == 2 {
            assert_eq!((&found.value, status), (&None, Some("unreadable")));
        } else {
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_lane_that_ends_before_drops_what_it_reads_ahead() {
    let (tree, plan) = lane(100);
    let tree = eager(tree, Some("step_2/model.safetensors"));
    run(&tree, &plan.lanes[0], Some(1)).unwrap();
    let last = tree.log.lines().pop();
    assert_eq!(last, Some(format!("dropped {}", file(2))));
}

#[test]
fn a_step_longer_than_a_portion_is_fetched_job_by_job() {
    // Each tensor is most of a portion.
    let entries = PORTION_BYTES / 4 * 3 / 4;
    let (tree, plan) = lane(entries);
    let bytes = 4 * entries;
    assert!(bytes < PORTION_BYTES && 2 * bytes > PORTION_BYTES && bytes <= AHEAD_BYTES);
    let tree = eager(tree, None);
    run(&tree, &plan.lanes[0], None).unwrap();
    let reads = tree
        .log
        .lines()
        .iter()
        .filter(|it| it.starts_with("read"))
        .count();
    assert_eq!(reads, 2 * STEPS.len());
    // The widest moment: a tensor's bytes, which are counted, and those of the next.
    let peak = plan.cost.peak_bytes;
    assert!(peak >= 2 * bytes && peak < 8 * entries + bytes, "{peak}");
}
