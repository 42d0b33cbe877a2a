//! An analysis that the web workers of this tab compute.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::computer::{Computer, Listener, News, Plan, Stopped};
use super::phase::Phase;
use crate::browser;
use crate::message::{Answer, Planned, Request};
use crate::page::store::desk::Desk;
use crate::pool::{LaneNews, Pool};

/// The web workers of this tab.
pub(in crate::page) struct ThisTab {
    desk: Desk,
    /// None while it is planned.
    pool: Rc<RefCell<Option<Pool>>>,
}

impl ThisTab {
    /// Plans and computes a config's analysis.
    pub(in crate::page) fn start(desk: Desk, text: String, tell: Listener) -> Self {
        let pool = Rc::default();
        spawn_local(plan(desk, text, tell, Rc::downgrade(&pool)));
        Self { desk, pool }
    }
}

impl Computer for ThisTab {
    fn stop(&self) -> Stopped {
        let pool = self.pool.borrow_mut().take();
        if pool.is_none() {
            self.desk.interrupt();
        }
        Stopped::AtOnce
    }
}

async fn plan(desk: Desk, text: String, tell: Listener, here: Weak<RefCell<Option<Pool>>>) {
    let started = browser::now_seconds();
    let workers = desk.pool_size.get_untracked();
    let answer = desk.ask(Request::Plan { text, workers }).await;
    let Some(pool) = here.upgrade() else { return };
    match answer {
        Ok(Answer::Planned(planned)) => {
            let computing = compute(desk, *planned, tell, started);
            pool.borrow_mut().replace(computing);
        }
        Ok(_) => {}
        Err(message) => tell(News::Ended(Phase::Failed(message))),
    }
}

fn compute(desk: Desk, planned: Planned, tell: Listener, started: f64) -> Pool {
    let open = Cell::new(planned.lanes.len());
    let names = planned.lanes.iter().map(|lane| lane.name.clone());
    tell(News::Planned(Box::new(Plan {
        cost: planned.cost,
        results: planned.results,
        lanes: names.collect(),
    })));
    desk.compute(planned.lanes, move |lane, news| {
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
