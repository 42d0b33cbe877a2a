//! Components against their definitions, written out entry by entry, and their refusals.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::rc::Rc;

use ckptscope_analysis::component::{
    Built, COMPONENTS, Component, ComponentError, MatrixOutline, Outline, Request, Shape,
    key_value_circuit::KeyValueCircuit, ov_circuit::OvCircuit, simple::Simple,
};
use ckptscope_checkpoint::{DataKind, ModelShape};
use ckptscope_metrics::{Facts, ParameterKind, ParameterValue, Parameters};
use nalgebra::{DMatrix, Matrix};

const D_MODEL: usize = 12;
const HEADS: usize = 4;
const SAMPLES: usize = 9;
const KINDS: [DataKind; 3] = [
    DataKind::Weights,
    DataKind::Gradients,
    DataKind::Activations,
];

/// Attention of one layer: the numbers of heads, and the width of one where the model says so.
#[derive(Clone, Copy, Debug)]
struct Attention {
    kv_heads: usize,
    width: usize,
    says_width: bool,
}

/// Every way heads are grouped, widths that follow from the tensors and widths that do not.
const ATTENTIONS: [Attention; 6] = [
    Attention::of(2, 3, false),
    Attention::of(1, 3, false),
    Attention::of(HEADS, 3, false),
    Attention::of(2, 5, true),
    Attention::of(1, 2, true),
    Attention::of(HEADS, 7, true),
];

impl Attention {
    const fn of(kv_heads: usize, width: usize, says_width: bool) -> Self {
        Self {
            kv_heads,
            width,
            says_width,
        }
    }

    fn model(self) -> ModelShape {
        ModelShape {
            d_model: Some(D_MODEL as u64),
            n_heads: Some(HEADS as u64),
            n_kv_heads: Some(self.kv_heads as u64),
            d_head: self.says_width.then_some(self.width as u64),
            ..ModelShape::default()
        }
    }

    /// The tensors of `ov_circuit`, in the order of its inputs.
    fn tensors(self, kind: DataKind) -> Vec<Rc<DMatrix<f64>>> {
        let (output, value) = (HEADS * self.width, self.kv_heads * self.width);
        match kind {
            DataKind::Weights => vec![random(D_MODEL, output, 1), random(value, D_MODEL, 2)],
            DataKind::Activations => vec![random(D_MODEL, output, 1), random(SAMPLES, value, 3)],
            DataKind::Gradients => vec![
                random(D_MODEL, output, 1),
                random(value, D_MODEL, 2),
                random(D_MODEL, output, 4),
                random(value, D_MODEL, 5),
            ],
        }
    }
}

/// Entries between -1 and 1, the same on every run.
fn random(rows: usize, columns: usize, seed: u32) -> Rc<DMatrix<f64>> {
    let mut state = seed;
    Rc::new(DMatrix::from_fn(rows, columns, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 23) - 1.0
    }))
}

fn form(word: &'static str) -> Parameters {
    Parameters::defaults(OvCircuit.parameters()).with("form", ParameterValue::Choice(word))
}

fn build(
    component: &dyn Component,
    kind: DataKind,
    parameters: &Parameters,
    model: &ModelShape,
    tensors: &[Rc<DMatrix<f64>>],
) -> Result<Built, ComponentError> {
    component.build(&Request {
        kind,
        parameters,
        model,
        tensors,
    })
}

fn outline(
    component: &dyn Component,
    kind: DataKind,
    parameters: &Parameters,
    model: &ModelShape,
    shapes: &[Shape],
) -> Result<Outline, ComponentError> {
    component.outline(&Request {
        kind,
        parameters,
        model,
        tensors: shapes,
    })
}

fn shapes(tensors: &[Rc<DMatrix<f64>>]) -> Vec<Shape> {
    tensors.iter().map(|tensor| Shape::of(tensor)).collect()
}

