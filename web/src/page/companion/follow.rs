//! An analysis of a native worker's that is under way, shown as it goes.

use trainscope_analysis::service::AnalysisInfo;

use crate::page::state::{Stage, State};
use leptos::prelude::*;

impl State {
    /// Shows what an analysis tells.
    #[expect(clippy::needless_pass_by_value, reason = "whoever follows it keeps it")]
    pub(in crate::page) fn follow(self, info: AnalysisInfo) {
        let words = format!("{} cannot be followed yet", info.name);
        self.stage.set(Stage::Failed(words));
    }
}
