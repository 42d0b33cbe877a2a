//! Configs as forms, and the way back.

use ckptscope_analysis::Registry;
use ckptscope_analysis::config::{Config, LayerSelection, StepSelection, Target};

use ckptscope_protocol::{ConfigForm, ConfigProblem, ParameterValues};

use crate::parse;

/// A form that is a config, with one change.
fn form(change: impl FnOnce(&mut ConfigForm)) -> ConfigForm {
    let text = "
analysis_name: mine
metrics:
  - metric_name: cka
    target_checkpoint: last
    data_split: val
    components:
      - {component_name: simple, data_type: activations, layer_suffixes: a, layers: [0, 2]}
  - metric_name: norm
    norm_type: nuclear
    data_split: train
    components:
      - component_name: ov_circuit
        data_type: weights
        layer_suffixes: {output_layer: o, value_layer: v}
        layers: 0..11
steps: {start: 0, end: 1000, step: 50}
monitoring: {output_dir: out, save_to_wandb: true, wandb: {entity: us, project: p}}
";
    let mut form = parse(text).form();
    change(&mut form);
    form
}

fn read(form: &ConfigForm) -> Config {
    let config = Config::from_form(form, &Registry::default());
    config.unwrap_or_else(|errors| panic!("{errors}\n{form:?}"))
}

fn problems(change: impl FnOnce(&mut ConfigForm)) -> Vec<ConfigProblem> {
    match Config::from_form(&form(change), &Registry::default()) {
        Ok(config) => panic!("not refused:\n{config:?}"),
        Err(errors) => errors.0,
    }
}

#[test]
fn stacks_and_dimensions_are_kept() {
    let form = form(|form| {
        form.metrics[1].components[0].stack = "encoder".to_owned();
        form.metrics[0].components[0].suffixes = vec!["encoder.block.*.a".to_owned()];
        form.model = vec![("n_heads".to_owned(), "12".to_owned())];
    });
    let config = read(&form);
    assert!(
        config.text.contains("        stack: encoder\n"),
        "{}",
        config.text
    );
    assert!(
        config.text.contains("\nmodel: {n_heads: 12}\n"),
        "{}",
        config.text
    );
    assert_eq!(config.model.n_heads, Some(12));
    let again = config.form();
    assert_eq!(again.model, form.model);
    assert_eq!(again.metrics[1].components[0].stack, "encoder");
    assert_eq!(read(&again), config);
    let found = problems(|form| form.model = vec![("n_heads".to_owned(), "many".to_owned())]);
    assert_eq!(found[0].location.path, "model.n_heads");
}

#[test]
fn everything_is_text_that_a_person_may_edit() {
    let form = form(|_| {});
    assert_eq!(
        (form.analysis_name.as_str(), form.steps.as_str()),
        ("mine", "0..1000 step 50")
    );
    assert_eq!(form.output_dir, "out");
    assert_eq!(form.wandb, Some(("us".to_owned(), "p".to_owned())));
    let [cka, norm] = form.metrics.as_slice() else {
        panic!("two entries");
    };
    assert_eq!((cka.metric.as_str(), cka.target.as_str()), ("cka", "last"));
    assert_eq!(
        cka.parameters,
        [("debiased".to_owned(), "false".to_owned())]
    );
    assert_eq!(cka.components[0].suffixes, ["a"]);
    assert_eq!(cka.components[0].layers, "0, 2");
    assert_eq!((norm.split.as_str(), norm.target.as_str()), ("train", ""));
    let parameters = [("norm_type", "nuclear"), ("estimate", "false")];
    assert_eq!(
        norm.parameters,
        parameters.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(norm.components[0].suffixes, ["o", "v"]);
    assert_eq!(norm.components[0].layers, "0..11");
    assert_eq!(read(&form).form(), form);
}

#[test]
fn steps_layers_and_targets_as_people_write_them() {
    let list = |numbers: &[u64]| numbers.to_vec();
    for (written, meant) in [
        ("all", StepSelection::All),
        (" 0, 2,5 ", StepSelection::List(list(&[0, 2, 5]))),
        ("5", StepSelection::List(list(&[5]))),
        ("50_000", StepSelection::List(list(&[50_000]))),
        ("0..10 step 5", StepSelection::List(list(&[0, 5, 10]))),
        ("2 .. 4", StepSelection::List(list(&[2, 3, 4]))),
    ] {
        let config = read(&form(|form| form.steps = written.to_owned()));
        assert_eq!(config.steps, meant, "{written}");
    }
    for (written, meant) in [
        ("all", LayerSelection::All),
        ("none", LayerSelection::Outside),
        ("3", LayerSelection::List(list(&[3]))),
        ("0 2", LayerSelection::List(list(&[0, 2]))),
        ("1..3", LayerSelection::List(list(&[1, 2, 3]))),
    ] {
        let config = read(&form(|form| {
            written.clone_into(&mut form.metrics[0].components[0].layers);
        }));
        assert_eq!(config.metrics[0].components[0].layers, meant, "{written}");
    }
    let config = read(&form(|form| form.metrics[0].target = "1_000".to_owned()));
    assert_eq!(config.metrics[0].target, Some(Target::Step(1000)));
}

#[test]
fn what_is_left_blank_is_left_out() {
    let config = read(&form(|form| {
        form.analysis_name.clear();
        form.output_dir.clear();
        form.wandb = None;
    }));
    assert_eq!(config.analysis_name, None);
    assert_eq!(config.monitoring, Default::default());
}

#[test]
fn problems_say_which_field_and_no_line() {
    for (change, path, message) in [
        (
            (|form| form.metrics[1].metric = "norms".to_owned()) as fn(&mut ConfigForm),
            "metrics[1].metric_name",
            "did you mean \"norm\"?",
        ),
        (
            |form| form.metrics[0].target.clear(),
            "metrics[0].target_checkpoint",
            "found nothing; expected a step or last",
        ),
        (
            |form| form.metrics[1].components[0].suffixes.truncate(1),
            "metrics[1].components[0].layer_suffixes.value_layer",
            "found nothing",
        ),
        (
            |form| form.metrics[0].components[0].layers = "0, x".to_owned(),
            "metrics[0].components[0].layers[1]",
            "found \"x\"; expected a layer",
        ),
        (
            |form| form.steps = "0..".to_owned(),
            "steps.end",
            "found \"\"",
        ),
        (|form| form.steps.clear(), "steps", "found nothing"),
        (
            |form| form.steps = "1.5..1000 step 50".to_owned(),
            "steps.start",
            "found 1.5; expected a step",
        ),
        (
            |form| form.steps = "0..1000 step 1e3".to_owned(),
            "steps.step",
            "found 1000.0",
        ),
        (|form| form.steps = "10.000".to_owned(), "steps", "found 10"),
        (
            |form| form.metrics[1].parameters[0].1.clear(),
            "metrics[1].norm_type",
            "found \"\"",
        ),
        (
            |form| form.steps = "10..0".to_owned(),
            "steps.end",
            "found 0; expected a step not before",
        ),
        (
            |form| {
                form.metrics[1]
                    .parameters
                    .push(("k".to_owned(), "3".to_owned()));
            },
            "metrics[1].k",
            "unknown key \"k\"",
        ),
        (
            |form| form.metrics.clear(),
            "metrics",
            "found an empty list",
        ),
        (
            |form| form.metrics[0].name = "results".to_owned(),
            "metrics[0].name",
            "the name of a file that every analysis has",
        ),
    ] {
        let found = problems(change);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].location.line, found[0].location.path.as_str()),
            (0, path)
        );
        assert!(found[0].message.contains(message), "{}", found[0].message);
        assert!(!found[0].to_string().contains("line"), "{}", found[0]);
    }
}

