//! Summaries as tables.

use ckptscope_chart::Curve;
use ckptscope_plot::significant;
use ckptscope_results::Summary;

use crate::curve::{PanelCurves, layer_number};
use crate::markup::{counted, details, escaped};

/// Digits of every number.
pub(crate) const DIGITS: usize = 4;
/// A table of more rows is closed at first.
const OPEN_ROWS: usize = 24;

/// The summaries of a panel's curves: the layers' own, and those of heads apart, which are many.
pub(crate) fn tables(panel: &PanelCurves, name: &str) -> String {
    let own = |curve: &Curve| curve.subject.head.is_none();
    let of_layers = rows(panel, own);
    let of_heads = rows(panel, |curve| !own(curve));
    let mut tables = String::new();
    for (what, kind, rows) in [("layer", "layers", of_layers), ("head", "heads", of_heads)] {
        if !rows.is_empty() {
            let caption = format!("{name}, {kind} in numbers");
            let body = table(&caption, &rows, what == "head");
            let line = format!("{kind} in numbers ({})", counted(rows.len(), "row"));
            let is_open = what == "layer" && rows.len() <= OPEN_ROWS;
            tables.push_str(&details(&line, is_open, &body));
        }
    }
    tables
}

/// One row: the component, the curve, and what it comes to.
struct Row<'a> {
    component: &'a str,
    curve: &'a Curve,
    summary: Summary,
}

fn rows<'a>(panel: &'a PanelCurves, is_wanted: impl Fn(&Curve) -> bool) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for part in &panel.parts {
        for curve in part.curves.iter().filter(|curve| is_wanted(curve)) {
            rows.push(Row {
                component: &part.name,
                curve,
                summary: Summary::of(curve.points()),
            });
        }
    }
    rows
}

fn table(caption: &str, rows: &[Row<'_>], has_heads: bool) -> String {
    let has_gaps = rows.iter().any(|row| row.summary.undefined > 0);
    let mut columns = vec!["component", "layer"];
    if has_heads {
        columns.push("head");
    }
    columns.extend([
        "first",
        "last",
        "min",
        "max",
        "mean",
        "change",
        "largest change",
        "at step",
    ]);
    if has_gaps {
        columns.push("undefined");
    }
    let head: Vec<String> = columns
        .iter()
        .map(|name| format!("<th scope=col>{name}"))
        .collect();
    let caption = escaped(caption);
    let mut table = format!(
        "<div class=scroll><table><caption>{caption}</caption>\n<thead><tr>{}</thead><tbody>\n",
        head.concat()
    );
    for row in rows {
        table.push_str(&line(row, has_heads, has_gaps));
    }
    table.push_str("</tbody></table></div>\n");
    table
}

fn line(row: &Row<'_>, has_heads: bool, has_gaps: bool) -> String {
    let Summary {
        first,
        last,
        min,
        max,
        mean,
        change,
        jump,
        undefined,
    } = row.summary;
    let value = |(value, _): (f64, u64)| value;
    let mut cells = vec![layer_number(row.curve.subject.layer)];
    if has_heads {
        let head = row.curve.subject.head;
        cells.push(head.map_or_else(String::new, |head| head.to_string()));
    }
    cells.extend([first, last, min.map(value), max.map(value), mean].map(number));
    cells.push(signed(change));
    cells.push(signed(jump.map(|(_, change)| change)));
    cells.push(jump.map_or_else(|| "–".to_owned(), |(step, _)| step.to_string()));
    if has_gaps {
        cells.push(undefined.to_string());
    }
    let component = escaped(row.component);
    format!("<tr><th scope=row>{component}<td>{}\n", cells.join("<td>"))
}

/// A number, or a dash where there is none.
pub(crate) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| significant(value, DIGITS))
}

/// A difference, with its sign.
pub(crate) fn signed(value: Option<f64>) -> String {
    let sign = if value.is_some_and(|value| value > 0.0) {
        "+"
    } else {
        ""
    };
    format!("{sign}{}", number(value))
}
