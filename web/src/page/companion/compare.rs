//! Results of several runs as one, so that charts show them beside each other.

use std::collections::BTreeSet;

use trainscope_analysis::protocol::Record;
use trainscope_analysis::results::{Entry, Measured, Results};

/// What separates a component from the run it is of.
const BETWEEN: &str = " · ";

/// Results of runs, each with its name, as if they were of one run: what is measured in a run
/// becomes a component called `component · run`. Of none there are none.
pub(super) fn compared(runs: Vec<(String, Results)>) -> Results {
    let runs = with_own_names(runs);
    let names: Vec<String> = runs.iter().map(|(name, _)| name.clone()).collect();
    let mut warnings = Vec::new();
    for (name, results) in &runs {
        let said = results.warnings.iter();
        warnings.extend(said.map(|warning| format!("{name}: {warning}")));
    }
    let entries = entries(&runs, &mut warnings);
    let steps = steps(&runs, &mut warnings);
    let (config, model) = (config(&runs), model(&runs));
    let mut together = Results {
        format: trainscope_analysis::results::FORMAT.to_owned(),
        version: trainscope_analysis::results::VERSION,
        program: runs
            .first()
            .map_or_else(String::new, |(_, it)| it.program.clone()),
        analysis_name: names.join(" and "),
        source: names.join(" and "),
        model,
        steps,
        missing_steps: Vec::new(),
        entries,
        warnings,
        config,
        records: Vec::new(),
    };
    for (name, results) in runs {
        let records = results.records.into_iter();
        together
            .records
            .extend(records.map(|record| of_run(record, &name)));
    }
    together.sort();
    together
}

/// No two runs with one name.
fn with_own_names(runs: Vec<(String, Results)>) -> Vec<(String, Results)> {
    let mut taken = BTreeSet::new();
    let mut named = Vec::new();
    for (name, results) in runs {
        let mut own = name.clone();
        let mut number = 2;
        while !taken.insert(own.clone()) {
            own = format!("{name} ({number})");
            number += 1;
        }
        named.push((own, results));
    }
    named
}

fn of_run(record: Record, name: &str) -> Record {
    Record {
        component: format!("{}{BETWEEN}{name}", record.component),
        key: format!("{}{BETWEEN}{name}", record.key),
        ..record
    }
}

/// Entries of the same label and split are one, with the components of all.
fn entries(runs: &[(String, Results)], warnings: &mut Vec<String>) -> Vec<Entry> {
    let mut together: Vec<(Entry, Vec<&str>)> = Vec::new();
    for (name, results) in runs {
        for entry in &results.entries {
            let is_same = |it: &&mut (Entry, Vec<&str>)| {
                (&it.0.label, &it.0.split) == (&entry.label, &entry.split)
            };
            let components = entry.components.iter().map(|measured| Measured {
                component: format!("{}{BETWEEN}{name}", measured.component),
                ..measured.clone()
            });
            match together.iter_mut().find(is_same) {
                Some((known, of)) => {
                    if !is_alike(known, entry) {
                        warnings.push(format!(
                            "{} is not the same in {name} as in {}: its parameters or its target differ",
                            title(entry),
                            of.join(" and ")
                        ));
                    }
                    known.components.extend(components);
                    of.push(name);
                }
                None => {
                    let components = components.collect();
                    let entry = Entry {
                        components,
                        ..entry.clone()
                    };
                    together.push((entry, vec![name]));
                }
            }
        }
    }
    for (entry, of) in &together {
        if of.len() < runs.len() {
            warnings.push(format!("{} is of {} only", title(entry), of.join(" and ")));
        }
    }
    together.into_iter().map(|(entry, _)| entry).collect()
}

fn is_alike(one: &Entry, other: &Entry) -> bool {
    (&one.metric, one.target, &one.parameters) == (&other.metric, other.target, &other.parameters)
}

fn title(entry: &Entry) -> String {
    format!("{} ({})", entry.label, entry.split)
}

