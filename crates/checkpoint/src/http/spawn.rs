//! Reads that go on by themselves, which is a matter of the platform.
//!
//! A computation cannot poll a future, so a read that goes on meanwhile needs a task of its own.
//! The worker has a thread with a local set of tasks, because reads do not cross threads. The
//! browser has its event loop, to which the lane gives way once so that the request leaves.

use futures_core::future::LocalBoxFuture;

/// A task that is made where it runs, so that only its making crosses threads.
pub type Task = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

/// Runs tasks while whoever asked for them does something else: the worker's thread for them, the
/// browser's event loop between two computations.
pub trait Spawn {
    /// Makes the task and runs it to its end.
    fn spawn(&self, task: Task);
}
