//! Keeping one analysis while it is computed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ckptscope_protocol::{Cost, LaneUpdate};
use ckptscope_results::Results;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Date, Math};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;

use super::info::{KeptInfo, RunIdentity, key_of};
use super::keep::{Keep, Keeping};
use super::session;
use super::shelf::Kept;
use crate::database::Table;

/// How long numbers are gathered before they are appended, in milliseconds.
const REST_MILLISECONDS: u32 = 300;

/// Begins to keep an analysis, or goes on.
pub(crate) fn begin_keeping(kept: Kept, keeping: Keeping) -> Box<dyn Keep> {
    let Keeping {
        run,
        results,
        cost,
        earlier,
    } = keeping;
    Box::new(match earlier {
        Some(info) => Keeper::of(kept, info),
        None => Keeper::begin(kept, run, &results, &cost),
    })
}

/// Keeps one analysis.
struct Keeper {
    kept: Kept,
    info: RefCell<KeptInfo>,
    waiting: RefCell<Vec<String>>,
    is_writing: Cell<bool>,
    /// Why it could not be kept.
    failure: RwSignal<Option<String>>,
}

impl Keep for Rc<Keeper> {
    fn add(&self, update: &LaneUpdate) {
        let Ok(text) = serde_json::to_string(update) else {
            return;
        };
        {
            let mut info = self.info.borrow_mut();
            let recorded = update.finished.iter().filter(|it| it.recorded);
            info.units += recorded.count() as u64;
            info.read_bytes += update.finished.iter().map(|it| it.read_bytes).sum::<u64>();
            info.numbers += update.numbers.0.len() as u64;
        }
        self.waiting.borrow_mut().push(text);
        self.write_soon();
    }

    fn end(&self, is_over: bool) {
        self.info.borrow_mut().is_over = is_over;
        self.write_soon();
    }
}

impl Keeper {
    /// Keeps an analysis that begins.
    fn begin(kept: Kept, run: RunIdentity, results: &Results, cost: &Cost) -> Rc<Self> {
        let now = Date::now();
        let info = KeptInfo {
            id: format!("{now:013.0}-{:06.0}", Math::random() * 999_999.0),
            name: results.analysis_name.clone(),
            run: results.source.clone(),
            place: run.place,
            mark: run.mark,
            has_handles: run.handles.is_some(),
            config: results.config.clone(),
            begun: now as u64,
            units: 0,
            of_units: cost.units,
            read_bytes: 0,
            numbers: 0,
            characters: 0,
            pieces: 0,
            is_over: false,
        };
        let keeper = Self::of(kept, info);
        let plan = serde_json::to_string(results).unwrap_or_default();
        keeper.info.borrow_mut().characters = plan.len() as u64;
        spawn_local(Rc::clone(&keeper).write_plan(plan, run.handles));
        keeper
    }

    fn of(kept: Kept, info: KeptInfo) -> Rc<Self> {
        session::show(&info.id);
        Rc::new(Self {
            failure: kept.failure,
            kept,
            info: RefCell::new(info),
            waiting: RefCell::default(),
            is_writing: Cell::new(false),
        })
    }

    fn write_soon(self: &Rc<Self>) {
        if !self.is_writing.replace(true) {
            let keeper = Rc::clone(self);
            spawn_local(async move {
                while keeper.write_some().await {}
                keeper.is_writing.set(false);
            });
        }
    }

    /// Appends what waits; whether more came meanwhile.
    async fn write_some(&self) -> bool {
        TimeoutFuture::new(REST_MILLISECONDS).await;
        let text = self.waiting.take().join("\n");
        // As it is with this text, and not with what comes while it is written.
        let info = {
            let mut info = self.info.borrow_mut();
            info.pieces += u64::from(!text.is_empty());
            info.characters += text.len() as u64;
            info.clone()
        };
        let is_over = info.is_over;
        if self.failure.with_untracked(Option::is_none)
            && let Err(reason) = self.append(&text, info).await
        {
            self.failure.set(Some(reason));
        }
        !self.waiting.borrow().is_empty() || self.info.borrow().is_over != is_over
    }

    async fn append(&self, text: &str, info: KeptInfo) -> Result<(), String> {
        let database = self.kept.database().await?;
        if !text.is_empty() {
            let key = key_of(&info.id, info.pieces - 1);
            database.put(Table::Numbers, &key, &text.into()).await?;
        }
        let is_over = info.is_over;
        self.write_info(info).await?;
        if is_over {
            self.kept.make_room().await?;
        }
        Ok(())
    }

    async fn write_plan(self: Rc<Self>, plan: String, handles: Option<js_sys::Array>) {
        let info = self.info.borrow().clone();
        let id = info.id.clone();
        let written = async {
            let database = self.kept.database().await?;
            database.put(Table::Plans, &id, &plan.into()).await?;
            if let Some(handles) = handles {
                database.put(Table::Handles, &id, &handles).await?;
            }
            self.write_info(info).await?;
            self.kept.make_room().await
        };
        if let Err(reason) = written.await {
            self.failure.set(Some(reason));
        }
    }

    async fn write_info(&self, info: KeptInfo) -> Result<(), String> {
        let text = serde_json::to_string(&info).map_err(|error| error.to_string())?;
        let database = self.kept.database().await?;
        let value = JsValue::from(text);
        database.put(Table::Analyses, &info.id, &value).await?;
        self.kept.note(&info);
        Ok(())
    }
}
