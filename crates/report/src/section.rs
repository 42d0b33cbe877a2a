//! A metric entry's part of the report.

use ckptscope_results::Entry;
use serde_json::Value;

use crate::charts::Pen;
use crate::curve::PanelCurves;
use crate::markup::escaped;
use crate::{cards, gaps, heads, table};
use ckptscope_results::title::{self, Title};

/// Everything of one metric entry: what it says, then its charts and tables by kind of data.
pub(crate) fn section(
    number: usize,
    entry: &Entry,
    panels: &[&PanelCurves],
    (entries, steps, pen): (&[Entry], &[u64], &Pen),
) -> String {
    let name = escaped(&title::name(entry));
    let summary = escaped(&entry.summary);
    let facts = escaped(&facts(entry));
    let mut section = format!(
        "<section class=metric id=m{number}>\n<h2>{name}</h2>\n<p>{summary}</p>\n<p \
         class=facts>{facts}</p>\n"
    );
    for panel in panels {
        let title = Title::of(&panel.id, entries);
        let heading = if panel.id.output.is_empty() {
            panel.id.kind.to_string()
        } else {
            let output = panel.id.output.replace('_', " ");
            format!("{}: {output}", panel.id.kind)
        };
        let name = title.line();
        section.push_str(&format!("<h3>{}</h3>\n", escaped(&heading)));
        section.push_str(&cards::cards(panel, &name, steps, pen));
        section.push_str(&heads::heads(panel, &name, steps, pen));
        section.push_str(&gaps::statuses(panel, &name));
        section.push_str(&table::tables(panel, &name));
    }
    if panels.is_empty() {
        section.push_str("<p class=note>There are no values of it in these results.</p>\n");
    }
    section.push_str("</section>\n");
    section
}

/// `norm_nuclear · val split · to step 2000 · norm_type nuclear`.
fn facts(entry: &Entry) -> String {
    let mut facts = vec![entry.label.clone(), format!("{} split", entry.split)];
    facts.extend(
        entry
            .target
            .map(|step| format!("compared with step {step}")),
    );
    facts.extend(entry.parameters.iter().map(|(name, value)| {
        let value = match value {
            Value::String(word) => word.clone(),
            other => other.to_string(),
        };
        format!("{name}: {value}")
    }));
    facts.join(" · ")
}
