//! What is undefined, and what there is to know of other values: every status, with where it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::curve::PanelCurves;
use crate::markup::{counted, details, escaped, ranges};

/// Where a status is said.
#[derive(Default)]
struct Places<'a> {
    values: usize,
    components: BTreeSet<&'a str>,
    layers: BTreeSet<u64>,
    heads: BTreeSet<u64>,
    steps: BTreeSet<u64>,
}

/// The statuses of a panel; nothing where none of its values has one.
pub(crate) fn statuses(panel: &PanelCurves, name: &str) -> String {
    let mut of_missing: BTreeMap<&str, Places<'_>> = BTreeMap::new();
    let mut of_values: BTreeMap<&str, Places<'_>> = BTreeMap::new();
    for part in &panel.parts {
        for curve in &part.curves {
            for point in curve.series.points() {
                let (status, places) = match (point.value, point.status.map(|status| &*status.text))
                {
                    (None, status) => (status.unwrap_or("no reason given"), &mut of_missing),
                    (Some(_), Some(status)) => (status, &mut of_values),
                    (Some(_), None) => continue,
                };
                let places = places.entry(status).or_default();
                places.values += 1;
                places.components.insert(&part.name);
                places.layers.extend(curve.subject.layer);
                places.heads.extend(curve.subject.head);
                places.steps.insert(point.step);
            }
        }
    }
    let all = panel.curves().map(|curve| curve.series.len()).sum();
    let missing = said(&of_missing, all, "are undefined", name);
    missing + &said(&of_values, all, "have a remark", name)
}

fn said(statuses: &BTreeMap<&str, Places<'_>>, all: usize, what: &str, name: &str) -> String {
    if statuses.is_empty() {
        return String::new();
    }
    let count: usize = statuses.values().map(|places| places.values).sum();
    let mut summary = format!("{count} of {} {what}", counted(all, "value"));
    if let [only] = statuses.keys().collect::<Vec<_>>()[..] {
        summary = format!("{summary}: {only}");
    }
    let mut body = format!(
        "<div class=scroll><table><caption>{}: values that {what}</caption><thead><tr><th \
         scope=col>status<th scope=col>values<th scope=col>components<th scope=col>layers<th \
         scope=col>heads<th scope=col>steps</thead><tbody>\n",
        escaped(name)
    );
    for (status, places) in statuses {
        let components: Vec<String> = places.components.iter().map(|one| escaped(one)).collect();
        body.push_str(&format!(
            "<tr><th scope=row>{}<td>{}<td class=words>{}<td class=words>{}<td class=words>{}<td \
             class=words>{}\n",
            escaped(status),
            places.values,
            components.join(", "),
            ranges(places.layers.iter().copied()),
            ranges(places.heads.iter().copied()),
            ranges(places.steps.iter().copied()),
        ));
    }
    body.push_str("</tbody></table></div>\n");
    format!("<div class=gaps>{}</div>", details(&summary, false, &body))
}