#[test]
fn the_same_problem_in_two_places_is_told_of_both() {
    let found = problems(|form| {
        let mut twin = form.metrics[0].components[0].clone();
        "b".clone_into(&mut twin.suffixes[0]);
        form.metrics[0].components.push(twin);
        for component in &mut form.metrics[0].components {
            "some".clone_into(&mut component.layers);
        }
    });
    let paths: Vec<_> = found.iter().map(|one| one.location.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "metrics[0].components[0].layers",
            "metrics[0].components[1].layers"
        ]
    );
}

#[test]
fn a_component_lists_its_suffixes() {
    let listed = |suffixes: &[&str]| {
        let suffixes: Vec<_> = suffixes.iter().map(|one| (*one).to_owned()).collect();
        move |form: &mut ConfigForm| form.metrics[0].components[0].suffixes = suffixes.clone()
    };
    let form = form(listed(&["b", "a"]));
    let config = read(&form);
    let components = &config.metrics[0].components;
    assert_eq!(
        (&components[0].suffixes[0], components.len()),
        (&"b".to_owned(), 2)
    );
    assert_eq!(config.form(), form);
    for (suffixes, path, message) in [
        (&[][..], "", "found nothing; expected the suffix"),
        (&["a", ""], "[1]", "found \"\"; expected the suffix"),
        (&["a", "a"], "[1]", "duplicate suffix \"a\""),
    ] {
        let found = problems(listed(suffixes));
        assert_eq!(found.len(), 1, "{found:?}");
        let place = format!("metrics[0].components[0].layer_suffixes{path}");
        assert_eq!(found[0].location.path, place);
        assert!(found[0].message.contains(message), "{}", found[0].message);
    }
}

#[test]
fn names_that_collide_say_with_which_entry() {
    let found = problems(|form| {
        form.metrics.push(form.metrics[1].clone());
        form.metrics[1].name = "same".to_owned();
        form.metrics[2].name = "same".to_owned();
    });
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .message
            .contains("another train entry (metrics[1].name)"),
        "{}",
        found[0]
    );
}

#[test]
fn a_form_becomes_text_whose_entries_know_their_lines() {
    let config = read(&form(|_| {}));
    assert_eq!(config.text, config.to_yaml());
    assert_eq!(config.metrics[0].location.line, 3);
    assert_eq!(
        config.metrics[1].components[0].location.path,
        "metrics[1].components[0]"
    );
}

#[test]
fn the_menu_is_the_registry() {
    let registry = Registry::default();
    let menu = registry.menu();
    assert_eq!(menu.metrics.len(), registry.metrics().len());
    assert_eq!(menu.components.len(), registry.components().len());
    let cka = menu.metrics.iter().find(|metric| metric.name == "cka");
    assert!(cka.is_some_and(|cka| cka.is_comparative && cka.data_types == ["activations"]));
    let norm = menu
        .metrics
        .iter()
        .find(|metric| metric.name == "norm")
        .expect("it is there");
    let words = ["frobenius", "nuclear", "inf", "spectral"].map(str::to_owned);
    assert_eq!(
        norm.parameters[0].values,
        ParameterValues::Choice(words.to_vec())
    );
    assert_eq!(norm.parameters[0].default, "frobenius");
    let circuit = menu.components.iter().find(|one| one.name == "ov_circuit");
    assert!(circuit.is_some_and(|circuit| circuit.roles == ["output_layer", "value_layer"]));
}
