//! A config as YAML: the canonical text, which reads back as the same config.

use std::fmt::{self, Write};

use ckptscope_checkpoint::architecture::Role;
use ckptscope_metrics::{Parameter, ParameterValue, Parameters};

use super::{
    Config, LayerSelection, MetricEntry, ModelEntry, Monitoring, OnError, PicoReport,
    StepSelection, Target, WrittenComponent,
};

impl Config {
    /// The canonical text of the config: everything in the order of the documentation, defaults
    /// left out, aliases and ranges of layers written out. It parses to an equal config.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = write_config(&mut text, self);
        text
    }
}

/// What to compute, as text for people: lines of comment above everything, and one above each
/// entry.
pub(crate) fn commented(
    comment: &[&str],
    name: Option<&str>,
    entries: &[(&str, MetricEntry)],
    steps: &StepSelection,
) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    let _ = write_commented(&mut text, comment, name, entries, steps);
    text
}

fn write_commented(
    out: &mut String,
    comment: &[&str],
    name: Option<&str>,
    entries: &[(&str, MetricEntry)],
    steps: &StepSelection,
) -> fmt::Result {
    for line in comment {
        writeln!(out, "# {line}")?;
    }
    writeln!(out)?;
    if let Some(name) = name {
        writeln!(out, "analysis_name: {}", Scalar(name))?;
    }
    writeln!(out, "metrics:")?;
    for (comment, entry) in entries {
        writeln!(out, "  # {comment}")?;
        write_metric(out, entry)?;
    }
    writeln!(out, "steps: {}", Steps(steps))
}

fn write_config(out: &mut String, config: &Config) -> fmt::Result {
    if let Some(name) = &config.analysis_name {
        writeln!(out, "analysis_name: {}", Scalar(name))?;
    }
    writeln!(out, "metrics:")?;
    for entry in &config.metrics {
        write_metric(out, entry)?;
    }
    write_model(out, &config.model)?;
    writeln!(out, "steps: {}", Steps(&config.steps))?;
    if config.on_error != OnError::default() {
        writeln!(out, "on_error: {}", config.on_error.name())?;
    }
    write_monitoring(out, &config.monitoring)
}

/// The dimensions that are said, if any.
fn write_model(out: &mut String, model: &ModelEntry) -> fmt::Result {
    if model.is_empty() {
        return Ok(());
    }
    let named = model.named().into_iter();
    let said = named.filter_map(|(name, size)| Some(format!("{name}: {}", size?)));
    writeln!(out, "model: {{{}}}", said.collect::<Vec<_>>().join(", "))
}

fn write_metric(out: &mut String, entry: &MetricEntry) -> fmt::Result {
    writeln!(out, "  - metric_name: {}", Scalar(entry.metric.name()))?;
    if let Some(name) = &entry.name {
        writeln!(out, "    name: {}", Scalar(name))?;
    }
    write_parameters(out, "    ", &entry.parameters, entry.metric.parameters())?;
    match entry.target {
        Some(Target::Step(step)) => writeln!(out, "    target_checkpoint: {step}")?,
        Some(Target::Last) => writeln!(out, "    target_checkpoint: last")?,
        None => {}
    }
    writeln!(out, "    data_split: {}", entry.split)?;
    writeln!(out, "    components:")?;
    entry
        .written()
        .try_for_each(|component| write_component(out, &component))
}

fn write_component(out: &mut String, written: &WrittenComponent<'_>) -> fmt::Result {
    let entry = written.entry;
    let declared = entry.declared();
    let name = Scalar(entry.component.name());
    writeln!(out, "      - component_name: {name}")?;
    write_parameters(out, "        ", &entry.parameters, declared)?;
    writeln!(out, "        data_type: {}", entry.kind)?;
    match written.parts.as_slice() {
        [] if entry.is_by_role() => {}
        [] => writeln!(out, "        layer_suffixes: {}", Suffixes(written))?,
        [only] => writeln!(out, "        part: {only}")?,
        several => writeln!(out, "        part: {}", Parts(several))?,
    }
    if let Some(stack) = &entry.stack {
        writeln!(out, "        stack: {}", Scalar(stack))?;
    }
    writeln!(out, "        layers: {}", Layers(&entry.layers))
}

/// The parameters that are not at their default, in the order declared.
fn write_parameters(
    out: &mut String,
    indent: &str,
    given: &Parameters,
    declared: &[Parameter],
) -> fmt::Result {
    for (name, value) in given.iter() {
        let default = declared
            .iter()
            .find(|parameter| parameter.name == name)
            .map(|parameter| parameter.default);
        if default != Some(value) {
            let spelled = match value {
                ParameterValue::Choice(word) => Scalar(word).to_string(),
                _ => value.to_string(),
            };
            writeln!(out, "{indent}{}: {spelled}", Scalar(name))?;
        }
    }
    Ok(())
}

