//! Numbers of matrices that have nothing but zeros say so.

use ckptscope_results::Value;

use crate::support::{numbers, planned, safetensors, tree};

#[test]
fn zeros_of_a_matrix_of_zeros_are_told() {
    let of = |name: &str| (format!("layers.{name}.up.weight"), vec![4, 4]);
    let mut file = safetensors(&[of("0"), of("1")]);
    // As a file is whose end was never written.
    let end = file.len();
    file[end - 64..].fill(0);
    let tree = tree(vec![("step_1/model.safetensors".to_owned(), file)]);
    let config = "metrics:\n  - {metric_name: norm, norm_type: frobenius, data_split: val, \
                  components: &up [{component_name: simple, data_type: weights, layer_suffixes: \
                  up, layers: all}]}\n  - {metric_name: gini, data_split: val, components: *up}\n\
                  steps: all\n";
    let (_, _, plan) = planned(&tree, config);
    let found: Vec<_> = plan
        .lanes
        .iter()
        .flat_map(|lane| numbers(lane, &tree))
        .collect();
    assert_eq!(found.len(), 4);
    for number in found {
        let is_zero = number.id.layer == Some(1);
        let code = number.status.map(|status| status.code.to_string());
        assert_eq!(code.as_deref(), is_zero.then_some("all_zero"));
        assert_eq!(number.value == Some(Value::Number(0.0)), is_zero);
    }
}
