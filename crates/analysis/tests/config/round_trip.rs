//! The way to text and back, from configs of every kind and from texts of no kind.

use ckptscope_analysis::Registry;
use ckptscope_analysis::config::{
    ComponentEntry, Config, LayerSelection, MetricEntry, ModelEntry, Monitoring, OnError,
    PicoReport, StepSelection, Target, Wandb,
};
use ckptscope_checkpoint::architecture::Role;
use ckptscope_checkpoint::{DataKind, Split};
use ckptscope_metrics::{Parameter, ParameterKind, ParameterValue, Parameters};
use proptest::prelude::*;

use crate::parse;

proptest! {
    #[test]
    fn a_config_reads_back_as_it_was_written(config in configs()) {
        let text = config.to_yaml();
        let again = Config::parse(&text, &Registry::default());
        let again = again.map_err(|errors| TestCaseError::fail(format!("{errors}\n{text}")))?;
        // Labels are given on reading; everything else must be as it was.
        let labels: Vec<_> = again.metrics.iter().map(|entry| entry.label.clone()).collect();
        let mut labelled = config;
        for (entry, label) in labelled.metrics.iter_mut().zip(labels) {
            entry.label = label;
        }
        prop_assert_eq!(&again, &labelled);
        prop_assert_eq!(again.to_yaml(), text);
        prop_assert_eq!(parse(&again.to_yaml()), again);
    }

    #[test]
    fn a_config_comes_back_from_its_form(config in configs()) {
        let config = parse(&config.to_yaml());
        let form = config.form();
        let again = Config::from_form(&form, &Registry::default());
        let again = again.map_err(|errors| TestCaseError::fail(format!("{errors}\n{form:?}")))?;
        prop_assert_eq!(&again, &config);
        prop_assert_eq!(again.form(), form);
    }

    #[test]
    fn any_form_is_read_or_refused(config in configs(), text in any::<String>(), place in 0..9) {
        let mut form = config.form();
        let metric = &mut form.metrics[0];
        let field = match place {
            0 => &mut form.analysis_name,
            1 => &mut form.steps,
            2 => &mut form.output_dir,
            3 => &mut metric.metric,
            4 => &mut metric.name,
            5 => &mut metric.target,
            6 => {
                let component = &mut metric.components[0];
                component.suffixes.extend(component.parts.pop());
                &mut component.suffixes[0]
            }
            7 => &mut metric.components[0].layers,
            _ => &mut metric.components[0].component,
        };
        *field = text;
        if let Ok(config) = Config::from_form(&form, &Registry::default()) {
            prop_assert_eq!(parse(&config.to_yaml()), config);
        }
    }

    #[test]
    fn labels_are_unique_and_fit_for_files(config in configs()) {
        let config = parse(&config.to_yaml());
        let mut labels: Vec<_> =
            config.metrics.iter().map(|entry| (entry.split, entry.label.to_ascii_lowercase())).collect();
        prop_assert!(labels.iter().all(|(_, label)| !label.is_empty() && !label.contains(['/', '\\'])));
        labels.sort();
        labels.dedup();
        prop_assert_eq!(labels.len(), config.metrics.len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Config::parse(&text, &Registry::default());
    }

    #[test]
    fn a_damaged_config_is_read_or_refused(at in 0_usize..5000, cut in 0_usize..20, put in "[-:&*{}\\[\\]\"' \n0-9a-z]{0,6}") {
        let mut text: Vec<char> = include_str!("../../../../configs/every-metric.yaml").chars().collect();
        let start = at.min(text.len());
        let end = (start + cut).min(text.len());
        text.splice(start..end, put.chars());
        if let Ok(config) = Config::parse(&text.into_iter().collect::<String>(), &Registry::default()) {
            prop_assert_eq!(parse(&config.to_yaml()), config);
        }
    }
}

fn configs() -> impl Strategy<Value = Config> {
    let entries = prop::collection::vec(metric_entries(), 1..6).prop_map(without_twins);
    let names = "[a-zA-Zé0-9][a-zA-Z0-9 _.@-]{0,8}[a-z0-9]".prop_filter("no device", |name| {
        let stem = name.split('.').next().unwrap_or_default();
        !["con", "prn", "aux", "nul"].contains(&stem.to_ascii_lowercase().as_str())
    });
    let on_error = prop::sample::select(OnError::ALL.to_vec());
    let parts = (
        prop::option::of(names),
        entries,
        model(),
        steps(),
        on_error,
        monitoring(),
    );
    parts.prop_map(
        |(analysis_name, metrics, model, steps, on_error, monitoring)| Config {
            analysis_name,
            metrics,
            model,
            steps,
            on_error,
            monitoring,
            text: String::new(),
        },
    )
}

fn model() -> impl Strategy<Value = ModelEntry> {
    let size = || prop::option::of(1_u64..9999);
    (size(), size(), size(), size(), size()).prop_map(
        |(d_model, n_layers, n_heads, n_kv_heads, d_head)| ModelEntry {
            d_model,
            n_layers,
            n_heads,
            n_kv_heads,
            d_head,
        },
    )
}

/// Names must differ within a split: later ones go.
fn without_twins(mut entries: Vec<MetricEntry>) -> Vec<MetricEntry> {
    let mut seen = std::collections::HashSet::new();
    for entry in &mut entries {
        let split = entry.split;
        entry.name = entry
            .name
            .take()
            .filter(|name| seen.insert((split, name.to_ascii_lowercase())));
    }
    entries
}

fn metric_entries() -> impl Strategy<Value = MetricEntry> {
    let metrics = Registry::default().metrics().to_vec();
    (0..metrics.len()).prop_flat_map(move |index| {
        let metric = metrics[index];
        let target = if metric.form().is_comparative() {
            targets().prop_map(Some).boxed()
        } else {
            Just(None).boxed()
        };
        let split = prop::sample::select(vec![Split::Train, Split::Val]);
        // `run` is the name of a file that every analysis has.
        let names = "[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,3}"
            .prop_filter("not taken", |name| !name.eq_ignore_ascii_case("run"));
        let name = prop::option::of(names);
        let components = components(metric.applies_to());
        (
            parameters(metric.parameters()),
            target,
            split,
            name,
            components,
        )
            .prop_map(
                move |(parameters, target, split, name, components)| MetricEntry {
                    metric,
                    label: String::new(),
                    name,
                    parameters,
                    target,
                    split,
                    components,
                    location: Default::default(),
                },
            )
    })
}

/// One entry of a file: where the component has no roles, a list of suffixes.
fn components(applies_to: &'static [DataKind]) -> impl Strategy<Value = Vec<ComponentEntry>> {
    let serves = move |kind: &DataKind| applies_to.contains(kind);
    let registry = Registry::default();
    let choices: Vec<_> = registry
        .components()
        .iter()
        .flat_map(|component| {
            component
                .data_kinds()
                .iter()
                .copied()
                .filter(serves)
                .map(move |kind| (*component, kind))
        })
        .collect();
    (0..choices.len()).prop_flat_map(move |index| {
        let (component, kind) = choices[index];
        (
            parameters(component.parameters()),
            made_of(component.suffix_names().len()),
            prop::option::of("[a-z]{1,4}(\\.[a-z]{1,4})?"),
            layers(),
        )
            .prop_map(move |(parameters, made_of, stack, layers)| {
                let entry = |(index, (suffixes, part)): (usize, &MadeOf)| ComponentEntry {
                    component,
                    kind,
                    suffixes: suffixes.clone(),
                    part: *part,
                    stack: stack.clone(),
                    continues_list: index > 0,
                    layers: layers.clone(),
                    parameters: parameters.clone(),
                    location: Default::default(),
                };
                made_of.iter().enumerate().map(entry).collect()
            })
    })
}

/// Suffixes, or a part of the model.
type MadeOf = (Vec<String>, Option<Role>);

/// What each component of an entry is made of: suffixes, or parts where there are no roles.
fn made_of(roles: usize) -> BoxedStrategy<Vec<MadeOf>> {
    let suffixes = suffixes(roles).prop_map(|all| all.into_iter().map(|it| (it, None)).collect());
    if roles > 0 {
        return suffixes.boxed();
    }
    let of_layers = Role::ALL.iter().filter(|role| !role.is_outside_layers());
    let of_layers: Vec<Role> = of_layers.copied().collect();
    let parts = prop::collection::hash_set(prop::sample::select(of_layers), 1..4);
    let parts = parts.prop_map(|all| all.into_iter().map(|it| (Vec::new(), Some(it))).collect());
    prop_oneof![suffixes, parts].boxed()
}

/// The suffixes of each component of an entry: one of each role, or lists of one that differ.
fn suffixes(roles: usize) -> BoxedStrategy<Vec<Vec<String>>> {
    let suffix = "[ -~é\u{85}\u{2028}]{0,9}[!-~]".prop_filter("no control characters", |suffix| {
        let has_number = suffix.split('.').any(|segment| segment == "*");
        !suffix.contains(char::is_control) && !has_number
    });
    if roles > 0 {
        let of_roles = prop::collection::vec(suffix, roles);
        return of_roles.prop_map(|suffixes| vec![suffixes]).boxed();
    }
    let list = prop::collection::hash_set(suffix, 1..4);
    list.prop_map(|list| list.into_iter().map(|suffix| vec![suffix]).collect())
        .boxed()
}

fn parameters(declared: &'static [Parameter]) -> impl Strategy<Value = Parameters> {
    let values: Vec<_> = declared
        .iter()
        .map(|parameter| values(parameter.kind))
        .collect();
    values.prop_map(|values| {
        let pairs = declared.iter().zip(values);
        pairs.fold(Parameters::defaults(declared), |all, (parameter, value)| {
            all.with(parameter.name, value)
        })
    })
}

fn values(kind: ParameterKind) -> BoxedStrategy<ParameterValue> {
    match kind {
        ParameterKind::Choice(words) => prop::sample::select(words)
            .prop_map(ParameterValue::Choice)
            .boxed(),
        ParameterKind::Integer { min, max } => {
            (min..=max).prop_map(ParameterValue::Integer).boxed()
        }
        ParameterKind::Fraction { .. } => any::<f64>()
            .prop_map(|number| ParameterValue::Fraction(number.abs().fract()))
            .prop_filter("in the range", move |value| kind.takes(*value))
            .boxed(),
        ParameterKind::Boolean => any::<bool>().prop_map(ParameterValue::Boolean).boxed(),
    }
}

fn targets() -> impl Strategy<Value = Target> {
    prop_oneof![Just(Target::Last), (0_u64..1 << 53).prop_map(Target::Step)]
}

fn layers() -> impl Strategy<Value = LayerSelection> {
    let list = prop::collection::btree_set(0_u64..10_000, 1..5);
    prop_oneof![
        Just(LayerSelection::All),
        list.prop_map(|layers| LayerSelection::List(layers.into_iter().collect())),
    ]
}

fn steps() -> impl Strategy<Value = StepSelection> {
    let list = prop::collection::btree_set(0_u64..1 << 53, 1..6);
    let range = (0_u64..100, 1_u64..1000, 1_u64..50);
    prop_oneof![
        Just(StepSelection::All),
        list.prop_map(|steps| StepSelection::List(steps.into_iter().collect())),
        range.prop_map(|(start, stride, count)| {
            StepSelection::List((0..count).map(|index| start + index * stride).collect())
        }),
    ]
}

fn monitoring() -> impl Strategy<Value = Monitoring> {
    let wandb =
        ("[ -~é]{0,8}", "[ -~é]{1,8}").prop_map(|(entity, project)| Wandb { entity, project });
    let report = ("[ -~é]{0,8}", "[ -~é]{0,8}", any::<bool>());
    let report = report.prop_map(|(lab_hash, experiment_name, auto_commit)| PicoReport {
        lab_hash,
        experiment_name,
        auto_commit,
    });
    let wandb = prop::option::of(wandb);
    ("[ -~é]{0,8}[!-~]", wandb, prop::option::of(report)).prop_map(
        |(output_dir, wandb, pico_report)| Monitoring {
            output_dir,
            wandb,
            pico_report,
        },
    )
}
