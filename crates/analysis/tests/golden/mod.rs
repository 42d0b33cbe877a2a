//! The golden values of the bundled run: every metric of every component at every step, against
//! an independent program's float64 values.

pub(crate) mod more;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use ckptscope_analysis::{Config, Plan, Registry, run_lane};
use ckptscope_checkpoint::{MemoryTree, Run};
use ckptscope_protocol::Event;
use ckptscope_results::{Number, Value};
use include_dir::{Dir, include_dir};

static RUN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../tests/data/pico-decoder-micro-1");
const EXPECTED: &str = include_str!("../../../../tests/data/pico-decoder-micro-1.expected.json");

/// Expected values by split and step, metric, and component key.
type Expected = BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>>;

/// The last step, which is the target of comparisons.
const TARGET: u64 = 2000;

/// Agreement asked of every value.
const RELATIVE: f64 = 1e-9;

/// Agreement asked of PWCCA and of condition numbers above [`ILL_CONDITIONED`].
const RELATIVE_ILL_CONDITIONED: f64 = 1e-6;

/// Condition numbers from which on a float64 decomposition has fewer digits to give.
const ILL_CONDITIONED: f64 = 1e6;

/// Agreement where the status says that the value is good to three digits: mathematics leaves
/// open how weights divide among correlations that are 1 whatever the data, or a sign hangs on
/// rounding. A change of 1e-15 in the input moves such a value by this much.
const RELATIVE_LEFT_OPEN: f64 = 1e-2;

/// Computes everything and compares.
pub(crate) async fn check_bundled_run() {
    let expected: Expected = serde_json::from_str(EXPECTED).unwrap();
    let mut wrong = String::new();
    let (mut compared, mut left_open) = (0, 0);
    for split in ["val", "train"] {
        let numbers = analyse(split).await;
        for (place, metrics) in expected
            .iter()
            .filter(|(place, _)| place.starts_with(split))
        {
            for (metric, components) in metrics {
                for (key, value) in components {
                    compared += 1;
                    let found = numbers.get(&(place.clone(), metric.clone(), key.clone()));
                    left_open += usize::from(found.is_some_and(is_left_open));
                    if let Some(difference) = difference(metric, *value, found) {
                        writeln!(wrong, "{place} {metric} {key}: {difference}").unwrap();
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{wrong}",
        wrong.lines().count()
    );
    assert!(
        left_open < 100,
        "{left_open} values are said to be good to three digits only"
    );
    assert!(compared > 9_000, "only {compared} values were compared");
}

fn difference(metric: &str, expected: Option<f64>, found: Option<&Number>) -> Option<String> {
    let Some(number) = found else {
        return Some("missing".to_owned());
    };
    match (expected, number.value.as_ref().and_then(Value::number)) {
        (None, None) => number
            .status
            .is_none()
            .then(|| "undefined without a status".to_owned()),
        (Some(expected), Some(found)) => {
            let relative = (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
            let allowed = match metric {
                _ if is_left_open(number) => RELATIVE_LEFT_OPEN,
                "pwcca_reference" | "pwcca_paper" => RELATIVE_ILL_CONDITIONED,
                "condition_number" if expected > ILL_CONDITIONED => RELATIVE_ILL_CONDITIONED,
                _ => RELATIVE,
            };
            (relative > allowed).then(|| format!("{found} for {expected}, off by {relative:e}"))
        }
        (expected, found) => Some(format!("{found:?} ({:?}) for {expected:?}", number.status)),
    }
}

fn is_left_open(number: &Number) -> bool {
    let status = number.status.as_ref();
    status.is_some_and(|status| status.text.contains("good to 3 digits"))
}

/// Numbers by split and step, label, and key.
async fn analyse(split: &str) -> BTreeMap<(String, String, String), Number> {
    let tree = MemoryTree::new("pico-decoder-micro-1", files(&RUN));
    let run = Run::find(&tree).await.unwrap();
    let config = Config::parse(&config(split), &Registry::default()).unwrap();
    let plan = Plan::make(&config, &run, &tree).await.unwrap();
    let mut numbers = BTreeMap::new();
    for lane in &plan.lanes {
        let mut listener = |event| {
            if let Event::Number(number) = event {
                let entry = &number.id.entry;
                let place = format!("{}/step_{}", entry.split, number.step);
                numbers.insert((place, entry.label.to_string(), number.id.key()), number);
            }
            ControlFlow::Continue(())
        };
        run_lane(lane, &tree, &mut listener).await.unwrap();
    }
    assert_eq!(
        numbers.len() as u64,
        plan.cost.numbers,
        "the plan knows how many numbers come"
    );
    numbers
}

fn files<'a>(folder: &'a Dir<'a>) -> Vec<(String, &'a [u8])> {
    let own = folder
        .files()
        .map(|file| (path(file.path()), file.contents()));
    own.chain(folder.dirs().flat_map(files)).collect()
}

fn path(path: &std::path::Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Everything there is an expected value of.
fn config(split: &str) -> String {
    let suffixes = ["attention.v_proj", "attention.o_proj", "swiglu.w_2"];
    let components = |kinds: &[&str]| {
        let mut yaml = String::new();
        for kind in kinds {
            for suffix in suffixes {
                let simple = "component_name: simple";
                write!(
                    yaml,
                    "\n      - {{{simple}, data_type: {kind}, layer_suffixes: {suffix}, layers: all}}"
                )
                .unwrap();
            }
            write!(
                yaml,
                "\n      - {{component_name: ov_circuit, data_type: {kind}, layers: all, layer_suffixes: \
                 {{output_layer: attention.o_proj, value_layer: attention.v_proj}}}}"
            )
            .unwrap();
        }
        yaml
    };
    let every = ["weights", "gradients", "activations"];
    let entries = [
        ("gini", "metric_name: gini".to_owned(), &every[..]),
        ("hoyer", "metric_name: hoyer".to_owned(), &every[..]),
        (
            "condition_number",
            "metric_name: condition_number".to_owned(),
            &every[..],
        ),
        ("per", "metric_name: per".to_owned(), &every[..2]),
        (
            "norm_frobenius",
            "metric_name: norm\n    norm_type: frobenius".to_owned(),
            &every[..],
        ),
        (
            "norm_nuclear",
            "metric_name: norm\n    norm_type: nuclear".to_owned(),
            &every[..],
        ),
        (
            "norm_inf",
            "metric_name: norm\n    norm_type: inf".to_owned(),
            &every[..],
        ),
        (
            "cka",
            format!("metric_name: cka\n    target_checkpoint: {TARGET}"),
            &every[2..],
        ),
        (
            "pwcca_reference",
            format!("metric_name: pwcca\n    target_checkpoint: {TARGET}"),
            &every[2..],
        ),
        (
            "pwcca_paper",
            format!("metric_name: pwcca\n    variant: paper\n    target_checkpoint: {TARGET}"),
            &every[2..],
        ),
    ];
    let mut yaml = "steps: all\nmetrics:\n".to_owned();
    for (name, head, kinds) in entries {
        let components = components(kinds);
        writeln!(
            yaml,
            "  - {head}\n    name: {name}\n    data_split: {split}\n    components:{components}"
        )
        .unwrap();
    }
    yaml
}
