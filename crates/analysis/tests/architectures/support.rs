//! Configs without suffixes, the numbers they give, and models made here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;

use ckptscope_analysis::{Config, Plan, PlanErrors, Registry, run_lane};
use ckptscope_checkpoint::{MemoryTree, Run, Tree};
use ckptscope_protocol::Event;
use ckptscope_results::Value;
use futures_lite::future::block_on;
use nalgebra::DMatrix;

use super::probe::Probe;

/// A number's label, component, stack, layer and head.
pub(crate) type Place = (String, String, String, u64, Option<u64>);

/// Metrics by their labels, and as the truth calls them.
pub(crate) const METRICS: [(&str, &str, &str); 7] = [
    ("frobenius", "norm, norm_type: frobenius", "frobenius"),
    ("nuclear", "norm, norm_type: nuclear", "nuclear"),
    ("spectral", "norm, norm_type: spectral", "spectral"),
    ("per", "per", "per_d_head"),
    ("condition", "condition_number", "condition_d_head"),
    ("stable_rank", "stable_rank", "stable_rank"),
    (
        "participation_ratio",
        "participation_ratio",
        "participation_ratio",
    ),
];

/// A config of both circuits with these further keys: `, gains: false`.
pub(crate) fn circuits(keys: &str) -> String {
    let mut text = "steps: all\nmetrics:\n".to_owned();
    for (label, metric, _) in METRICS {
        writeln!(
            text,
            "  - {{metric_name: {metric}, name: {label}, data_split: val, components: [\
             {{component_name: ov_circuit, data_type: weights, layers: all{keys}}}, \
             {{component_name: qk_circuit, data_type: weights, layers: all{keys}}}]}}"
        )
        .unwrap();
    }
    text
}

/// A config of one metric of both circuits.
pub(crate) fn circuits_by(metric: &str, keys: &str) -> String {
    let component =
        |name| format!("{{component_name: {name}, data_type: weights, layers: all{keys}}}");
    let (ov, qk) = (component("ov_circuit"), component("qk_circuit"));
    format!(
        "steps: all\nmetrics:\n  \
         - {{metric_name: {metric}, data_split: val, components: [{ov}, {qk}]}}\n"
    )
}

/// What a plan says, but for where steps come from.
pub(crate) fn told(plan: &Plan) -> Vec<&str> {
    let told = plan.warnings.iter().map(String::as_str);
    told.filter(|it| !it.contains("counted as step 0"))
        .collect()
}

/// The plan of a config.
pub(crate) fn planned(tree: &dyn Tree, text: &str) -> Result<Plan, PlanErrors> {
    let run = block_on(Run::find(tree)).unwrap();
    let config = Config::parse(text, &Registry::default().metric(&Probe));
    let config = config.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    block_on(Plan::make(&config, &run, tree))
}

/// The numbers of a config of one step; none where they are undefined.
pub(crate) fn numbers(tree: &dyn Tree, text: &str) -> BTreeMap<Place, Option<f64>> {
    let by_step = numbers_by_step(tree, text);
    let steps: BTreeSet<u64> = by_step.keys().map(|(step, _)| *step).collect();
    assert!(steps.len() <= 1);
    let without_step = |((_, place), value)| (place, value);
    by_step.into_iter().map(without_step).collect()
}

/// The same of several steps.
pub(crate) fn numbers_by_step(tree: &dyn Tree, text: &str) -> BTreeMap<(u64, Place), Option<f64>> {
    let plan = planned(tree, text).unwrap_or_else(|errors| panic!("{}: {errors}", tree.name()));
    let mut numbers = BTreeMap::new();
    for lane in &plan.lanes {
        let mut listener = |event| {
            if let Event::Number(number) = event {
                let id = &number.id;
                let place = (
                    id.entry.label.to_string(),
                    id.component.to_string(),
                    id.stack.to_string(),
                    id.layer.unwrap_or_default(),
                    id.head,
                );
                let value = number.value.as_ref().and_then(Value::number);
                numbers.insert((number.step, place), value);
            }
            ControlFlow::Continue(())
        };
        block_on(run_lane(lane, tree, &mut listener)).unwrap();
    }
    assert_eq!(numbers.len() as u64, plan.cost.numbers);
    numbers
}

/// A stored tensor: its name, shape, and entries row by row.
pub(crate) type Stored = (String, Vec<usize>, Vec<f64>);

/// A matrix as a tensor.
pub(crate) fn stored(name: &str, matrix: &DMatrix<f64>) -> Stored {
    let entries = matrix.transpose().as_slice().to_vec();
    (
        name.to_owned(),
        vec![matrix.nrows(), matrix.ncols()],
        entries,
    )
}

/// A vector as a tensor.
pub(crate) fn vector(name: &str, entries: &[f64]) -> Stored {
    (name.to_owned(), vec![entries.len()], entries.to_vec())
}

/// A safetensors file; what is called `qweight` is packed.
pub(crate) fn file(tensors: &[Stored]) -> Vec<u8> {
    let (mut header, mut data) = (String::new(), Vec::new());
    for (name, shape, entries) in tensors {
        let begin = data.len();
        let is_packed = name.ends_with(".qweight");
        let (dtype, bytes) = if is_packed { ("I32", 4) } else { ("F64", 8) };
        let entries = entries.iter().map(|entry| entry.to_le_bytes());
        data.extend(entries.flat_map(|entry| entry.into_iter().take(bytes)));
        let comma = if header.is_empty() { "" } else { "," };
        let end = data.len();
        write!(
            header,
            r#"{comma}"{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#
        )
        .unwrap();
    }
    let header = format!("{{{header}}}");
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.into_bytes());
    file.extend(data);
    file
}

/// A model of one file and, where there is one, its config.
pub(crate) fn model(name: &str, config: &str, tensors: &[Stored]) -> MemoryTree {
    let mut files = vec![("model.safetensors".to_owned(), file(tensors))];
    if !config.is_empty() {
        files.push(("config.json".to_owned(), config.as_bytes().to_vec()));
    }
    MemoryTree::new(name, files)
}

/// Entries between -1 and 1, the same on every run.
pub(crate) fn random(rows: usize, columns: usize, seed: u32) -> DMatrix<f64> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    DMatrix::from_fn(rows, columns, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / 8_388_608.0 - 1.0
    })
}
