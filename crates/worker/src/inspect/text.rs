//! An inspection as a person reads it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ckptscope_analysis::Proposal;
use indicatif::{HumanBytes, HumanCount};
use serde_json::Value;

use super::anatomy::AnatomyReport;
use super::groups::{Group, group};
use super::inspection::{
    CheckpointReport, DataReport, FileReport, Inspection, ModelReport, PartReport, TotalReport,
};
use super::{ranges, suggestion};
use crate::console::printable;

/// Lines are at most about so long.
const WIDTH: usize = 100;

/// Lines of a table that are shown; `--json` has them all.
const ROWS: usize = 60;

/// Names of shards that are shown before the others are only counted.
const FILES: usize = 4;

/// The whole text.
pub(super) fn text(inspection: &Inspection, proposals: &[Proposal]) -> String {
    let mut text = String::new();
    write_heading(&mut text, inspection);
    for warning in &inspection.warnings {
        line(&mut text, 0, &format!("warning: {}", printable(warning)));
    }
    for (index, checkpoint) in inspection.checkpoints.iter().enumerate() {
        let first = inspection.checkpoints.first().filter(|_| index > 0);
        write_checkpoint(&mut text, inspection, checkpoint, first);
    }
    text.push_str(&suggestion::text(inspection, proposals));
    text
}

fn write_heading(text: &mut String, inspection: &Inspection) {
    let name = printable(&inspection.name);
    line(text, 0, &format!("{name}: {}", layout_in_words(inspection)));
    if !is_single(inspection) {
        let steps = ranges::in_words(&inspection.steps);
        let count = inspection.steps.len();
        wrapped(text, &format!("  steps  {count}: "), &steps);
    }
    if let Some(model) = &inspection.model {
        wrapped(text, "  model  ", &model_in_words(model));
    }
    for (index, part) in inspection
        .parts
        .iter()
        .flat_map(AnatomyReport::lines)
        .enumerate()
    {
        let title = if index == 0 { "parts" } else { "" };
        wrapped(text, &format!("  {title:<5}  "), &printable(&part));
    }
    let stacks = inspection.stacks.iter().map(|(stack, layers)| {
        let plural = if *layers == 1 { "" } else { "s" };
        format!("{} ({layers} layer{plural})", printable(stack))
    });
    let stacks: Vec<String> = stacks.collect();
    if !stacks.is_empty() {
        wrapped(text, "  stacks  ", &stacks.join(", "));
    }
    let width = inspection
        .data
        .iter()
        .map(|data| data_name(data.kind, data.split).len())
        .max()
        .unwrap_or_default();
    for (index, data) in inspection.data.iter().enumerate() {
        let title = if index == 0 { "data" } else { "" };
        let name = data_name(data.kind, data.split);
        let start = format!("  {title:<5}  {name:<width$}  ");
        wrapped(text, &start, &steps_of(data, inspection));
    }
}

fn layout_in_words(inspection: &Inspection) -> &'static str {
    match inspection.layout {
        "pico" => "a pico-train run",
        "step_folders" => "a run with a folder per step",
        "step_files" => "a run with a file per step",
        _ => "one checkpoint",
    }
}

fn is_single(inspection: &Inspection) -> bool {
    inspection.layout == "single"
}

fn steps_of(data: &DataReport, inspection: &Inspection) -> String {
    if is_single(inspection) {
        return String::new();
    }
    if data.steps == inspection.steps {
        return "at every step".to_owned();
    }
    let word = if data.steps.len() == 1 {
        "step"
    } else {
        "steps"
    };
    format!("at {word} {}", ranges::in_words(&data.steps))
}

fn data_name(kind: &str, split: Option<&str>) -> String {
    match split {
        Some(split) => format!("{split} {kind}"),
        None => format!("model {kind}"),
    }
}

fn model_in_words(model: &ModelReport) -> String {
    let dimensions = [
        ("n_layers", model.n_layers),
        ("d_model", model.d_model),
        ("n_heads", model.n_heads),
        ("n_kv_heads", model.n_kv_heads),
        ("d_head", model.d_head),
    ];
    let known: Vec<String> = dimensions
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value?)))
        .collect();
    format!("{} (from {})", known.join(", "), printable(&model.source))
}

fn write_checkpoint(
    text: &mut String,
    inspection: &Inspection,
    checkpoint: &CheckpointReport,
    first: Option<&CheckpointReport>,
) {
    if !is_single(inspection) {
        let which = match (first, inspection.steps.len()) {
            (_, 1) => "the only one",
            (None, _) => "the first",
            (Some(_), _) => "the last",
        };
        let _ = writeln!(text, "\nstep {}, {which}", checkpoint.step);
    } else {
        text.push('\n');
    }
    for (index, part) in checkpoint.parts.iter().enumerate() {
        let earlier = checkpoint.parts.get(..index).unwrap_or_default();
        write_part(text, part, earlier, first);
    }
}

