//! Runs that were opened from this machine and that the browser finds again.

use js_sys::{Array, Date};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

use super::info::RememberedRun;
use super::shelf::Kept;
use crate::database::Table;
use crate::handles;

/// So many are remembered.
const MOST_RUNS: usize = 12;

/// Keys of theirs begin so among those of analyses' handles, which are numbers.
const BEGINNING: &str = "run-";

impl Kept {
    /// Remembers a run that was opened, in place of what leads to the same files.
    pub(crate) async fn remember(self, name: String, found: Array) {
        let opened = Date::now();
        let run = RememberedRun {
            key: format!("{BEGINNING}{opened:013.0}"),
            name,
            opened,
        };
        let remembered = async {
            for (known, of_known) in self.handles_of_runs().await? {
                if handles::are_same(&of_known, &found).await {
                    self.forget_run(&known).await?;
                }
            }
            let value = Array::of3(&run.name.as_str().into(), &opened.into(), &found);
            let database = self.database().await?;
            database.put(Table::Handles, &run.key, &value).await?;
            self.runs.update(|runs| runs.insert(0, run));
            let surplus = self.runs.get_untracked();
            for run in surplus.iter().skip(MOST_RUNS) {
                self.forget_run(run).await?;
            }
            Ok::<(), String>(())
        };
        if let Err(reason) = remembered.await {
            self.failure.set(Some(reason));
        }
    }

    /// What leads to a run's files; none where it is forgotten.
    pub(crate) async fn handles_of(self, run: &RememberedRun) -> Option<Array> {
        let all = self.handles_of_runs().await.ok()?;
        let mut all = all.into_iter();
        all.find(|(known, _)| known == run)
            .map(|(_, handles)| handles)
    }

    /// Forgets a run; its files stay.
    ///
    /// # Errors
    /// In the browser's words.
    pub(crate) async fn forget_run(self, run: &RememberedRun) -> Result<(), String> {
        self.runs.update(|runs| runs.retain(|known| known != run));
        let database = self.database().await?;
        database.remove(Table::Handles, &run.key).await
    }

    /// Finds what earlier visits opened.
    pub(super) async fn look_for_runs(self) {
        if let Ok(all) = self.handles_of_runs().await {
            let runs = all.into_iter().rev().map(|(run, _)| run);
            self.runs.set(runs.collect());
        }
    }

    async fn handles_of_runs(self) -> Result<Vec<(RememberedRun, Array)>, String> {
        let database = self.database().await?;
        let values = database.all(Table::Handles, BEGINNING).await?;
        Ok(values.into_iter().filter_map(read).collect())
    }
}

/// A run as it is kept: name, time and handles. What another version kept may be something else.
fn read(value: JsValue) -> Option<(RememberedRun, Array)> {
    let value: Array = value.dyn_into().ok()?;
    let opened = value.get(1).as_f64()?;
    let run = RememberedRun {
        key: format!("{BEGINNING}{opened:013.0}"),
        name: value.get(0).as_string()?,
        opened,
    };
    Some((run, value.get(2).dyn_into().ok()?))
}
