//! From what this browser kept to what is shown, or goes on.

use ckptscope_results::Results;
use leptos::prelude::*;

use super::kept::{Aside, KeptInfo, Record};
use super::open_request::Wish;
use super::state::{OpenTask, State};
use crate::handles::{self, HandleObstacle};
use crate::link::LinkSource;
use crate::run_place::RunPlace;

impl OpenTask {
    /// Shows a kept analysis, or goes on with it.
    pub(crate) async fn open_kept(self, state: State, info: KeptInfo, wish: Wish) {
        let record = match state.kept.read(&info).await {
            _ if !self.is_wanted() => return,
            Ok(record) => record,
            Err(reason) => return self.fail(&reason),
        };
        let goes_on = info.is_left() && wish != Wish::Show;
        if !goes_on {
            return state.show_kept(record);
        }
        let config = Some(info.config.clone());
        match &info.place {
            LinkSource::Demo => {
                state.kept.want(record);
                self.open_demo(config).await;
            }
            LinkSource::Remote { place, .. } => {
                state.kept.want(record);
                self.open_remote(place.clone(), config).await;
            }
            LinkSource::Files { .. } => self.open_files(state, record, wish).await,
        }
    }

    async fn open_files(self, state: State, record: Record, wish: Wish) {
        let info = record.info.clone();
        let found = match state.kept.handles(&info).await {
            Some(handles) => handles::files(&handles, wish == Wish::GoOn).await,
            None => Err(HandleObstacle::WantsClick),
        };
        if !self.is_wanted() {
            return;
        }
        match found {
            Ok(files) if files.mark() == info.mark => {
                state.kept.want(record);
                self.open(RunPlace::Files(files), Some(info.config)).await;
            }
            Err(HandleObstacle::WantsClick) => state.show_kept(record),
            Ok(_) => self.fail(&format!(
                "The files of {} have changed since this analysis was begun. Open the run and \
                 compute it anew; what was computed before is kept.",
                info.run
            )),
            Err(HandleObstacle::Lost(reason)) => self.fail(&format!(
                "The files of {} cannot be read: {reason}. Open or drop the run again, and it can \
                 go on.",
                info.run
            )),
        }
    }
}

impl State {
    /// Shows results that this browser kept.
    fn show_kept(self, record: Record) {
        let (info, place) = (record.info.clone(), record.info.place.clone());
        let results = Results {
            config: info.config.clone(),
            ..record.into_results()
        };
        self.show_results(results);
        self.origin.set_value(Some(place));
        self.ask.text.set(info.config.clone());
        self.arrival.bring(&info.run, "what this browser kept");
        self.kept.is_at(info);
    }

    /// Shows results that were put aside, in exchange for those that are shown. The run stays open
    /// where they are of it.
    pub(crate) fn bring_back(self, aside: Aside) {
        let is_here = self.opened.with_untracked(|opened| {
            let run = opened.as_ref().map(|opened| &opened.run.name);
            run == Some(&aside.results.source)
        });
        self.kept.aside.set(None);
        if !is_here {
            // What is shown is put aside in its turn.
            self.close();
        }
        self.analysis.bring_back(aside);
        self.settle();
        self.is_named(None);
    }

    /// Whether something would be lost if the tab were closed.
    pub(crate) fn has_work_at_risk(self) -> bool {
        let is_here = !self.analysis.is_on_worker();
        let is_computing = is_here && self.analysis.is_busy();
        let is_unsaved = self.analysis.is_unsaved.get() && self.kept.failure.with(Option::is_some);
        is_computing || is_unsaved || self.sending.is_busy()
    }

    /// Tells of an analysis that the open run can go on with.
    pub(super) fn find_left(self) {
        let run = self.identity();
        let left = self.kept.all.with_untracked(|all| {
            let is_its = |info: &&KeptInfo| info.is_left() && info.is_of(&run);
            all.iter().find(is_its).cloned()
        });
        self.kept.left.set(left);
    }

    /// Goes on with an analysis of the run that is open.
    pub(crate) async fn go_on_here(self, info: KeptInfo) {
        match self.kept.read(&info).await {
            Ok(record) => {
                self.kept.want(record);
                self.ask.check_text(info.config).await;
                self.run();
            }
            Err(reason) => self.kept.failure.set(Some(reason)),
        }
    }
}
