//! `worker metrics`, `worker components` and `worker config`: what exists, with parameters.

use std::fmt::Write as _;

use anyhow::Result;
use ckptscope_analysis::Registry;
use ckptscope_analysis::config::keys::{Key, Otherwise, SECTIONS};
use ckptscope_checkpoint::DataKind;
use ckptscope_checkpoint::architecture::Role;
use ckptscope_metrics::Parameter;
use serde::Serialize;

use crate::arguments::ReferenceArguments;
use crate::{Outcome, console};

/// Lists the metrics.
pub(crate) fn metrics(arguments: &ReferenceArguments) -> Result<Outcome> {
    if arguments.json {
        return print_json(&Registry::default().menu().metrics);
    }
    let mut text = String::new();
    for metric in Registry::default().metrics() {
        let compares = metric.form().is_comparative();
        let of: Vec<&str> = metric.applies_to().iter().map(|kind| kind.name()).collect();
        writeln!(text, "{}\n    {}", metric.name(), metric.summary())?;
        writeln!(text, "    of {}", of.join(", "))?;
        if compares {
            writeln!(text, "    compares with target_checkpoint: a step, or last")?;
        }
        write_parameters(&mut text, metric.parameters())?;
    }
    console::print(&text)?;
    Ok(Outcome::Done)
}

/// So many parts of a model stand in a line.
const PARTS_IN_A_LINE: usize = 8;

/// Lists the components.
pub(crate) fn components(arguments: &ReferenceArguments) -> Result<Outcome> {
    if arguments.json {
        return print_json(&Registry::default().menu().components);
    }
    let mut text = String::new();
    for component in Registry::default().components() {
        let of: Vec<&str> = component
            .data_kinds()
            .iter()
            .map(|kind| DataKind::name(*kind))
            .collect();
        writeln!(text, "{}\n    {}", component.name(), component.summary())?;
        writeln!(text, "    of {}", of.join(", "))?;
        match component.suffix_names() {
            [] => {
                writeln!(text, "    layer_suffixes: SUFFIX or [SUFFIX, ...]")?;
                writeln!(text, "    or part: PART or [PART, ...], of:")?;
                for names in Role::NAMES.chunks(PARTS_IN_A_LINE) {
                    writeln!(text, "        {}", names.join(", "))?;
                }
            }
            roles => {
                let roles: Vec<String> =
                    roles.iter().map(|role| format!("{role}: SUFFIX")).collect();
                writeln!(text, "    layer_suffixes: {{{}}}", roles.join(", "))?;
            }
        }
        write_parameters(&mut text, component.parameters())?;
        if !component.roles().is_empty() {
            writeln!(
                text,
                "    without layer_suffixes, by the model's architecture:"
            )?;
            write_parameters(&mut text, component.parameters_by_role())?;
        }
    }
    console::print(&text)?;
    Ok(Outcome::Done)
}

/// Lists the keys of a config, map by map.
pub(crate) fn config(arguments: &ReferenceArguments) -> Result<Outcome> {
    if arguments.json {
        return print_json(&SECTIONS);
    }
    let mut text = String::new();
    for section in SECTIONS {
        writeln!(text, "{} ({})", section.name, section.place)?;
        for key in section.keys {
            write_key(&mut text, key)?;
        }
    }
    console::print(&text.replace('`', ""))?;
    Ok(Outcome::Done)
}

fn write_key(text: &mut String, key: &Key) -> Result<()> {
    let otherwise = match key.otherwise {
        Otherwise::Needed => "needed".to_owned(),
        Otherwise::Depends(when) => when.to_owned(),
        Otherwise::Is(default) => format!("default: {default}"),
    };
    writeln!(text, "    {}: {} ({otherwise})", key.name, key.takes)?;
    writeln!(text, "        {}", key.summary)?;
    Ok(())
}

fn print_json(value: &impl Serialize) -> Result<Outcome> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    console::print(&text)?;
    Ok(Outcome::Done)
}

fn write_parameters(text: &mut String, parameters: &[Parameter]) -> Result<()> {
    for parameter in parameters {
        let Parameter {
            name,
            summary,
            kind,
            default,
        } = parameter;
        writeln!(text, "    {name}: {kind} (default {default})")?;
        writeln!(text, "        {summary}")?;
    }
    Ok(())
}
