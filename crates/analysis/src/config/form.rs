//! A config as a form shows it, and the menus the form offers.
//!
//! A form holds what a person typed, valid or not; reading it as a config says what is wrong.

use ckptscope_metrics::{Parameter, ParameterKind, Parameters};
use serde::{Deserialize, Serialize};

use super::yaml::progression;
use super::{
    Config, ConfigErrors, LayerSelection, MetricEntry, StepSelection, Target, WrittenComponent,
    reading, schema,
};
use crate::component::Component;
use crate::registry::Registry;

/// A config of which every value is text that a person may edit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigForm {
    /// The analysis' name; empty for none.
    pub analysis_name: String,
    /// The entries of `metrics`, in order.
    pub metrics: Vec<MetricForm>,
    /// `all`, steps as `0, 50, 100`, or a range as `0..1000 step 50`.
    pub steps: String,
    /// `skip` or `stop`; empty for the default.
    #[serde(default)]
    pub on_error: String,
    /// The folder of results.
    pub output_dir: String,
    /// Entity and project of Weights & Biases, where results go there.
    pub wandb: Option<(String, String)>,
}

/// One entry of `metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricForm {
    /// The metric's name.
    pub metric: String,
    /// The entry's own name; empty for none.
    pub name: String,
    /// The label of its results. It follows from the rest and is not read.
    pub label: String,
    /// `last` or a step; empty for a metric that compares with nothing.
    pub target: String,
    /// `train` or `val`.
    pub split: String,
    /// Names and values of its parameters.
    pub parameters: Vec<(String, String)>,
    /// What it measures.
    pub components: Vec<ComponentForm>,
}

/// One entry of a metric's `components`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentForm {
    /// The component's name.
    pub component: String,
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
    /// Suffixes: in the order of the component's roles; where it has none, as many as are listed.
    pub suffixes: Vec<String>,
    /// `all`, layers as `0, 2`, or a range as `0..11`.
    pub layers: String,
    /// Names and values of its parameters.
    pub parameters: Vec<(String, String)>,
}

/// What a form can choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// Every metric, in the order in which they are shown.
    pub metrics: Vec<MetricMenu>,
    /// Every component, in the order in which they are shown.
    pub components: Vec<ComponentMenu>,
}

/// One metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricMenu {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// One line on what it says.
    pub summary: String,
    /// Whether it compares with a target checkpoint.
    pub is_comparative: bool,
    /// The kinds of data it applies to.
    pub data_types: Vec<String>,
    /// The parameters it takes.
    pub parameters: Vec<ParameterMenu>,
}

/// One component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentMenu {
    /// Its name.
    pub name: String,
    /// One line on what it is.
    pub summary: String,
    /// The kinds of data it can be made of.
    pub data_types: Vec<String>,
    /// The parts its suffixes name; empty where it takes plain suffixes.
    pub roles: Vec<String>,
    /// The parameters it takes.
    pub parameters: Vec<ParameterMenu>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterMenu {
    /// Its name.
    pub name: String,
    /// One line on what it does.
    pub summary: String,
    /// What values it takes.
    pub values: ParameterValues,
    /// The value where a config gives none.
    pub default: String,
}

/// The values a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterValues {
    /// One of these words.
    Choice(Vec<String>),
    /// A whole number between these, both included.
    Integer(i64, i64),
    /// A number in this range, as in `(0, 1]`.
    Fraction(String),
    /// `true` or `false`.
    Boolean,
}

impl ConfigForm {
    /// The form of a config; parameters stand in it with their values, defaults included.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let wandb = config.monitoring.wandb.as_ref();
        Self {
            analysis_name: config.analysis_name.clone().unwrap_or_default(),
            metrics: config.metrics.iter().map(MetricForm::of).collect(),
            steps: steps_in_words(&config.steps),
            on_error: config.on_error.name().to_owned(),
            output_dir: config.monitoring.output_dir.clone(),
            wandb: wandb.map(|wandb| (wandb.entity.clone(), wandb.project.clone())),
        }
    }

    /// The config that the form stands for; its text is the canonical one.
    ///
    /// # Errors
    /// [`ConfigErrors`] with everything wrong with it. Problems say by path which field is meant;
    /// a form has no lines, so they are 0.
    pub fn to_config(&self, registry: &Registry) -> Result<Config, ConfigErrors> {
        let mut config = schema::read(&reading::document(self, registry), "", registry)?;
        config.text = config.to_yaml();
        // Read again, so that every entry knows the line on which it stands.
        Config::parse(&config.text, registry)
    }
}