fn write_monitoring(out: &mut String, monitoring: &Monitoring) -> fmt::Result {
    writeln!(out, "monitoring:")?;
    writeln!(out, "  output_dir: {}", Scalar(&monitoring.output_dir))?;
    writeln!(out, "  save_to_wandb: {}", monitoring.wandb.is_some())?;
    if let Some(wandb) = &monitoring.wandb {
        let (entity, project) = (Scalar(&wandb.entity), Scalar(&wandb.project));
        writeln!(out, "  wandb: {{entity: {entity}, project: {project}}}")?;
    }
    match &monitoring.pico_report {
        Some(report) => write_pico_report(out, report),
        None => Ok(()),
    }
}

fn write_pico_report(out: &mut String, report: &PicoReport) -> fmt::Result {
    let (lab_hash, name) = (Scalar(&report.lab_hash), Scalar(&report.experiment_name));
    let auto_commit = report.auto_commit;
    writeln!(out, "  save_to_picolabs: true")?;
    writeln!(
        out,
        "  pico_report: {{lab_hash: {lab_hash}, experiment_name: {name}, auto_commit: {auto_commit}}}"
    )
}

/// One suffix, a list of several, or the map from roles to suffixes.
struct Suffixes<'a>(&'a WrittenComponent<'a>);

impl fmt::Display for Suffixes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WrittenComponent {
            entry, suffixes, ..
        } = self.0;
        let roles = entry.component.suffix_names();
        let pairs = roles.iter().zip(suffixes);
        let pairs = pairs.map(|(role, suffix)| format!("{}: {}", Scalar(role), Scalar(suffix)));
        match suffixes.as_slice() {
            _ if !roles.is_empty() => write!(f, "{{{}}}", pairs.collect::<Vec<_>>().join(", ")),
            [only] => Scalar(only).fmt(f),
            several => write_list(f, several.iter().map(|suffix| Scalar(suffix))),
        }
    }
}

/// A list of parts.
struct Parts<'a>(&'a [Role]);

impl fmt::Display for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, self.0)
    }
}

/// `all`, `none` or a list.
struct Layers<'a>(&'a LayerSelection);

impl fmt::Display for Layers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            LayerSelection::All => f.write_str("all"),
            LayerSelection::Outside => f.write_str("none"),
            LayerSelection::List(layers) => write_list(f, layers),
        }
    }
}

/// `all`, a range where the steps are evenly spaced, else a list.
struct Steps<'a>(&'a StepSelection);

impl fmt::Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            StepSelection::All => f.write_str("all"),
            StepSelection::List(steps) => match progression(steps) {
                Some((start, end, step)) => {
                    write!(f, "{{start: {start}, end: {end}, step: {step}}}")
                }
                None => write_list(f, steps),
            },
        }
    }
}

/// First, last and distance of evenly spaced numbers; none where a list is as short.
pub(super) fn progression(numbers: &[u64]) -> Option<(u64, u64, u64)> {
    let (&[start, second, ..], &[.., end]) = (numbers, numbers) else {
        return None;
    };
    let step = second.checked_sub(start).filter(|step| *step > 0)?;
    let even = numbers
        .windows(2)
        .all(|pair| pair[0].checked_add(step) == Some(pair[1]));
    (even && numbers.len() > 3).then_some((start, end, step))
}

fn write_list(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = impl fmt::Display>,
) -> fmt::Result {
    f.write_char('[')?;
    for (index, item) in items.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    f.write_char(']')
}

/// A text as a YAML scalar: bare where every YAML reader takes it for that text, else in double
/// quotes.
struct Scalar<'a>(&'a str);

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_bare(self.0) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        self.0
            .chars()
            .try_for_each(|character| write_escaped(f, character))?;
        f.write_char('"')
    }
}

/// Words that YAML 1.1 or 1.2 takes for something else than text.
const TYPED_WORDS: &[&str] = &[
    "true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "null", "nan", "inf", "infinity",
];

fn is_bare(text: &str) -> bool {
    let within = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | '/')
    };
    text.starts_with(|character: char| character.is_ascii_alphabetic())
        && text.chars().all(within)
        && !TYPED_WORDS
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

fn write_escaped(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '"' | '\\' => write!(f, "\\{character}"),
        ' ' => f.write_char(' '),
        _ if character.is_ascii_graphic() || character.is_alphanumeric() => f.write_char(character),
        _ => write!(f, "\\U{:08X}", u32::from(character)),
    }
}
