//! Reads that are started before anybody waits for them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use ckptscope_checkpoint::Source;
use ckptscope_checkpoint::http::{Spawn, Task};
use ckptscope_checkpoint::hub::{Cache, Hub};
use ckptscope_fake_hub::{Fault, Origin};

use crate::world::{World, repository};

const LENGTH: u64 = 100_000;

fn content() -> Vec<u8> {
    (0..LENGTH).map(|index| (index % 251) as u8).collect()
}

/// Notes tasks instead of running them.
#[derive(Default)]
struct Noted(Mutex<Vec<Task>>);

impl Spawn for Noted {
    fn spawn(&self, task: Task) {
        self.0.lock().unwrap().push(task);
    }
}

/// A file whose client hands its reads to the second.
fn file_and_tasks() -> (World, std::rc::Rc<dyn Source>, Arc<Noted>) {
    let noted = Arc::new(Noted::default());
    let mut world = World::new(vec![repository(&[("a.pt", &content())])]);
    let http = world.client().with_spawner(Arc::clone(&noted) as _);
    let endpoint = world.fake.endpoint();
    let hub = Hub::new(Arc::new(http), endpoint, None, Cache::default()).unwrap();
    world.hub = Arc::new(hub);
    let tree = world.tree("a/b").unwrap();
    let source = world.open(&tree, "a.pt");
    world.requests();
    (world, source, noted)
}

#[test]
fn a_read_goes_on_while_nobody_waits_for_it() {
    let (world, source, noted) = file_and_tasks();
    let started = source.start_read(500, 1000).unwrap();
    assert_eq!(world.requests(), (0, 0), "nobody has run the task");
    let task = noted.0.lock().unwrap().pop().unwrap();
    world.block_on(task());
    assert_eq!(world.requests(), (1, 1), "nobody has waited for it");
    assert_eq!(world.block_on(started).unwrap(), &content()[500..1500]);
    assert_eq!(world.requests(), (0, 0));
}

#[test]
fn who_drops_a_started_read_ends_it() {
    let (world, source, noted) = file_and_tasks();
    let started = source.start_read(500, 1000).unwrap();
    let task = noted.0.lock().unwrap().pop().unwrap();
    drop(started);
    world.block_on(task());
    // In the middle as well: it waits for servers that are silent, since those that answer may do so
    // before the task is asked for the first time, and has ended when it is asked again.
    for origin in [Origin::Hub, Origin::FileHost] {
        world.inject(origin, "", usize::MAX, Fault::Silence);
    }
    let started = source.start_read(500, 1000).unwrap();
    let mut running = noted.0.lock().unwrap().pop().unwrap()();
    let _entered = world.enter();
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut running).poll(&mut context).is_pending());
    drop(started);
    let polled = Pin::new(&mut running).poll(&mut context);
    assert!(matches!(polled, Poll::Ready(())));
}

#[test]
fn a_read_whose_task_is_lost_is_made_by_who_waits() {
    let (world, source, noted) = file_and_tasks();
    let started = source.start_read(500, 1000).unwrap();
    noted.0.lock().unwrap().clear();
    assert_eq!(world.block_on(started).unwrap(), &content()[500..1500]);
}

#[test]
fn what_needs_no_task_starts_none() {
    let (world, source, noted) = file_and_tasks();
    assert!(source.start_read(LENGTH, 1).is_none(), "outside the file");
    world.block_on(source.read_directory(0, 16)).unwrap();
    assert!(source.start_read(100, 1000).is_none(), "it is here");
    assert!(noted.0.lock().unwrap().is_empty());
    // Nor without somebody who runs tasks.
    let world = World::new(vec![repository(&[("a.pt", &content())])]);
    let source = world.open(&world.tree("a/b").unwrap(), "a.pt");
    assert!(source.start_read(500, 1000).is_none());
}
