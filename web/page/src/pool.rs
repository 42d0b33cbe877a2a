//! The web workers that compute lanes.
//!
//! Every lane goes to the next worker that is free. A worker that dies is replaced, and its lane
//! tried once more; the others go on.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use ckptscope_protocol::LaneUpdate;
use ckptscope_protocol::tab::{
    Answer, ComputeLane, LaneFailure, Message, NetworkNews, News, PlannedLane,
};

use crate::run_place::RunPlace;
use crate::worker::{ComputeWorker, Heard};

/// What happens to a lane, by its index.
#[derive(Clone, Debug, PartialEq)]
pub enum LaneNews {
    /// It tells something.
    Update(LaneUpdate),
    /// How its reading over the network goes.
    Network(NetworkNews),
    /// It has told everything.
    Done,
    /// What it told so far counts no more, it begins again. In words, why.
    Restarted(String),
    /// It will tell nothing more, though that is not all.
    Failed(LaneFailure),
}

/// Workers that compute lanes until all are done; dropping it ends them at once.
pub struct Pool(Rc<RefCell<Shared>>);

struct Shared {
    place: RunPlace,
    /// How many workers share the network.
    size: usize,
    lanes: Vec<PlannedLane>,
    /// Lanes that nobody has taken yet.
    queue: VecDeque<usize>,
    /// Lanes that were tried once and lost their worker.
    retried: Vec<usize>,
    workers: Vec<Slot>,
    listener: Rc<RefCell<dyn FnMut(usize, LaneNews)>>,
}

/// One worker and the lane it computes.
struct Slot {
    worker: Option<ComputeWorker>,
    lane: Option<usize>,
}

impl Pool {
    /// Starts up to `workers` workers on `lanes`; `listener` hears of every lane by its index.
    pub fn start(
        place: RunPlace,
        lanes: Vec<PlannedLane>,
        workers: usize,
        listener: impl FnMut(usize, LaneNews) + 'static,
    ) -> Self {
        let count = workers.clamp(1, lanes.len().max(1));
        let shared = Rc::new(RefCell::new(Shared {
            place,
            size: count,
            queue: (0..lanes.len()).collect(),
            retried: Vec::new(),
            workers: Vec::new(),
            lanes,
            listener: Rc::new(RefCell::new(listener)),
        }));
        for index in 0..count {
            shared.borrow_mut().workers.push(Slot {
                worker: None,
                lane: None,
            });
            give_next_lane(&shared, index);
        }
        Self(shared)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Workers hold a weak reference only, so this ends them; a listener that is called right
        // now keeps them alive until it returns.
        if let Ok(mut shared) = self.0.try_borrow_mut() {
            shared.queue.clear();
            shared.workers.clear();
        }
    }
}

/// Gives a worker the next lane, or lets it go when there is none.
fn give_next_lane(shared: &Rc<RefCell<Shared>>, index: usize) {
    let lane = shared.borrow_mut().queue.pop_front();
    let Some(lane) = lane else {
        release(shared, index);
        return;
    };
    if let Err(message) = give_lane(shared, index, lane) {
        tell(shared, lane, failed(message));
        give_next_lane(shared, index);
    }
}

/// At no step that is known.
const fn failed(message: String) -> LaneNews {
    LaneNews::Failed(LaneFailure {
        message,
        step: None,
    })
}

fn give_lane(shared: &Rc<RefCell<Shared>>, index: usize, lane: usize) -> Result<(), String> {
    if shared
        .borrow()
        .workers
        .get(index)
        .is_some_and(|slot| slot.worker.is_none())
    {
        let worker = start_worker(shared, index)?;
        if let Some(slot) = shared.borrow_mut().workers.get_mut(index) {
            slot.worker = Some(worker);
        }
    }
    let mut shared = shared.borrow_mut();
    let planned = shared.lanes.get(lane).ok_or("no such lane")?;
    let question = ComputeLane {
        lane: planned.lane.clone(),
    };
    let question = question.into();
    let message = Message::Question {
        number: lane as u64 + 1,
        question: Box::new(question),
    };
    let slot = shared.workers.get_mut(index).ok_or("no such worker")?;
    slot.lane = Some(lane);
    let worker = slot.worker.as_ref().ok_or("no web worker")?;
    worker.post(&message, None)
}

fn start_worker(shared: &Rc<RefCell<Shared>>, index: usize) -> Result<ComputeWorker, String> {
    let here = Rc::downgrade(shared);
    let shared = shared.borrow();
    let worker = ComputeWorker::start(move |told| {
        if let Some(shared) = here.upgrade() {
            take(&shared, index, told);
        }
    })?;
    shared.place.tell(&worker, shared.size)?;
    Ok(worker)
}

fn take(shared: &Rc<RefCell<Shared>>, index: usize, told: Heard) {
    let lane = shared
        .borrow()
        .workers
        .get(index)
        .and_then(|slot| slot.lane);
    let Some(lane) = lane else { return };
    let reply = match told {
        Ok(reply) => reply,
        Err(reason) => return lost(shared, index, lane, &reason),
    };
    match reply.news {
        News::Lane(update) => tell(shared, lane, LaneNews::Update(update)),
        News::Network(news) => tell(shared, lane, LaneNews::Network(news)),
        News::Answer(Answer::ComputeLane(done)) => {
            let ended = done.failure.map_or(LaneNews::Done, LaneNews::Failed);
            tell(shared, lane, ended);
            give_next_lane(shared, index);
        }
        News::Failed { message } => {
            tell(shared, lane, failed(message));
            give_next_lane(shared, index);
        }
        News::Answer(_) | News::Ready | News::Listed(_) | News::Audit(_) | News::Series(_) => {}
    }
}

/// A worker died: its lane goes to a fresh one, the first time.
fn lost(shared: &Rc<RefCell<Shared>>, index: usize, lane: usize, reason: &str) {
    release(shared, index);
    let is_first = !shared.borrow().retried.contains(&lane);
    if is_first {
        let mut shared = shared.borrow_mut();
        shared.retried.push(lane);
        shared.queue.push_front(lane);
    }
    let news = if is_first {
        LaneNews::Restarted(format!("its web worker stopped ({reason})"))
    } else {
        failed(format!("its web worker stopped twice: {reason}"))
    };
    tell(shared, lane, news);
    give_next_lane(shared, index);
}

fn release(shared: &Rc<RefCell<Shared>>, index: usize) {
    let slot = shared.borrow_mut().workers.get_mut(index).map(|slot| {
        slot.lane = None;
        slot.worker.take()
    });
    drop(slot);
}

/// Not while it is borrowed: the listener may drop the pool.
fn tell(shared: &Rc<RefCell<Shared>>, lane: usize, news: LaneNews) {
    let listener = Rc::clone(&shared.borrow().listener);
    (listener.borrow_mut())(lane, news);
}