fn write_part(
    text: &mut String,
    part: &PartReport,
    earlier: &[PartReport],
    first: Option<&CheckpointReport>,
) {
    let name = data_name(part.kind, part.split);
    let totals = totals_in_words(&part.totals);
    line(text, 2, &format!("{name}: {totals}"));
    for file in part.files.iter().take(FILES) {
        let path = printable(&file.path);
        line(text, 4, &format!("{path}  {}", HumanBytes(file.bytes)));
    }
    if part.files.len() > FILES {
        let more = part.files.len() - FILES;
        line(text, 4, &format!("and {more} more files"));
    }
    for remark in remarks(part) {
        line(text, 4, &shortened(&remark, WIDTH - 4));
    }
    for file in &part.files {
        write_troubles(text, file);
    }
    if let Some(error) = &part.error {
        line(text, 4, &format!("error: {}", printable(error)));
    }
    for warning in &part.warnings {
        line(text, 4, &format!("warning: {}", printable(warning)));
    }
    let groups = groups_of(part);
    match shown_already(part, &groups, earlier, first) {
        Some(place) => line(text, 6, &format!("the same tensors as {place}")),
        None => write_table(text, &groups),
    }
}

/// Where the same table stands above: in the first step, or in another part of this one.
fn shown_already(
    part: &PartReport,
    groups: &[Group],
    earlier: &[PartReport],
    first: Option<&CheckpointReport>,
) -> Option<String> {
    let is_kind = |other: &&PartReport| (other.kind, other.split) == (part.kind, part.split);
    let is_same = |other: &&PartReport| !groups.is_empty() && groups_of(other) == groups;
    let at_first = first.and_then(|first| {
        let same = first.parts.iter().find(is_kind).filter(is_same);
        same.map(|_| format!("at step {}", first.step))
    });
    at_first.or_else(|| {
        let same = earlier.iter().find(is_same)?;
        Some(data_name(same.kind, same.split))
    })
}

fn groups_of(part: &PartReport) -> Vec<Group> {
    let tensors: Vec<_> = part.files.iter().flat_map(|file| &file.tensors).collect();
    group(&tensors)
}

fn totals_in_words(totals: &[TotalReport]) -> String {
    if totals.is_empty() {
        return "no tensors".to_owned();
    }
    let words = totals.iter().map(|total| {
        let plural = if total.tensors == 1 { "" } else { "s" };
        format!(
            "{} {} tensor{plural} of {} elements, {}",
            HumanCount(total.tensors),
            total.dtype,
            HumanCount(total.elements),
            HumanBytes(total.bytes)
        )
    });
    words.collect::<Vec<_>>().join("; ")
}

/// What its files say of themselves, each remark once.
fn remarks(part: &PartReport) -> BTreeSet<String> {
    let metadata = part.files.iter().flat_map(|file| &file.metadata);
    let remark = |(key, value): (&String, &Value)| {
        let value = value.as_str().unwrap_or_default();
        format!("metadata: {}: {}", printable(key), printable(value))
    };
    metadata.map(remark).collect()
}

/// What is wrong with a file.
fn write_troubles(text: &mut String, file: &FileReport) {
    if let Some(error) = &file.error {
        line(text, 4, &format!("error: {}", printable(error)));
    }
    for tensor in file.unreadable.iter().take(ROWS) {
        let (name, reason) = (printable(&tensor.name), printable(&tensor.reason));
        line(text, 4, &format!("unreadable: {name}: {reason}"));
    }
    if file.unreadable.len() > ROWS {
        let more = file.unreadable.len() - ROWS;
        line(
            text,
            4,
            &format!("and {more} more unreadable tensors (--json lists all)"),
        );
    }
}

fn write_table(text: &mut String, groups: &[Group]) {
    let shown = groups.get(..ROWS.min(groups.len())).unwrap_or_default();
    let names: Vec<String> = shown.iter().map(|group| printable(&group.name)).collect();
    let name_width = names.iter().map(|name| name.chars().count()).max();
    let name_width = name_width.unwrap_or_default().min(WIDTH - 32);
    for (name, group) in names.iter().zip(shown) {
        let (dtype, shape) = (group.dtype, &group.shape);
        line(
            text,
            6,
            &format!("{name:<name_width$}  {dtype:<4} {shape:?}"),
        );
        if let Some(stored) = &group.stored {
            wrapped(text, "        ", &printable(stored));
        }
    }
    if groups.len() > shown.len() {
        let more = groups.len() - shown.len();
        line(text, 6, &format!("and {more} more (--json lists all)"));
    }
}

/// One line, indented.
fn line(text: &mut String, indent: usize, content: &str) {
    let _ = writeln!(text, "{:indent$}{content}", "");
}

/// Words after a start, continued under the first of them where they are too many for a line.
fn wrapped(text: &mut String, start: &str, words: &str) {
    let indent = start.chars().count();
    let mut current = start.to_owned();
    let mut is_empty = true;
    for word in words.split_inclusive(' ') {
        if !is_empty && current.chars().count() + word.trim_end().chars().count() > WIDTH {
            line(text, 0, current.trim_end());
            current = " ".repeat(indent);
        }
        current.push_str(word);
        is_empty = false;
    }
    line(text, 0, current.trim_end());
}

/// At most `width` characters, the last of them dots where some are missing.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{kept}...")
}