#[track_caller]
fn assert_entries(found: &Facts, expected: &DMatrix<f64>, context: &str) {
    let found = found.entries();
    assert_eq!(found.shape(), expected.shape(), "{context}");
    assert!((found - expected).amax() < 1e-13, "{context}");
}

/// Head `h`, entry by entry, by the definitions of `ov_circuit`.
fn head_by_definition(
    attention: Attention,
    kind: DataKind,
    form: &str,
    tensors: &[Rc<DMatrix<f64>>],
    h: usize,
) -> DMatrix<f64> {
    let d = attention.width;
    let k = h / (HEADS / attention.kv_heads);
    let (output, value) = (&tensors[0], &tensors[1]);
    let (of_output, of_value) = (|i: usize| h * d + i, |i: usize| k * d + i);
    let sum = |term: &dyn Fn(usize) -> f64, count: usize| (0..count).map(term).sum::<f64>();
    match (kind, form) {
        (DataKind::Weights, "product") => DMatrix::from_fn(d, d, |i, j| {
            sum(
                &|m| value[(of_value(i), m)] * output[(m, of_output(j))],
                D_MODEL,
            )
        }),
        (DataKind::Weights, _) => DMatrix::from_fn(D_MODEL, D_MODEL, |i, j| {
            sum(&|m| output[(i, of_output(m))] * value[(of_value(m), j)], d)
        }),
        (DataKind::Activations, _) => DMatrix::from_fn(SAMPLES, D_MODEL, |i, j| {
            sum(&|m| value[(i, of_value(m))] * output[(j, of_output(m))], d)
        }),
        (DataKind::Gradients, _) => DMatrix::from_fn(D_MODEL, D_MODEL, |i, j| {
            let (output_gradient, value_gradient) = (&tensors[2], &tensors[3]);
            let term = |m: usize| {
                output[(i, of_output(m))] * value_gradient[(of_value(m), j)]
                    + output_gradient[(i, of_output(m))] * value[(of_value(m), j)]
            };
            sum(&term, d)
        }),
    }
}

#[test]
fn ov_circuit_agrees_with_its_definition() {
    for attention in ATTENTIONS {
        for kind in KINDS {
            for word in ["product", "circuit"] {
                let tensors = attention.tensors(kind);
                let built = build(&OvCircuit, kind, &form(word), &attention.model(), &tensors);
                let built = built.unwrap();
                assert_eq!(built.heads.len(), HEADS);
                let mut columns = Vec::new();
                for (h, head) in built.heads.iter().enumerate() {
                    let context = format!("{attention:?} {kind} {word} head {h}");
                    let expected = head_by_definition(attention, kind, word, &tensors, h);
                    assert_entries(head, &expected, &context);
                    columns.extend(expected.column_iter().map(Matrix::into_owned));
                }
                let context = format!("{attention:?} {kind} {word} layer");
                assert_entries(&built.layer, &DMatrix::from_columns(&columns), &context);
            }
        }
    }
}

#[test]
fn key_value_heads_follow_from_the_tensors_where_the_model_is_silent() {
    for attention in ATTENTIONS {
        for kind in KINDS {
            let tensors = attention.tensors(kind);
            let silent = ModelShape {
                n_kv_heads: None,
                ..attention.model()
            };
            let built = build(&OvCircuit, kind, &form("product"), &silent, &tensors).unwrap();
            let expected = head_by_definition(attention, kind, "product", &tensors, HEADS - 1);
            assert_entries(
                &built.heads[HEADS - 1],
                &expected,
                &format!("{attention:?}"),
            );
        }
    }
}

#[test]
fn key_value_circuit_agrees_with_its_definition() {
    let tensors = [random(6, D_MODEL, 1), random(4, D_MODEL, 2)];
    let built = build(
        &KeyValueCircuit,
        DataKind::Weights,
        &Parameters::default(),
        &ModelShape::default(),
        &tensors,
    )
    .unwrap();
    let expected = DMatrix::from_fn(6, 4, |i, j| {
        (0..D_MODEL)
            .map(|m| tensors[0][(i, m)] * tensors[1][(j, m)])
            .sum()
    });
    assert_entries(&built.layer, &expected, "key_value_circuit");
    assert!(built.heads.is_empty());
}

