//! The web workers that compute lanes.
//!
//! Every lane goes to the next worker that is free. A worker that dies is replaced, and its lane
//! tried once more; the others go on.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use ckptscope_analysis::protocol::LaneUpdate;

use crate::message::{Answer, NetworkNews, PlannedLane, Question, Request};
use crate::run_place::RunPlace;
use crate::worker::{ComputeWorker, Tiding};

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
    /// It will tell nothing more. In words, why.
    Failed(String),
}

/// Workers that compute lanes until all are done; dropping it ends them at once.
pub struct Pool(Rc<RefCell<Crew>>);

struct Crew {
    place: RunPlace,
    /// How many workers share the network.
    size: usize,
    lanes: Vec<PlannedLane>,
    /// Lanes that nobody has taken yet.
    queue: VecDeque<usize>,
    /// Lanes that were tried once and lost their worker.
    retried: Vec<usize>,
    workers: Vec<Member>,
    listener: Rc<RefCell<dyn FnMut(usize, LaneNews)>>,
}

/// One worker and the lane it computes.
struct Member {
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
        let members = workers.clamp(1, lanes.len().max(1));
        let crew = Rc::new(RefCell::new(Crew {
            place,
            size: members,
            queue: (0..lanes.len()).collect(),
            retried: Vec::new(),
            workers: Vec::new(),
            lanes,
            listener: Rc::new(RefCell::new(listener)),
        }));
        for index in 0..members {
            crew.borrow_mut().workers.push(Member {
                worker: None,
                lane: None,
            });
            give_next_lane(&crew, index);
        }
        Self(crew)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Workers hold a weak reference only, so this ends them; a listener that is called right
        // now keeps the crew alive until it returns.
        if let Ok(mut crew) = self.0.try_borrow_mut() {
            crew.queue.clear();
            crew.workers.clear();
        }
    }
}

/// Gives a worker the next lane, or lets it go when there is none.
fn give_next_lane(crew: &Rc<RefCell<Crew>>, index: usize) {
    let lane = crew.borrow_mut().queue.pop_front();
    let Some(lane) = lane else {
        release(crew, index);
        return;
    };
    if let Err(message) = give_lane(crew, index, lane) {
        tell(crew, lane, LaneNews::Failed(message));
        give_next_lane(crew, index);
    }
}

fn give_lane(crew: &Rc<RefCell<Crew>>, index: usize, lane: usize) -> Result<(), String> {
    if crew
        .borrow()
        .workers
        .get(index)
        .is_some_and(|member| member.worker.is_none())
    {
        let worker = start_worker(crew, index)?;
        if let Some(member) = crew.borrow_mut().workers.get_mut(index) {
            member.worker = Some(worker);
        }
    }
    let mut crew = crew.borrow_mut();
    let text = crew.lanes.get(lane).map(|lane| lane.lane.clone());
    let question = Question {
        number: lane as u64 + 1,
        request: Request::Lane {
            lane: text.unwrap_or_default(),
        },
    };
    let member = crew.workers.get_mut(index).ok_or("no such worker")?;
    member.lane = Some(lane);
    let worker = member.worker.as_ref().ok_or("no web worker")?;
    worker.ask(&question, None)
}

fn start_worker(crew: &Rc<RefCell<Crew>>, index: usize) -> Result<ComputeWorker, String> {
    let here = Rc::downgrade(crew);
    let crew = crew.borrow();
    let worker = ComputeWorker::start(move |tiding| {
        if let Some(crew) = here.upgrade() {
            hear(&crew, index, tiding);
        }
    })?;
    crew.place.tell(&worker, crew.size)?;
    Ok(worker)
}

fn hear(crew: &Rc<RefCell<Crew>>, index: usize, tiding: Tiding) {
    let lane = crew
        .borrow()
        .workers
        .get(index)
        .and_then(|member| member.lane);
    let Some(lane) = lane else { return };
    match tiding {
        Tiding::Died(reason) => lost(crew, index, lane, &reason),
        Tiding::Reply(reply) => match reply.answer {
            Answer::Update(update) => tell(crew, lane, LaneNews::Update(update)),
            Answer::Network(news) => tell(crew, lane, LaneNews::Network(news)),
            Answer::LaneDone => {
                tell(crew, lane, LaneNews::Done);
                give_next_lane(crew, index);
            }
            Answer::Failed { message } => {
                tell(crew, lane, LaneNews::Failed(message));
                give_next_lane(crew, index);
            }
            _ => {}
        },
    }
}

/// A worker died: its lane goes to a fresh one, the first time.
fn lost(crew: &Rc<RefCell<Crew>>, index: usize, lane: usize, reason: &str) {
    release(crew, index);
    let is_first = !crew.borrow().retried.contains(&lane);
    if is_first {
        let mut crew = crew.borrow_mut();
        crew.retried.push(lane);
        crew.queue.push_front(lane);
    }
    let news = if is_first {
        LaneNews::Restarted(format!("its web worker stopped ({reason})"))
    } else {
        LaneNews::Failed(format!("its web worker stopped twice: {reason}"))
    };
    tell(crew, lane, news);
    give_next_lane(crew, index);
}

fn release(crew: &Rc<RefCell<Crew>>, index: usize) {
    let member = crew.borrow_mut().workers.get_mut(index).map(|member| {
        member.lane = None;
        member.worker.take()
    });
    drop(member);
}

/// Not while the crew is borrowed: the listener may drop the pool.
fn tell(crew: &Rc<RefCell<Crew>>, lane: usize, news: LaneNews) {
    let listener = Rc::clone(&crew.borrow().listener);
    (listener.borrow_mut())(lane, news);
}
