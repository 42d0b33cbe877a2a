//! Cores that nobody else uses.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Cores that are lent, and those of them that help somewhere.
static LENT: AtomicUsize = AtomicUsize::new(0);
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// Cores that help with large matrices, whoever computes, until this is dropped.
///
/// They change how long it takes, and no bit of a number: work is cut by the shapes of matrices,
/// not by who is there to do it.
#[derive(Debug)]
#[must_use = "they help until this is dropped"]
pub struct SpareCores(usize);

impl SpareCores {
    /// Lends so many.
    pub fn lend(cores: usize) -> Self {
        LENT.fetch_add(cores, Ordering::Relaxed);
        Self(cores)
    }
}

impl Drop for SpareCores {
    fn drop(&mut self) {
        LENT.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// Cores that help with one piece of work.
struct Helpers(usize);

impl Helpers {
    /// At most so many of those that are lent and help nobody.
    fn at_most(most: usize) -> Self {
        let lent = LENT.load(Ordering::Relaxed);
        let mut found = 0;
        let claim = |busy: usize| {
            found = lent.saturating_sub(busy).min(most);
            Some(busy + found)
        };
        // It always answers with a number, so it never fails.
        let _ = BUSY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, claim);
        Self(found)
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        BUSY.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// Does the work of every part, together with cores that are spare.
pub(super) fn for_each<T: Send>(parts: Vec<T>, work: impl Fn(T) + Sync) {
    let helpers = Helpers::at_most(parts.len().saturating_sub(1));
    let parts = Mutex::new(parts.into_iter());
    // Held while the next part is taken, and not while its work is done.
    let next = || parts.lock().ok().and_then(|mut parts| parts.next());
    let all = || {
        while let Some(part) = next() {
            work(part);
        }
    };
    if helpers.0 == 0 {
        return all();
    }
    thread::scope(|scope| {
        for _ in 0..helpers.0 {
            scope.spawn(all);
        }
        all();
    });
}