#[test]
fn simple_is_the_tensor_itself() {
    let tensor = random(5, 3, 1);
    for kind in KINDS {
        let built = build(
            &Simple,
            kind,
            &Parameters::default(),
            &ModelShape::default(),
            std::slice::from_ref(&tensor),
        );
        assert_entries(&built.unwrap().layer, &tensor, "simple");
    }
}

/// Tensors of which a component can be made. A new component gets its own line here.
fn example(
    component: &dyn Component,
    kind: DataKind,
    attention: Attention,
) -> Vec<Rc<DMatrix<f64>>> {
    match component.name() {
        "simple" => vec![random(SAMPLES, D_MODEL, 1)],
        "ov_circuit" => attention.tensors(kind),
        "qk_circuit" => vec![
            random(HEADS * attention.width, D_MODEL, 1),
            random(attention.kv_heads * attention.width, D_MODEL, 2),
        ],
        "key_value_circuit" => vec![random(6, D_MODEL, 1), random(4, D_MODEL, 2)],
        name => unreachable!("give an example of {name} here"),
    }
}

/// Every choice of a component's parameters, all of which are words.
fn choices(component: &dyn Component) -> Vec<Parameters> {
    let mut all = vec![Parameters::defaults(component.parameters())];
    for parameter in component.parameters() {
        let ParameterKind::Choice(words) = parameter.kind else {
            unreachable!("say here which values of {} to try", parameter.name);
        };
        let with = |chosen: &Parameters, word: &'static str| {
            chosen
                .clone()
                .with(parameter.name, ParameterValue::Choice(word))
        };
        all = all
            .iter()
            .flat_map(|chosen| words.iter().map(|word| with(chosen, word)))
            .collect();
    }
    all
}

#[test]
fn every_component_builds_what_it_outlines() {
    for component in COMPONENTS {
        for &kind in component.data_kinds() {
            for attention in ATTENTIONS {
                for parameters in choices(*component) {
                    let (model, tensors) =
                        (attention.model(), example(*component, kind, attention));
                    let outline = outline(*component, kind, &parameters, &model, &shapes(&tensors));
                    let built = build(*component, kind, &parameters, &model, &tensors).unwrap();
                    let context = format!(
                        "{} of {kind} {parameters:?} {attention:?}",
                        component.name()
                    );
                    assert_outlined(&outline.unwrap(), &built, &context);
                }
            }
        }
    }
}

fn assert_outlined(outline: &Outline, built: &Built, context: &str) {
    assert_eq!(outline.heads.len(), built.heads.len(), "{context}");
    let heads = outline.heads.iter().zip(&built.heads);
    for (MatrixOutline { shape, inner, .. }, facts) in heads.chain([(&outline.layer, &built.layer)])
    {
        assert_eq!(
            (shape.rows, shape.columns),
            (facts.rows(), facts.columns()),
            "{context}"
        );
        let values = facts.singular_values().unwrap();
        let rank = values
            .iter()
            .filter(|value| **value > 1e-10 * values[0])
            .count();
        assert!(
            rank <= *inner,
            "{context}: rank {rank}, at most {inner} outlined"
        );
        assert!(*inner <= facts.full_rank(), "{context}");
    }
}

