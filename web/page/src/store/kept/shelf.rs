//! All that is kept, in the browser's database.

use std::collections::BTreeSet;
use std::rc::Rc;

use ckptscope_results::SeriesSet;
use ckptscope_vocabulary::sort::sort_by;
use gloo_timers::future::TimeoutFuture;
use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

use super::aside::Aside;
use super::info::{KeptInfo, Record, RememberedRun, RunIdentity, key_of, surplus};
use super::keep::{Keep, Keeping};
use super::session;
use crate::database::{Database, Table};

/// What is kept. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    /// What there is, the newest first.
    pub all: RwSignal<Vec<KeptInfo>>,
    /// The runs that the browser finds again, the newest first.
    pub runs: RwSignal<Vec<RememberedRun>>,
    /// Why this browser keeps nothing, in words; none where it does.
    pub failure: RwSignal<Option<String>>,
    /// Results that others took the place of.
    pub aside: RwSignal<Option<Aside>>,
    /// The analysis whose unfinished results are shown, or that the open run could go on with.
    pub left: RwSignal<Option<KeptInfo>>,
    /// The part of the program that keeps and shows all of this, once it is there.
    pub part: RwSignal<Option<KeptPart>>,
    /// The analysis that goes on when its run is open.
    wanted: StoredValue<Option<Record>>,
    database: StoredValue<Option<Rc<Database>>, LocalStorage>,
}

/// What the part of the program does that keeps analyses.
#[derive(Clone, Copy)]
pub(crate) struct KeptPart {
    /// Shows what is kept.
    pub list: fn() -> AnyView,
    /// Shows what was put aside, and what the open run could go on with.
    pub notices: fn() -> AnyView,
    /// Begins to keep an analysis.
    pub keep: fn(Kept, Keeping) -> Box<dyn Keep>,
}

impl Kept {
    pub(crate) fn new() -> Self {
        Self {
            all: RwSignal::default(),
            runs: RwSignal::default(),
            failure: RwSignal::default(),
            aside: RwSignal::default(),
            left: RwSignal::default(),
            part: RwSignal::new(None),
            wanted: StoredValue::new(None),
            database: StoredValue::new_local(None),
        }
    }

    /// Finds what earlier visits left.
    pub(crate) async fn look(self) {
        let found = async {
            let database = self.database().await?;
            database.all(Table::Analyses, "").await
        };
        match found.await {
            Ok(values) => {
                let texts = values.iter().filter_map(JsValue::as_string);
                // What another version wrote is not for this one.
                let known = texts.filter_map(|text| serde_json::from_str(&text).ok());
                let mut all: Vec<KeptInfo> = known.collect();
                all.reverse();
                self.all.set(all);
            }
            Err(reason) => return self.failure.set(Some(reason)),
        }
        self.look_for_runs().await;
    }

    /// The analysis that this tab showed before a reload.
    pub(crate) fn of_this_tab(self) -> Option<KeptInfo> {
        let id = session::current()?;
        self.all
            .with_untracked(|all| all.iter().find(|info| info.id == id).cloned())
    }

    /// A kept analysis with its numbers, read piece by piece.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn read(self, info: &KeptInfo) -> Result<Record, String> {
        let database = self.database().await?;
        let plan = database.all(Table::Plans, &info.id).await?;
        let plan = plan.first().and_then(JsValue::as_string);
        let unread = |error: serde_json::Error| format!("what is kept cannot be read: {error}");
        let results = serde_json::from_str(&plan.ok_or("it is not kept any more")?);
        let mut record = Record {
            info: info.clone(),
            results: results.map_err(unread)?,
            series: SeriesSet::default(),
            finished: BTreeSet::new(),
        };
        for piece in 0..info.pieces {
            let key = key_of(&info.id, piece);
            let texts = database.all(Table::Numbers, &key).await?;
            for text in texts.iter().filter_map(JsValue::as_string) {
                for line in text.lines() {
                    record.take_in(serde_json::from_str(line).map_err(unread)?);
                    TimeoutFuture::new(0).await;
                }
            }
        }
        Ok(record)
    }

    /// The handles of an analysis' files, where there are such.
    pub(crate) async fn handles(self, info: &KeptInfo) -> Option<Array> {
        let database = self.database().await.ok()?;
        let found = database.all(Table::Handles, &info.id).await.ok()?;
        found.into_iter().next()?.dyn_into().ok()
    }

    /// Goes on with an analysis when its run is open and its config is asked for.
    pub(crate) fn want(self, record: Record) {
        self.wanted.set_value(Some(record));
    }

    /// What a config's analysis of a run goes on from; nothing is wanted any more.
    pub(crate) fn take_wanted(self, config: &str, run: &RunIdentity) -> Option<Record> {
        let wanted = self.wanted.try_update_value(Option::take).flatten();
        wanted.filter(|record| record.info.config == config && record.info.is_of(run))
    }

    /// None of the kept analyses is shown any more.
    pub(crate) fn leave(self) {
        session::forget();
        self.left.set(None);
    }

    /// A kept analysis is shown.
    pub(crate) fn is_at(self, info: KeptInfo) {
        session::show(&info.id);
        self.left.set(Some(info).filter(KeptInfo::is_left));
    }

    /// Forgets an analysis.
    pub(crate) async fn forget(self, id: String) {
        self.all.update(|all| all.retain(|info| info.id != id));
        if let Err(reason) = self.remove(&id).await {
            self.failure.set(Some(reason));
        }
    }

    /// Forgets everything that was kept.
    pub(crate) async fn forget_all(self) {
        self.all.set(Vec::new());
        self.runs.set(Vec::new());
        self.aside.set(None);
        self.left.set(None);
        session::forget();
        let cleared = async { self.database().await?.clear().await };
        self.failure.set(cleared.await.err());
    }

    /// Takes note of how far an analysis is.
    pub(super) fn note(self, info: &KeptInfo) {
        self.all.update(|all| {
            all.retain(|other| other.id != info.id);
            all.push(info.clone());
            sort_by(all, |one, other| other.id.cmp(&one.id));
        });
    }

    /// Removes the oldest where there are too many.
    pub(super) async fn make_room(self) -> Result<(), String> {
        let surplus = self.all.with_untracked(|all| surplus(all));
        for id in surplus {
            self.all.update(|all| all.retain(|info| info.id != id));
            self.remove(&id).await?;
        }
        Ok(())
    }

    async fn remove(self, id: &str) -> Result<(), String> {
        let database = self.database().await?;
        for table in Table::ALL {
            database.remove(table, id).await?;
        }
        Ok(())
    }

    pub(super) async fn database(self) -> Result<Rc<Database>, String> {
        if let Some(database) = self.database.get_value() {
            return Ok(database);
        }
        let database = Rc::new(Database::open().await?);
        self.database.set_value(Some(Rc::clone(&database)));
        Ok(database)
    }
}
