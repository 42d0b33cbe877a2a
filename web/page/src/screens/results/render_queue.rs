//! Drawing a little at a time, so that the main thread stays free.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;

/// How long drawing goes on before the browser gets its turn, in seconds.
const TURN_SECONDS: f64 = 0.008;

/// What is to be drawn, in order. Copies share the same queue.
#[derive(Clone, Copy)]
pub(super) struct RenderQueue(StoredValue<Rc<RefCell<Queue>>, LocalStorage>);

/// Which drawing it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct RenderSlot(u64);

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(RenderSlot, Box<dyn FnOnce()>)>,
    slots: u64,
    is_running: bool,
}

impl RenderQueue {
    pub(super) fn new() -> Self {
        Self(StoredValue::new_local(Rc::default()))
    }

    /// The queue of the page that the caller is part of.
    pub(super) fn here() -> Self {
        expect_context()
    }

    /// A place for one drawing; what waits for it is forgotten with the caller's component.
    pub(super) fn slot(self) -> RenderSlot {
        let queue = self.0.get_value();
        let slot = {
            let mut queue = queue.borrow_mut();
            queue.slots += 1;
            RenderSlot(queue.slots)
        };
        let queue = StoredValue::new_local(queue);
        on_cleanup(move || {
            queue.with_value(|queue| queue.borrow_mut().forget(slot));
        });
        slot
    }

    /// Draws soon. What waits for the same slot is not drawn any more.
    pub(super) fn render(self, slot: RenderSlot, job: impl FnOnce() + 'static) {
        let queue = self.0.get_value();
        if browser::is_printing() {
            queue.borrow_mut().forget(slot);
            return job();
        }
        {
            let mut waiting = queue.borrow_mut();
            waiting.forget(slot);
            waiting.jobs.push_back((slot, Box::new(job)));
            if waiting.is_running {
                return;
            }
            waiting.is_running = true;
        }
        spawn_local(async move {
            // Not in the caller's task, which may be long already.
            TimeoutFuture::new(0).await;
            while take_turn(&queue) {
                TimeoutFuture::new(0).await;
            }
        });
    }
}

impl Queue {
    fn forget(&mut self, slot: RenderSlot) {
        self.jobs.retain(|(other, _)| *other != slot);
    }
}

/// Draws until the turn is over; whether anything is left.
fn take_turn(queue: &RefCell<Queue>) -> bool {
    let start = browser::now_seconds();
    while browser::now_seconds() - start < TURN_SECONDS {
        let job = queue.borrow_mut().jobs.pop_front();
        let Some((_, job)) = job else {
            queue.borrow_mut().is_running = false;
            return false;
        };
        job();
    }
    true
}
