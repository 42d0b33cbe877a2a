//! Metrics and components: what is registered, with the doc comments of their types.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::Value;
use syn::Item;

use super::Sources;
use super::rust_docs::{docs_of, without_links};

/// The page of metrics.
pub(super) fn metrics(sources: &Sources) -> Result<String> {
    let mut page = "# Metrics\n\nNumbers of one matrix, or of a step's and a target step's. All arithmetic is float64. \
        `worker metrics` lists them; a config names them as [config.md](config.md) says.\n"
        .to_owned();
    for metric in listed(sources, "metrics")? {
        let compares = metric["is_comparative"].as_bool().unwrap_or_default();
        let folder = if compares { "comparative" } else { "single" };
        let name = text(&metric, "name")?;
        let docs = docs_in(sources, &format!("crates/metrics/src/{folder}/{name}.rs"))?;
        heading(&mut page, &metric, &docs)?;
        if compares {
            page += "\nCompares with `target_checkpoint`: a step, or `last`.\n";
        }
        parameters(&mut page, &metric["parameters"])?;
    }
    Ok(page)
}

/// The page of components.
pub(super) fn components(sources: &Sources) -> Result<String> {
    let mut page = "# Components\n\nParts of one layer, as matrices that metrics measure. `worker components` lists them; \
        a config names them as [config.md](config.md) says.\n"
        .to_owned();
    for component in listed(sources, "components")? {
        let name = text(&component, "name")?;
        let docs = docs_in(sources, &format!("crates/analysis/src/component/{name}.rs"))?;
        heading(&mut page, &component, &docs)?;
        let roles: Vec<String> = words(&component, "roles");
        if roles.is_empty() {
            page += "\n`layer_suffixes`: a suffix, or a list of suffixes.\n";
            let parts: Vec<String> = words(&component, "parts");
            let parts: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
            writeln!(
                page,
                "\nOr `part`, or a list of parts: {}.",
                parts.join(", ")
            )?;
        } else {
            let roles: Vec<String> = roles.iter().map(|role| format!("{role}: SUFFIX")).collect();
            writeln!(page, "\n`layer_suffixes`: `{{{}}}`.", roles.join(", "))?;
        }
        parameters(&mut page, &component["parameters"])?;
        let by_role = &component["parameters_by_role"];
        if by_role.as_array().is_some_and(|them| !them.is_empty()) {
            page += "\nWithout `layer_suffixes`, where the model's architecture says which tensors they are:\n";
            parameters(&mut page, by_role)?;
        }
    }
    Ok(page)
}

pub(super) fn listed(sources: &Sources, of: &str) -> Result<Vec<Value>> {
    Ok(serde_json::from_str(&sources.worker(&[of, "--json"])?)?)
}

/// Its name, what it is in one line, of which data, and the doc comment, whose own headings stand
/// one level below.
fn heading(page: &mut String, entry: &Value, docs: &str) -> Result<()> {
    let (name, summary) = (text(entry, "name")?, text(entry, "summary")?);
    let kinds = words(entry, "data_types").join(", ");
    writeln!(page, "\n## {name}\n\n*{summary}* (of {kinds})\n")?;
    let mut is_code = false;
    for line in without_links(docs).lines() {
        let is_fence = line.starts_with("```");
        match line.strip_prefix("# ").filter(|_| !is_code) {
            Some(heading) => writeln!(page, "### {heading}\n")?,
            None if is_fence && !is_code => writeln!(page, "```rust")?,
            None => writeln!(page, "{line}")?,
        }
        is_code ^= is_fence;
    }
    Ok(())
}

fn parameters(page: &mut String, listed: &Value) -> Result<()> {
    let parameters = listed.as_array().context("no parameters")?;
    if parameters.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "\n| parameter | takes | default | |\n|---|---|---|---|"
    )?;
    for parameter in parameters {
        let takes = values(&parameter["values"]);
        let (name, default) = (text(parameter, "name")?, text(parameter, "default")?);
        let summary = text(parameter, "summary")?;
        writeln!(page, "| `{name}` | {takes} | `{default}` | {summary} |")?;
    }
    Ok(())
}

/// The values that a parameter takes.
fn values(of: &Value) -> String {
    let choices = words(of, "choice").into_iter();
    let ends = of["integer"].as_array().map(Vec::as_slice);
    match (ends, of["fraction"].as_str()) {
        (Some([min, max]), _) => format!("{min} to {max}"),
        (_, Some(range)) => format!("a number in {range}"),
        _ if of == "boolean" => "`true`, `false`".to_owned(),
        _ => choices
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// The doc comment of the first public type of a file.
fn docs_in(sources: &Sources, path: &str) -> Result<String> {
    let file = sources.source(path)?;
    let first = file.items.iter().find_map(|item| match item {
        Item::Struct(item) => Some(docs_of(&item.attrs)),
        _ => None,
    });
    first.with_context(|| format!("{path} has no type"))
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("no {key}"))
}

pub(super) fn words(value: &Value, key: &str) -> Vec<String> {
    let words = value[key].as_array().into_iter().flatten();
    words
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect()
}
