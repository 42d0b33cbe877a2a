//! What colours stand for.

use std::collections::BTreeSet;

use ckptscope_chart::{Curve, Subjects};
use ckptscope_plot::{
    Colour, Dash, LineChart, Series, head_colours, layer_colours, part_colours, part_dashes,
};

use super::{By, Choice};
use crate::curve::PanelCurves;

/// As many lines have a legend; more have their numbers at their ends.
const MOST_IN_LEGEND: usize = 6;

/// What a line is called that is of no layer, where colours stand for layers.
const OUTSIDE: &str = "outside of layers";

/// What colours stand for.
pub(super) struct Palette {
    by: By,
    names: Vec<String>,
    /// Of each name.
    looks: Vec<(Colour, Dash)>,
}

impl Palette {
    pub(super) fn of(panel: &PanelCurves, choice: &Choice) -> Self {
        let by = choice.by;
        let seen = Subjects::of(panel.curves());
        let numbers = |all: &BTreeSet<u64>| all.iter().map(u64::to_string).collect();
        let names: Vec<String> = match by {
            By::Layer => numbers(&seen.layers),
            By::Head => numbers(&seen.heads),
            By::Component => {
                let parts = panel.parts.iter();
                parts.map(|part| part.short.clone()).collect()
            }
        };
        let (count, theme) = (names.len(), choice.theme);
        let solid = || vec![Dash::Solid; count];
        let (colours, dashes) = match by {
            By::Layer => (layer_colours(count, theme), solid()),
            By::Head => (head_colours(count, theme), solid()),
            By::Component => (part_colours(count, theme), part_dashes(count)),
        };
        Self {
            by,
            names,
            looks: colours.into_iter().zip(dashes).collect(),
        }
    }

    /// What a curve of a component looks like.
    pub(super) fn style(&self, component: &str, curve: &Curve) -> Series {
        let name = match self.by {
            By::Layer => match curve.subject.layer {
                Some(layer) => layer.to_string(),
                None => OUTSIDE.to_owned(),
            },
            By::Head => curve.subject.head.unwrap_or_default().to_string(),
            By::Component => component.to_owned(),
        };
        let place = self.names.iter().position(|other| *other == name);
        let end_label = if self.is_at_ends() && name != OUTSIDE {
            name.clone()
        } else {
            String::new()
        };
        let look = place.and_then(|place| self.looks.get(place));
        let (colour, dash) = look.copied().unwrap_or_default();
        Series {
            name: self.said(&name),
            colour,
            dash,
            end_label,
            ..Series::default()
        }
    }

    /// Whether lines have their numbers at their ends instead of in a legend.
    fn is_at_ends(&self) -> bool {
        self.by != By::Component && self.names.len() > MOST_IN_LEGEND
    }

    fn said(&self, name: &str) -> String {
        match self.by {
            By::Layer if name == OUTSIDE => name.to_owned(),
            By::Layer => format!("layer {name}"),
            By::Head => format!("head {name}"),
            By::Component => name.to_owned(),
        }
    }

    /// The names and looks of the lines that have no numbers at their ends: those of curves, then
    /// those that charts have of their own.
    pub(super) fn legend(&self, charts: &[LineChart]) -> Vec<Series> {
        let drawn = charts.iter().flat_map(|chart| &chart.series);
        let drawn: Vec<&Series> = drawn.filter(|line| line.end_label.is_empty()).collect();
        let curves = self.names.iter().zip(&self.looks);
        let curves = curves.map(|(name, &(colour, dash))| Series {
            name: self.said(name),
            colour,
            dash,
            ..Series::default()
        });
        let is_drawn = |entry: &Series| drawn.iter().any(|line| line.name == entry.name);
        let mut legend: Vec<Series> = curves.filter(is_drawn).collect();
        for line in &drawn {
            if !legend.iter().any(|entry| entry.name == line.name) {
                legend.push((*line).clone());
            }
        }
        legend
    }

    /// What the numbers at lines' ends are.
    pub(super) fn remark(&self, charts: &[LineChart]) -> &'static str {
        let mut lines = charts.iter().flat_map(|chart| &chart.series);
        if !lines.any(|line| self.names.contains(&line.end_label)) {
            return "";
        }
        match self.by {
            By::Layer => " · numbers: layers",
            By::Head => " · numbers: heads",
            By::Component => "",
        }
    }
}
