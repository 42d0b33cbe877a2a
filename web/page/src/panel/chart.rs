//! From series to drawings.

use std::collections::BTreeSet;

use ckptscope_plot::{Figure, Heatmap, LineChart, Row, Scale, Series, Size, Theme};

use crate::choices::Choices;

use super::look::LineLook;
use super::title::Title;
use super::{Line, Panel};

/// What a chart shows, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartPlan {
    /// The lines that are shown, hidden ones as well.
    pub panel: Panel,
    /// One for each line.
    pub looks: Vec<LineLook>,
    /// The words around it.
    pub title: Title,
    /// How it is shown.
    pub choices: Choices,
    /// Whether x is the layer.
    pub is_over_layers: bool,
    /// What it stands on.
    pub theme: Theme,
}

impl ChartPlan {
    /// The lines that are drawn, and what they look like.
    pub fn drawn(&self) -> impl Iterator<Item = (&Line, &LineLook)> {
        let all = self.panel.lines.iter().zip(&self.looks);
        all.filter(|(_, look)| look.is_drawn)
    }

    /// `step` or `layer`.
    #[must_use]
    pub const fn x_name(&self) -> &'static str {
        if self.is_over_layers { "layer" } else { "step" }
    }

    /// Lines over steps or layers.
    #[must_use]
    pub fn line_chart(&self, size: Size) -> LineChart {
        LineChart {
            title: self.description("lines"),
            x_label: if self.is_over_layers { "layer" } else { "" }.to_owned(),
            x_scale: self.x_scale(),
            y_scale: self.choices.y.of_values(),
            series: self.drawn().map(series).collect(),
            size,
            theme: self.theme,
            ..LineChart::default()
        }
    }

    /// A row for each line, a column for each step or layer.
    #[must_use]
    pub fn heatmap(&self, size: Size) -> Heatmap {
        let columns = self.panel.steps();
        let row = |(line, look): (&Line, &LineLook)| Row {
            name: row_name(look),
            values: columns.iter().map(|step| line.at(*step)).collect(),
        };
        Heatmap {
            title: self.description("rows of a heatmap"),
            x_label: if self.is_over_layers { "layer" } else { "" }.to_owned(),
            rows: self.drawn().map(row).collect(),
            columns: columns.iter().map(u64::to_string).collect(),
            scale: self.choices.y.of_values(),
            size,
            theme: self.theme,
            ..Heatmap::default()
        }
    }

    /// A drawing that can be published says itself what it shows.
    #[must_use]
    pub fn figure(&self) -> Option<Figure> {
        Some(Figure {
            title: self.title.name.clone(),
            subtitle: self.title.details.clone(),
        })
    }

    /// How steps or layers become positions.
    #[must_use]
    pub fn x_scale(&self) -> Scale {
        if self.is_over_layers {
            Scale::Linear
        } else {
            self.choices.x.of_steps()
        }
    }

    /// What a screen reader says of the drawing.
    fn description(&self, what: &str) -> String {
        let components: BTreeSet<String> = self
            .drawn()
            .map(|(line, _)| line.subject.short_part())
            .collect();
        let components: Vec<String> = components.into_iter().collect();
        format!(
            "{} of {} over {}s, {} {what}; the table has the values",
            self.title.line(),
            components.join(", "),
            self.x_name(),
            self.drawn().count(),
        )
    }
}

/// A line as it is drawn.
#[must_use]
pub fn series((line, look): (&Line, &LineLook)) -> Series {
    Series {
        name: look.name.clone(),
        colour: look.colour,
        dash: look.dash,
        points: line
            .points()
            .map(|(step, value)| (step as f64, value))
            .collect(),
        ..Series::default()
    }
}

/// `0 · v_proj`: rows have little room.
fn row_name(look: &LineLook) -> String {
    let subject = &look.subject;
    let component = subject.short_part();
    match (subject.layer, subject.head) {
        (Some(layer), Some(head)) => format!("{layer} · h{head} · {component}"),
        (Some(layer), None) => format!("{layer} · {component}"),
        (None, Some(head)) => format!("h{head} · {component}"),
        (None, None) => component,
    }
}
