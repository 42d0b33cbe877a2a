//! `configs/every-metric.yaml`: an example written by hand, to which metrics are added that it does
//! not show.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Sources;
use super::entries::{listed, text, words};

/// The file, from the root.
pub(super) const FILE: &str = "configs/every-metric.yaml";

/// What follows the metrics in it.
const AFTER_METRICS: &str = "\nsteps:";

/// The example with every metric in it.
pub(super) fn whole(sources: &Sources) -> Result<String> {
    let path = sources.workspace.root.join(FILE);
    let example = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let (mut example, rest) = example
        .split_once(AFTER_METRICS)
        .map(|(metrics, rest)| (metrics.to_owned(), format!("{AFTER_METRICS}{rest}")))
        .context("the example has no steps")?;
    for metric in listed(sources, "metrics")? {
        if !example.contains(&format!("metric_name: {}\n", text(&metric, "name")?)) {
            show(&mut example, &metric)?;
        }
    }
    Ok(example + &rest)
}

/// Shows a metric as often as its parameter of the most values needs it.
fn show(example: &mut String, metric: &Value) -> Result<()> {
    writeln!(example, "\n  # {}", text(metric, "summary")?)?;
    let parameters = metric["parameters"].as_array().context("no parameters")?;
    let mut values = Vec::new();
    for parameter in parameters {
        values.push((text(parameter, "name")?, values_of(parameter)?));
    }
    let times = values.iter().map(|(_, values)| values.len()).max();
    for time in 0..times.unwrap_or(1) {
        writeln!(example, "  - metric_name: {}", text(metric, "name")?)?;
        for (name, values) in &values {
            writeln!(example, "    {name}: {}", values[time % values.len()])?;
        }
        if metric["is_comparative"] == true {
            writeln!(example, "    target_checkpoint: last")?;
        }
        writeln!(example, "    data_split: val\n    components:")?;
        for data_type in words(metric, "data_types") {
            writeln!(
                example,
                "      - component_name: simple\n        data_type: {data_type}\n        \
                 layer_suffixes: attention.o_proj\n        layers: all"
            )?;
        }
    }
    Ok(())
}

/// What the example has for a parameter: every word, or the default of a number.
fn values_of(parameter: &Value) -> Result<Vec<String>> {
    let values = &parameter["values"];
    let choices = words(values, "choice");
    Ok(match values.as_str() {
        Some("boolean") => vec!["true".to_owned(), "false".to_owned()],
        _ if !choices.is_empty() => choices,
        _ => vec![text(parameter, "default")?.to_owned()],
    })
}
