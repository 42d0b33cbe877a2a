//! What people ask of analyses while SQLite writes, and while others ask.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::thread;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

/// Analyses in a database that a test can lock.
struct World {
    jobs: Jobs,
    database: Connection,
    _folder: TempDir,
}

impl World {
    /// With an analysis `a` that was cancelled and one, `b`, that waits.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ckptscope.sqlite");
        let store = Arc::new(Store::open(&path).unwrap());
        for (id, phase) in [("a", Phase::Cancelled), ("b", Phase::Queued)] {
            store.add(&kept(id, phase), "", None).unwrap();
        }
        Self {
            jobs: Jobs::load(store, 1, 8).unwrap(),
            database: Connection::open(&path).unwrap(),
            _folder: folder,
        }
    }

    fn job(&self, id: &str) -> Arc<Job> {
        self.jobs.get(id).unwrap()
    }

    fn phase(&self, id: &str) -> Phase {
        self.job(id).info().phase
    }

    fn queue(&self) -> Vec<String> {
        let state = self.jobs.state();
        let waiting = state.queue.iter().map(|number| &state.jobs[number]);
        waiting.map(|job| job.info().id).collect()
    }

    /// The phase that a server would find at its next start.
    fn kept_phase(&self, id: &str) -> Phase {
        let kept = self.jobs.store.analyses().unwrap();
        let kept = kept.into_iter().find(|kept| kept.info.id == id);
        kept.unwrap().info.phase
    }

    /// Does `first`, which writes, on another thread. Once it waits for SQLite, `second` is begun
    /// on a third thread and `meanwhile` on this one; then SQLite goes on.
    fn while_first_writes(
        &self,
        first: impl FnOnce(&Jobs) + Send,
        second: impl FnOnce(&Jobs) + Send,
        meanwhile: impl FnOnce(),
    ) {
        let jobs = &self.jobs;
        self.database.execute_batch("BEGIN IMMEDIATE").unwrap();
        thread::scope(|scope| {
            let first = scope.spawn(|| first(jobs));
            while !jobs.store.is_busy() {
                assert!(!first.is_finished(), "it writes nothing");
                thread::yield_now();
            }
            scope.spawn(|| second(jobs));
            meanwhile();
            self.database.execute_batch("ROLLBACK").unwrap();
        });
    }
}

fn kept(id: &str, phase: Phase) -> Kept {
    Kept {
        info: AnalysisInfo {
            id: id.to_owned(),
            name: id.to_owned(),
            source: RunSource::Root("run".to_owned()),
            source_name: "run".to_owned(),
            phase,
            message: None,
            ahead: 0,
            cost: None,
            units: 0,
            of_units: 0,
            asked: 0,
            began: None,
            ended: None,
        },
        folder: id.to_owned(),
        is_planned: false,
    }
}

fn resume(jobs: &Jobs, job: &Job) {
    jobs.resume(job).unwrap().unwrap();
}

#[test]
fn nobody_waits_for_a_resume_that_is_being_written_down() {
    let world = World::new();
    let a = world.job("a");
    world.while_first_writes(
        |jobs| resume(jobs, &a),
        |_| {},
        || {
            assert_eq!(world.jobs.all().len(), 2);
            assert_eq!(world.phase("a"), Phase::Cancelled, "first it is kept");
            assert_eq!(world.queue(), ["b"]);
        },
    );
    assert_eq!(world.phase("a"), Phase::Queued);
    assert_eq!(world.queue(), ["b", "a"]);
}

#[test]
fn nobody_waits_for_a_cancel_that_is_being_written_down() {
    let world = World::new();
    let b = world.job("b");
    world.while_first_writes(
        |jobs| jobs.cancel(&b).unwrap(),
        |_| {},
        || {
            assert_eq!(world.jobs.all().len(), 2);
            assert_eq!(world.phase("b"), Phase::Queued, "first it is kept");
            assert_eq!(world.jobs.state().next(), None, "its turn does not come");
        },
    );
    assert_eq!(world.phase("b"), Phase::Cancelled);
    assert_eq!(world.queue(), [""; 0]);
}

#[test]
fn a_cancel_after_a_resume_counts() {
    let world = World::new();
    let a = world.job("a");
    world.while_first_writes(
        |jobs| resume(jobs, &a),
        |jobs| jobs.cancel(&a).unwrap(),
        || {},
    );
    assert_eq!(world.phase("a"), Phase::Cancelled);
    assert_eq!(world.kept_phase("a"), Phase::Cancelled);
    assert_eq!(world.queue(), ["b"]);
}

#[test]
fn a_resume_after_a_cancel_counts() {
    let world = World::new();
    let b = world.job("b");
    world.while_first_writes(
        |jobs| jobs.cancel(&b).unwrap(),
        |jobs| resume(jobs, &b),
        || {},
    );
    assert_eq!(world.phase("b"), Phase::Queued);
    assert_eq!(world.kept_phase("b"), Phase::Queued);
    assert_eq!(world.queue(), ["b"]);
    assert!(!b.is_cancelled.load(Ordering::Relaxed));
}

#[test]
fn two_resumes_queue_it_once() {
    let world = World::new();
    let a = world.job("a");
    world.while_first_writes(|jobs| resume(jobs, &a), |jobs| resume(jobs, &a), || {});
    assert_eq!(world.queue(), ["b", "a"]);
}

#[test]
fn what_is_being_resumed_is_not_removed() {
    let world = World::new();
    let a = world.job("a");
    world.while_first_writes(
        |jobs| resume(jobs, &a),
        |jobs| assert!(!jobs.remove(&a, || Ok(())).unwrap()),
        || {},
    );
    assert_eq!(world.kept_phase("a"), Phase::Queued);
    assert_eq!(world.queue(), ["b", "a"]);
}

#[test]
fn what_cannot_be_cancelled_in_writing_is_cancelled_in_its_turn() {
    let world = World::new();
    let b = world.job("b");
    let lost = "ALTER TABLE analyses RENAME TO lost";
    world.database.execute_batch(lost).unwrap();
    world.jobs.cancel(&b).unwrap_err();
    assert_eq!(world.phase("b"), Phase::Queued);
    assert_eq!(world.queue(), ["b"]);
    assert!(b.fresh_stop().load(Ordering::Relaxed));
    assert_eq!(world.jobs.state().next(), Some(b.number));
}
