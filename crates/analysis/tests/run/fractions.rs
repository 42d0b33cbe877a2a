//! A metric whose parameter is a fraction, from the config to the results.

use std::ops::Bound;

use ckptscope_analysis::config::Config;
use ckptscope_analysis::plan::{LaneError, LaneMessage};
use ckptscope_analysis::{Plan, Registry, results};
use ckptscope_checkpoint::Run;
use ckptscope_metrics::{
    About, DataKind, Facts, Form, Measurement, Metric, Needs, Parameter, ParameterKind,
    ParameterValue, Parameters, Single,
};
use ckptscope_protocol::ParameterValues;
use futures_lite::future::block_on;
use serde_json::json;

use crate::support::{bundled, numbers};

/// A metric that answers with its parameter, a number between 0 and 1 that may be 1 and not 0.
struct Share;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "share",
    summary: "what it answers",
    kind: ParameterKind::Fraction {
        min: Bound::Excluded(0.0),
        max: Bound::Included(1.0),
    },
    default: ParameterValue::Fraction(0.99),
}];

impl Metric for Share {
    fn about(&self) -> About<'_> {
        About {
            name: "share",
            title: "Share",
            summary: "its parameter",
            applies_to: DataKind::ALL,
            parameters: PARAMETERS,
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs::default()
    }
}

impl Single for Share {
    fn measure(&self, parameters: &Parameters, _: &Facts) -> Vec<Measurement> {
        vec![Ok(parameters.fraction("share")).into()]
    }
}

fn registry() -> Registry {
    Registry::default().metric(&Share)
}

/// An entry for each of these shares, and one that gives none.
fn text(shares: &[&str]) -> String {
    let rest = "data_split: val, components: [{component_name: simple, data_type: weights, \
                layer_suffixes: attention.o_proj, layers: 0}]";
    let given = shares.iter().map(|share| format!("share: {share}, "));
    let entries: String = given
        .chain([String::new()])
        .map(|given| format!("  - {{metric_name: share, {given}{rest}}}\n"))
        .collect();
    format!("metrics:\n{entries}steps: 16\n")
}

#[test]
fn a_fraction_reaches_its_metric_and_the_results() {
    let config = Config::parse(&text(&["0.25", "1", "1e-12"]), &registry()).unwrap();
    let labels: Vec<_> = config.metrics.iter().map(|entry| &entry.label).collect();
    let expected = ["share_0.25", "share_1.0", "share_1e-12", "share_0.99"];
    assert_eq!(labels, expected);
    let again = Config::parse(&config.to_yaml(), &registry());
    assert_eq!(again.as_ref(), Ok(&config));
    let form = config.form();
    assert_eq!(Config::from_form(&form, &registry()), Ok(config.clone()));

    let tree = bundled();
    let run = block_on(Run::find(&tree)).unwrap();
    let plan = block_on(Plan::make(&config, &run, &tree)).unwrap();
    let message = serde_json::to_string(&LaneMessage::from(&plan.lanes[0])).unwrap();
    let message: LaneMessage = serde_json::from_str(&message).unwrap();
    let lane = message.into_lane(&registry()).unwrap();
    let mut results = results::planned("shares", "micro", &config, &run, &plan);
    results.series = numbers(&lane, &tree).into_iter().collect();
    results.sort();
    let values: Vec<_> = results.rows().map(|(_, point)| point.number()).collect();
    assert_eq!(values, [0.25, 1.0, 1e-12, 0.99].map(Some));
    let given: Vec<_> = results
        .entries
        .iter()
        .map(|entry| &entry.parameters["share"])
        .collect();
    assert_eq!(
        given,
        [&json!(0.25), &json!(1.0), &json!(1e-12), &json!(0.99)]
    );
}

#[test]
fn a_number_outside_its_range_is_told() {
    let wrong = ["0", "-0.5", "1.01", "\"0.5\"", "half", "yes"];
    let errors = Config::parse(&text(&wrong), &registry()).unwrap_err();
    let found: Vec<_> = errors.0.iter().map(ToString::to_string).collect();
    let expected = ["0", "-0.5", "1.01", "\"0.5\"", "\"half\"", "true"];
    for ((index, found), wrong) in found.iter().enumerate().zip(expected) {
        let line = index + 2;
        let words = "expected a number in (0, 1]";
        assert_eq!(
            found,
            &format!("line {line}, metrics[{index}].share: found {wrong}; {words}")
        );
    }
    assert_eq!(found.len(), wrong.len());
}

#[test]
fn a_lane_may_not_give_it_either() {
    let config = Config::parse(&text(&["0.25"]), &registry()).unwrap();
    let tree = bundled();
    let run = block_on(Run::find(&tree)).unwrap();
    let plan = block_on(Plan::make(&config, &run, &tree)).unwrap();
    let text = serde_json::to_string(&LaneMessage::from(&plan.lanes[0])).unwrap();
    for wrong in ["0.0", "1.5", "1", "true", "\"0.25\""] {
        let text = text.replace("\"share\":0.25", &format!("\"share\":{wrong}"));
        let message: LaneMessage = serde_json::from_str(&text).unwrap();
        let refused = message.into_lane(&registry()).err();
        let expected = LaneError::UnknownParameter {
            owner: "share".to_owned(),
            name: "share".to_owned(),
        };
        assert_eq!(refused, Some(expected), "{wrong}");
    }
}

#[test]
fn a_form_shows_its_range() {
    let menu = registry().menu().metrics.pop().unwrap();
    let range = ParameterValues::Fraction("(0, 1]".to_owned());
    assert_eq!(menu.parameters[0].values, range);
    assert_eq!(menu.parameters[0].default, "0.99");
}
