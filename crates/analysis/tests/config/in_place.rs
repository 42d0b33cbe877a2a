//! An edit of a form changes the lines of what it is of, and no others.

use ckptscope_analysis::Registry;
use ckptscope_analysis::config::Config;
use ckptscope_protocol::ConfigForm;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::parse;

/// Every way to write things, and comments wherever they may stand.
const WRITTEN: &str = r#"# What we look at every morning.
analysis_name:   mine   # also in the minutes

metrics:
  # How alike.
  - metric_name: cka   # of activations
    target_checkpoint: last
    data_split: val
    components:
      # One of many.
      - {component_name: simple, data_type: activations, layer_suffixes: a, layers: [0, 2]}  # flow
      - component_name: simple
        data_type: activations
        layer_suffixes:
          - b
          - c   # the third
        layers: "0..11"
  # Two norms.
  -   metric_name: norm
      norm_type: frobenius   # the default
      data_split: train
      components:
      - component_name: ov_circuit
        form: product
        data_type: weights
        layer_suffixes:
          output_layer: o
          value_layer: v   # the value
        layers: 0..11

      - component_name: simple
        # Wide ones.
        layers: all
        data_type: weights
        layer_suffixes: [mlp.up, mlp.down]

  - metric_name: norm
    norm_type: nuclear
    name: sum
    data_split: train
    components:
      - component_name: simple
        data_type: weights
        layer_suffixes: mlp.up
        layers: all
# How often.
steps:
  start: 0   # from the beginning
  end: 1_000
  step: 50
on_error: stop
monitoring: {output_dir: out, save_to_wandb: true, wandb: {entity: us, project: p}}  # ours
# The end.
"#;

/// The same with aliases.
const ALIASED: &str = "
metrics:
  # First.
  - metric_name: gini
    data_split: val
    components: &all
      - {component_name: simple, data_type: weights, layer_suffixes: a, layers: all}
      - {component_name: ov_circuit, data_type: weights, layer_suffixes: &ov {output_layer: o, value_layer: v}, layers: all}
  # Second.
  - metric_name: hoyer
    data_split: val
    components: *all
  - metric_name: per
    data_split: val
    components:
      - {component_name: ov_circuit, data_type: gradients, layer_suffixes: *ov, layers: [1]}   # third
steps: all
";

