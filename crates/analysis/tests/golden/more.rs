//! Golden values of metrics that the bundled run has none of: of single matrices, which stand
//! outside of layers in one file, and of pairs of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use ckptscope_analysis::{Config, Plan, Registry, run_lane};
use ckptscope_checkpoint::{MemoryTree, Run};
use ckptscope_metrics::{Facts, Form, METRICS, ParameterValue, Parameters};
use ckptscope_protocol::Event;
use ckptscope_results::Value;
use nalgebra::DMatrix;
use serde_json::Value as Json;

const MATRICES: &[u8] = include_bytes!("../../../../tests/metrics-more/matrices.safetensors");
const EXPECTED: &str = include_str!("../../../../tests/metrics-more/expected.json");

/// Agreement asked of every value.
const RELATIVE: f64 = 1e-9;

/// Agreement where the mean is a million standard deviations from zero.
const RELATIVE_OF_OFFSET: f64 = 1e-6;

/// What a metric's numbers are expected as: entry and output, and the way to the expected value.
const SINGLE: &[(&str, &str)] = &[
    ("norm_spectral", "/spectral_norm"),
    ("norm_frobenius", "/frobenius"),
    ("norm_nuclear", "/nuclear"),
    ("stable_rank", "/stable_rank"),
    ("participation_ratio", "/participation_ratio"),
    ("spectral_entropy_rank", "/spectral_entropy_rank"),
    ("entry_statistics.mean", "/mean"),
    ("entry_statistics.std", "/std"),
    ("entry_statistics.skew", "/skew"),
    ("entry_statistics.excess_kurtosis", "/excess_kurtosis"),
    ("entry_statistics.zero_share", "/zero_share"),
    ("entry_statistics.q0", "/quantiles/0.0"),
    ("entry_statistics.q01", "/quantiles/0.01"),
    ("entry_statistics.q05", "/quantiles/0.05"),
    ("entry_statistics.q25", "/quantiles/0.25"),
    ("entry_statistics.q50", "/quantiles/0.5"),
    ("entry_statistics.q75", "/quantiles/0.75"),
    ("entry_statistics.q95", "/quantiles/0.95"),
    ("entry_statistics.q99", "/quantiles/0.99"),
    ("entry_statistics.q100", "/quantiles/1.0"),
    ("power_law_ks.alpha", "/power_law/alpha"),
    ("power_law_ks.sigma", "/power_law/sigma"),
    ("power_law_ks.d", "/power_law/d"),
    ("power_law_ks.tail", "/power_law/tail"),
    ("power_law_ks.xmin", "/power_law/xmin"),
    ("power_law_median.alpha", "/power_law/median_alpha"),
    ("power_law_median.sigma", "/power_law/median_sigma"),
    ("power_law_median.tail", "/power_law/median_tail"),
    ("power_law_median.xmin", "/power_law/median_xmin"),
];

/// Of `offset_20x30` these are not compared: null there does not mean undefined.
const NOT_COMPARED: [&str; 2] = ["spectral_entropy_rank", "power_law"];

/// Numbers of single matrices by entry and output, and matrix.
type Numbers = BTreeMap<(String, String), Option<f64>>;

