//! A config as a form, the way back, and the menus of a registry.

use ckptscope_checkpoint::architecture::Role;
use ckptscope_metrics::{Metric, Parameter, ParameterKind, Parameters};
use ckptscope_protocol::{
    ComponentForm, ComponentMenu, ConfigForm, Menu, MetricForm, MetricMenu, ParameterMenu,
    ParameterValues, PicoReportForm,
};

use super::yaml::progression;
use super::{
    Config, ConfigErrors, LayerSelection, MetricEntry, PicoReport, StepSelection, Target,
    WrittenComponent, reading, schema,
};
use crate::component::Component;
use crate::registry::Registry;

impl Config {
    /// The form of the config; parameters stand in it with their values, defaults included.
    #[must_use]
    pub fn form(&self) -> ConfigForm {
        let wandb = self.monitoring.wandb.as_ref();
        let dimensions = self.model.named().into_iter();
        let dimensions =
            dimensions.filter_map(|(name, size)| Some((name.to_owned(), size?.to_string())));
        ConfigForm {
            analysis_name: self.analysis_name.clone().unwrap_or_default(),
            metrics: self.metrics.iter().map(metric_form).collect(),
            model: dimensions.collect(),
            steps: steps_in_words(&self.steps),
            on_error: self.on_error.name().to_owned(),
            output_dir: self.monitoring.output_dir.clone(),
            wandb: wandb.map(|wandb| (wandb.entity.clone(), wandb.project.clone())),
            pico_report: self.monitoring.pico_report.as_ref().map(pico_report_form),
        }
    }

    /// The config that a form stands for; its text is the canonical one.
    ///
    /// # Errors
    /// [`ConfigErrors`] with everything wrong with it. Problems say by path which field is meant;
    /// a form has no lines, so they are 0.
    pub fn from_form(form: &ConfigForm, registry: &Registry) -> Result<Self, ConfigErrors> {
        let mut config = schema::read(&reading::document(form, registry), "", registry)?;
        config.text = config.to_yaml();
        // Read again, so that every entry knows the line on which it stands.
        Self::parse(&config.text, registry)
    }
}

fn metric_form(entry: &MetricEntry) -> MetricForm {
    MetricForm {
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
        components: entry.written().map(component_form).collect(),
    }
}

fn component_form(written: WrittenComponent<'_>) -> ComponentForm {
    let WrittenComponent {
        entry,
        suffixes,
        parts,
    } = written;
    ComponentForm {
        component: entry.component.name().to_owned(),
        data_type: entry.kind.name().to_owned(),
        suffixes: suffixes.into_iter().map(str::to_owned).collect(),
        parts: parts.into_iter().map(|part| part.to_string()).collect(),
        stack: entry.stack.clone().unwrap_or_default(),
        layers: layers_in_words(&entry.layers),
        parameters: values(&entry.parameters),
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
        LayerSelection::Outside => "none".to_owned(),
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
            metrics: self.metrics().iter().copied().map(metric_menu).collect(),
            components: self
                .components()
                .iter()
                .copied()
                .map(component_menu)
                .collect(),
        }
    }
}

fn metric_menu(metric: &dyn Metric) -> MetricMenu {
    let applies_to = metric.applies_to().iter();
    MetricMenu {
        name: metric.name().to_owned(),
        title: metric.title().to_owned(),
        summary: metric.summary().to_owned(),
        is_comparative: metric.form().is_comparative(),
        data_types: applies_to.map(ToString::to_string).collect(),
        parameters: metric.parameters().iter().map(parameter_menu).collect(),
    }
}

fn component_menu(component: &dyn Component) -> ComponentMenu {
    let owned = |word: &str| word.to_owned();
    let (kinds, roles) = (component.data_kinds(), component.suffix_names());
    ComponentMenu {
        name: component.name().to_owned(),
        summary: component.summary().to_owned(),
        data_types: kinds.iter().map(|kind| owned(kind.name())).collect(),
        roles: roles.iter().map(|role| owned(role)).collect(),
        parts: match roles {
            [] => Role::NAMES.iter().map(|name| owned(name)).collect(),
            _ => Vec::new(),
        },
        parameters: component.parameters().iter().map(parameter_menu).collect(),
        parameters_by_role: match component.roles() {
            [] => Vec::new(),
            _ => component
                .parameters_by_role()
                .iter()
                .map(parameter_menu)
                .collect(),
        },
    }
}

fn parameter_menu(parameter: &Parameter) -> ParameterMenu {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    ParameterMenu {
        name: parameter.name.to_owned(),
        summary: parameter.summary.to_owned(),
        values: match parameter.kind {
            ParameterKind::Choice(words) => ParameterValues::Choice(owned(words)),
            ParameterKind::Integer { min, max } => ParameterValues::Integer(min, max),
            ParameterKind::Fraction { .. } => ParameterValues::Fraction(parameter.kind.to_string()),
            ParameterKind::Boolean => ParameterValues::Boolean,
        },
        default: parameter.default.to_string(),
    }
}

fn pico_report_form(report: &PicoReport) -> PicoReportForm {
    PicoReportForm {
        lab_hash: report.lab_hash.clone(),
        experiment_name: report.experiment_name.clone(),
        auto_commit: report.auto_commit,
    }
}