#[test]
fn every_component_counts_its_tensors() {
    let attention = ATTENTIONS[0];
    for component in COMPONENTS {
        for &kind in component.data_kinds() {
            let (model, parameters) = (
                attention.model(),
                Parameters::defaults(component.parameters()),
            );
            let expected = component.inputs(kind).len();
            let mut tensors = example(*component, kind, attention);
            assert_eq!(tensors.len(), expected, "{}", component.name());
            tensors.push(random(D_MODEL, D_MODEL, 9));
            for found in (0..=expected + 1).filter(|found| *found != expected) {
                let tensors = &tensors[..found];
                let error = ComponentError::TensorCount { found, expected };
                let context = format!("{} of {kind}", component.name());
                let built = build(*component, kind, &parameters, &model, tensors);
                assert_eq!(built.err(), Some(error.clone()), "{context}");
                let outlined = outline(*component, kind, &parameters, &model, &shapes(tensors));
                assert_eq!(outlined, Err(error), "{context}");
            }
        }
    }
}

#[test]
fn names_roles_and_inputs_fit_together() {
    let names: BTreeSet<_> = COMPONENTS
        .iter()
        .map(|component| component.name())
        .collect();
    assert_eq!(names.len(), COMPONENTS.len());
    for component in COMPONENTS {
        assert!(!component.summary().is_empty(), "{}", component.name());
        assert!(!component.data_kinds().is_empty(), "{}", component.name());
        let suffixes = component.suffix_names().len().max(1);
        for &kind in component.data_kinds() {
            let inputs = component.inputs(kind);
            assert!(
                inputs.iter().all(|(_, suffix)| *suffix < suffixes),
                "{}",
                component.name()
            );
            assert!(
                inputs.iter().any(|(input, _)| *input == kind),
                "{}",
                component.name()
            );
        }
    }
}

/// What `ov_circuit` answers to shapes; building it must answer likewise.
fn refusal(kind: DataKind, model: &ModelShape, shapes: &[(usize, usize)]) -> ComponentError {
    let tensors: Vec<_> = shapes
        .iter()
        .map(|&(rows, columns)| random(rows, columns, 1))
        .collect();
    let parameters = form("product");
    let built = build(&OvCircuit, kind, &parameters, model, &tensors).err();
    let shapes = crate::shapes(&tensors);
    let outlined = outline(&OvCircuit, kind, &parameters, model, &shapes).unwrap_err();
    assert_eq!(built.as_ref(), Some(&outlined));
    outlined
}

fn grouped() -> ModelShape {
    ATTENTIONS[0].model()
}

#[test]
fn heads_that_are_not_known() {
    for n_heads in [None, Some(0)] {
        let model = ModelShape {
            n_heads,
            ..grouped()
        };
        let error = refusal(DataKind::Weights, &model, &[(12, 12), (6, 12)]);
        assert_eq!(error, ComponentError::HeadsUnknown);
    }
}

#[test]
fn heads_follow_from_their_width() {
    let model = ModelShape {
        n_heads: None,
        d_head: Some(3),
        ..grouped()
    };
    let shapes = [(12, 12), (6, 12)].map(|(rows, columns)| random(rows, columns, 1));
    let shapes = crate::shapes(&shapes);
    let parameters = form("product");
    let outline = outline(&OvCircuit, DataKind::Weights, &parameters, &model, &shapes);
    assert_eq!(outline.unwrap().heads.len(), 4);
}

