//! All metrics and components in one table.

use ckptscope_chart::Curve;

use crate::curve::{PanelCurves, PartCurves, layer_number};
use crate::markup::escaped;
use crate::table::{number, signed};
use ckptscope_results::title::Title;
use ckptscope_results::{Entry, Summary};

const HEAD: &str = "<thead><tr><th scope=col rowspan=2>metric<th scope=col rowspan=2>component<th \
    scope=col rowspan=2>first<th scope=col rowspan=2>last<th scope=colgroup colspan=3>smallest<th \
    scope=colgroup colspan=3>largest<th scope=colgroup colspan=3>largest change\n<tr><th \
    scope=col>value<th scope=col>layer<th scope=col>step<th scope=col>value<th scope=col>layer<th \
    scope=col>step<th scope=col>change<th scope=col>layer<th scope=col>step</thead>";

/// A row for each metric and component: what the layers' own curves begin and end with, and where
/// the extremes are.
pub(crate) fn overview(panels: &[PanelCurves], entries: &[Entry]) -> String {
    let mut table = format!(
        "<section id=glance>\n<h2>At a glance</h2>\n<p>Of each component all layers together, \
         without their heads: the range of first and last values over layers, the extremes, and \
         the largest change from one step to the next.</p>\n<div class=scroll><table \
         class=glance><caption>All metrics and components</caption>\n{HEAD}\n"
    );
    for panel in panels {
        let title = Title::of(&panel.id, entries);
        let name = format!("{}, {}", title.name, panel.id.kind);
        table.push_str("<tbody>\n");
        for (index, part) in panel.parts.iter().enumerate() {
            let name = if index == 0 {
                let rows = panel.parts.len();
                let name = escaped(&name);
                format!("<th scope=rowgroup rowspan={rows}>{name}")
            } else {
                String::new()
            };
            table.push_str(&format!("<tr>{name}{}\n", cells(part)));
        }
        table.push_str("</tbody>\n");
    }
    table.push_str("</table></div>\n</section>\n");
    table
}

fn cells(part: &PartCurves) -> String {
    let mut curves = part.layers();
    if curves.is_empty() {
        curves = part.heads();
    }
    let all: Vec<(&Curve, Summary)> = curves
        .into_iter()
        .map(|curve| (curve, Summary::of(curve.points())))
        .collect();
    let component = escaped(&part.name);
    let first = range(all.iter().filter_map(|(_, summary)| summary.first));
    let last = range(all.iter().filter_map(|(_, summary)| summary.last));
    let extreme = |is_better: fn(f64, f64) -> bool, of: fn(&Summary) -> Option<(f64, u64)>| {
        let found = all
            .iter()
            .filter_map(|(curve, summary)| Some((of(summary)?, *curve)));
        found.reduce(|best, other| {
            if is_better(other.0.0, best.0.0) {
                other
            } else {
                best
            }
        })
    };
    let smallest = extreme(|value, best| value < best, |summary| summary.min);
    let largest = extreme(|value, best| value > best, |summary| summary.max);
    let jump = extreme(
        |value, best| value.abs() > best.abs(),
        |summary| summary.jump.map(|(step, change)| (change, step)),
    );
    let said = |found: Option<((f64, u64), &Curve)>, words: fn(Option<f64>) -> String| {
        found.map_or_else(
            || "<td class=value>–<td>–<td>–".to_owned(),
            |((value, step), curve)| {
                let value = words(Some(value));
                format!("<td class=value>{value}<td>{}<td>{step}", place(curve))
            },
        )
    };
    format!(
        "<th scope=row>{component}<td class=value>{first}<td class=value>{last}{}{}{}",
        said(smallest, number),
        said(largest, number),
        said(jump, signed)
    )
}

fn place(curve: &Curve) -> String {
    let layer = layer_number(curve.subject.layer);
    match curve.subject.head {
        None => layer,
        Some(head) => format!("{layer} head {head}"),
    }
}

fn range(values: impl Iterator<Item = f64> + Clone) -> String {
    let low = values.clone().reduce(f64::min);
    let high = values.reduce(f64::max);
    if low == high || number(low) == number(high) {
        number(low)
    } else {
        // A dash before a sign would be read as one.
        let between = if high.is_some_and(|high| high < 0.0) {
            " to "
        } else {
            "–"
        };
        format!("{}{between}{}", number(low), number(high))
    }
}
