//! A form as the tree that a config's text would give, so that both are checked by the same rules.
//!
//! A web page sends the form as it is; only the worker's program has the YAML reader and these
//! rules.

use ckptscope_protocol::{ComponentForm, ConfigForm, MetricForm};

use super::tree::{Node, Position, Value};
use crate::registry::Registry;

/// Nowhere: a form has no lines.
const NOWHERE: Position = Position { line: 0, column: 0 };

/// The tree of a form. Fields left blank are left out, as a person would leave out the key.
pub(super) fn document(form: &ConfigForm, registry: &Registry) -> Node {
    let metrics = form.metrics.iter().map(|entry| metric(entry, registry));
    map(vec![
        ("analysis_name", filled(&form.analysis_name)),
        ("metrics", list(metrics.collect())),
        ("model", model(form)),
        ("steps", steps(&form.steps)),
        ("on_error", filled(&form.on_error)),
        ("monitoring", monitoring(form)),
    ])
}

fn model(form: &ConfigForm) -> Node {
    if form.model.is_empty() {
        return nothing();
    }
    map(parameters(&form.model).collect())
}

fn monitoring(form: &ConfigForm) -> Node {
    let mut fields = vec![("output_dir", filled(&form.output_dir))];
    if let Some((entity, project)) = &form.wandb {
        let wandb = map(vec![("entity", text(entity)), ("project", text(project))]);
        fields.push(("save_to_wandb", node(Value::Boolean(true))));
        fields.push(("wandb", wandb));
    }
    if let Some(report) = &form.pico_report {
        let report = map(vec![
            ("lab_hash", text(&report.lab_hash)),
            ("experiment_name", text(&report.experiment_name)),
            ("auto_commit", node(Value::Boolean(report.auto_commit))),
        ]);
        fields.push(("save_to_picolabs", node(Value::Boolean(true))));
        fields.push(("pico_report", report));
    }
    map(fields)
}

fn metric(form: &MetricForm, registry: &Registry) -> Node {
    let components = form
        .components
        .iter()
        .map(|entry| component(entry, registry));
    let mut fields = vec![
        ("metric_name", filled(&form.metric)),
        ("name", filled(&form.name)),
        ("target_checkpoint", scalar(&form.target)),
        ("data_split", filled(&form.split)),
        ("components", list(components.collect())),
    ];
    fields.extend(parameters(&form.parameters));
    map(fields)
}

fn component(form: &ComponentForm, registry: &Registry) -> Node {
    let mut fields = vec![
        ("component_name", filled(&form.component)),
        ("data_type", filled(&form.data_type)),
        ("layer_suffixes", suffixes(form, registry)),
        ("part", one_or_list(&form.parts)),
        ("stack", filled(&form.stack)),
        ("layers", layers(&form.layers)),
    ];
    fields.extend(parameters(&form.parameters));
    map(fields)
}

/// A form has every parameter with its value: one that is blank was emptied.
fn parameters(given: &[(String, String)]) -> impl Iterator<Item = (&str, Node)> {
    given
        .iter()
        .map(|(name, value)| (name.as_str(), required(value)))
}

/// One suffix, a list of several, or a map from the component's roles.
fn suffixes(form: &ComponentForm, registry: &Registry) -> Node {
    let known = registry.components().iter();
    let roles = known
        .filter(|component| component.name() == form.component)
        .flat_map(|component| component.suffix_names());
    let blank = String::new();
    let given = form.suffixes.iter().chain(std::iter::repeat(&blank));
    let of_roles: Vec<(&str, Node)> = roles
        .copied()
        .zip(given)
        .map(|(role, suffix)| (role, filled(suffix)))
        .collect();
    match form.suffixes.as_slice() {
        given if given.iter().all(String::is_empty) => nothing(),
        _ if !of_roles.is_empty() => map(of_roles),
        several => one_or_list(several),
    }
}

/// A text by itself, or several in a list.
fn one_or_list(texts: &[String]) -> Node {
    match texts {
        [] => nothing(),
        [only] => filled(only),
        several => list(several.iter().map(|one| text(one)).collect()),
    }
}

/// `all`, `none`, `0, 2`, or `0..11`, which layers may be in a config too.
fn layers(written: &str) -> Node {
    let written = written.trim();
    if written.contains("..") || is_one_word(written) {
        scalar(written)
    } else {
        numbers(written)
    }
}

/// `all`, `0, 50, 100`, or `0..1000 step 50`.
fn steps(written: &str) -> Node {
    let written = written.trim();
    let Some((start, rest)) = written.split_once("..") else {
        let is_word = is_one_word(written);
        return if is_word {
            scalar(written)
        } else {
            numbers(written)
        };
    };
    let (end, stride) = rest.split_once("step").unwrap_or((rest, "1"));
    map(vec![
        ("start", required(start)),
        ("end", required(end)),
        ("step", required(stride)),
    ])
}

/// Whether it is neither a list nor a number alone.
fn is_one_word(written: &str) -> bool {
    !written.contains([',', ' ']) && written.parse::<u64>().is_err()
}

fn numbers(written: &str) -> Node {
    let words = written.split([',', ' ']).filter(|word| !word.is_empty());
    list(words.map(scalar).collect())
}

/// A value as YAML types it where it stands bare; nothing where it is blank.
fn scalar(written: &str) -> Node {
    let written = written.trim();
    let whole = || written.replace('_', "").parse().ok().map(Value::Whole);
    let fraction = || {
        let number = written
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite());
        number.map(Value::Fraction)
    };
    match written {
        "" => nothing(),
        "true" => node(Value::Boolean(true)),
        "false" => node(Value::Boolean(false)),
        _ => whole()
            .or_else(fraction)
            .map_or_else(|| text(written), node),
    }
}

/// The same, blank where it is blank: left out it would be taken for its default.
fn required(written: &str) -> Node {
    if written.trim().is_empty() {
        text("")
    } else {
        scalar(written)
    }
}

/// A text; nothing where it is empty.
fn filled(written: &str) -> Node {
    if written.is_empty() {
        nothing()
    } else {
        text(written)
    }
}

fn text(written: &str) -> Node {
    node(Value::Text(written.to_owned()))
}

fn nothing() -> Node {
    node(Value::Nothing)
}

fn list(items: Vec<Node>) -> Node {
    node(Value::List(items))
}

fn map(fields: Vec<(&str, Node)>) -> Node {
    let fields = fields.into_iter().map(|(key, value)| (text(key), value));
    node(Value::Map(fields.collect()))
}

const fn node(value: Value) -> Node {
    let position = NOWHERE;
    Node {
        value,
        position,
        span: 0..0,
    }
}
