//! An analysis that the web workers of this tab compute.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use ckptscope_protocol::tab::{MakePlan, PlannedLanes};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::computer::{Computer, Listener, News, Plan, Stopped};
use super::phase::Phase;
use crate::browser;
use crate::pool::{LaneNews, Pool};
use crate::store::web_workers::WebWorkers;

/// The web workers of this tab.
pub(crate) struct ThisTab {
    web_workers: WebWorkers,
    /// None while it is planned.
    pool: Rc<RefCell<Option<Pool>>>,
}

impl ThisTab {
    /// Plans and computes a config's analysis, but for the layers and steps that are finished.
    pub(crate) fn start(
        web_workers: WebWorkers,
        text: String,
        finished: Vec<(Option<u64>, u64)>,
        tell: Listener,
    ) -> Self {
        let pool = Rc::default();
        let question = MakePlan {
            text,
            workers: web_workers.pool_size.get_untracked(),
            finished,
        };
        spawn_local(plan(web_workers, question, tell, Rc::downgrade(&pool)));
        Self { web_workers, pool }
    }
}

impl Computer for ThisTab {
    fn stop(&self) -> Stopped {
        let pool = self.pool.borrow_mut().take();
        if pool.is_none() {
            self.web_workers.interrupt();
        }
        Stopped::AtOnce
    }
}

async fn plan(
    web_workers: WebWorkers,
    question: MakePlan,
    tell: Listener,
    here: Weak<RefCell<Option<Pool>>>,
) {
    let started = browser::now_seconds();
    let answer = web_workers.ask(question).await;
    let Some(pool) = here.upgrade() else { return };
    match answer {
        Ok(planned) => {
            let computing = compute(web_workers, *planned, tell, started);
            pool.borrow_mut().replace(computing);
        }
        Err(message) => tell(News::Ended(Phase::Failed(message))),
    }
}

fn compute(web_workers: WebWorkers, planned: PlannedLanes, tell: Listener, started: f64) -> Pool {
    let open = Cell::new(planned.lanes.len());
    let names = planned.lanes.iter().map(|lane| lane.name.clone());
    tell(News::Planned(Box::new(Plan {
        cost: planned.cost,
        results: planned.results,
        lanes: names.collect(),
    })));
    if planned.lanes.is_empty() {
        tell(News::Ended(Phase::Done(0.0)));
    }
    web_workers.compute(planned.lanes, move |lane, news| {
        let is_over = matches!(news, LaneNews::Done | LaneNews::Failed(_));
        tell(News::Lane(lane, news));
        if is_over {
            open.set(open.get().saturating_sub(1));
            if open.get() == 0 {
                let seconds = browser::now_seconds() - started;
                tell(News::Ended(Phase::Done(seconds)));
            }
        }
    })
}
