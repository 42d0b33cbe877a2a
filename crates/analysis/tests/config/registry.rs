//! Metrics and components of a test's own, as the built-in ones are declared: what a config may
//! say does not depend on what they compute.

use std::rc::Rc;

use nalgebra::DMatrix;
use trainscope_analysis::component::{
    Built, Component, ComponentError, Outline, Request, Shape,
};
use trainscope_analysis::registry::Registry;
use trainscope_checkpoint::DataKind;
use trainscope_metrics::{
    Comparative, Facts, Form, Measurement, Metric, Needs, Parameter, ParameterKind, ParameterValue,
    Parameters, Quantity, Single, Status,
};

/// A registry with metrics and components of every shape that the schema tells apart.
pub(crate) fn registry() -> Registry {
    METRICS
        .iter()
        .fold(Registry::default(), |registry, metric| {
            registry.metric(metric)
        })
        .component(&SIMPLE)
        .component(&OV_CIRCUIT)
        .component(&KEY_VALUE_CIRCUIT)
}

const EVERYTHING: &[Quantity] = &[
    Quantity::Weights,
    Quantity::Gradients,
    Quantity::Activations,
];

static METRICS: &[TestMetric] = &[
    TestMetric::single("gini", EVERYTHING, &[]),
    TestMetric::single("hoyer", EVERYTHING, &[]),
    TestMetric::single("per", &[Quantity::Weights, Quantity::Gradients], &[]),
    TestMetric::single("condition_number", EVERYTHING, &[]),
    TestMetric::single("norm", EVERYTHING, NORM_PARAMETERS),
    TestMetric::single("top_k_values", EVERYTHING, TOP_K_PARAMETERS),
    TestMetric::comparative("cka", CKA_PARAMETERS),
    TestMetric::comparative("pwcca", PWCCA_PARAMETERS),
];

const NORM_PARAMETERS: &[Parameter] = &[choice("norm_type", &["frobenius", "nuclear", "inf"])];
const TOP_K_PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "k",
        summary: "",
        kind: ParameterKind::Integer {
            min: 1,
            max: 1_000_000,
        },
        default: ParameterValue::Integer(10),
    },
    boolean("absolute", true),
];
const CKA_PARAMETERS: &[Parameter] = &[boolean("debiased", false)];
const PWCCA_PARAMETERS: &[Parameter] = &[choice("variant", &["reference", "paper"])];

const fn choice(name: &'static str, words: &'static [&'static str]) -> Parameter {
    Parameter {
        name,
        summary: "",
        kind: ParameterKind::Choice(words),
        default: ParameterValue::Choice(words[0]),
    }
}

const fn boolean(name: &'static str, default: bool) -> Parameter {
    Parameter {
        name,
        summary: "",
        kind: ParameterKind::Boolean,
        default: ParameterValue::Boolean(default),
    }
}

struct TestMetric {
    name: &'static str,
    applies_to: &'static [Quantity],
    parameters: &'static [Parameter],
    comparative: bool,
}

impl TestMetric {
    const fn single(
        name: &'static str,
        applies_to: &'static [Quantity],
        parameters: &'static [Parameter],
    ) -> Self {
        Self {
            name,
            applies_to,
            parameters,
            comparative: false,
        }
    }

    const fn comparative(name: &'static str, parameters: &'static [Parameter]) -> Self {
        Self {
            name,
            applies_to: &[Quantity::Activations],
            parameters,
            comparative: true,
        }
    }
}

impl Metric for TestMetric {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        "A metric of the test"
    }

    fn applies_to(&self) -> &'static [Quantity] {
        self.applies_to
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs::default()
    }

    fn form(&self) -> Form<'_> {
        if self.comparative {
            Form::Comparative(self)
        } else {
            Form::Single(self)
        }
    }
}

impl Single for TestMetric {
    fn measure(&self, _: &Parameters, _: &Facts) -> Vec<Measurement> {
        vec![Measurement::undefined(Status::AllZero)]
    }
}

impl Comparative for TestMetric {
    fn measure(&self, _: &Parameters, _: &Facts, _: &Facts) -> Vec<Measurement> {
        vec![Measurement::undefined(Status::AllZero)]
    }
}

static SIMPLE: TestComponent = TestComponent {
    name: "simple",
    kinds: &[
        DataKind::Weights,
        DataKind::Gradients,
        DataKind::Activations,
    ],
    roles: &[],
    parameters: &[],
};

static OV_CIRCUIT: TestComponent = TestComponent {
    name: "ov_circuit",
    kinds: &[
        DataKind::Weights,
        DataKind::Gradients,
        DataKind::Activations,
    ],
    roles: &["output_layer", "value_layer"],
    parameters: &[choice("form", &["product", "circuit"])],
};

static KEY_VALUE_CIRCUIT: TestComponent = TestComponent {
    name: "key_value_circuit",
    kinds: &[DataKind::Weights],
    roles: &["key_layer", "value_layer"],
    parameters: &[],
};

struct TestComponent {
    name: &'static str,
    kinds: &'static [DataKind],
    roles: &'static [&'static str],
    parameters: &'static [Parameter],
}

impl Component for TestComponent {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        "A component of the test"
    }

    fn data_kinds(&self) -> &'static [DataKind] {
        self.kinds
    }

    fn roles(&self) -> &'static [&'static str] {
        self.roles
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }

    fn inputs(&self, kind: DataKind) -> Vec<(DataKind, usize)> {
        vec![(kind, 0)]
    }

    fn outline(&self, _: &Request<'_, Shape>) -> Result<Outline, ComponentError> {
        unreachable!("configs are read without building anything")
    }

    fn build(&self, _: &Request<'_, Rc<DMatrix<f64>>>) -> Result<Built, ComponentError> {
        unreachable!("configs are read without building anything")
    }
}
