//! The config file, key by key.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::Sources;

const BEGINNING: &str = "# Config

A config is YAML in the schema of pico-analyze, whose files work unchanged. Whole numbers may be written `50_000`. \
    A key that is not listed here is an error, and all errors of a file are told together, with their lines. \
    [metrics.md](metrics.md) and [components.md](components.md) say which names there are and which parameters \
    they take; [every-metric.yaml](../configs/every-metric.yaml) uses all of them.
";

/// The page.
pub(super) fn page(sources: &Sources) -> Result<String> {
    let sections: Vec<Value> = serde_json::from_str(&sources.worker(&["config", "--json"])?)?;
    let mut page = BEGINNING.to_owned();
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('|', "\\|");
    for section in &sections {
        let (name, place) = (text(&section["name"]), text(&section["place"]));
        writeln!(page, "\n## {name}\n\nStands at: {place}.\n")?;
        writeln!(page, "| key | takes | left out | |\n|---|---|---|---|")?;
        for key in section["keys"].as_array().into_iter().flatten() {
            let otherwise = &key["otherwise"];
            let otherwise = match (otherwise.get("is"), otherwise.get("depends")) {
                (Some(is), _) => text(is),
                (_, Some(when)) => text(when),
                _ => "an error".to_owned(),
            };
            let (name, takes) = (text(&key["name"]), text(&key["takes"]));
            let summary = text(&key["summary"]);
            writeln!(page, "| `{name}` | {takes} | {otherwise} | {summary} |")?;
        }
    }
    Ok(page)
}