/// An edit of one field, or of one entry; whether something goes that may have comments.
type Edit = (&'static str, bool, fn(&mut ConfigForm, Index));

const EDITS: &[Edit] = &[
    ("name of the analysis", false, |form, _| {
        form.analysis_name = "other".to_owned();
    }),
    ("steps", true, |form, _| form.steps = "0, 7, 9".to_owned()),
    ("end of the steps", false, |form, _| {
        form.steps = "0..500 step 50".to_owned();
    }),
    ("what happens on errors", false, |form, _| {
        form.on_error = match form.on_error.as_str() {
            "stop" => "skip".to_owned(),
            _ => "stop".to_owned(),
        };
    }),
    ("folder", false, |form, _| {
        form.output_dir = "else where".to_owned();
    }),
    ("W&B", false, |form, _| {
        form.wandb = Some(("them".to_owned(), "q".to_owned()));
    }),
    ("model", false, |form, _| {
        form.model = vec![("n_heads".to_owned(), "12".to_owned())];
    }),
    ("name of a metric", false, |form, at| {
        let metric = at.index(form.metrics.len());
        form.metrics[metric].name = "called".to_owned();
    }),
    ("split", false, |form, at| {
        let metric = at.index(form.metrics.len());
        let split = &mut form.metrics[metric].split;
        *split = if split == "val" { "train" } else { "val" }.to_owned();
    }),
    ("parameter", false, |form, at| {
        let metric = at.index(form.metrics.len());
        if let Some((_, value)) = form.metrics[metric].parameters.first_mut() {
            *value = if value == "inf" { "nuclear" } else { "inf" }.to_owned();
        }
    }),
    // A default is not written: its line goes, with the comment on it.
    ("parameter at its default", true, |form, at| {
        let metric = at.index(form.metrics.len());
        if let Some((_, value)) = form.metrics[metric].parameters.first_mut() {
            *value = "frobenius".to_owned();
        }
    }),
    ("layers", false, |form, at| {
        let metric = at.index(form.metrics.len());
        let components = &mut form.metrics[metric].components;
        let place = at.index(components.len());
        components[place].layers = "3, 5".to_owned();
    }),
    ("suffixes", true, |form, at| {
        let metric = at.index(form.metrics.len());
        let components = &mut form.metrics[metric].components;
        let place = at.index(components.len());
        components[place].suffixes[0] = "another.one".to_owned();
    }),
    ("a component more", false, |form, at| {
        let metric = at.index(form.metrics.len());
        let components = &mut form.metrics[metric].components;
        let place = at.index(components.len());
        let mut twin = components[place].clone();
        twin.layers = "17".to_owned();
        components.insert(place + 1, twin);
    }),
    ("a component less", true, |form, at| {
        let metric = at.index(form.metrics.len());
        let components = &mut form.metrics[metric].components;
        if components.len() > 1 {
            components.remove(at.index(components.len()));
        }
    }),
    ("a metric more", false, |form, at| {
        let mut twin = form.metrics[at.index(form.metrics.len())].clone();
        twin.name = "twin".to_owned();
        form.metrics.insert(at.index(form.metrics.len() + 1), twin);
    }),
    ("a metric less", true, |form, at| {
        form.metrics.remove(at.index(form.metrics.len()));
    }),
];

proptest! {
    #[test]
    fn an_edit_keeps_everything_else(edit in 0..EDITS.len(), at: Index, last: bool) {
        // With the last line ended, and not.
        let text = if last { WRITTEN } else { WRITTEN.trim_end() };
        if is_possible(text, &EDITS[edit], at) {
            check(text, &EDITS[edit], at);
        }
    }

    #[test]
    fn edits_one_after_the_other_keep_what_is_not_theirs(
        edits in prop::collection::vec((0..EDITS.len(), any::<Index>()), 1..6)
    ) {
        let mut text = WRITTEN.to_owned();
        for (edit, at) in edits {
            if !is_possible(&text, &EDITS[edit], at) {
                continue;
            }
            text = check(&text, &EDITS[edit], at);
        }
    }

    #[test]
    fn what_stands_behind_aliases_changes_where_it_was_edited(edit in 0..EDITS.len(), at: Index) {
        if is_possible(ALIASED, &EDITS[edit], at) {
            let (_, text) = edited(ALIASED, &EDITS[edit], at);
            let lost = comments(ALIASED).filter(|comment| !text.contains(*comment)).count();
            prop_assert!(lost <= usize::from(EDITS[edit].1), "{}:\n{text}", EDITS[edit].0);
        }
    }
}

/// The text after an edit, of which everything that has to hold is checked.
fn check(written: &str, edit: &Edit, at: Index) -> String {
    let (name, removes, _) = *edit;
    let (wanted, text) = edited(written, edit, at);
    for comment in comments(written) {
        assert!(
            removes || text.contains(comment),
            "{name}: {comment} went from\n{text}"
        );
    }
    let (before, after) = changed_lines(written, &text);
    let is_small = name.starts_with("a ") || (before.len() <= 4 && after.len() <= 4);
    assert!(is_small, "{name} changed {before:#?}\nto {after:#?}");
    // An edit back gives a text that asks for the same as the first one.
    let back = Config::from_form(&parse(written).form(), &Registry::default());
    let back = back.unwrap_or_else(|errors| panic!("{errors}"));
    let back = back.written_into(&text, &Registry::default());
    assert_eq!(
        parse(&back.text),
        parse(written),
        "{name} back from\n{wanted:?}"
    );
    text
}

/// What is wanted, and the text that was made of another: it says what is wanted.
fn edited(written: &str, (name, _, change): &Edit, at: Index) -> (Config, String) {
    let mut form = parse(written).form();
    change(&mut form, at);
    let wanted = Config::from_form(&form, &Registry::default());
    let wanted = wanted.unwrap_or_else(|errors| panic!("{name}: {errors}"));
    let config = wanted.clone().written_into(written, &Registry::default());
    assert_eq!(config.form(), wanted.form(), "{name}");
    assert_eq!(parse(&config.text), wanted, "{name}");
    (wanted, config.text)
}

/// Whether a config comes of an edit at all: names that are there already are refused.
fn is_possible(written: &str, (_, _, change): &Edit, at: Index) -> bool {
    let mut form = parse(written).form();
    change(&mut form, at);
    Config::from_form(&form, &Registry::default()).is_ok()
}

fn comments(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.find("# ").and_then(|at| line.get(at..)))
}

/// The lines between those that two texts begin and end with.
fn changed_lines<'a>(one: &'a str, other: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.lines().collect(), other.lines().collect());
    let most = one.len().min(other.len());
    let pairs = one.iter().zip(&other);
    let first = pairs.take_while(|(one, other)| one == other).count();
    let pairs = one.iter().rev().zip(other.iter().rev()).take(most - first);
    let last = pairs.take_while(|(one, other)| one == other).count();
    let middle = |lines: Vec<&'a str>| lines[first..lines.len() - last].to_vec();
    (middle(one), middle(other))
}

#[test]
fn a_value_keeps_its_line() {
    let mut form = parse(WRITTEN).form();
    form.analysis_name = "yours".to_owned();
    form.metrics[1].components[0].suffixes[1] = "w".to_owned();
    let config = Config::from_form(&form, &Registry::default());
    let config = config.unwrap_or_else(|errors| panic!("{errors}"));
    let text = config.written_into(WRITTEN, &Registry::default()).text;
    let expected = WRITTEN
        .replace("   mine   #", "   yours   #")
        .replace("value_layer: v ", "value_layer: w ");
    assert_eq!(text, expected);
}

#[test]
fn what_cannot_be_changed_is_written_anew() {
    let wanted = parse(WRITTEN);
    for text in ["", "metrics: 3", "[", "\u{0}", "- *a"] {
        let config = Config::from_form(&wanted.form(), &Registry::default());
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        let config = config.written_into(text, &Registry::default());
        assert_eq!(config.text, wanted.to_yaml());
    }
}