/// All steps of all runs, ascending.
fn steps(runs: &[(String, Results)], warnings: &mut Vec<String>) -> Vec<u64> {
    let steps: BTreeSet<u64> = runs.iter().flat_map(|(_, it)| it.steps.clone()).collect();
    for (name, results) in runs {
        let own: BTreeSet<u64> = results.steps.iter().copied().collect();
        let missing: Vec<String> = steps.difference(&own).map(u64::to_string).collect();
        if !missing.is_empty() {
            warnings.push(format!("{name} has no step {}", missing.join(", ")));
        }
    }
    steps.into_iter().collect()
}

/// The config that all have; where they differ, words that compute nothing.
fn config(runs: &[(String, Results)]) -> String {
    let mut configs = runs.iter().map(|(_, results)| &results.config);
    let first = configs.next().cloned().unwrap_or_default();
    match configs.all(|config| *config == first) {
        true => first,
        false => "# Runs beside each other, each with a config of its own.\n".to_owned(),
    }
}

fn model(runs: &[(String, Results)]) -> Option<trainscope_analysis::results::Model> {
    let mut models = runs.iter().map(|(_, results)| &results.model);
    let first = models.next()?.clone()?;
    let is_same = |model: &Option<_>| model.as_ref() == Some(&first);
    models.all(is_same).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::compared;
    use trainscope_analysis::protocol::Record;
    use trainscope_analysis::results::{Entry, Measured, Results};

    fn results(label: &str, steps: &[u64]) -> Results {
        let record = |&step: &u64| Record {
            label: label.to_owned(),
            split: "val".to_owned(),
            step,
            key: "layers.0.mlp.w_2.weights".to_owned(),
            component: "mlp.w_2".to_owned(),
            layer: 0,
            head: None,
            data_type: "weights".to_owned(),
            output: String::new(),
            value: Some(1.0),
            status: None,
        };
        Results {
            format: String::new(),
            version: 1,
            program: String::new(),
            analysis_name: String::new(),
            source: String::new(),
            model: None,
            steps: steps.to_vec(),
            missing_steps: Vec::new(),
            entries: vec![Entry {
                label: label.to_owned(),
                metric: "norm".to_owned(),
                summary: String::new(),
                split: "val".to_owned(),
                target: None,
                parameters: serde_json::Map::new(),
                components: vec![Measured {
                    component: "mlp.w_2".to_owned(),
                    data_type: "weights".to_owned(),
                }],
            }],
            warnings: vec!["beware".to_owned()],
            config: "x".to_owned(),
            records: steps.iter().map(record).collect(),
        }
    }

    #[test]
    fn runs_are_components() {
        let runs = [("a", [0, 1]), ("b", [1, 2]), ("b", [1, 2])];
        let runs = runs.map(|(name, steps)| (name.to_owned(), results("norm", &steps)));
        let together = compared(runs.to_vec());
        assert_eq!(together.steps, [0, 1, 2]);
        let entry = &together.entries[0];
        let components = entry.components.iter().map(|it| it.component.as_str());
        let components: Vec<&str> = components.collect();
        assert_eq!(
            components,
            ["mlp.w_2 · a", "mlp.w_2 · b", "mlp.w_2 · b (2)"]
        );
        let keys = together.records.iter().map(|it| it.key.as_str());
        assert_eq!(keys.clone().count(), 6);
        assert_eq!(keys.clone().next(), Some("layers.0.mlp.w_2.weights · a"));
        assert!(together.warnings.contains(&"a: beware".to_owned()));
        assert!(together.warnings.contains(&"a has no step 2".to_owned()));
        assert_eq!(together.config, "x");
    }

    #[test]
    fn what_only_one_has_is_told() {
        let runs = [("a", "norm"), ("b", "cka")];
        let runs = runs.map(|(name, label)| (name.to_owned(), results(label, &[0])));
        let together = compared(runs.to_vec());
        assert_eq!(together.entries.len(), 2);
        assert!(
            together
                .warnings
                .contains(&"norm (val) is of a only".to_owned())
        );
        assert!(
            together
                .warnings
                .contains(&"cka (val) is of b only".to_owned())
        );
    }

    #[test]
    fn other_parameters_are_told() {
        let mut other = results("norm", &[0]);
        other.entries[0].target = Some(7);
        let runs = vec![
            ("a".to_owned(), results("norm", &[0])),
            ("b".to_owned(), other),
        ];
        let warnings = compared(runs).warnings.join("\n");
        assert!(warnings.contains("not the same in b as in a"), "{warnings}");
    }
}
