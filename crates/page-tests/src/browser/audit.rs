//! Barriers for people who cannot see or use a mouse, and hindrances for everybody.

use anyhow::{Context, Result};
use serde_json::json;

use super::Tab;

/// See tests/vendor/axe-core/README.md.
const AXE: &str = include_str!("../../../../tests/vendor/axe-core/axe.min.js");

impl Tab {
    /// What axe-core finds on the page as it is, of serious or critical impact: a line per element.
    pub(crate) fn audit(&self) -> Result<Vec<String>> {
        self.run(&format!("if (!window.axe) {{ {AXE} }}"))?;
        let found = self.run_async(
            "axe.run({resultTypes: ['violations']}).then(({violations}) => done(violations\
               .filter(({impact}) => impact === 'serious' || impact === 'critical')\
               .flatMap(({id, help, nodes}) => nodes.map(node =>\
                 `${id}: ${help}: ${node.target.join(' ')}: ${node.any[0]?.message ?? ''}`))),\
               error => done(String(error)))",
        )?;
        let lines = found
            .as_array()
            .with_context(|| format!("axe-core says: {found}"))?;
        let text = |line: &serde_json::Value| line.as_str().map(str::to_owned);
        Ok(lines.iter().filter_map(text).collect())
    }

    /// The page's clock, in milliseconds.
    pub(crate) fn now(&self) -> Result<f64> {
        let now = self.run("return performance.now()")?;
        now.as_f64().context("the page has no clock")
    }

    /// Milliseconds of the longest task of the page's main thread since a moment of [`Tab::now`]:
    /// how long a visitor's click could have waited. Tasks below 50 ms count as none.
    pub(crate) fn longest_task_since(&self, moment: f64) -> Result<f64> {
        let longest = self.run_async(&format!(
            "let longest = 0;\
             const watch = new PerformanceObserver(list => {{\
               for (const task of list.getEntries())\
                 if (task.startTime >= {}) longest = Math.max(longest, task.duration);\
             }});\
             watch.observe({{type: 'longtask', buffered: true}});\
             setTimeout(() => {{ watch.disconnect(); done(longest) }}, 100)",
            json!(moment)
        ))?;
        longest
            .as_f64()
            .context("the browser does not time its tasks")
    }
}