impl MetricForm {
    fn of(entry: &MetricEntry) -> Self {
        Self {
            metric: entry.metric.name().to_owned(),
            name: entry.name.clone().unwrap_or_default(),
            label: entry.label.clone(),
            target: match entry.target {
                Some(Target::Step(step)) => step.to_string(),
                Some(Target::Last) => "last".to_owned(),
                None => String::new(),
            },
            split: entry.split.name().to_owned(),
            parameters: values(&entry.parameters),
            components: entry.written().map(ComponentForm::of).collect(),
        }
    }
}

impl ComponentForm {
    fn of(WrittenComponent { entry, suffixes }: WrittenComponent<'_>) -> Self {
        Self {
            component: entry.component.name().to_owned(),
            data_type: entry.kind.name().to_owned(),
            suffixes: suffixes.into_iter().map(str::to_owned).collect(),
            layers: layers_in_words(&entry.layers),
            parameters: values(&entry.parameters),
        }
    }
}

fn values(parameters: &Parameters) -> Vec<(String, String)> {
    parameters
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .collect()
}

fn steps_in_words(steps: &StepSelection) -> String {
    match steps {
        StepSelection::All => "all".to_owned(),
        StepSelection::List(steps) => match progression(steps) {
            Some((start, end, step)) => format!("{start}..{end} step {step}"),
            None => listed(steps),
        },
    }
}

fn layers_in_words(layers: &LayerSelection) -> String {
    match layers {
        LayerSelection::All => "all".to_owned(),
        LayerSelection::List(layers) => match progression(layers) {
            Some((first, last, 1)) => format!("{first}..{last}"),
            _ => listed(layers),
        },
    }
}

fn listed(numbers: &[u64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    numbers.join(", ")
}

impl Registry {
    /// What a form can choose from.
    #[must_use]
    pub fn menu(&self) -> Menu {
        Menu {
            metrics: self.metrics().iter().copied().map(MetricMenu::of).collect(),
            components: self
                .components()
                .iter()
                .copied()
                .map(ComponentMenu::of)
                .collect(),
        }
    }
}

impl MetricMenu {
    fn of(metric: &dyn ckptscope_metrics::Metric) -> Self {
        let applies_to = metric.applies_to().iter();
        Self {
            name: metric.name().to_owned(),
            title: metric.title().to_owned(),
            summary: metric.summary().to_owned(),
            is_comparative: metric.form().is_comparative(),
            data_types: applies_to.map(ToString::to_string).collect(),
            parameters: metric.parameters().iter().map(ParameterMenu::of).collect(),
        }
    }
}

impl ComponentMenu {
    fn of(component: &dyn Component) -> Self {
        let owned = |word: &str| word.to_owned();
        let (kinds, roles) = (component.data_kinds(), component.roles());
        Self {
            name: component.name().to_owned(),
            summary: component.summary().to_owned(),
            data_types: kinds.iter().map(|kind| owned(kind.name())).collect(),
            roles: roles.iter().map(|role| owned(role)).collect(),
            parameters: component
                .parameters()
                .iter()
                .map(ParameterMenu::of)
                .collect(),
        }
    }
}

impl ParameterMenu {
    fn of(parameter: &Parameter) -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            name: parameter.name.to_owned(),
            summary: parameter.summary.to_owned(),
            values: match parameter.kind {
                ParameterKind::Choice(words) => ParameterValues::Choice(owned(words)),
                ParameterKind::Integer { min, max } => ParameterValues::Integer(min, max),
                ParameterKind::Fraction { .. } => {
                    ParameterValues::Fraction(parameter.kind.to_string())
                }
                ParameterKind::Boolean => ParameterValues::Boolean,
            },
            default: parameter.default.to_string(),
        }
    }
}
