//! Reads that go on by themselves, which is a matter of the platform.

use futures_core::future::LocalBoxFuture;

/// A task that is made where it runs, so that only its making crosses threads.
pub type Task = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

/// Runs tasks while whoever asked for them does something else: the worker's thread for them, the
/// browser's event loop between two computations.
pub trait Spawn {
    /// Makes the task and runs it to its end.
    fn spawn(&self, task: Task);
}
