//! Lanes that travel as text.

use ckptscope_analysis::plan::{LaneError, LaneMessage};
use ckptscope_analysis::{Lane, Registry, run_lane};
use futures_lite::future::block_on;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{bundled, numbers, own_config, planned};

fn lanes(workers: usize) -> Vec<Lane> {
    let (_, _, plan) = planned(&bundled(), &own_config("demo.yaml"));
    plan.split(workers)
}

fn as_text(lane: &Lane) -> String {
    serde_json::to_string(&LaneMessage::from(lane)).unwrap()
}

fn read(text: &str) -> Result<Lane, LaneError> {
    let message: LaneMessage = serde_json::from_str(text).unwrap();
    message.into_lane(&Registry::default())
}

#[test]
fn a_lane_that_travelled_tells_the_same() {
    let tree = bundled();
    for lane in lanes(4) {
        let travelled = read(&as_text(&lane)).unwrap();
        assert_eq!(LaneMessage::from(&travelled), LaneMessage::from(&lane));
        let (told, expected) = (numbers(&travelled, &tree), numbers(&lane, &tree));
        assert!(!expected.is_empty());
        assert_eq!(told, expected);
    }
}

#[test]
fn parameters_of_metrics_and_components_travel() {
    let (_, _, plan) = planned(&bundled(), &own_config("every-metric.yaml"));
    for lane in &plan.lanes {
        let travelled = read(&as_text(lane)).unwrap();
        for (job, expected) in travelled.jobs.iter().zip(&lane.jobs) {
            assert_eq!(job.component_parameters, expected.component_parameters);
            for (metric, expected) in job.metrics.iter().zip(&expected.metrics) {
                assert_eq!(metric.parameters, expected.parameters);
                assert_eq!(metric.target, expected.target);
            }
        }
    }
}

#[test]
fn steps_share_what_repeats() {
    let lane = lanes(1).remove(0);
    let steps = lane.steps.len();
    let tensors: usize = lane.steps.iter().map(|step| step.tensors.len()).sum();
    let bytes = as_text(&lane).len();
    assert!(
        steps >= 15 && tensors >= 90,
        "{steps} steps, {tensors} tensors"
    );
    // Paths, two offsets and a checksum are what differs: without tables a tensor takes over 250 bytes.
    assert!(bytes < 110 * tensors, "{bytes} bytes for {tensors} tensors");
}

#[test]
fn what_is_not_known_is_refused() {
    let text = as_text(&lanes(1)[0]);
    for (known, other, expected) in [
        (
            r#""metric":"gini""#,
            r#""metric":"gimi""#,
            r#"the lane asks for the metric "gimi", which is not known here"#,
        ),
        (
            r#""component":"ov_circuit""#,
            r#""component":"kv_circuit""#,
            r#"the lane asks for the component "kv_circuit", which is not known here"#,
        ),
        (
            r#""norm_type":"nuclear""#,
            r#""norm_type":"l0""#,
            r#"the lane gives norm a parameter "norm_type" that it does not take"#,
        ),
    ] {
        assert!(text.contains(known), "{known}");
        let error = read(&text.replace(known, other)).err().unwrap();
        assert_eq!(error.to_string(), expected);
    }
    for (known, other) in [
        (r#""kind":"gradients""#, r#""kind":"curvature""#),
        (r#""dtype":"F32""#, r#""dtype":"F4""#),
    ] {
        assert!(text.contains(known), "{known}");
        let word = other.split('"').nth(3).unwrap();
        let error = serde_json::from_str::<LaneMessage>(&text.replace(known, other)).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// Replaces the value at the place-th leaf of a JSON tree.
fn replace_leaf(value: &mut Value, place: &mut usize, with: &Value) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| replace_leaf(item, place, with)),
        Value::Object(fields) => fields
            .iter_mut()
            .for_each(|(_, field)| replace_leaf(field, place, with)),
        leaf => {
            if *place == 0 {
                *leaf = with.clone();
            }
            *place = place.wrapping_sub(1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_damaged_lane_is_refused_or_fails_and_never_panics(
        places in prop::collection::vec((0_usize..2500, prop_oneof![
            Just(u64::MAX), Just(u64::MAX / 4), Just(0), Just(1), 0_u64..200,
        ]), 1..4),
    ) {
        thread_local! {
            static LANE: Value = serde_json::from_str(&as_text(&lanes(1)[0])).unwrap();
        }
        let mut damaged = LANE.with(Value::clone);
        for (place, number) in places {
            replace_leaf(&mut damaged, &mut { place }, &Value::from(number));
        }
        let Ok(message) = serde_json::from_value::<LaneMessage>(damaged) else {
            return Ok(());
        };
        let Ok(mut lane) = message.into_lane(&Registry::default()) else {
            return Ok(());
        };
        lane.steps.truncate(2);
        let mut listener = |_| std::ops::ControlFlow::Continue(());
        let _ = block_on(run_lane(&lane, &bundled(), &mut listener));
    }
}