/// Computes the numbers of single matrices as an analysis does, and compares.
pub(crate) async fn check_single_matrices() {
    let expected: Json = serde_json::from_str(EXPECTED).unwrap();
    let expected = expected["single"].as_object().unwrap();
    let names: Vec<&str> = expected.keys().map(String::as_str).collect();
    let found = analyse(&names).await;
    let (mut wrong, mut compared) = (String::new(), 0);
    for (name, values) in expected {
        for (what, place) in SINGLE {
            if name.starts_with("offset") && NOT_COMPARED.iter().any(|it| what.starts_with(it)) {
                continue;
            }
            compared += 1;
            let wanted = values.pointer(place).and_then(Json::as_f64);
            let number = found.get(&((*what).to_owned(), name.clone())).copied();
            let relative = match name.starts_with("offset") {
                true => RELATIVE_OF_OFFSET,
                false => RELATIVE,
            };
            if !number.is_some_and(|number| agree(number, wanted, relative, 0.0)) {
                writeln!(wrong, "{name} {what}: {number:?} for {wanted:?}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "of {compared}:\n{wrong}");
    assert!(compared > 300, "only {compared} values were compared");
}

/// Computes the numbers of pairs of matrices, and compares.
pub(crate) fn check_pairs() {
    let expected: Json = serde_json::from_str(EXPECTED).unwrap();
    let matrices = matrices();
    let list = |kind: &str| expected[kind].as_array().cloned().unwrap();
    let mut wrong = String::new();
    for pair in list("weights") {
        let [a, b] = ["first", "second"].map(|side| &matrices[pair[side].as_str().unwrap()]);
        // What is first is what the second is compared with.
        let questions = [
            ("relative_change", None, "/relative_update", 0.0),
            ("cosine", None, "/cosine", 0.0),
        ];
        compare(&pair, (b, a), &questions, &mut wrong);
    }
    let spearman = ("correlation", ParameterValue::Choice("spearman"));
    let pearson = ("correlation", ParameterValue::Choice("pearson"));
    let debiased = ("debiased", ParameterValue::Boolean(true));
    let with_size = ("with_size", ParameterValue::Boolean(true));
    for pair in list("activations") {
        let [x, y] = ["x", "y"].map(|side| &matrices[pair[side].as_str().unwrap()]);
        // Rounding in the square moves a distance that is near zero by its root.
        let questions = [
            ("cka", None, "/cka", 0.0),
            ("cka", Some(debiased), "/cka_debiased", 0.0),
            ("svcca", None, "/svcca", 0.0),
            ("procrustes", None, "/procrustes", 1e-6),
            ("rsa", Some(spearman), "/rsa_spearman", 0.0),
            ("rsa", Some(pearson), "/rsa_pearson", 0.0),
        ];
        compare(&pair, (x, y), &questions, &mut wrong);
        let square = asked("procrustes", Some(with_size), x, y).map(|distance| distance.powi(2));
        let wanted = pair["procrustes_size_shape_squared"].as_f64();
        if !agree(square, wanted, RELATIVE, 1e-9) {
            writeln!(wrong, "{pair}: size and shape {square:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A metric, a parameter of it, the way to what is expected, and how far from zero nothing is.
type Question = (
    &'static str,
    Option<(&'static str, ParameterValue)>,
    &'static str,
    f64,
);

fn compare(
    pair: &Json,
    (step, target): (&DMatrix<f64>, &DMatrix<f64>),
    questions: &[Question],
    wrong: &mut String,
) {
    for (metric, parameter, place, absolute) in questions {
        let found = asked(metric, *parameter, step, target);
        let wanted = pair.pointer(place).and_then(Json::as_f64);
        if !agree(found, wanted, RELATIVE, *absolute) {
            writeln!(wrong, "{pair}: {metric} {found:?} for {wanted:?}").unwrap();
        }
    }
}

fn asked(
    name: &str,
    parameter: Option<(&str, ParameterValue)>,
    step: &DMatrix<f64>,
    target: &DMatrix<f64>,
) -> Option<f64> {
    let metric = METRICS.iter().find(|metric| metric.name() == name).unwrap();
    let mut parameters = Parameters::defaults(metric.parameters());
    if let Some((name, value)) = parameter {
        parameters = parameters.with(name, value);
    }
    let (step, target) = (Facts::dense(step.clone()), Facts::dense(target.clone()));
    match metric.form() {
        Form::Comparative(metric) => metric.measure(&parameters, &step, &target)[0].value,
        Form::Single(_) => None,
    }
}

fn agree(found: Option<f64>, expected: Option<f64>, relative: f64, absolute: f64) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            (found - expected).abs() <= (relative * expected.abs()).max(absolute)
        }
        (found, expected) => found == expected,
    }
}

/// Every number of these matrices, of an analysis of the file.
async fn analyse(names: &[&str]) -> Numbers {
    let files = vec![("matrices.safetensors".to_owned(), MATRICES)];
    let tree = MemoryTree::new("metrics-more", files);
    let run = Run::find(&tree).await.unwrap();
    let config = Config::parse(&config(names), &Registry::default()).unwrap();
    let plan = Plan::make(&config, &run, &tree).await.unwrap();
    let mut numbers = BTreeMap::new();
    for lane in &plan.lanes {
        assert_eq!(lane.layer, None);
        let mut listener = |event| {
            if let Event::Number(number) = event {
                let output = match &*number.id.output {
                    "" => String::new(),
                    output => format!(".{output}"),
                };
                let what = format!("{}{output}", number.id.entry.label);
                let value = number.value.as_ref().and_then(Value::number);
                assert!(value.is_some() || number.status.is_some(), "{what}");
                numbers.insert((what, number.id.component.to_string()), value);
            }
            ControlFlow::Continue(())
        };
        run_lane(lane, &tree, &mut listener).await.unwrap();
    }
    assert_eq!(numbers.len() as u64, plan.cost.numbers);
    numbers
}

fn config(names: &[&str]) -> String {
    let component = "component_name: simple, data_type: weights, layers: none";
    let components = format!("[{{{component}, layer_suffixes: [{}]}}]", names.join(", "));
    let mut text = "metrics:\n".to_owned();
    for metric in [
        "norm, norm_type: spectral",
        "norm, norm_type: frobenius",
        "norm, norm_type: nuclear",
        "stable_rank",
        "participation_ratio",
        "spectral_entropy_rank",
        "entry_statistics",
        "power_law, fit: ks",
        "power_law, fit: median",
    ] {
        let entry = format!("metric_name: {metric}, data_split: val, components: {components}");
        writeln!(text, "  - {{{entry}}}").unwrap();
    }
    text + "steps: all\n"
}

/// The matrices of the file by their names, widened.
fn matrices() -> BTreeMap<String, DMatrix<f64>> {
    let (length, rest) = MATRICES.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap());
    let (header, data) = rest.split_at(usize::try_from(length).unwrap());
    let header: BTreeMap<String, Json> = serde_json::from_slice(header).unwrap();
    let matrix = |(name, tensor): (String, Json)| {
        let numbers =
            |key: &str| -> Vec<usize> { serde_json::from_value(tensor[key].clone()).unwrap() };
        let (shape, offsets) = (numbers("shape"), numbers("data_offsets"));
        let bytes = &data[offsets[0]..offsets[1]];
        let entries: Vec<f64> = match tensor["dtype"].as_str() {
            Some("F64") => bytes
                .as_chunks()
                .0
                .iter()
                .copied()
                .map(f64::from_le_bytes)
                .collect(),
            Some("F32") => {
                let floats = bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes);
                floats.map(f64::from).collect()
            }
            // Of single matrices only, which an analysis reads.
            _ => return None,
        };
        Some((name, DMatrix::from_row_slice(shape[0], shape[1], &entries)))
    };
    header.into_iter().filter_map(matrix).collect()
}
