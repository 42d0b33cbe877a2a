//! From series to what charts are drawn of.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use ckptscope_chart::{
    Along, Chart, ChartInput, Curve, OverLayers, StyledCurve, Tiles, grouped, omitted,
    scale_of_values,
};
use ckptscope_plot::{Figure, Scale, Series, Size, Theme};
use ckptscope_results::Names;

use crate::choices::Choices;

use super::look::LineLook;
use super::title::Title;
use super::{Panel, Subject};

/// What a chart shows, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartPlan {
    /// What draws it.
    pub chart: &'static Chart,
    /// The lines that are shown, hidden ones as well.
    pub panel: Panel,
    /// One for each line.
    pub looks: Vec<LineLook>,
    /// What lines are called.
    pub names: Arc<Names>,
    /// The words around it.
    pub title: Title,
    /// How it is shown.
    pub choices: Choices,
    /// What x is.
    pub along: Along,
    /// What it stands on.
    pub theme: Theme,
}

/// A line and what it looks like.
pub type ShownLine<'a> = (&'a Curve, &'a LineLook);

impl ChartPlan {
    /// The lines that are drawn, and what they look like.
    pub fn drawn(&self) -> impl Iterator<Item = ShownLine<'_>> + Clone {
        self.shown().filter(|(_, look)| look.is_drawn)
    }

    /// The lines by what has a drawing of its own; hidden ones as well.
    #[must_use]
    pub fn tiles(&self) -> Vec<(Subject, Vec<ShownLine<'_>>)> {
        let tiles = self.chart.tiles;
        grouped(self.shown(), |(line, _)| tiles.common(&line.subject))
    }

    /// What all lines that are drawn are drawn as.
    #[must_use]
    pub fn whole(&self, size: Size) -> ChartInput<'_> {
        let components = self.drawn().map(|(line, _)| self.names.part(&line.subject));
        let components: BTreeSet<String> = components.collect();
        let components: Vec<String> = components.into_iter().collect();
        let name = format!("{} of {}", self.title.line(), components.join(", "));
        let x_label = match self.along {
            Along::Steps => "".into(),
            Along::Layers => self.x_label(),
        };
        ChartInput {
            x_label,
            ..self.input(&name, self.drawn(), size)
        }
    }

    /// What some of the lines are drawn as.
    pub fn input<'a>(
        &'a self,
        name: &str,
        lines: impl Iterator<Item = ShownLine<'a>>,
        size: Size,
    ) -> ChartInput<'a> {
        let curves: Vec<StyledCurve<'a>> = lines.map(|shown| self.styled(shown)).collect();
        let (x, marks, count) = (self.along.noun(), self.chart.marks, curves.len());
        ChartInput {
            title: format!(
                "{name} over {x}s, {marks} one of {count} series; the table has the values"
            ),
            curves,
            columns: self.panel.steps(),
            row_name: Box::new(|subject| self.names.row(subject)),
            x_label: "".into(),
            value_label: "",
            x_scale: match self.along {
                Along::Steps => self.choices.x.of_steps(),
                Along::Layers => Scale::Linear,
            },
            value_scale: self.value_scale(),
            size,
            theme: self.theme,
            figure: None,
        }
    }

    /// What is along x, and what has no place there.
    #[must_use]
    pub fn x_label(&self) -> Cow<'static, str> {
        let noun = self.along.noun();
        match OverLayers::left_out_in_words(self.panel.left_out) {
            Some(left_out) => format!("{noun} ({left_out})").into(),
            None => noun.into(),
        }
    }

    /// What drawings do not show, and why; none where they show all.
    #[must_use]
    pub fn omitted(&self) -> Option<String> {
        let curves = self.drawn().map(|(curve, _)| curve);
        let omitted = omitted(curves, self.value_scale());
        let outside = OverLayers::left_out_in_words(self.panel.left_out);
        let outside = outside.filter(|_| self.chart.tiles != Tiles::All);
        let told: Vec<String> = omitted.into_iter().chain(outside).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// As somebody chose it, or as values ask for it.
    fn value_scale(&self) -> Scale {
        self.choices.y.of_values(|| {
            let values = self.drawn().flat_map(|(line, _)| line.values());
            scale_of_values(values.map(|(_, value)| value))
        })
    }

    /// A drawing that can be published says itself what it shows.
    #[must_use]
    pub fn figure(&self) -> Figure {
        Figure {
            title: self.title.name.clone(),
            subtitle: self.title.details.clone(),
        }
    }

    fn shown(&self) -> impl Iterator<Item = ShownLine<'_>> + Clone {
        self.panel.lines.iter().zip(&self.looks)
    }

    fn styled<'a>(&self, (curve, look): ShownLine<'a>) -> StyledCurve<'a> {
        let name = self.chart.tiles.name(&curve.subject, &self.names);
        // Of one tile's lines each has a look of its own.
        let mark = match self.chart.tiles {
            Tiles::All => look.mark.as_str(),
            _ => "",
        };
        let style = Series {
            name: match mark {
                "" => name,
                mark => format!("{mark} · {name}"),
            },
            end_label: mark.to_owned(),
            colour: look.colour,
            dash: look.dash,
            ..Series::default()
        };
        StyledCurve { curve, style }
    }
}
