//! Which of the results are drawn, by the names that a person gives.

use std::collections::BTreeSet;

use anyhow::Result;
use ckptscope_analysis::config::suggest;
use ckptscope_report::curve::{PanelCurves, PartCurves};
use ckptscope_results::{PanelId, SEPARATOR};

use crate::arguments::PlotArguments;
use crate::{Misuse, console};

/// One property of a panel that a person can choose it by.
struct Property {
    /// The option.
    option: &'static str,
    /// What it is called.
    noun: &'static str,
    asked: fn(&PlotArguments) -> Option<&str>,
    of: fn(&PanelId) -> &str,
}

const PROPERTIES: [Property; 4] = [
    Property {
        option: "--metric",
        noun: "metric",
        asked: |arguments| arguments.metric.as_deref(),
        of: |id| &id.entry.label,
    },
    Property {
        option: "--split",
        noun: "split",
        asked: |arguments| arguments.split.as_deref(),
        of: |id| id.entry.split.name(),
    },
    Property {
        option: "--data",
        noun: "kind of data",
        asked: |arguments| arguments.data.as_deref(),
        of: |id| id.kind.name(),
    },
    Property {
        option: "--number",
        noun: "number",
        asked: |arguments| arguments.number.as_deref(),
        of: |id| &id.output,
    },
];

/// The one panel that the options leave, with one of these components if there are some.
pub(super) fn one<'a>(
    panels: &'a [PanelCurves],
    arguments: &PlotArguments,
    components: &[String],
) -> Result<&'a PanelCurves> {
    let mut left = all(panels, arguments)?;
    left.retain(|panel| components.is_empty() || has_one_of(panel, components));
    for property in &PROPERTIES {
        let names = names(&left, property);
        if names.len() > 1 {
            return Err(Misuse(format!(
                "{} has several of it; choose the {} with {}: {}",
                arguments.metric.as_deref().unwrap_or("this metric"),
                property.noun,
                property.option,
                listed(&names)
            ))
            .into());
        }
    }
    let nothing = || Misuse("no metric has all of what was chosen".to_owned());
    Ok(left.first().copied().ok_or_else(nothing)?)
}

/// The panels that the options leave.
pub(super) fn all<'a>(
    panels: &'a [PanelCurves],
    arguments: &PlotArguments,
) -> Result<Vec<&'a PanelCurves>> {
    let mut left: Vec<&PanelCurves> = panels.iter().collect();
    for property in &PROPERTIES {
        let Some(asked) = (property.asked)(arguments) else {
            continue;
        };
        let names = names(&left, property);
        if !names.contains(&asked) {
            return Err(unknown(property.option, asked, &names));
        }
        left.retain(|panel| (property.of)(&panel.id) == asked);
    }
    Ok(left)
}

/// The components asked for, by the names that series have. The last parts of a suffix will do,
/// where they are those of one; of compared runs one that is not named means all of them.
pub(super) fn components(panels: &[PanelCurves], arguments: &PlotArguments) -> Result<Vec<String>> {
    let wanted = all(panels, arguments)?;
    let mut parts: Vec<&PartCurves> = Vec::new();
    for part in wanted.iter().flat_map(|panel| &panel.parts) {
        if !parts.iter().any(|known| known.of == part.of) {
            parts.push(part);
        }
    }
    let mut components: Vec<String> = Vec::new();
    for asked in &arguments.components {
        let found = called(asked, &parts)?;
        components.extend(found.into_iter().map(|part| part.name.clone()));
    }
    Ok(components)
}

/// Which of the components are called so: the one of this name; else those of runs that are, each
/// of its run; else those whose last parts are.
fn called<'a>(asked: &str, parts: &[&'a PartCurves]) -> Result<Vec<&'a PartCurves>> {
    let ways: [fn(&PartCurves, &str) -> bool; 3] = [
        |part, asked| part.name == asked,
        |part, asked| *part.of.component == *asked,
        ends_with,
    ];
    let mut found = ways.iter().map(|is_called| -> Vec<&PartCurves> {
        let found = parts.iter().filter(|part| is_called(part, asked));
        found.copied().collect()
    });
    let found = found.find(|found| !found.is_empty());
    let found = found.ok_or_else(|| {
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        unknown("--component", asked, &names)
    })?;
    let different: BTreeSet<&str> = found.iter().map(|part| &*part.of.component).collect();
    if different.len() > 1 {
        let different: Vec<&str> = different.into_iter().collect();
        return Err(Misuse(format!(
            "--component {asked} may be any of {}; give one of these",
            listed(&different)
        ))
        .into());
    }
    Ok(found)
}

/// Whether these are a component's last parts, of this run if a person names one.
fn ends_with(part: &PartCurves, asked: &str) -> bool {
    let (asked, asked_run) = match asked.split_once(SEPARATOR) {
        Some((component, run)) => (component, Some(run)),
        None => (asked, None),
    };
    let before = part.of.component.strip_suffix(asked);
    let is_part = before.is_some_and(|before| before.is_empty() || before.ends_with('.'));
    is_part && (asked_run.is_none() || asked_run == part.of.run.as_deref())
}

/// The layers asked for: `0,3..5`, ends included.
pub(super) fn layers(
    panels: &[PanelCurves],
    arguments: &PlotArguments,
) -> Result<Option<BTreeSet<u64>>> {
    let Some(text) = &arguments.layers else {
        return Ok(None);
    };
    let there: BTreeSet<u64> = panels
        .iter()
        .flat_map(PanelCurves::curves)
        .filter_map(|curve| curve.subject.layer)
        .collect();
    let mut layers = BTreeSet::new();
    for part in text.split(',').map(str::trim) {
        let (first, last) = part.split_once("..").unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
            let words = format!("--layers {text}: layers are written as in 0,3..5");
            return Err(Misuse(words).into());
        };
        let found: Vec<u64> = there.range(first..=last.max(first)).copied().collect();
        if found.is_empty() || last < first {
            let numbers: Vec<String> = there.iter().map(u64::to_string).collect();
            let numbers = numbers.join(", ");
            let words = format!("--layers: there is no layer {part}; there are {numbers}");
            return Err(Misuse(words).into());
        }
        layers.extend(found);
    }
    Ok(Some(layers))
}

fn has_one_of(panel: &PanelCurves, components: &[String]) -> bool {
    let mut parts = panel.parts.iter();
    parts.any(|part| components.contains(&part.name))
}

fn names<'a>(panels: &[&'a PanelCurves], property: &Property) -> Vec<&'a str> {
    let mut names = Vec::new();
    for panel in panels {
        let name = (property.of)(&panel.id);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Names from a file, as a terminal may show them.
fn listed(names: &[&str]) -> String {
    console::printable(&names.join(", "))
}

fn unknown(option: &str, asked: &str, names: &[&str]) -> anyhow::Error {
    let nearest = suggest(asked, names);
    let nearest = nearest.map_or_else(String::new, |name| {
        format!(" Did you mean {}?", console::printable(name))
    });
    let names: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !name.is_empty())
        .collect();
    let there = if names.is_empty() {
        "they have none".to_owned()
    } else {
        format!("they have {}", listed(&names))
    };
    Misuse(format!(
        "{option} {asked} is not in these results; {there}.{nearest}"
    ))
    .into()
}