#[test]
fn an_output_projection_that_does_not_divide_into_the_heads() {
    for columns in [0, 3, 13] {
        let error = refusal(DataKind::Weights, &grouped(), &[(12, columns), (6, 12)]);
        let expected = ComponentError::NotPerHead {
            role: "output_layer",
            side: "columns",
            found: columns,
            heads: HEADS,
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn an_output_projection_that_is_not_as_wide_as_the_model_says() {
    let model = ModelShape {
        d_head: Some(5),
        ..grouped()
    };
    let error = refusal(DataKind::Weights, &model, &[(12, 12), (6, 12)]);
    assert_eq!(error, mismatch("output_layer", "columns", 12, 20));
    assert_eq!(
        error.to_string(),
        "the output_layer tensor has 12 columns where 20 belong"
    );
}

#[test]
fn sizes_no_tensor_can_have() {
    let model = ModelShape {
        n_heads: Some(u64::MAX),
        d_head: Some(u64::MAX),
        ..grouped()
    };
    let error = refusal(DataKind::Weights, &model, &[(12, 12), (6, 12)]);
    assert_eq!(error, mismatch("output_layer", "columns", 12, usize::MAX));
    let model = ModelShape {
        n_kv_heads: Some(u64::MAX),
        ..grouped()
    };
    let error = refusal(DataKind::Weights, &model, &[(12, 12), (6, 12)]);
    assert_eq!(error, mismatch("value_layer", "rows", 6, usize::MAX));
}

#[test]
fn key_value_heads_that_do_not_divide_the_heads() {
    let model = ModelShape {
        n_kv_heads: Some(3),
        ..grouped()
    };
    let groups = ComponentError::HeadGroups {
        heads: HEADS,
        kv_heads: 3,
    };
    assert_eq!(
        refusal(DataKind::Weights, &model, &[(12, 12), (9, 12)]),
        groups
    );
    assert_eq!(
        refusal(DataKind::Activations, &model, &[(12, 12), (20, 9)]),
        groups
    );
    // Three times the width of a head, and the model silent on key-value heads.
    let silent = ModelShape {
        n_kv_heads: None,
        ..grouped()
    };
    assert_eq!(
        refusal(DataKind::Weights, &silent, &[(12, 12), (9, 12)]),
        groups
    );
}

#[test]
fn a_value_projection_that_does_not_divide_into_heads() {
    let silent = ModelShape {
        n_kv_heads: None,
        ..grouped()
    };
    let error = refusal(DataKind::Weights, &silent, &[(12, 12), (7, 12)]);
    let expected = |side, found| ComponentError::NotWholeHeads {
        role: "value_layer",
        side,
        found,
        width: 3,
    };
    assert_eq!(error, expected("rows", 7));
    let error = refusal(DataKind::Activations, &silent, &[(12, 12), (20, 8)]);
    assert_eq!(error, expected("columns", 8));
}

#[test]
fn a_value_tensor_of_other_sides() {
    let weights = |value| refusal(DataKind::Weights, &grouped(), &[(12, 12), value]);
    assert_eq!(weights((9, 12)), mismatch("value_layer", "rows", 9, 6));
    assert_eq!(weights((6, 11)), mismatch("value_layer", "columns", 11, 12));
    let activations = |value| refusal(DataKind::Activations, &grouped(), &[(12, 12), value]);
    assert_eq!(
        activations((20, 12)),
        mismatch("value_layer", "columns", 12, 6)
    );
}

#[test]
fn gradients_of_other_sides_than_their_weights() {
    let refusal = |output, value| {
        refusal(
            DataKind::Gradients,
            &grouped(),
            &[(12, 12), (6, 12), output, value],
        )
    };
    let (output, value) = ("output_layer gradient", "value_layer gradient");
    assert_eq!(refusal((11, 12), (6, 12)), mismatch(output, "rows", 11, 12));
    assert_eq!(
        refusal((12, 11), (6, 12)),
        mismatch(output, "columns", 11, 12)
    );
    assert_eq!(refusal((12, 12), (5, 12)), mismatch(value, "rows", 5, 6));
    assert_eq!(
        refusal((12, 12), (6, 11)),
        mismatch(value, "columns", 11, 12)
    );
}

#[test]
fn keys_and_values_that_read_different_streams() {
    let tensors = [random(6, 12, 1), random(6, 11, 2)];
    let (model, parameters) = (ModelShape::default(), Parameters::default());
    let built = build(
        &KeyValueCircuit,
        DataKind::Weights,
        &parameters,
        &model,
        &tensors,
    );
    assert_eq!(
        built.err(),
        Some(mismatch("value_layer", "columns", 11, 12))
    );
}

fn mismatch(
    role: &'static str,
    side: &'static str,
    found: usize,
    expected: usize,
) -> ComponentError {
    ComponentError::Mismatch {
        role,
        side,
        found,
        expected,
    }
}
